"""Stands for a phone with the app in the first hour: it builds the app's release, and opens it.

It speaks the protocol with keys in software, as a phone without secure hardware does, and holds an
app's state: the signed configuration that it was built with or was given since, and its pins.

    phone.pyz build CONFIGURATION LIBRARY APK    makes and signs a release
    phone.pyz open APK URL                       attests, and calls the API
"""

from __future__ import annotations

import base64
import json
import os
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kit import apk
from kit.soft_attester import App, SoftAttester, TlsConnection, b64url_decode

STATE = Path("phone.json")
CONFIGURATION = "assets/touchmark-initial.config"


def read_jws(jws: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(b64url_decode(jws.split(".")[1]))
    return payload


def build(configuration: Path, library: Path, out: Path) -> None:
    manifest = pkgutil.get_data("manifest", "AndroidManifest.xml")
    assert manifest is not None
    with zipfile.ZipFile(library) as aar:
        parts = {
            name.replace("jni/", "lib/", 1): aar.read(name)
            for name in aar.namelist()
            if name.startswith(("assets/", "jni/")) and not name.endswith("/")
        }
    content = {"classes.dex": b"dex\n035\0" + os.urandom(50_000), **parts}
    content[CONFIGURATION] = configuration.read_bytes()
    out.write_bytes(apk.build(manifest, apk.SigningKey.generate("release"), content))


def connect(url: str, pins: list[str]) -> TlsConnection:
    connection = TlsConnection(url)
    shown = base64.b64encode(connection.spki_sha256()).decode()
    if shown not in pins:
        sys.exit(f"{urlsplit(url).netloc} shows a key that the app does not pin: locked out")
    return connection


def open_app(package: Path, url: str) -> None:
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    if "key" not in state:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        with zipfile.ZipFile(package) as archive:
            state = {"key": pem.decode(), "configuration": archive.read(CONFIGURATION).decode()}
    measured = subprocess.run(
        ["touchmark", "package", "measure", str(package), "--json"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    configuration = read_jws(state["configuration"])
    service = connect(configuration["service"]["urls"][0], configuration["service"]["pins"])
    loaded = serialization.load_pem_private_key(state["key"].encode(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    attester = SoftAttester(
        service, configuration["account"], App.of(package, json.loads(measured)), loaded,
        configuration["version"],
    )  # fmt: skip
    answer = attester.attest().json()
    if "config" in answer:
        state["configuration"] = answer["config"]
        configuration = read_jws(answer["config"])
    STATE.write_text(json.dumps(state))
    parts = urlsplit(url)
    api = next(a for a in configuration["api"] if a["domain"] == parts.netloc)
    header = configuration["token"]["header"]
    request = (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{header}: {answer['token']}\r\n\r\n"
    )
    said = connect(url, api["pins"]).exchange(request.encode())
    print(f"the API answers {said.status}: {said.body.decode().strip()}")


def main() -> None:
    match sys.argv[1:]:
        case ["build", configuration, library, out]:
            build(Path(configuration), Path(library), Path(out))
        case ["open", package, url]:
            open_app(Path(package), url)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
