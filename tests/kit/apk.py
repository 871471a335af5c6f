"""Makes small, real, signed Android packages by the hundred.

aapt2 compiles the binary manifest once; each package then gets its own content and an APK Signature
Scheme v2 block (https://source.android.com/docs/security/features/apksigning/v2) made here, because
a JVM start for each of many packages would be the whole time of a test.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import struct
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FRAMEWORK = "/usr/share/android-framework-res/framework-res.apk"
ECDSA_P256_SHA256 = 0x0201
V2_BLOCK_ID = 0x7109871A
CHUNK = 1 << 20


def compile_app(manifest: str, values: dict[str, str] | None = None) -> dict[str, bytes]:
    """What aapt2 makes of a manifest and of `values`: by the folder ("values-mdpi"), the elements
    of a resource file. Names of files and their content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "AndroidManifest.xml")
        path.write_text(manifest)
        out = Path(folder, "out.apk")
        compiled = []
        for name, elements in (values or {}).items():
            file = Path(folder, "res", name, "values.xml")
            file.parent.mkdir(parents=True)
            file.write_text(f"<resources>{elements}</resources>")
            _aapt2("compile", "-o", folder, file)
            compiled.append(Path(folder, f"{name}_values.arsc.flat"))
        _aapt2("link", "-o", out, "--manifest", path, "-I", FRAMEWORK, *compiled)
        with zipfile.ZipFile(out) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def _aapt2(*arguments: str | Path) -> None:
    subprocess.run(["aapt2", *arguments], check=True, capture_output=True)


def manifest_xml(attributes: str, application: str) -> str:
    """The source of a manifest, with attributes of its root and of its application."""
    return f"""<manifest xmlns:android="http://schemas.android.com/apk/res/android" {attributes}>
        <uses-sdk android:minSdkVersion="24" android:targetSdkVersion="34"/>
        <application {application} android:hasCode="true"/></manifest>"""


def compile_manifest(
    package: str,
    label: str = "Test App",
    version_code: int = 1,
    split: str | None = None,
    *,
    debuggable: bool = False,
    application: str = "",
) -> bytes:
    """The binary AndroidManifest.xml of a package (or of one of its splits), by aapt2."""
    split_attribute = f'split="{split}"' if split else ""
    debug_attribute = 'android:debuggable="true"' if debuggable else ""
    xml = manifest_xml(
        f'package="{package}" {split_attribute} android:versionCode="{version_code}"'
        f' android:versionName="{version_code}.0"',
        f'android:label="{label}" {debug_attribute} {application}',
    )
    return compile_app(xml)["AndroidManifest.xml"]


@dataclass
class SigningKey:
    key: ec.EllipticCurvePrivateKey
    certificate: bytes  # DER

    @staticmethod
    def generate(name: str = "test") -> SigningKey:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=10000))
            .sign(key, hashes.SHA256())
        )
        return SigningKey(key, certificate.public_bytes(serialization.Encoding.DER))


def _prefixed(*items: bytes) -> bytes:
    """Each item behind its length, as the signing block nests everything."""
    return b"".join(struct.pack("<I", len(item)) + item for item in items)


def _content_digest(sections: list[bytes]) -> bytes:
    chunks = [s[i : i + CHUNK] for s in sections for i in range(0, len(s), CHUNK)]
    digests = [hashlib.sha256(b"\xa5" + struct.pack("<I", len(c)) + c).digest() for c in chunks]
    return hashlib.sha256(b"\x5a" + struct.pack("<I", len(chunks)) + b"".join(digests)).digest()


def sign_v2(archive: bytes, signer: SigningKey) -> bytes:
    """Puts a v2 signing block before the central directory of a ZIP without a comment."""
    end = archive.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<I", archive, end + 16)[0]
    entries, central, record = archive[:directory], archive[directory:end], archive[end:]
    digest = _content_digest([entries, central, record])
    signed_data = (
        _prefixed(_prefixed(struct.pack("<I", ECDSA_P256_SHA256) + _prefixed(digest)))
        + _prefixed(_prefixed(signer.certificate))
        + _prefixed(b"")
    )
    signature = signer.key.sign(signed_data, ec.ECDSA(hashes.SHA256()))
    public = signer.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signer_block = _prefixed(
        signed_data,
        _prefixed(struct.pack("<I", ECDSA_P256_SHA256) + _prefixed(signature)),
        public,
    )
    value = _prefixed(_prefixed(signer_block))
    pair = struct.pack("<QI", len(value) + 4, V2_BLOCK_ID) + value
    size = len(pair) + 8 + 16
    block = struct.pack("<Q", size) + pair + struct.pack("<Q", size) + b"APK Sig Block 42"
    moved = record[:16] + struct.pack("<I", directory + len(block)) + record[20:]
    return entries + block + central + moved


def build(manifest: bytes, signer: SigningKey, files: dict[str, bytes]) -> bytes:
    """A signed package of the given content; the same arguments give the same measurement."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"AndroidManifest.xml": manifest, **files}.items():
            archive.writestr(zipfile.ZipInfo(name, (1981, 1, 1, 1, 1, 2)), content)
    return sign_v2(out.getvalue(), signer)
