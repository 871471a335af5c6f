"""build-aar packs the libraries of several ABIs into one AAR."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from kit.android_build import ABIS, ANDROID


def build_aar(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [ANDROID / "build-aar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_four_libraries_go_into_one_aar_the_same_way_each_time(tmp_path: Path) -> None:
    options: list[str] = []
    for abi in ABIS:
        library = tmp_path / f"{abi}.so"
        library.write_bytes(f"library of {abi}".encode())
        options += ["--library", f"{abi}={library}"]
    for name, order in (("a.aar", options), ("b.aar", options[4:] + options[:4])):
        done = build_aar("--out", tmp_path / name, *order)
        assert done.returncode == 0, done.stderr
        assert "arm64-v8a, armeabi-v7a, x86, x86_64)" in done.stdout
    assert (tmp_path / "a.aar").read_bytes() == (tmp_path / "b.aar").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.aar") as archive:
        libraries = {n: archive.read(n) for n in archive.namelist() if n.startswith("jni/")}
        assert libraries == {
            f"jni/{abi}/libtouchmark.so": f"library of {abi}".encode() for abi in ABIS
        }
        assert {"classes.jar", "AndroidManifest.xml", "proguard.txt", "R.txt"} <= set(
            archive.namelist()
        )
        assert json.loads(archive.read("assets/touchmark-sdk.json"))["version"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--library", "mips=x.so", "--out", "o.aar"], "'mips' is not an ABI of Android"),
        (["--library", "x86=missing.so", "--out", "o.aar"], "missing.so is missing"),
        (["--library", "x86"], "--library needs an ABI and a file"),
        (["--library", "x86={file}"], "--library needs --out"),
        (["--out", "o.aar"], "--out needs --library"),
        (["--out"], "--out needs a file"),
        (["--library", "x86={file}", "--out", "o.aar", "build"], "do not go together"),
    ],
)
def test_what_cannot_be_packed_is_refused(tmp_path: Path, options: list[str], says: str) -> None:
    file = tmp_path / "library.so"
    file.write_bytes(b"x")
    done = build_aar(*(option.replace("{file}", str(file)) for option in options))
    assert done.returncode != 0 and says in done.stderr
    assert not (tmp_path / "o.aar").exists()
