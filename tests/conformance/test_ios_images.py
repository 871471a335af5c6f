"""Real iOS binaries, as PyPI delivers them: what the SDK finds in memory of an image that is mapped
as dyld maps it is what the service read in the IPA, and each changed byte of it is named."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.iphone import PlayedIphone

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build/conformance-ios"
# Built for iPhones, by several linkers.
WHEELS = {
    "aiohttp==3.14.5": "1b5416552740edf07234cc9437d0706f2acb67b93c198670b1a68e1b2b587dec",
    "cffi==2.1.1": "b5bdfd1c873d4e093aabc0ca84c4ca6dbc4f752afb5c86f146d9742580c9da2e",
    "markupsafe==3.0.4": "6bd9e1788e15bfcf6a9082de42e30387e7b85d211ab21e57a939bb8cfaaf8d96",
    "pillow==13.0.0": "e98b4f91f99b24b1da72e10621ba181f7281922384a7403094debb4199de6c00",
}


def fetch(wheel: str) -> Path:
    """The wheel for iPhones, downloaded once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    name = wheel.split("==")[0]
    for found in CACHE.glob(f"{name}-*.whl"):
        return found
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
            "--no-deps", "--only-binary=:all:", "--platform", "ios_13_0_arm64_iphoneos",
            "--python-version", "3.13", "--implementation", "cp", "--abi", "cp313",
            "--dest", str(CACHE), wheel,
        ],
        check=True,
    )  # fmt: skip
    (fetched,) = CACHE.glob(f"{name}-*.whl")
    return fetched


def binaries(folder: Path) -> dict[str, Path]:
    """Each library of the wheels, where an app has it, and its file."""
    out = {}
    for wheel, sha256 in WHEELS.items():
        path = fetch(wheel)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, path.name
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith(".so"):
                    continue
                module = name.removesuffix(".so").replace("/", ".")
                file = folder / module
                file.write_bytes(archive.read(name))
                out[f"Frameworks/{module}.framework/{module}"] = file
    return out


@pytest.fixture(scope="module")
def phone() -> Iterator[PlayedIphone]:
    with PlayedIphone() as played:
        yield played


@pytest.fixture(scope="module")
def registered(phone: PlayedIphone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The code in the IPA by its part, with the IPA installed on the phone."""
    folder = tmp_path_factory.mktemp("ios-images")
    files = {name: str(file) for name, file in binaries(folder).items()}
    assert len(files) == 14
    ipa = folder / "app.ipa"
    phone.ask("build", ipa=str(ipa), files=files)
    # A sound linker leaves nothing for dyld to write where nobody may write.
    assert phone.ask("install", ipa=str(ipa)) == {"rebases_in_fixed_segments": 0}
    return code_of(phone.ask("measure", ipa=str(ipa)))


def code_of(measurement: dict[str, Any]) -> dict[str, Any]:
    return {
        part["name"]: (part["size"], part["sha256"])
        for part in measurement["parts"]
        if part["kind"] == "native-library"
    }


def in_memory(phone: PlayedIphone) -> dict[str, Any]:
    return code_of(phone.ask("inspect")["measurement"])


def test_memory_holds_what_was_registered(phone: PlayedIphone, registered: dict[str, Any]) -> None:
    assert in_memory(phone) == registered
    images = {name.rsplit("#", 1)[0] for name in registered}
    assert len(images) == 16  # with the app's own two
    for image in images:
        assert f"{image}#arm64/__TEXT.__text" in registered
        assert f"{image}#arm64/constants" in registered


def test_each_changed_byte_is_named(phone: PlayedIphone, registered: dict[str, Any]) -> None:
    chosen = random.Random(14)
    for image in phone.ask("images"):
        if not image["name"].startswith("Frameworks/"):
            continue
        for part, extents in image["parts"].items():
            if part == "commands":
                continue  # without them the image is another
            name = f"{image['name']}#arm64/{part}"
            address, size = chosen.choice(extents)
            at = address + chosen.randrange(size)
            phone.ask("flip", address=at)
            now = in_memory(phone)
            assert [one for one in registered if now[one] != registered[one]] == [name]
            phone.ask("flip", address=at)
    assert in_memory(phone) == registered


IPAS = os.environ.get("TOUCHMARK_IPAS")
WHOLE_APPS = sorted(Path(IPAS).glob("*.ipa")) if IPAS else []


@pytest.mark.skipif(not IPAS, reason="TOUCHMARK_IPAS names no folder of IPAs (tests/README.md)")
def test_there_are_whole_apps() -> None:
    assert WHOLE_APPS, f"no .ipa in {IPAS}"


@pytest.mark.parametrize("ipa", WHOLE_APPS, ids=lambda path: path.stem)
def test_a_whole_app(phone: PlayedIphone, ipa: Path) -> None:
    """As above, for each image of a real app that its process would load, whoever signed it. Prints
    what the service would say of it."""
    try:
        measured = phone.ask("measure", ipa=str(ipa))
        said = f"{measured['package']} {measured['version_name']} of team {measured['team']}"
    except RuntimeError as refusal:
        said = f"refused: {refusal}"
    known = code_of(phone.ask("code", ipa=str(ipa)))
    assert phone.ask("install", ipa=str(ipa)) == {"rebases_in_fixed_segments": 0}
    clean = phone.ask("inspect")
    if not said.startswith("refused"):
        assert clean["findings"] == []
        assert code_of(measured) == known
    mapped = code_of(clean["measurement"])
    assert mapped
    assert {name: known[name] for name in mapped} == mapped
    own = [image for image in phone.ask("images") if image["name"]]
    changed = 0
    for image in own:
        for part, extents in image["parts"].items():
            if part == "commands":
                continue
            address, size = extents[-1]
            for at in {extents[0][0], address + size // 2, address + size - 1}:
                phone.ask("flip", address=at)
                now = in_memory(phone)
                name = f"{image['name']}#{image['architecture']}/{part}"
                assert [one for one in mapped if now[one] != mapped[one]] == [name]
                phone.ask("flip", address=at)
                changed += 1
    print(
        f"{ipa.name}, {ipa.stat().st_size} bytes: {said}; {len(own)} images, {len(mapped)} parts "
        f"of {len(known)}, {changed} changed bytes named"
    )
