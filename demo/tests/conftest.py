"""The demo folder as a newcomer has it, with what the service gives beside it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from demo_apk import run

ROOT = Path(__file__).parents[2]


def classes_jar(folder: Path, sources: list[Path]) -> Path:
    """Compiles `sources` as attester/android/build-aar does: newer platform classes
    before the stubs."""
    android = ROOT / "attester/android"
    libraries = run(ROOT / "tools/maven-deps", android).stdout.strip()
    platform, classes = folder / "platform", folder / "classes"
    newer = sorted((android / "platform").rglob("*.java"))
    compiler = ["javac", "-encoding", "UTF-8", "-nowarn", "--release", "8", "-cp"]
    run(*compiler, f"{libraries}/*", "-d", platform, *newer)
    run(*compiler, f"{platform}:{libraries}/*", "-d", classes, *sources)
    jar = folder / "classes.jar"
    run("jar", "cf", jar, "-C", classes, ".")
    return jar


def make_aar(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as aar:
        aar.writestr("AndroidManifest.xml", '<manifest package="touchmark.sdk"/>')
        for name, content in entries.items():
            aar.writestr(name, content)
    return path


@pytest.fixture(scope="session")
def sdk_aar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK's own Java classes; its native library is not run here, so its place is enough."""
    folder = tmp_path_factory.mktemp("sdk")
    sources = (ROOT / "attester/android/java/touchmark/sdk").glob("*.java")
    return make_aar(
        folder / "touchmark_sdk.aar",
        {
            "classes.jar": classes_jar(folder, sorted(sources)).read_bytes(),
            "jni/x86_64/libtouchmark.so": b"\x7fELF native code",
        },
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, sdk_aar: Path) -> Path:
    """A copy of demo/, so that the tests change no file of the tree, with a built app."""
    home = tmp_path_factory.mktemp("home")
    (home / "tools").symlink_to(ROOT / "tools")
    demo = home / "demo"
    ignored = shutil.ignore_patterns("build", ".local", "touchmark_sdk.aar", "*.config")
    shutil.copytree(ROOT / "demo", demo, ignore=ignored)
    shutil.copy(sdk_aar, demo / "touchmark_sdk.aar")
    assets = demo / "app/src/main/assets"
    assets.mkdir(exist_ok=True)
    (assets / "touchmark-initial.config").write_text("header.payload.signature")
    run(demo / "bin/build-release")
    return demo
