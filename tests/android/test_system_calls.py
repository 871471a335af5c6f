"""The SDK's own system calls, on each kind of processor: natively, or under qemu."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kit.android_build import ABIS, ROOT, StandIn

RUNNERS = {"arm64-v8a": "qemu-aarch64", "armeabi-v7a": "qemu-arm"}


def compile_probe(stand_in: StandIn, folder: Path, abi: str, level: str, source: str) -> Path:
    """A program without a C library: the ABI need not be one that can be linked."""
    program = folder / "probe"
    include = stand_in.bin.parent / "sysroot/usr/include/c++/v1"
    done = stand_in.compile(
        abi, level, "-x", "c++", "-std=c++20", "-nostdinc++", "-isystem", include, "-I", ROOT,
        "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-stack-protector",
        "-fno-threadsafe-statics", "-fno-pic", "-nostdlib", "-static",
        "-Wno-unused-command-line-argument", Path(__file__).parent / source, "-o", program,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return program


def run_probe(abi: str, program: Path, *arguments: Path) -> int:
    runner = RUNNERS.get(abi)
    if runner and not shutil.which(runner):
        pytest.skip(f"{runner} is not there: apt-get install qemu-user")
    command: list[str | Path] = [*([runner] if runner else []), program, *arguments]
    return subprocess.run(command, check=False, timeout=60).returncode


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("abi", ABIS)
def test_every_kind_of_call_does_what_it_is_for(
    stand_in: StandIn, tmp_path: Path, abi: str, level: str
) -> None:
    program = compile_probe(stand_in, tmp_path, abi, level, "probe.cc")
    far = tmp_path / "far"
    with far.open("wb") as file:
        file.seek((1 << 32) + 8192 - 3)
        file.write(b"far")
    assert run_probe(abi, program, far) == 0


# What shows of qemu-user: it translates code before the first run (8), and for 32-bit Arm leaves
# out what Linux does at the end of each system call (1).
SHOWN = {"arm64-v8a": 8, "armeabi-v7a": 8 | 1}


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("abi", ABIS)
def test_a_processor_behaves_as_one(
    stand_in: StandIn, tmp_path: Path, abi: str, level: str
) -> None:
    program = compile_probe(stand_in, tmp_path, abi, level, "processor_probe.cc")
    assert run_probe(abi, program) == SHOWN.get(abi, 0)
