"""The packages for Cordova and Capacitor: what is installed, and their Java and Objective-C++."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from javascript.java_layer import android, compile_java
from javascript.objective_c import PACKAGES, type_check
from javascript.workspace import NODE_MODULES
from kit.service import ROOT

BUILT = ROOT / "build/release/share/touchmark"
FRAMEWORKS = {
    "cordova": NODE_MODULES / "cordova-android/framework/src",
    "capacitor": NODE_MODULES / "@capacitor/android/capacitor/src/main/java",
}


@pytest.fixture(scope="session")
def class_path(project: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Android, and the SDK as the AAR has it; with it the npm packages are there."""
    jar = tmp_path_factory.mktemp("classes") / "sdk.jar"
    with zipfile.ZipFile(BUILT / "touchmark_sdk.aar") as aar:
        jar.write_bytes(aar.read("classes.jar"))
    return f"{jar}:{android()}"


def java_sources(package: str) -> list[Path]:
    found = [
        *(PACKAGES / package / "android").rglob("*.java"),
        *(PACKAGES / "webview").rglob("*.java"),
    ]
    assert len(found) == 2
    return found


@pytest.mark.parametrize("package", FRAMEWORKS)
def test_the_java_layer_compiles(package: str, class_path: str, tmp_path: Path) -> None:
    sources = java_sources(package)
    assert compile_java(sources, class_path, FRAMEWORKS[package], tmp_path) == []


@pytest.mark.parametrize(
    "package, right, wrong",
    [
        ("cordova", "callback.sendPluginResult(", "callback.sendResult("),
        ("cordova", "getActivity()", "getActivities()"),
        ("cordova", "touchmark.fetchTokenAndWait(", "touchmark.fetchTokenNow("),
        ("capacitor", "call.reject(message", "call.reject(1"),
        ("capacitor", "getContext()", "getContexts()"),
        ("capacitor", "connection.setHostnameVerifier(", "connection.setVerifier("),
    ],
)
def test_a_mistake_in_the_java_layer_is_found(
    package: str, right: str, wrong: str, class_path: str, tmp_path: Path
) -> None:
    changed = []
    for source in java_sources(package):
        changed.append(tmp_path / source.name)
        changed[-1].write_text(source.read_text().replace(right, wrong, 1))
    assert [path.read_text() for path in changed] != [
        path.read_text() for path in java_sources(package)
    ]
    assert compile_java(changed, class_path, FRAMEWORKS[package], tmp_path / "out") != []


@pytest.mark.parametrize(
    "source",
    sorted(
        path
        for folder in ("native", "webview", "cordova", "capacitor")
        for path in (PACKAGES / folder / "ios").glob("*.mm")
    ),
    ids=lambda path: f"{path.parts[-3]}-{path.name}",
)
def test_the_objective_c_layer_type_checks(source: Path) -> None:
    assert type_check(source) == ""


def test_a_mistake_in_the_objective_c_layer_is_found(tmp_path: Path) -> None:
    text = (PACKAGES / "webview/ios/TouchmarkCalls.mm").read_text()
    (tmp_path / "x.mm").write_text(text.replace("sdk.configVersion", "sdk.version"))
    assert "version" in type_check(tmp_path / "x.mm")


def test_cordova_puts_everything_in_its_place(cordova: Path) -> None:
    android_project = cordova / "platforms/android"
    java = android_project / "app/src/main/java/touchmark"
    assert (java / "cordova/TouchmarkPlugin.java").read_text() == (
        PACKAGES / "cordova/android/touchmark/cordova/TouchmarkPlugin.java"
    ).read_text()
    assert (java / "webview/TouchmarkCalls.java").read_text() == (
        PACKAGES / "webview/android/touchmark/webview/TouchmarkCalls.java"
    ).read_text()
    library = android_project / "app/libs/touchmark_sdk.aar"
    assert library.read_bytes() == (BUILT / "touchmark_sdk.aar").read_bytes()
    asset = android_project / "app/src/main/assets/touchmark-initial.config"
    assert asset.read_text() == "the configuration"
    config = ElementTree.parse(android_project / "app/src/main/res/xml/config.xml")
    space = "{http://www.w3.org/ns/widgets}"
    features = {
        feature.get("name"): [param.get("value") for param in feature]
        for feature in config.iter(f"{space}feature")
    }
    assert features["Touchmark"] == ["touchmark.cordova.TouchmarkPlugin"]
    # The script that Gradle is told to apply takes the library from where it is.
    properties = (android_project / "project.properties").read_text()
    (script,) = [
        line.split("=", 1)[1]
        for line in properties.splitlines()
        if line.startswith("cordova.gradle.include")
    ]
    text = (android_project / script).read_text()
    assert 'fileTree(dir: "libs", include: "touchmark_sdk.aar")' in text
    described = json.loads((cordova / "package.json").read_text())
    assert "@touchmark/cordova" in described["cordova"]["plugins"]


def test_the_plugin_names_files_that_it_has(project: Path) -> None:
    for package in ("cordova", "capacitor", "react-native"):
        folder = project / "node_modules/@touchmark" / package
        assert list(folder.rglob("*.aar")), package
        assert (folder / "LICENSE").is_file() and (folder / "NOTICE").is_file()
        described = json.loads((folder / "package.json").read_text())
        assert described["version"] in (ROOT / "CMakeLists.txt").read_text()
        for member in ("main", "types"):
            assert (folder / described[member]).is_file(), (package, member)
    folder = project / "node_modules/@touchmark/cordova"
    plugin = ElementTree.parse(folder / "plugin.xml").getroot()
    assert plugin.get("version") != "0.0.0"
    named = [element.get("src") for element in plugin.iter() if element.get("src")]
    assert len(named) == 11
    assert [name for name in named if not (folder / str(name)).is_file()] == []
    capacitor = project / "node_modules/@touchmark/capacitor"
    found = {path.name for path in capacitor.rglob("*") if path.is_file()}
    assert {
        "TouchmarkCalls.java", "TouchmarkPlugin.java", "TouchmarkCalls.mm", "TouchmarkShared.mm",
        "TouchmarkCapacitor.podspec", "build.gradle", "react.js",
    } <= found  # fmt: skip
