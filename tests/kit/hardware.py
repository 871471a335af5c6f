"""Phones with secure hardware, under roots that the tests make: Android's Keystore,
Apple's App Attest."""

from __future__ import annotations

import base64
import copy
import datetime
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from kit import cbor, der
from kit.soft_attester import SoftAttester, b64url_decode

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
    now = datetime.datetime.now(datetime.UTC)
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
    os_patch_level: int = 202601
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

    def with_boot(self, **changed: Any) -> AndroidPhone:
        """Another phone of the same maker, which booted otherwise."""
        phone = copy.copy(self)
        for name, value in changed.items():
            setattr(phone, name, value)
        return phone

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
            der.explicit(706, der.integer(self.os_patch_level)),
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


def stated(attester: SoftAttester) -> dict[str, Any]:
    """What hardware states of an app's key: a challenge of the service, package and signers."""
    app = attester.app.measurement
    return {
        "challenge": b64url_decode(attester.challenge()["nonce"]),
        "package": app["package"],
        "signers": [bytes.fromhex(signer) for signer in app["signers"]],
    }


def chain(phone: AndroidPhone, attester: SoftAttester, **changed: Any) -> list[bytes]:
    """Of an installation whose key is in the phone's hardware."""
    return phone.attest(**{"key": attester.key, **stated(attester), **changed})


def vouched(phone: AndroidPhone, attester: SoftAttester, **changed: Any) -> dict[str, Any]:
    """The claim `submods` with that chain."""
    return android_key(chain(phone, attester, **changed))


@dataclass
class AppleDevice:
    """An iPhone's App Attest: one key, under a root of the tests."""

    app_id: str
    aaguid: bytes = b"appattest".ljust(16, b"\0")
    key: Key = field(default_factory=new_key)
    root_key: Key = field(default_factory=new_key)
    ca_key: Key = field(default_factory=new_key)
    counter: int = 0

    NONCE = ObjectIdentifier("1.2.840.113635.100.8.2")

    def __post_init__(self) -> None:
        root, ca = name(cn="Test App Attestation Root CA"), name(cn="Test App Attestation CA 1")
        self.ca_name = ca
        self.root = certificate(root, self.root_key, root, self.root_key, ca=True)
        self.ca = certificate(ca, self.ca_key, root, self.root_key, ca=True)

    def write_root(self, path: Path) -> Path:
        path.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        return path

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    @property
    def key_id(self) -> str:
        return b64(hashlib.sha256(self.point).digest())

    def attest(self, client_data_hash: bytes) -> bytes:
        x, y = self.point[1:33], self.point[33:]
        data = self._header(0) + self.aaguid + b"\0\x20" + hashlib.sha256(self.point).digest()
        data += cbor.encode({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        nonce = hashlib.sha256(data + client_data_hash).digest()
        leaf = certificate(
            name(cn="credential"), self.key, self.ca_name, self.ca_key, ca=False,
            extensions={self.NONCE: der.sequence(der.explicit(1, der.octets(nonce)))},
        )  # fmt: skip
        statement = {"x5c": [to_der(leaf), to_der(self.ca)], "receipt": b""}
        return cbor.encode({"fmt": "apple-appattest", "attStmt": statement, "authData": data})

    def sign(self, client_data_hash: bytes) -> bytes:
        """An assertion, with the next counter."""
        self.counter += 1
        data = self._header(self.counter)
        nonce = hashlib.sha256(data + client_data_hash).digest()
        signature = self.key.sign(nonce, ec.ECDSA(hashes.SHA256()))
        return cbor.encode({"signature": signature, "authenticatorData": data})

    def _header(self, counter: int) -> bytes:
        return hashlib.sha256(self.app_id.encode()).digest() + b"\x40" + counter.to_bytes(4, "big")


def client_data_hash(nonce: bytes, installation_key: Key) -> bytes:
    """protocol/README.md, "app-attest"."""
    spki = installation_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(b"touchmark app-attest v1" + nonce + spki).digest()
