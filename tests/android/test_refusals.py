"""An NDK that cannot be used is refused before anything is built."""

from pathlib import Path

import pytest

from kit.android_build import build_native


def make_ndk(folder: Path, revision: str) -> Path:
    (folder / "build/cmake").mkdir(parents=True)
    (folder / "build/cmake/android.toolchain.cmake").touch()
    (folder / "toolchains/llvm/prebuilt/linux-x86_64/bin").mkdir(parents=True)
    (folder / "toolchains/llvm/prebuilt/linux-x86_64/bin/clang").touch()
    (folder / "source.properties").write_text(
        f"Pkg.Desc = Android NDK\nPkg.Revision = {revision}\n"
    )
    return folder


def test_without_an_ndk_it_says_what_to_set() -> None:
    done = build_native(None)
    assert done.returncode != 0
    assert "ANDROID_NDK_HOME is not set" in done.stderr
    assert "r26 or newer" in done.stderr
    assert "make android-check" in done.stderr


@pytest.mark.parametrize("name", ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"])
@pytest.mark.parametrize("revision", ["25.2.9519653", "21.4.7075529", "9.0.1"])
def test_an_older_ndk_is_refused(tmp_path: Path, name: str, revision: str) -> None:
    done = build_native(make_ndk(tmp_path / "ndk", revision), name=name)
    assert done.returncode != 0
    assert f"is r{revision.partition('.')[0]}; r26 or newer is needed" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_ndk_is_refused(tmp_path: Path) -> None:
    assert "is not a folder" in build_native(tmp_path / "none").stderr
    assert "it has no source.properties" in build_native(tmp_path).stderr
    ndk = make_ndk(tmp_path / "ndk", "27.0.12077973")
    (ndk / "source.properties").write_text("Pkg.Desc = something\n")
    assert "names no Pkg.Revision" in build_native(ndk).stderr


@pytest.mark.parametrize(
    "missing",
    [
        "build/cmake/android.toolchain.cmake",
        "toolchains/llvm/prebuilt/linux-x86_64/bin/clang",
    ],
)
def test_half_an_ndk_is_refused(tmp_path: Path, missing: str) -> None:
    ndk = make_ndk(tmp_path / "ndk", "26.3.11579264")
    (ndk / missing).unlink()
    done = build_native(ndk)
    assert done.returncode != 0 and "is it unpacked whole?" in done.stderr
