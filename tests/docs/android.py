"""What the Android guide's blocks are compiled with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from docs.blocks import ROOT

ANDROID = ROOT / "attester/android"
# The oldest OkHttp, as the SDK's own pom pins it, and the newest of each line after it.
OKHTTP = {
    "3.12": ANDROID,
    "4.12": ROOT / "tests/docs/okhttp-4",
    "5": ROOT / "tests/docs/okhttp-5",
}


def libraries(folder: Path) -> Path:
    """What a pom pins, by tools/maven-deps."""
    done = subprocess.run(
        [ROOT / "tools/maven-deps", folder], check=True, capture_output=True, text=True, timeout=600
    )
    return Path(done.stdout.strip())


def java_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.java"))


def compile_java(sources: list[Path], out: Path, *class_path: Path | str) -> str:
    """What javac says, without a warning or an error that it passes over."""
    done = subprocess.run(
        ["javac", "-encoding", "UTF-8", "--release", "8", "-Xlint:all,-options,-classfile,-path",
         "-Werror", "-d", out, "-cp", ":".join(map(str, class_path)), *sources],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def jars_of(version: str) -> list[Path]:
    """Android's framework as stubs, and one OkHttp with what it needs."""
    jars = sorted(libraries(OKHTTP[version]).glob("*.jar"))
    names = [jar.name for jar in jars]
    assert any(re.match(rf"okhttp(-jvm)?-{version}[.\d]*\.jar", name) for name in names), names
    return [*libraries(ANDROID).glob("android-*.jar"), *jars]
