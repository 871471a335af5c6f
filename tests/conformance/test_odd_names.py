"""Packages that AOSP's signer refuses to make and its verifier has an answer to: JAR signatures
(v1) over entries whose names hold what a manifest cannot, or can only by luck."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from conformance.verifiers import Aosp, Levels, touchmark
from kit import apk

LEVELS = Levels(min_sdk=24, max_sdk=29)  # where v1 alone is enough
STAND_IN = b"?NAME?"
NAMES = {
    "plain": b"test.txt",
    "nul": b"test.txt\0",
    "nul inside": b"te\0st.txt",
    "cr": b"test\r.txt",
    "lf": b"test\n.txt",
    "colon": b"Name: test.txt",
    "blank": b" test.txt ",
    "umlaut": "t\u00e4st.txt".encode(),
    "emoji": "\U0001f600.txt".encode(),
    "long": b"t" * 200 + b".txt",
    "unit separator": b"test\x1f.txt",
    "delete": b"test\x7f.txt",
    "next line": "te\u0085st".encode(),
    "line separator": "te\u2028st".encode(),
}


@pytest.fixture(scope="module")
def signer() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd names")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=10000))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def section(name: bytes, content: bytes) -> bytes:
    """A section of the manifest or of the signature file; lines of over 72 bytes go
    on in the next one."""
    line = b"Name: " + name
    lines = [line[:70]] + [b" " + line[i : i + 69] for i in range(70, len(line), 69)]
    digest = base64.b64encode(hashlib.sha256(content).digest())
    return b"\r\n".join(lines) + b"\r\nSHA-256-Digest: " + digest + b"\r\n\r\n"


def signed_v1(name: bytes, signer: tuple[x509.Certificate, rsa.RSAPrivateKey]) -> bytes:
    files = {b"AndroidManifest.xml": apk.compile_manifest("com.example.names"), name: b"content"}
    sections = {one: section(one, content) for one, content in files.items()}
    manifest = b"Manifest-Version: 1.0\r\n\r\n" + b"".join(sections.values())
    whole = base64.b64encode(hashlib.sha256(manifest).digest())
    signature_file = b"Signature-Version: 1.0\r\nSHA-256-Digest-Manifest: " + whole + b"\r\n\r\n"
    signature_file += b"".join(section(one, text) for one, text in sections.items())
    block = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(signature_file)
        .add_signer(*signer, hashes.SHA256())
        .sign(
            serialization.Encoding.DER,
            [
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.Binary,
                pkcs7.PKCS7Options.NoAttributes,
            ],
        )
    )
    # Python's own writer cuts names at a NUL, so a stand-in of the same length is replaced.
    stand_in = STAND_IN.ljust(len(name), b"_")[: len(name)]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest)
        archive.writestr("META-INF/CERT.SF", signature_file)
        archive.writestr("META-INF/CERT.RSA", block)
        archive.writestr("AndroidManifest.xml", files[b"AndroidManifest.xml"])
        archive.writestr(stand_in.decode(), files[name])
    return out.getvalue().replace(stand_in, name)


def test_same_verdict(signer: tuple[x509.Certificate, rsa.RSAPrivateKey], tmp_path: Path) -> None:
    packages: list[Path] = []
    for label, name in NAMES.items():
        packages.append(tmp_path / f"{label}.apk")
        packages[-1].write_bytes(signed_v1(name, signer))
    with Aosp() as aosp:
        theirs = {package.stem: aosp.verdict(package, LEVELS).verified for package in packages}
    ours = {p.stem: v.verified for p, v in zip(packages, touchmark(packages, LEVELS), strict=True)}
    assert theirs["plain"] and theirs["nul"] and not theirs["lf"]
    assert ours == theirs
