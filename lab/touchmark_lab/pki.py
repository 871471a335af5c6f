"""The lab's own certificate authorities: one for the API server, one for the
phones' secure hardware."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME = datetime.timedelta(days=2)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as PEM files."""

    cert: Path
    key: Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _pem(*parts: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    return b"".join(
        part.public_bytes(serialization.Encoding.PEM)
        if isinstance(part, x509.Certificate)
        else part.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for part in parts
    )


def _write(
    folder: Path, name: str, key: ec.EllipticCurvePrivateKey, *certs: x509.Certificate
) -> Identity:
    identity = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    identity.cert.write_bytes(_pem(*certs))
    identity.key.touch(mode=0o600)
    identity.key.write_bytes(_pem(key))
    return identity


def make(folder: Path) -> tuple[Identity, Identity]:
    """Makes the CA and, signed by it, the server's certificate for localhost, which is served with
    the CA's, so that the app can pin either key."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = (
        _builder(_name("Touchmark lab CA"), _name("Touchmark lab CA"), ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    server_key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    server = (
        _builder(_name("localhost"), _name("Touchmark lab CA"), server_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    return _write(folder, "ca", ca_key, ca), _write(folder, "api", server_key, server, ca)


@dataclass(frozen=True)
class ForgedChain:
    """What a man in the middle has who is a customer of the API's own CA and can install a CA of
    theirs on the phone, of the same name and key as their certificate."""

    device_ca: Path
    served: Path
    """PEM: the key and certificate for the API, and the genuine certificates above it."""


def forge_chain(folder: Path, ca: Identity) -> ForgedChain:
    ca_cert = x509.load_pem_x509_certificate(ca.cert.read_bytes())
    ca_key = serialization.load_pem_private_key(ca.key.read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    customer, own_key = _name("customer.example"), ec.generate_private_key(ec.SECP256R1())
    bought = (
        _builder(customer, ca_cert.subject, own_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("customer.example")]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    device_ca = (
        _builder(customer, customer, own_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(own_key, hashes.SHA256())
    )
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = (
        _builder(_name("localhost"), customer, server_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(own_key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    forged = ForgedChain(folder / "device-ca.pem", folder / "served.pem")
    forged.device_ca.write_bytes(_pem(device_ca))
    forged.served.write_bytes(_pem(server_key, server, bought, ca_cert))
    return forged


@dataclass(frozen=True)
class HardwareMaker:
    """Who makes the secure hardware of the lab's phones, in the place of
    Google and a phone maker."""

    root: Path
    """PEM, for the service."""
    keybox: Path
    """A folder with batch.key and chain.pem, for the phones."""


def make_hardware(folder: Path) -> HardwareMaker:
    """A root, an intermediate and a batch key, named as those of factory-provisioned phones are."""

    def factory_name(serial: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.SERIAL_NUMBER, serial),
                x509.NameAttribute(NameOID.TITLE, "TEE"),
            ]
        )

    names = [
        _name("Touchmark lab hardware root"),
        factory_name(secrets.token_hex(8)),
        factory_name(secrets.token_hex(8)),
    ]
    keys = [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    ]
    certificates = [
        _builder(name, names[max(0, i - 1)], keys[i])
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(keys[max(0, i - 1)], hashes.SHA256())
        for i, name in enumerate(names)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    root = _write(folder, "root", keys[0], certificates[0])
    _write(folder, "batch", keys[2], certificates[2])
    (folder / "chain.pem").write_bytes(_pem(*reversed(certificates)))
    return HardwareMaker(root.cert, folder)


def _pin(key: ec.EllipticCurvePublicKey) -> str:
    """Base64 of SHA-256 of the SubjectPublicKeyInfo."""
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def pin_of(identity: Identity) -> str:
    key = x509.load_pem_x509_certificate(identity.cert.read_bytes()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return _pin(key)


def random_pin() -> str:
    """The pin of a key that no server holds."""
    return _pin(ec.generate_private_key(ec.SECP256R1()).public_key())
