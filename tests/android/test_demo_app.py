"""The demo app's package, with arm64's library in it, started off the device as far as native code
goes: what its Java code would call is called through JNI, with the package's own configuration."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from kit import unidbg
from kit.android_build import ANDROID, ROOT
from kit.registered_app import set_policy, touchmark
from kit.service import Service

APK = "app/build/outputs/apk/release/app-release.apk"
APP = "com.example.currencyconverter"
API = "localhost:5001"
FORGED = ("--java", "--hide", "--forge", ",".join(unidbg.FORGERIES))

pytestmark = pytest.mark.skipif(
    not unidbg.LIBRARY.is_file(),
    reason="the library of arm64 is not there: make android-check builds it",
)


def run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("service") / "data").start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def package(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's release, as its developer builds and registers it."""
    home = tmp_path_factory.mktemp("home")
    (home / "tools").symlink_to(ROOT / "tools")
    demo = home / "demo"
    ignored = shutil.ignore_patterns("build", ".local", "touchmark_sdk.aar", "*.config")
    shutil.copytree(ROOT / "demo", demo, ignore=ignored)
    (demo / "app/src/main/assets").mkdir(exist_ok=True)
    run(ANDROID / "build-aar", "--out", demo / "touchmark_sdk.aar",
        "--library", f"arm64-v8a={unidbg.LIBRARY}")  # fmt: skip
    touchmark(service, "api", "add", API, "--pin", base64.b64encode(bytes(32)).decode())
    config = demo / "app/src/main/assets/touchmark-initial.config"
    touchmark(service, "sdk", "config", str(config), "--allow-local")
    run(demo / "bin/build-release")
    touchmark(service, "registration", "add", str(demo / APK))
    return demo / APK


def is_valid(service: Service, token: str) -> bool:
    secret = json.loads(touchmark(service, "secret", "get", "--json"))
    try:
        jwt.decode(token, base64.b64decode(secret["secret"]), algorithms=["HS256"])
        return True
    except jwt.InvalidSignatureError:
        return False


def test_the_demo_app_starts_and_attests_as_the_registered_package(
    service: Service, package: Path, tmp_path: Path
) -> None:
    set_policy(service, "development", tmp_path)
    seen = service.log.stat().st_size
    done = unidbg.run(tmp_path / "phone", package, f"https://{API}/", *FORGED)
    assert done.status == 0, (done.said, done.errors[-3000:])
    assert done.said["jni_on_load"] == "ok" and done.said["version"].count(".") == 2
    assert done.said["open"] == "0" and done.said["fetch"] == "0"
    (event,) = [e for e in service.events(seen) if e.get("event") == "attest"]
    # unidbg's table of JNI's functions is no system's. Who calls the C interface shows none.
    assert event["findings"] == ["hook.jni"] and not event["passed"]
    assert APP in json.dumps(event)
    assert not is_valid(service, done.said["token"])
    # Under the policy that a new service starts with, the phone's hardware is asked.
    set_policy(service, "strict", tmp_path)
    seen = service.log.stat().st_size
    done = unidbg.run(tmp_path / "phone", package, f"https://{API}/", *FORGED)
    (event,) = [e for e in service.events(seen) if e.get("event") == "attest"]
    assert "hardware.assurance" in event["findings"] and not event["passed"]
    assert not is_valid(service, done.said["token"])
