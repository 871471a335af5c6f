"""Makes small, real, signed Android packages by the hundred.

aapt2 compiles the binary manifest once; each package then gets its own content and an APK Signature
Scheme v2 block (https://source.android.com/docs/security/features/apksigning/v2) made here, because
a JVM start for each of many packages would be the whole time of a test.
"""

from __future__ import annotations

import base64
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
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID

FRAMEWORK = "/usr/share/android-framework-res/framework-res.apk"
ECDSA_P256_SHA256 = 0x0201
V2_BLOCK_ID = 0x7109871A
CHUNK = 1 << 20


def compile_app(
    manifest: str,
    values: dict[str, str] | None = None,
    resources: dict[str, str] | None = None,
    *,
    as_bundle: bool = False,
) -> dict[str, bytes]:
    """What aapt2 makes of a manifest, of `values`: by the folder ("values-mdpi"), the elements of
    a resource file, and of `resources`: by the path below res/ ("xml/a.xml"), the file. Names of
    files and their content; of an app bundle's module in protocol buffers."""
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
        for name, text in (resources or {}).items():
            file = Path(folder, "res", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            _aapt2("compile", "-o", folder, file)
            compiled.append(Path(folder, name.replace("/", "_") + ".flat"))
        form = ["--proto-format"] if as_bundle else []
        _aapt2("link", "-o", out, "--manifest", path, "-I", FRAMEWORK, *form, *compiled)
        with zipfile.ZipFile(out) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def _aapt2(*arguments: str | Path) -> None:
    subprocess.run(["aapt2", *arguments], check=True, capture_output=True)


def manifest_xml(attributes: str, application: str, min_sdk: int = 24, target_sdk: int = 34) -> str:
    """The source of a manifest, with attributes of its root and of its application."""
    return f"""<manifest xmlns:android="http://schemas.android.com/apk/res/android" {attributes}>
        <uses-sdk android:minSdkVersion="{min_sdk}" android:targetSdkVersion="{target_sdk}"/>
        <application {application} android:hasCode="true"/></manifest>"""


def compile_manifest(
    package: str,
    label: str = "Test App",
    version_code: int = 1,
    split: str | None = None,
    *,
    debuggable: bool = False,
    application: str = "",
    min_sdk: int = 24,
    target_sdk: int = 34,
) -> bytes:
    """The binary AndroidManifest.xml of a package (or of one of its splits), by aapt2."""
    split_attribute = f'split="{split}"' if split else ""
    debug_attribute = 'android:debuggable="true"' if debuggable else ""
    xml = manifest_xml(
        f'package="{package}" {split_attribute} android:versionCode="{version_code}"'
        f' android:versionName="{version_code}.0"',
        f'android:label="{label}" {debug_attribute} {application}',
        min_sdk,
        target_sdk,
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

    def pkcs12(self, alias: str, password: str) -> bytes:
        """As a keystore, for the JDK's tools."""
        return pkcs12.serialize_key_and_certificates(
            alias.encode(),
            self.key,
            x509.load_der_x509_certificate(self.certificate),
            None,
            serialization.BestAvailableEncryption(password.encode()),
        )


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


def sign_v1(files: dict[str, bytes], signer: SigningKey) -> dict[str, bytes]:
    """The files of the JAR signature over these: manifest, signature file, PKCS #7 block."""

    def digest(text: bytes) -> str:
        return base64.b64encode(hashlib.sha256(text).digest()).decode()

    head = "Manifest-Version: 1.0\r\n\r\n"
    sections = {
        name: f"Name: {name}\r\nSHA-256-Digest: {digest(content)}\r\n\r\n"
        for name, content in files.items()
    }
    manifest = (head + "".join(sections.values())).encode()
    signature = (
        f"Signature-Version: 1.0\r\nSHA-256-Digest-Manifest: {digest(manifest)}\r\n\r\n"
        + "".join(
            f"Name: {name}\r\nSHA-256-Digest: {digest(section.encode())}\r\n\r\n"
            for name, section in sections.items()
        )
    ).encode()
    block = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(signature)
        .add_signer(x509.load_der_x509_certificate(signer.certificate), signer.key, hashes.SHA256())
        .sign(
            serialization.Encoding.DER,
            [
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.NoAttributes,
                pkcs7.PKCS7Options.Binary,
            ],
        )
    )
    return {
        "META-INF/MANIFEST.MF": manifest,
        "META-INF/CERT.SF": signature,
        "META-INF/CERT.EC": block,
    }


def pack(files: dict[str, bytes]) -> bytes:
    """An archive of these, the same for the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1981, 1, 1, 1, 1, 2)), content)
    return out.getvalue()


def build(
    manifest: bytes, signer: SigningKey, files: dict[str, bytes], schemes: tuple[int, ...] = (2,)
) -> bytes:
    """A signed package of the given content; the same arguments give the same measurement.
    `schemes`: 1 for the JAR signature, 2 for v2."""
    content = {"AndroidManifest.xml": manifest, **files}
    if 1 in schemes:
        content |= sign_v1(content, signer)
    archive = pack(content)
    return sign_v2(archive, signer) if 2 in schemes else archive
