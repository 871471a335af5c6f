"""The files that the pages' commands name: what a reader has, or gets from elsewhere."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from docs.blocks import ROOT
from kit import apk

VECTORS = ROOT / "tests/vectors"
PACKAGE = "com.example.currencyconverter"


def put(folder: Path) -> None:
    (folder / "app/src/main/assets").mkdir(parents=True)
    release = folder / "app/build/outputs/apk/release/app-release.apk"
    release.parent.mkdir(parents=True)
    files = {
        "classes.dex": b"dex\n035\0" + bytes(range(256)) * 400,
        "assets/touchmark-sdk.json": b'{"version":"0.1.0"}',
        "lib/x86_64/libtouchmark.so": bytes(4096),
    }
    manifest = apk.compile_manifest(PACKAGE, "Currency Converter Demo")
    release.write_bytes(apk.build(manifest, apk.SigningKey.generate(), files))
    shutil.copy(release, folder / "app-release.apk")
    shutil.copy(VECTORS / "bundle/app.aab", folder / "app-release.aab")
    shutil.copy(VECTORS / "bundle/app.apks", folder)
    (folder / "deployment_cert.der").write_bytes(apk.SigningKey.generate().certificate)
    (folder / "first.der").write_bytes(apk.SigningKey.generate("first").certificate)
    _put_evidence(folder)


def _put_evidence(folder: Path) -> None:
    phone = VECTORS / "key-attestation/google/caiman/sdk36/TEE_EC_RKP.pem"
    shutil.copy(phone, folder / "phone.pem")
    chain = sorted((VECTORS / "key-attestation/real-devices/AUM-L29").glob("cert-*"))
    lines = [base64.b64encode(path.read_bytes()).decode() for path in chain]
    (folder / "chain.pem").write_text("\n".join(lines))
    attestation, assertion, receipt = (
        _iphone(kind) for kind in ("attestation", "assertion", "receipt")
    )
    (folder / "object.cbor").write_bytes(base64.b64decode(attestation["attestationBase64"]))
    digest = base64.b64decode(assertion["clientDataHashSha256Base64"])
    (folder / "client-data-hash").write_text(digest.hex())
    (folder / "assertion.cbor").write_bytes(base64.b64decode(assertion["assertionBase64"]))
    (folder / "receipt.b64").write_text(receipt["receiptBase64"])
    keys = json.loads((VECTORS / "play-integrity/keys.json").read_text())
    payload = json.loads((VECTORS / "play-integrity/payload.json").read_text())
    (folder / "decryption.key").write_text(keys["decryption_key"])
    (folder / "verification.key").write_text(keys["verification_key"])
    (folder / "nonce").write_text(payload["requestDetails"]["nonce"])
    shutil.copy(VECTORS / "play-integrity/token-jose.txt", folder / "token.txt")


def _iphone(kind: str) -> dict[str, Any]:
    text = (VECTORS / "app-attest/veehaitch/ios-14.3.yaml").read_text()
    return next(one for one in yaml.safe_load_all(text) if one["type"] == kind)
