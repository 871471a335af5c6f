"""arm64's library on Android 6's own C library, under unidbg, against a running service.

unidbg is an emulator of native libraries, so what this shows is that the library loads on Android's
libc, opens, stores its key, looks at itself and attests over TLS; and what the service learns of an
app that runs off the device. `make android-check` builds the library.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from kit.android_build import ROOT
from kit.registered_app import RegisteredApp, set_policy, touchmark

LIBRARY = ROOT / "build/android/native/arm64-v8a/lib/libtouchmark.so"
HERE = Path(__file__).resolve().parent
APP = "com.example.app-1"
SOFTWARE = "version = 1\n"  # software evidence passes

pytestmark = pytest.mark.skipif(
    not LIBRARY.is_file(), reason="the library of arm64 is not there: make android-check builds it"
)


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    done = subprocess.run(
        [ROOT / "tools/maven-deps", "--classpath", HERE / "unidbg"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    libraries = done.stdout.strip()
    classes = tmp_path_factory.mktemp("classes")
    sources = sorted((HERE / "unidbg/src").rglob("*.java"))
    subprocess.run(
        ["javac", "-encoding", "UTF-8", "-cp", libraries, "-d", classes, *sources], check=True
    )
    return f"{classes}:{libraries}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    started = RegisteredApp.start(
        tmp_path_factory.mktemp("service"),
        policy=SOFTWARE,
        files={
            "classes.dex": b"dex\\n035\\0" + os.urandom(20_000),
            "lib/arm64-v8a/libtouchmark.so": LIBRARY.read_bytes(),
        },
    )
    pin = base64.b64encode(bytes(32)).decode()
    touchmark(started.service, "api", "add", "api.example.com", "--pin", pin)
    config = started.service.data.parent / "initial.config"
    touchmark(started.service, "sdk", "config", str(config), "--allow-local")
    yield started
    started.service.stop()


@dataclass
class Run:
    said: dict[str, str]
    event: dict[str, Any]  # in the service's log
    valid: bool
    root: Path


class Device:
    def __init__(self, app: RegisteredApp, class_path: str, root: Path) -> None:
        self.app = app
        self.class_path = class_path
        self.root = root
        self.folder = root / "data/app" / APP
        (self.folder / "lib/arm64").mkdir(parents=True)
        (root / "data/data/org.example.app").mkdir(parents=True)
        package = app.service.data.parent / "app.apk"
        (self.folder / "base.apk").write_bytes(package.read_bytes())
        (self.folder / "lib/arm64/libtouchmark.so").write_bytes(LIBRARY.read_bytes())

    def run(self, *options: str) -> Run:
        service = self.app.service
        seen = service.log.stat().st_size
        done = subprocess.run(
            ["java", "-cp", self.class_path, "touchmark.unidbg.OffDevice", *options, self.root, APP,
             service.data.parent / "initial.config", "https://api.example.com/"],
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        said = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        assert done.returncode == 0, (said, done.stderr[-3000:])
        (event,) = [e for e in service.events(seen) if e.get("event") == "attest"]
        try:
            jwt.decode(said["token"], self.app.secret, algorithms=["HS256"])
            valid = True
        except jwt.InvalidSignatureError:
            jwt.decode(said["token"], self.app.decoy_secret, algorithms=["HS256"])
            valid = False
        return Run(said, event, valid, self.root)


@pytest.fixture
def device(app: RegisteredApp, class_path: str, tmp_path: Path) -> Device:
    return Device(app, class_path, tmp_path)


def test_the_library_loads_opens_and_attests_on_androids_own_libc(device: Device) -> None:
    run = device.run()
    assert run.said["jni_on_load"] == "ok"
    assert run.said["open"] == "0" and run.said["fetch"] == "0"
    assert (run.root / "data/data/org.example.app/no_backup/installation.key").is_file()
    # The emulator's loader is its own, and no file holds its functions.
    assert run.event["findings"] == ["hook.import-redirected"]
    assert not run.valid
    # The same installation, on the next start.
    again = device.run()
    assert again.said["device"] == run.said["device"]


def test_code_that_is_changed_in_memory_is_seen(device: Device) -> None:
    run = device.run("--hide", "--patch")
    assert {"app.code-not-from-package", "hook.text-modified"} <= set(run.event["findings"])
    assert not run.valid


def test_who_hides_the_emulator_mints_tokens_until_hardware_is_asked_for(device: Device) -> None:
    """What docs/threat-model.md says of the genuine app off the device, both ways."""
    run = device.run("--hide")
    assert run.event["findings"] == [] and run.valid
    set_policy(device.app.service, "strict", device.root)
    refused = device.run("--hide")
    set_policy(device.app.service, SOFTWARE, device.root)
    assert "hardware.assurance" in refused.event["findings"]
    assert not refused.valid
