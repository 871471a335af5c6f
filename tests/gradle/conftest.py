from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gradle.gradle import Gradle, make_registry
from gradle.place import Place
from kit.certificate import pem, self_signed
from kit.command import Command
from kit.service import BINARY, ROOT, Service

BUILT = ROOT / "build/release/share/touchmark"


@pytest.fixture(scope="session")
def gradle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gradle]:
    """Trusts the service's certificate alone, so that nothing beyond this machine is asked."""
    folder = tmp_path_factory.mktemp("gradle")
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "cert.pem").write_bytes(self_signed(key, "localhost"))
    (folder / "key.pem").write_bytes(pem(key))
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-alias", "ours", "-storepass", "changeit",
         "-file", folder / "cert.pem", "-keystore", folder / "trusted.jks"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    registry = make_registry(folder / "registry", folder / "work")
    started = Gradle(folder, registry, folder / "trusted.jks")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def place(gradle: Gradle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A service that has handed out 0.0.9 before, with a build machine's token."""
    folder = tmp_path_factory.mktemp("service")
    options = ["--cert", str(gradle.folder / "cert.pem"), "--key", str(gradle.folder / "key.pem"),
               "--allow-host-builds"]  # fmt: skip
    service = Service(folder / "data", [*options, "--sdk-dir", str(folder / "earlier")])
    Place.make_earlier(BUILT, folder / "earlier", "0.0.9")
    service.start()
    service.stop()
    service.options[-1] = str(BUILT)
    service.start()
    administrator = Command(folder / "home")
    administrator.init(service)
    administrator.ok(
        "operator", "add", "build-machine", "--role", "ci", "--app", "com.example.app",
        "--app", "com.example.built", "--app", "com.example.other",
        "--credentials-file", folder / "machine.json",
    )  # fmt: skip
    token = json.loads((folder / "machine.json").read_text())["token"]
    tools = folder / "tools"
    tools.mkdir()
    (tools / "touchmark").symlink_to(BINARY)
    yield Place(gradle, service, administrator, token, tools)
    service.stop()
