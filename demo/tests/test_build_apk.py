"""tools/android/build-apk: what it merges, and what it refuses."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, make_aar
from demo_apk import parts, run

MANIFEST = """<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="a.b">
  <application android:label="x"/></manifest>"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "java").mkdir()
    (tmp_path / "java/Main.java").write_text("package a.b; final class Main {}\n")
    (tmp_path / "AndroidManifest.xml").write_text(MANIFEST)
    return tmp_path


def build(project: Path, *options: object, check: bool = True) -> Any:
    required = ["--manifest", project / "AndroidManifest.xml", "--java", project / "java"]
    output = project / "out/app.apk"
    tool = ROOT / "tools/android/build-apk"
    ended = run(tool, *required, "--output", output, *options, check=check)
    if not check:
        assert ended.returncode == 1
        assert not output.exists()
    return ended.stderr if not check else output


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_libraries_assets_and_native_code_are_merged(project: Path) -> None:
    write(project / "assets/sub/a.txt", b"asset")
    write(project / "jni/arm64-v8a/libx.so", b"arm")
    aar = make_aar(project / "l.aar", {"jni/x86_64/libx.so": b"x86", "assets/b.txt": b"b"})
    second = make_aar(project / "m.aar", {"assets/c.txt": b"c"})
    folders = ["--assets", project / "assets", "--jni", project / "jni"]
    apk = build(project, *folders, "--aar", aar, "--aar", second)
    with zipfile.ZipFile(apk) as package:
        assert package.read("assets/sub/a.txt") == b"asset"
        assert package.read("assets/b.txt") == b"b"
        assert package.read("assets/c.txt") == b"c"
        assert package.read("lib/arm64-v8a/libx.so") == b"arm"
        assert package.read("lib/x86_64/libx.so") == b"x86"
        # The platform maps it; apps of API level 30 and later must not have it compressed.
        assert package.getinfo("resources.arsc").compress_type == zipfile.ZIP_STORED


def test_two_inputs_of_one_name_are_refused(project: Path) -> None:
    write(project / "assets/a.txt", b"1")
    aar = make_aar(project / "l.aar", {"assets/a.txt": b"2"})
    said = build(project, "--assets", project / "assets", "--aar", aar, check=False)
    assert said == "build-apk: two inputs give the package an entry assets/a.txt\n"


def test_a_library_with_resources_is_refused(project: Path) -> None:
    aar = make_aar(project / "l.aar", {"res/values/values.xml": b"<resources/>"})
    assert "has resources (res/values/values.xml)" in build(project, "--aar", aar, check=False)


def test_a_library_cannot_write_outside_the_build(project: Path) -> None:
    aar = make_aar(project / "l.aar", {"../../escaped": b"x"})
    assert "an entry outside itself: ../../escaped" in build(project, "--aar", aar, check=False)


def test_a_file_that_is_no_library_is_refused(project: Path) -> None:
    said = build(project, "--aar", write(project / "l.aar", b"not a zip"), check=False)
    assert said.startswith("build-apk: ") and len(said.splitlines()) == 1


def test_an_error_in_the_code_ends_the_build(project: Path) -> None:
    (project / "java/Main.java").write_text("package a.b; final class Main { int x = y; }\n")
    said = build(project, check=False)
    assert "Main.java:1: error: cannot find symbol" in said
    assert said.splitlines()[-1] == "build-apk: javac failed"


@pytest.mark.parametrize(
    "options, message",
    [
        (["--res", "/nonexistent"], "the folder /nonexistent does not exist"),
        (["--aar", "/nonexistent"], "/nonexistent does not exist"),
        (["--what", "x"], "unknown option '--what'"),
        (["--aar"], "--aar needs a value"),
        (["x"], "unexpected argument 'x'"),
    ],
)
def test_a_wrong_option_is_named(project: Path, options: list[str], message: str) -> None:
    assert message in build(project, *options, check=False)


def test_another_key_signs_with_its_own_password(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYSTORE_PASSWORD", "secret-1")
    keystore = project / "own.p12"
    run(ROOT / "tools/android/make-keystore", keystore, "CN=Own")
    apk = build(project, "--keystore", keystore)
    assert "CN=Own" in run("apksigner", "verify", "--print-certs", apk).stdout
    assert "AndroidManifest.xml" in parts(apk)
