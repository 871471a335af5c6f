"""The packages carry the library that they are packed beside: four ABIs, after an NDK's build."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from javascript.workspace import WORKSPACE
from kit.service import ROOT

ABIS = ("arm64-v8a", "armeabi-v7a", "x86", "x86_64")


def pack(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WORKSPACE / "build", "--sdk-dir", folder],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as build-native leaves it; the libraries are this machine's, four times."""
    folder = tmp_path_factory.mktemp("native")
    library = ROOT / "build/release/lib/libtouchmark.so"
    subprocess.run(
        [ROOT / "attester/android/build-aar", "--alone", "--out", folder / "touchmark_sdk.aar",
         *(word for abi in ABIS for word in ("--library", f"{abi}={library}"))],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    done = pack(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_make_android_packs_them() -> None:
    rule = (ROOT / "Makefile").read_text().split("\nandroid: ")[1].split("\n\n")[0]
    folder = "build/android/native"
    assert f"attester/javascript/build --sdk-dir {folder}" in rule
    assert f'default=ROOT / "{folder}"' in (ROOT / "attester/android/build-native").read_text()
    assert rule.startswith("android-library ")


@pytest.mark.parametrize("package", ["capacitor", "cordova", "react-native"])
def test_a_package_carries_all_four(package: str, sdk: Path) -> None:
    (tarball,) = (sdk / "npm").glob(f"touchmark-{package}-*.tgz")
    with tarfile.open(tarball) as archive:
        (aar,) = [name for name in archive.getnames() if name.endswith(".aar")]
        carried = (archive.extractfile(aar) or pytest.fail()).read()
        described = json.load(archive.extractfile("package/package.json") or pytest.fail())
    assert carried == (sdk / "touchmark_sdk.aar").read_bytes()
    with zipfile.ZipFile(io.BytesIO(carried)) as read:
        found = [re.fullmatch(r"jni/([^/]+)/libtouchmark\.so", name) for name in read.namelist()]
        version = json.loads(read.read("assets/touchmark-sdk.json"))["version"]
    assert sorted(match[1] for match in found if match) == list(ABIS)
    # Which the service hands it out as of.
    assert described["version"] == version and tarball.name.endswith(f"-{version}.tgz")


def test_the_version_is_the_library_s(sdk: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "touchmark_sdk.aar", "w") as aar:
        aar.writestr("assets/touchmark-sdk.json", '{"version":"9.8.7"}')
    assert pack(tmp_path).returncode == 0
    assert len(list((tmp_path / "npm").glob("touchmark-*-9.8.7.tgz"))) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "make android packs it"),
        (b"no archive", "does not say its version"),
        ({"x": "y"}, "does not say its version"),
        ({"assets/touchmark-sdk.json": '{"version":"../x"}'}, "which is none"),
    ],
)
def test_what_is_no_library_is_refused(
    content: bytes | dict[str, str] | None, says: str, tmp_path: Path
) -> None:
    aar = tmp_path / "touchmark_sdk.aar"
    if isinstance(content, bytes):
        aar.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(aar, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    done = pack(tmp_path)
    assert done.returncode == 1 and says in done.stderr, done.stderr
    shutil.rmtree(tmp_path / "npm", ignore_errors=True)
