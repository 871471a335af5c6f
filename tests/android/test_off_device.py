"""arm64's library on Android 6's own C library, under unidbg, against a running service.

unidbg is an emulator of native libraries, so what this shows is that the library loads on Android's
libc, opens, stores its key, looks at itself and attests over TLS; and what the service learns of an
app that runs off the device. `make android-check` builds the library.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from kit import unidbg
from kit.registered_app import RegisteredApp, set_policy, touchmark

SOFTWARE = "version = 1\n"  # software evidence passes
URL = "https://api.example.com/"

pytestmark = pytest.mark.skipif(
    not unidbg.LIBRARY.is_file(),
    reason="the library of arm64 is not there: make android-check builds it",
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    started = RegisteredApp.start(
        tmp_path_factory.mktemp("service"),
        policy=SOFTWARE,
        files={
            "classes.dex": b"dex\n035\0" + os.urandom(20_000),
            "lib/arm64-v8a/libtouchmark.so": unidbg.LIBRARY.read_bytes(),
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


class Device:
    def __init__(self, app: RegisteredApp, root: Path) -> None:
        self.app = app
        self.root = root

    def run(self, *options: str) -> Run:
        service = self.app.service
        seen = service.log.stat().st_size
        folder = service.data.parent
        config = ("--config", str(folder / "initial.config"))
        done = unidbg.run(self.root, folder / "app.apk", URL, *config, *options)
        assert done.status == 0, (done.said, done.errors[-3000:])
        (event,) = [e for e in service.events(seen) if e.get("event") == "attest"]
        try:
            jwt.decode(done.said["token"], self.app.secret, algorithms=["HS256"])
            valid = True
        except jwt.InvalidSignatureError:
            jwt.decode(done.said["token"], self.app.decoy_secret, algorithms=["HS256"])
            valid = False
        return Run(done.said, event, valid)


@pytest.fixture
def device(app: RegisteredApp, tmp_path: Path) -> Device:
    return Device(app, tmp_path)


# What shows of unidbg as it comes.
MARKS = {name: f"device.{name}" for name in unidbg.FORGERIES}
ALL = ("--hide", "--forge", ",".join(unidbg.FORGERIES))


def test_the_library_loads_opens_and_attests_on_androids_own_libc(device: Device) -> None:
    run = device.run()
    assert run.said["jni_on_load"] == "ok"
    assert run.said["open"] == "0" and run.said["fetch"] == "0"
    key = "data/data/com.example.app/no_backup/installation.key"
    assert (device.root / key).is_file()
    # The emulator's loader is its own, and no file holds its functions.
    assert set(run.event["findings"]) == {"hook.import-redirected", *MARKS.values()}
    assert not run.valid
    # The same installation, on the next start.
    again = device.run()
    assert again.said["device"] == run.said["device"]


@pytest.mark.parametrize("forged", MARKS)
def test_who_forges_one_check_is_seen_by_the_others(device: Device, forged: str) -> None:
    run = device.run("--hide", "--forge", forged)
    assert set(run.event["findings"]) == {*MARKS.values()} - {MARKS[forged]}
    assert not run.valid


def test_code_that_is_changed_in_memory_is_seen(device: Device) -> None:
    run = device.run(*ALL, "--patch")
    assert {"app.code-not-from-package", "hook.text-modified"} <= set(run.event["findings"])
    assert not run.valid


def test_who_forges_all_of_it_mints_tokens_until_hardware_is_asked_for(device: Device) -> None:
    """What docs/threat-model.md says of the genuine app off the device, both ways."""
    run = device.run(*ALL)
    assert run.event["findings"] == [] and run.valid
    set_policy(device.app.service, "strict", device.root)
    refused = device.run(*ALL)
    set_policy(device.app.service, SOFTWARE, device.root)
    assert "hardware.assurance" in refused.event["findings"]
    assert not refused.valid


def test_the_libc_that_unidbg_brings_is_not_a_newer_releases(device: Device) -> None:
    run = device.run(*ALL, "--release", "14")
    assert run.event["findings"] == ["device.libc"]
    assert not run.valid
