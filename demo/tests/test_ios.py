"""The Currency Converter for iOS, as far as it can be looked at without a Mac."""

from __future__ import annotations

import plistlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
IOS = ROOT / "demo/ios"
APP = IOS / "CurrencyConverter"
SDK = ROOT / "attester/ios/swift"


def test_its_swift_parses() -> None:
    sources = sorted(APP.glob("*.swift"))
    assert len(sources) == 4
    done = subprocess.run(
        [ROOT / "tools/parse-swift", *sources],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_it_calls_what_the_sdk_has() -> None:
    sdk = "\n".join(path.read_text() for path in SDK.glob("*.swift"))
    public = set(re.findall(r"(?:public|open) (?:static )?(?:func|var|let) (\w+)", sdk))
    text = "\n".join(path.read_text() for path in APP.glob("*.swift"))
    called = set(re.findall(r"\b(?:touchmark|withToken)\.(\w+)\(", text))
    called |= set(re.findall(r"failure as TouchmarkError .*?failure\.(\w+)", text, re.S))
    assert called >= {"discardTokens", "data", "status"} and called <= public
    for name in re.findall(r"\bTouchmark[A-Z]\w+", text):
        assert re.search(rf"\b(?:class|struct) {name}\b", sdk), name


def project() -> tuple[dict[str, Any], dict[str, Any]]:
    read = plistlib.loads((IOS / "CurrencyConverter.xcodeproj/project.pbxproj").read_bytes())
    return read["objects"], read["objects"][read["rootObject"]]


def test_the_project_is_whole() -> None:
    """Each reference leads to an object, and each object is referred to."""
    objects, root = project()

    def ids(value: object) -> set[str]:
        if isinstance(value, str):
            return {value} & objects.keys()
        if isinstance(value, dict):
            return {one for part in value.values() for one in ids(part)}
        return {one for part in value for one in ids(part)} if isinstance(value, list) else set()

    reached: set[str] = set()
    waiting = [root]
    while waiting:
        for one in ids(waiting.pop()) - reached:
            reached.add(one)
            waiting.append(objects[one])
    unreached = {name for name in objects if name not in reached and objects[name] is not root}
    assert unreached == set()
    for value in objects.values():
        for member in ("fileRef", "productRef", "buildConfigurationList", "mainGroup"):
            assert value.get(member, next(iter(objects))) in objects


@pytest.mark.parametrize(
    ("phase", "ending"), [("PBXSourcesBuildPhase", ".swift"), ("PBXResourcesBuildPhase", ".config")]
)
def test_the_project_builds_every_file(phase: str, ending: str) -> None:
    objects, _ = project()
    (files,) = [value["files"] for value in objects.values() if value["isa"] == phase]
    built = {objects[objects[one]["fileRef"]]["path"] for one in files}
    there = {path.name for path in APP.iterdir() if path.suffix == ending}
    # The configuration is the service's, and not among the sources.
    assert built == there | ({"touchmark-initial.config"} if ending == ".config" else set())


def test_what_the_project_names_is_there() -> None:
    objects, _ = project()
    for settings in (value.get("buildSettings", {}) for value in objects.values()):
        for name in ("INFOPLIST_FILE", "CODE_SIGN_ENTITLEMENTS"):
            if name in settings:
                assert plistlib.loads((IOS / settings[name]).read_bytes())
    (package,) = [v for v in objects.values() if v["isa"] == "XCLocalSwiftPackageReference"]
    version = re.search(
        r"VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text().split("project(")[1]
    )
    assert version and package["relativePath"] == f"touchmark-swift-{version[1]}"
    (product,) = [v for v in objects.values() if v["isa"] == "XCSwiftPackageProductDependency"]
    manifest = (ROOT / "attester/ios/package/Package.swift").read_text()
    assert f'.library(name: "{product["productName"]}"' in manifest
    lists = plistlib.loads((APP / "CurrencyConverter.entitlements").read_bytes())
    assert "com.apple.developer.devicecheck.appattest-environment" in lists


def test_it_is_the_screen_of_the_other_apps() -> None:
    screen = (APP / "ConverterView.swift").read_text() + (APP / "CurrencyApi.swift").read_text()
    strings = (ROOT / "demo/app/src/main/res/values/strings.xml").read_text()
    named = dict(re.findall(r'<string name="(\w+)">([^<]+)</string>', strings))
    for name in ("value", "from", "to", "convert", "converting", "no_touchmark", "api_version",
                 "api_v1", "api_v2", "app_name"):  # fmt: skip
        assert named[name] in screen, named[name]
    settings = (APP / "Settings.swift").read_text()
    (currencies,) = re.findall(r"currencies = \[([^\]]+)\]", settings)
    assert re.findall(r"<item>(\w+)</item>", strings) == re.findall(r'"(\w+)"', currencies)
    script = (ROOT / "demo/react-native/src/CurrencyApi.ts").read_text()
    for text in ("401: the API refused this app", "the API's answer is not a conversion"):
        assert text in script and text in screen
