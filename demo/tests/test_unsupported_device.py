"""The app on a device that it has no library of the SDK for: it says so, and does not end."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from demo_apk import run

ROOT = Path(__file__).parents[2]
APK = "app/build/outputs/apk/release/app-release.apk"


def build(demo: Path, sdk_aar: Path, home: Path, libraries: dict[str, bytes]) -> Path:
    """The app with the SDK's classes and these libraries."""
    (home / "tools").symlink_to(ROOT / "tools")
    copy = home / "demo"
    shutil.copytree(demo, copy, ignore=shutil.ignore_patterns("build", ".local"))
    with zipfile.ZipFile(sdk_aar) as old, zipfile.ZipFile(copy / "touchmark_sdk.aar", "w") as new:
        for name in old.namelist():
            if not name.startswith("jni/"):
                new.writestr(name, old.read(name))
        for name, content in libraries.items():
            new.writestr(f"jni/{name}", content)
    run(copy / "bin/build-release")
    return copy / APK


@pytest.mark.parametrize(
    "libraries",
    [
        {"arm64-v8a/libtouchmark.so": b"another processor's", "x86_64/libapp.so": b"the app's"},
        {"x86_64/libtouchmark.so": b"\x7fELF and no more"},
    ],
    ids=["not packed for it", "cannot be loaded"],
)
def test_the_app_says_that_touchmark_could_not_start(
    demo: Path, sdk_aar: Path, tmp_path: Path, libraries: dict[str, bytes]
) -> None:
    apk = build(demo, sdk_aar, tmp_path, libraries)
    device = tmp_path / "devices/phone"
    commands = [
        {"cmd": "wait", "id": "result", "matches": ".+", "timeout_ms": 20_000},
        {"cmd": "quit"},
    ]
    done = subprocess.run(
        [ROOT / "lab/host/run", apk, "--device", device],
        input="".join(json.dumps(command) + "\n" for command in commands),
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr[-3000:]
    assert answers[1]["ok"] and answers[1]["text"] == "Touchmark could not start", answers
    log = (device / "logcat.txt").read_text()
    assert "libtouchmark.so that this device loads" in log
    assert "UnsatisfiedLinkError" not in log + done.stderr
