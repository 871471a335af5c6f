"""The SDK's own system calls, on each kind of processor: natively, or under qemu."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kit.android_build import ABIS, ROOT, StandIn

RUNNERS = {"arm64-v8a": "qemu-aarch64", "armeabi-v7a": "qemu-arm"}


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("abi", ABIS)
def test_every_kind_of_call_does_what_it_is_for(
    stand_in: StandIn, tmp_path: Path, abi: str, level: str
) -> None:
    program = tmp_path / "probe"
    done = stand_in.compile(
        abi, level, "-x", "c++", "-std=c++20", "-nostdinc++", "-isystem",
        stand_in.bin.parent / "sysroot/usr/include/c++/v1", "-isystem",
        stand_in.bin.parent / "sysroot/usr/include", "-I", ROOT, "-Wall", "-Wextra", "-Werror",
        "-fno-exceptions", "-fno-stack-protector", "-fno-pic", "-nostdlib", "-static",
        "-Wno-unused-command-line-argument", Path(__file__).parent / "probe.cc", "-o", program,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    far = tmp_path / "far"
    with far.open("wb") as file:
        file.seek((1 << 32) + 8192 - 3)
        file.write(b"far")
    runner = RUNNERS.get(abi)
    if runner and not shutil.which(runner):
        pytest.skip(f"{runner} is not there: apt-get install qemu-user")
    command: list[str | Path] = [*([runner] if runner else []), program, far]
    step = subprocess.run(command, check=False, timeout=60).returncode
    assert step == 0
