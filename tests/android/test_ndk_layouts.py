"""NDKs that are laid out otherwise than the stand-in: where they lie, and what they lack."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kit.android_build import ANDROID, StandIn


def load_build_native() -> Any:
    """The program as a module, for what it does before its minutes of compiling."""
    loader = importlib.machinery.SourceFileLoader("build_native", str(ANDROID / "build-native"))
    spec = importlib.util.spec_from_loader("build_native", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its data classes look themselves up
    loader.exec_module(module)
    return module


native = load_build_native()
ARM64 = native.ABIS[0]


@pytest.fixture(scope="module")
def linking(stand_in: StandIn) -> StandIn:
    """As `make android-check` has left it: libraries of arm64 can be linked."""
    subprocess.run([ANDROID / "make-stand-in", "--link", "arm64-v8a"], check=True)
    return stand_in


@pytest.fixture
def ndk(linking: StandIn, tmp_path: Path) -> Path:
    """A copy in a folder with a space."""
    folder = tmp_path / "Android Sdk/ndk 26"
    shutil.copytree(linking.path, folder, symlinks=True)
    return folder


def builder(ndk: Path, out: Path) -> Any:
    sources = native.fetch_sources()
    return native.Builder(native.Ndk(ndk, "a test"), ARM64, out, sources, jobs=1, strict=False)


def test_an_ndk_may_lie_in_a_folder_with_a_space(ndk: Path, tmp_path: Path) -> None:
    made = builder(Path(f"{ndk}/"), tmp_path / "out")
    made.probe()
    folder = tmp_path / "tools"
    folder.mkdir()
    made.write_tools(folder)
    # As OpenSSL's Makefile calls them: by a bare name, with arguments.
    (tmp_path / "one.c").write_text("int one(void) { return 1; }\n")
    done = subprocess.run(
        "ndk-cc -fPIC -c one.c -o one.o && ndk-ar rcs libone.a one.o && ndk-ranlib libone.a",
        shell=True, cwd=tmp_path, check=False, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    machine = subprocess.run(
        [made.ndk.tools["llvm-readelf"], "-h", tmp_path / "libone.a"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "AArch64" in machine


@pytest.mark.parametrize(
    "missing",
    [
        "toolchains/llvm/prebuilt/linux-x86_64/sysroot/usr/lib/aarch64-linux-android/libc++abi.a",
        "toolchains/llvm/prebuilt/linux-x86_64/sysroot/usr/lib/aarch64-linux-android/23/libc.so",
        "toolchains/llvm/prebuilt/linux-x86_64/sysroot/usr/include/c++/v1/__config",
    ],
)
def test_what_an_ndk_lacks_is_named(ndk: Path, tmp_path: Path, missing: str) -> None:
    (ndk / missing).unlink()
    with pytest.raises(native.Failed) as failed:
        builder(ndk, tmp_path / "out").probe()
    assert f"makes no library of API 23. It has no {missing}: is it" in str(failed.value)


def test_tools_that_an_ndk_lacks_are_taken_from_another_llvm(ndk: Path, tmp_path: Path) -> None:
    for name in ("llvm-strip", "llvm-readelf"):
        (ndk / "toolchains/llvm/prebuilt/linux-x86_64/bin" / name).unlink()
    tools = builder(ndk, tmp_path / "out").ndk.tools
    assert tools["llvm-strip"].name.startswith("llvm-strip")
    assert ndk not in tools["llvm-readelf"].parents


def test_another_ndk_begins_from_the_start(ndk: Path, tmp_path: Path) -> None:
    """CMake would go on with the compiler that it has found first."""
    made = builder(ndk, tmp_path / "out")
    build = tmp_path / "build"
    build.mkdir()
    (build / "CMakeCache.txt").write_text("of another NDK")
    made.begin(build)
    assert not (build / "CMakeCache.txt").exists()
    (build / "CMakeCache.txt").write_text("of this one")
    made.begin(build)
    assert (build / "CMakeCache.txt").exists()
    # Of a compiler that is a script, its text counts: the version may be the same.
    clang = ndk / "toolchains/llvm/prebuilt/linux-x86_64/bin/clang"
    clang.write_text(clang.read_text() + "# changed\n")
    builder(ndk, tmp_path / "out").begin(build)
    assert not (build / "CMakeCache.txt").exists()
