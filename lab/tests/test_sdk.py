"""The release holds the libraries of phones where they were built."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from touchmark_lab import sdk


def make_aar(path: Path, libraries: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("classes.jar", b"classes")
        for abi, content in libraries.items():
            archive.writestr(f"jni/{abi}/libtouchmark.so", content)
    return path


def libraries_of(aar: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(aar) as archive:
        assert archive.read("classes.jar") == b"classes"
        return {n: archive.read(n) for n in archive.namelist() if n.startswith("jni/")}


@pytest.fixture
def service_aar(tmp_path: Path) -> Path:
    return make_aar(tmp_path / "service.aar", {"x86_64": b"of this machine"})


def test_the_ndks_libraries_join_this_machines(tmp_path: Path, service_aar: Path) -> None:
    make_aar(
        tmp_path / sdk.NATIVE / "touchmark_sdk.aar",
        {"arm64-v8a": b"arm64", "armeabi-v7a": b"arm", "x86_64": b"Android's"},
    )
    found = sdk.phone_libraries(tmp_path)
    assert sdk.add_phone_libraries(service_aar, found) == ["arm64-v8a", "armeabi-v7a"]
    assert libraries_of(service_aar) == {
        "jni/x86_64/libtouchmark.so": b"of this machine",
        "jni/arm64-v8a/libtouchmark.so": b"arm64",
        "jni/armeabi-v7a/libtouchmark.so": b"arm",
    }
    # A second time there is nothing to do.
    before = service_aar.read_bytes()
    assert sdk.add_phone_libraries(service_aar, found) == []
    assert service_aar.read_bytes() == before


def test_without_an_ndk_the_checks_library_does(tmp_path: Path, service_aar: Path) -> None:
    library = tmp_path / sdk.NATIVE / "arm64-v8a/lib/libtouchmark.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"arm64")
    (tmp_path / sdk.NATIVE / "armeabi-v7a/headers").mkdir(parents=True)  # types were checked
    assert sdk.add_phone_libraries(service_aar, sdk.phone_libraries(tmp_path)) == ["arm64-v8a"]


def test_without_either_the_package_is_as_it_was(tmp_path: Path, service_aar: Path) -> None:
    before = service_aar.read_bytes()
    assert sdk.add_phone_libraries(service_aar, sdk.phone_libraries(tmp_path)) == []
    assert service_aar.read_bytes() == before
