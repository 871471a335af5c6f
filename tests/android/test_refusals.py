"""An NDK that cannot be used is refused before anything is built, and a failure leaves no AAR."""

from pathlib import Path

import pytest

from kit.android_build import build_native


def make_ndk(folder: Path, revision: str) -> Path:
    (folder / "build/cmake").mkdir(parents=True)
    (folder / "build/cmake/android.toolchain.cmake").touch()
    bin_folder = folder / "toolchains/llvm/prebuilt/linux-x86_64/bin"
    bin_folder.mkdir(parents=True)
    for name in ("clang", "clang++", "llvm-ar", "llvm-ranlib", "llvm-strip", "llvm-readelf"):
        (bin_folder / name).write_text('#!/bin/sh\n[ "$1" = --version ]\n')
        (bin_folder / name).chmod(0o755)
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
    done = build_native(tmp_path, name="ANDROID_NDK_ROOT")
    assert "it has no source.properties, and ANDROID_NDK_ROOT must name" in done.stderr
    ndk = make_ndk(tmp_path / "ndk", "27.0.12077973")
    assert f"with that file, such as {ndk}\n" in build_native(tmp_path).stderr
    (ndk / "source.properties").write_text("Pkg.Desc = something\n")
    assert "names no Pkg.Revision" in build_native(ndk).stderr


@pytest.mark.parametrize(
    "missing",
    [
        "build/cmake/android.toolchain.cmake",
        "toolchains/llvm/prebuilt/linux-x86_64/bin/clang",
        "toolchains/llvm/prebuilt/linux-x86_64/bin/clang++",
    ],
)
def test_half_an_ndk_is_refused(tmp_path: Path, missing: str) -> None:
    ndk = make_ndk(tmp_path / "ndk", "26.3.11579264")
    (ndk / missing).unlink()
    done = build_native(ndk)
    assert done.returncode != 0 and "is it unpacked whole?" in done.stderr


def test_compilers_of_another_machine_are_refused(tmp_path: Path) -> None:
    ndk = make_ndk(tmp_path / "ndk", "27.2.12479018")
    prebuilt = ndk / "toolchains/llvm/prebuilt"
    clang = prebuilt / "linux-x86_64/bin/clang"
    clang.write_bytes(b"\xcf\xfa\xed\xfe of a Mac")
    done = build_native(ndk)
    assert f"{clang} cannot be run (Exec format error)" in done.stderr
    assert "ANDROID_NDK_HOME must name an NDK for this machine" in done.stderr
    clang.write_text("#!/bin/sh\necho no such library >&2\nexit 127\n")
    assert "clang --version ends with 127: no such library" in build_native(ndk).stderr
    clang.chmod(0o644)
    done = build_native(ndk)
    assert "cannot be run (Permission denied)" in done.stderr
    assert "Traceback" not in done.stderr
    prebuilt.joinpath("linux-x86_64").rename(prebuilt / "windows-x86_64")
    (prebuilt / "windows-x86_64/bin/clang").rename(prebuilt / "windows-x86_64/bin/clang.exe")
    assert "has no toolchains/llvm/prebuilt/linux-x86_64/bin/clang" in build_native(ndk).stderr


# Found in seconds: the libraries that the SDK needs take minutes.
def test_an_ndk_that_makes_no_library_is_refused_at_once(tmp_path: Path) -> None:
    ndk = make_ndk(tmp_path / "ndk", "26.3.11579264")
    toolchain = ndk / "build/cmake/android.toolchain.cmake"
    toolchain.write_text(
        "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_C_COMPILER_WORKS 1)\n"
        "set(CMAKE_CXX_COMPILER_WORKS 1)\n"
        f"set(CMAKE_C_COMPILER {ndk}/toolchains/llvm/prebuilt/linux-x86_64/bin/clang)\n"
        f"set(CMAKE_CXX_COMPILER {ndk}/toolchains/llvm/prebuilt/linux-x86_64/bin/clang++)\n"
    )
    done = build_native(ndk, "--abi", "x86", "--out", tmp_path / "out")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"x86: the NDK in {ndk} makes no library of API 23." in done.stderr
    for missing in ("ld.lld", "lib/i686-linux-android/23/crtbegin_so.o", "i686-linux-android/asm"):
        assert missing in done.stderr
    assert "cmake failed; the whole log is in " in done.stderr
    assert "building the libraries" not in done.stderr


@pytest.mark.parametrize("name", ["ANDROID_HOME", "ANDROID_SDK_ROOT"])
def test_the_newest_ndk_of_the_android_sdk_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / "ndk").mkdir()
    assert "is not set" in build_native(tmp_path, name=name).stderr
    for revision in ("9.0.1", "25.2.9519653"):
        make_ndk(tmp_path / "ndk" / revision, revision)
    done = build_native(tmp_path, name=name)
    assert f"{tmp_path}/ndk/25.2.9519653 is r25; r26 or newer is needed" in done.stderr
    for revision in ("26.3.11579264", "100.0.1"):
        make_ndk(tmp_path / "ndk" / revision, revision)
    done = build_native(tmp_path, "--out", tmp_path / "out", name=name)
    assert f"the NDK is r100 in {tmp_path}/ndk/100.0.1" in done.stderr


def test_the_variable_that_names_a_wrong_folder_is_named(tmp_path: Path) -> None:
    for name in ("ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"):
        done = build_native(tmp_path / "none", name=name)
        assert f"is not a folder, and {name} must name" in done.stderr


@pytest.mark.parametrize("parallel", ["1", "8"])
def test_a_failure_leaves_no_aar_and_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallel: str
) -> None:
    monkeypatch.setenv("CMAKE_BUILD_PARALLEL_LEVEL", parallel)
    ndk = make_ndk(tmp_path / "ndk", "26.3.11579264")
    toolchain = ndk / "build/cmake/android.toolchain.cmake"
    toolchain.write_text('message(FATAL_ERROR "nothing for ${ANDROID_ABI}")\n')
    out = tmp_path / "out"
    out.mkdir()
    (out / "touchmark_sdk.aar").write_bytes(b"of an earlier build")
    done = build_native(ndk, "--out", out)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cmake failed; the whole log is in " in done.stderr
    assert "nothing for arm64-v8a" in done.stderr or parallel == "8"
    assert [path for path in out.rglob("*") if path.suffix in (".aar", ".so")] == []
