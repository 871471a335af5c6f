"""Java sources against those of a framework that stand on more than there is here."""

from __future__ import annotations

import subprocess
from pathlib import Path

from docs.android import libraries
from kit.service import ROOT

STUBS = ROOT / "tests/javascript/stubs"
SMALL_JVM = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def android() -> str:
    """The class path of Android's own classes."""
    return f"{libraries(ROOT / 'lab/host')}/*"


def compile_java(sources: list[Path], class_path: str, framework: Path, out: Path) -> list[str]:
    """What javac finds in these sources. It reads the framework's as well, which lack most of what
    they stand on here: what it finds in them is left out."""
    done = subprocess.run(
        ["javac", *(f"-J{option}" for option in SMALL_JVM), "-encoding", "UTF-8", "--release", "8",
         "-proc:none", "-implicit:none", "-Xlint:all,-options,-path,-classfile,-serial",
         "-Xmaxerrs", "10000", "-sourcepath", f"{framework}:{STUBS / 'java'}", "-cp", class_path,
         "-d", out, *sources],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    ours = tuple(f"{path}:" for path in sources)
    return [line for line in done.stderr.splitlines() if line.startswith(ours)]
