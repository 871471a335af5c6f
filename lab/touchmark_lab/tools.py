"""The versions of the attackers' tools, as the tools themselves tell them."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from touchmark_lab.lab import Lab


@functools.cache
def _first_version(argv: tuple[str, ...], path: str) -> str:
    said = subprocess.run(
        argv,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "of unknown version"


def none(_: Lab) -> str:
    return "none"


def program(name: str, *arguments: str) -> Callable[[Lab], str]:
    """A program that prints its version when run with `arguments`."""
    return lambda lab: f"{name} {_first_version((name, *arguments), lab.env['PATH'])}"


def python_package(name: str) -> Callable[[Lab], str]:
    return lambda _: f"{name} {metadata.version(name)}"


def both(*parts: Callable[[Lab], str]) -> Callable[[Lab], str]:
    return lambda lab: ", ".join(part(lab) for part in parts)


apktool = program("apktool", "--version")
apksigner = program("apksigner", "--version")
curl = program("curl", "--version")
touchmark = program("touchmark", "--version")
python = program("python3", "--version")
gdb = program("gdb", "--version")
gcc = program("gcc", "--version")


def unidbg(lab: Lab) -> str:
    """The version that the attacker's program asks of Maven Central."""
    pom = (lab.root / "tests/android/unidbg/pom.xml").read_text()
    found = re.search(r"<artifactId>unidbg-android</artifactId>\s*<version>([^<]+)<", pom)
    return f"unidbg {found[1]}" if found else "unidbg"


mitmproxy = python_package("mitmproxy")
frida = python_package("frida")
pyjwt = python_package("PyJWT")
