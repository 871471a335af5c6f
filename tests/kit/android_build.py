"""The native build for Android as its tests use it, on a stand-in of an NDK."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ANDROID = Path(__file__).resolve().parents[2] / "attester/android"
ROOT = ANDROID.parents[1]


@dataclass(frozen=True)
class Abi:
    name: str
    target: str


ABIS = {
    name: Abi(name, f"{target}23")
    for name, target in {
        "arm64-v8a": "aarch64-linux-android",
        "armeabi-v7a": "armv7a-linux-androideabi",
        "x86_64": "x86_64-linux-android",
        "x86": "i686-linux-android",
    }.items()
}


class StandIn:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / "toolchains/llvm/prebuilt/linux-x86_64/bin"

    def compile(self, abi: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Without the C++ library and start files, which are there for linked ABIs alone."""
        command = [self.bin / "clang", f"--target={ABIS[abi].target}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def build_native(
    ndk: Path | None, *arguments: str | Path, name: str = "ANDROID_NDK_HOME"
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANDROID_")}
    if ndk is not None:
        environment[name] = str(ndk)
    return subprocess.run(
        [ANDROID / "build-native", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
