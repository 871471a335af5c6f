"""The attacker's program that runs an app's package off the device, under unidbg.

Its home is tests/android/unidbg; the tests of Android and the lab run it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "tests/android/unidbg"
# What the native build leaves (`make android-check`, or `make android` with an NDK).
LIBRARY = ROOT / "build/android/native/arm64-v8a/lib/libtouchmark.so"

FORGERIES = ("kernel", "memory", "processor", "timing")
"""What can be forged beside the loader: the checks of device.* that each is for."""


def class_path() -> str:
    """The program's classes, compiled when its sources have changed, and what they need."""
    done = subprocess.run(
        [ROOT / "tools/maven-deps", "--classpath", HOME],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    libraries = done.stdout.strip()
    sources = sorted((HOME / "src").rglob("*.java"))
    digest = hashlib.sha256(libraries.encode())
    for source in sources:
        digest.update(source.read_bytes())
    classes = ROOT / "build/unidbg" / digest.hexdigest()[:16]
    classes.parent.mkdir(parents=True, exist_ok=True)
    with (classes.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not classes.is_dir():
            new = classes.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            subprocess.run(
                ["javac", "-encoding", "UTF-8", "-nowarn", "-cp", libraries, "-d", new, *sources],
                check=True,
            )
            new.rename(classes)
    return f"{classes}:{libraries}"


@dataclass(frozen=True)
class Run:
    said: dict[str, str]
    status: int
    errors: str


def run(root: Path, package: Path, url: str, *options: str, timeout: float = 240) -> Run:
    """Runs a package, installed in a folder that stands for the phone's root (OffDevice.java)."""
    done = subprocess.run(
        ["java", "-cp", class_path(), "touchmark.unidbg.OffDevice", *options, root, package, url],
        capture_output=True, text=True, check=False, timeout=timeout,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    said = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return Run(said, done.returncode, done.stderr)
