"""Phones with secure hardware, under roots that the tests make: Android's Keystore, Apple's App Attest."""

from __future__ import annotations

import base64
import datetime
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from kit import der

KEY_DESCRIPTION = ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
TRUSTED_ENVIRONMENT = 1
BOOT_KEY = hashlib.sha256(b"the maker's boot key").digest()
VERIFIED, SELF_SIGNED, UNVERIFIED = 0, 1, 2

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def name(**fields: str) -> x509.Name:
    oids = {
        "cn": NameOID.COMMON_NAME,
        "title": NameOID.TITLE,
        "serial": NameOID.SERIAL_NUMBER,
        "o": NameOID.ORGANIZATION_NAME,
    }
    return x509.Name([x509.NameAttribute(oids[f], value) for f, value in fields.items()])


def certificate(
    subject: x509.Name,
    key: Key,
    issuer: x509.Name,
    issuer_key: Key,
    *,
    ca: bool | None,
    extensions: dict[ObjectIdentifier, bytes] | None = None,
) -> x509.Certificate:
    """Valid from yesterday, for a year. `ca`: None leaves basicConstraints out."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    for oid, value in (extensions or {}).items():
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def to_der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.DER)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass
class AndroidPhone:
    """A factory-provisioned phone: root, intermediate and batch key are its own."""

    locked: bool = True
    boot_state: int = VERIFIED
    boot_key: bytes = BOOT_KEY
    root_key: Key = field(default_factory=new_key)
    intermediate_key: Key = field(default_factory=new_key)
    batch_key: Key = field(default_factory=new_key)

    def __post_init__(self) -> None:
        root, middle = name(cn="Test hardware root"), name(serial="0123456789abcdef", title="TEE")
        self.batch_name = name(serial="fedcba9876543210", title="TEE")
        self.root = certificate(root, self.root_key, root, self.root_key, ca=True)
        self.intermediate = certificate(middle, self.intermediate_key, root, self.root_key, ca=True)
        self.batch = certificate(
            self.batch_name, self.batch_key, middle, self.intermediate_key, ca=True
        )

    def write_root(self, path: Path) -> Path:
        path.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        return path

    def attest(self, key: Key, challenge: bytes, package: str, signers: list[bytes]) -> list[bytes]:
        """The chain of a key that was made in the hardware for this app."""
        leaf = certificate(
            name(cn="Android Keystore Key"),
            key,
            self.batch_name,
            self.batch_key,
            ca=None,
            extensions={KEY_DESCRIPTION: self._description(challenge, package, signers)},
        )
        return [to_der(c) for c in (leaf, self.batch, self.intermediate, self.root)]

    def _description(self, challenge: bytes, package: str, signers: list[bytes]) -> bytes:
        app_id = der.sequence(
            der.set_of(der.sequence(der.octets(package.encode()), der.integer(1))),
            der.set_of(*map(der.octets, signers)),
        )
        root_of_trust = der.sequence(
            der.octets(self.boot_key),
            der.boolean(self.locked),
            der.enumerated(self.boot_state),
            der.octets(bytes(32)),
        )
        hardware = (
            der.explicit(702, der.integer(0)),
            der.explicit(704, root_of_trust),
            der.explicit(705, der.integer(140000)),
            der.explicit(706, der.integer(202601)),
        )
        return der.sequence(
            der.integer(300),
            der.enumerated(TRUSTED_ENVIRONMENT),
            der.integer(300),
            der.enumerated(TRUSTED_ENVIRONMENT),
            der.octets(challenge),
            der.octets(b""),
            der.sequence(der.explicit(709, der.octets(app_id))),
            der.sequence(*hardware),
        )


def android_key(chain: list[bytes]) -> dict[str, Any]:
    """The claim `submods`."""
    return {"android-key": {"chain": [b64(c) for c in chain]}}
