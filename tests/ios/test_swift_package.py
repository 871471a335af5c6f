"""The package for Swift and Objective-C: what is in it, that it is whole, and its names."""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from kit.service import ROOT

IOS = ROOT / "attester/ios"
TOP = "touchmark-swift-0.1.0"
PRIVACY = IOS / "package/PrivacyInfo.xcprivacy"
CORE = ROOT / "attester/javascript/packages/core/src"


def build(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [IOS / "build-package", *arguments],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder / f"share/touchmark/{TOP}.zip"


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a Mac's own tool unpacks it, with the programs' permissions."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["unzip", "-q", archive, "-d", folder], check=True)
    return folder / TOP


def test_what_is_in_it(unpacked: Path) -> None:
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*.*")}
    own = {
        f"Sources/{place}/{path.name}"
        for folder, place in (
            ("swift", "Touchmark"), ("src", "TouchmarkObjC"), ("include", "TouchmarkObjC/include"),
        )
        for path in (IOS / folder).iterdir()
    }  # fmt: skip
    assert len(own) >= 11 and own <= files
    assert {
        "Package.swift",
        "Touchmark.podspec",
        "README.md",
        "Sources/TouchmarkObjC/core/attester/include/touchmark.h",
        "Sources/Touchmark/Resources/PrivacyInfo.xcprivacy",
        "core/attester/client/c_api.cc",
        "core/third-party/nlohmann/json.hpp",
    } <= files
    assert not [name for name in files if "_test." in name or "/testing/" in name]
    assert not [name for name in files if name.startswith(("core/verifier", "core/cli"))]
    sdk = (unpacked / "Sources/Touchmark/Resources/touchmark-sdk.json").read_text()
    assert sdk == '{"version":"0.1.0"}\n'
    assert 's.version = "0.1.0"' in (unpacked / "Touchmark.podspec").read_text()
    assert "OpenSSL" in (unpacked / "NOTICE").read_text()
    for program in ("tools/ios/build-xcframework", "attester/android/fetch-sources"):
        assert os.access(unpacked / "core" / program, os.X_OK), program


def test_the_core_in_it_is_whole(unpacked: Path) -> None:
    """Every source that the core's build takes, and every header that these include."""
    core = unpacked / "core"
    listed = (core / "attester/ios/core/sources.txt").read_text().splitlines()
    left_out = {line[1:] for line in listed if line.startswith("-")}
    taken = []
    for line in listed:
        if line.startswith(("#", "-")):
            continue
        of_tree = {path.name for path in (ROOT / line).glob("*.cc")}
        taken += [
            f"{line}/{name}"
            for name in of_tree
            if not name.endswith("_test.cc") and f"{line}/{name}" not in left_out
        ]
    assert len(taken) > 60
    for name in taken:
        assert (core / name).read_bytes() == (ROOT / name).read_bytes()
    for path in core.rglob("*"):
        if path.suffix in (".cc", ".h") and "third-party" not in path.parts:
            for header in re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE):
                assert (core / header).is_file(), f"{path}: {header}"


def test_the_same_inputs_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert build(tmp_path).returncode == 0
    again = tmp_path / f"share/touchmark/{TOP}.zip"
    assert again.read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as read:
        names = read.namelist()
        assert names == sorted(names) and len(set(names)) == len(names)
        assert {info.date_time for info in read.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert all(name.startswith(f"{TOP}/") and ".." not in name for name in names)


def test_an_archive_of_another_version_goes(tmp_path: Path) -> None:
    folder = tmp_path / "share/touchmark"
    folder.mkdir(parents=True)
    (folder / "touchmark-swift-0.0.9.zip").write_text("old")
    assert build(tmp_path).returncode == 0
    assert [path.name for path in folder.iterdir()] == [f"{TOP}.zip"]


# The XCFramework ---------------------------------------------------------------------------------


def make_xcframework(folder: Path, *, simulator: tuple[str, ...] = ("arm64", "x86_64")) -> Path:
    """As `xcodebuild -create-xcframework` lays it out, without code."""
    libraries = []
    for identifier, variant, architectures in (
        ("ios-arm64", None, ("arm64",)),
        ("ios-arm64_x86_64-simulator", "simulator", simulator),
    ):
        (folder / identifier).mkdir(parents=True)
        (folder / identifier / "libTouchmarkCore.a").write_text("!<arch>\n")
        libraries.append(
            {
                "LibraryIdentifier": identifier,
                "LibraryPath": "libTouchmarkCore.a",
                "SupportedArchitectures": list(architectures),
                "SupportedPlatform": "ios",
            }
            | ({"SupportedPlatformVariant": variant} if variant else {})
        )
    described = {
        "AvailableLibraries": libraries,
        "CFBundlePackageType": "XFWK",
        "XCFrameworkFormatVersion": "1.0",
    }
    (folder / "Info.plist").write_bytes(plistlib.dumps(described))
    return folder


def test_an_xcframework_takes_the_place_of_the_sources(tmp_path: Path) -> None:
    framework = make_xcframework(tmp_path / "TouchmarkCore.xcframework")
    done = build("--xcframework", framework, tmp_path / "build")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / f"build/share/touchmark/{TOP}.zip") as read:
        names = {name.removeprefix(f"{TOP}/") for name in read.namelist()}
    assert {
        "TouchmarkCore.xcframework/Info.plist",
        "TouchmarkCore.xcframework/ios-arm64/libTouchmarkCore.a",
        "TouchmarkCore.xcframework/ios-arm64_x86_64-simulator/libTouchmarkCore.a",
    } <= names
    assert not [name for name in names if name.startswith("core/")]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (shutil.rmtree, "is no XCFramework"),
        (lambda folder: (folder / "Info.plist").write_text("no plist"), "is no XCFramework"),
        (lambda folder: (folder / "ios-arm64/libTouchmarkCore.a").unlink(), "the phone on arm64"),
    ],
)
def test_what_is_no_xcframework_is_refused(break_it: object, says: str, tmp_path: Path) -> None:
    framework = make_xcframework(tmp_path / "x.xcframework")
    assert callable(break_it)
    break_it(framework)
    done = build("--xcframework", framework, tmp_path / "build")
    assert done.returncode == 1 and says in done.stderr
    assert not list(tmp_path.rglob("*.zip"))


def test_one_without_a_kind_of_machine_is_refused(tmp_path: Path) -> None:
    framework = make_xcframework(tmp_path / "x.xcframework", simulator=("arm64",))
    done = build("--xcframework", framework, tmp_path / "build")
    assert done.returncode == 1 and "the simulator on x86_64" in done.stderr


def test_the_build_says_that_it_needs_a_mac(unpacked: Path) -> None:
    for folder in (ROOT, unpacked / "core"):
        done = subprocess.run(
            [folder / "tools/ios/build-xcframework"],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1 and "this is no Mac" in done.stderr
    assert not list(unpacked.rglob("*.xcframework"))


# Swift and Objective-C ---------------------------------------------------------------------------


def parse(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools/parse-swift", *files],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_its_swift_parses(unpacked: Path) -> None:
    sources = [unpacked / "Package.swift", *(unpacked / "Sources").rglob("*.swift")]
    assert len(sources) >= 6
    done = parse(*sources)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("async throws -> TouchmarkToken {", "async throws -> {"),
        (
            "guard let url = request.url else { return request }",
            "guard let url = request.url else {",
        ),
        ("public final class Touchmark:", "public final clas Touchmark:"),
        ("core.discardTokens()", "core.discardTokens("),
    ],
)
def test_a_mistake_in_swift_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    text = (IOS / "swift/Touchmark.swift").read_text()
    assert text.count(right) == 1
    (tmp_path / "x.swift").write_text(text.replace(right, wrong))
    done = parse(tmp_path / "x.swift")
    assert done.returncode == 1 and str(tmp_path / "x.swift") in done.stdout


def test_the_check_for_ios_refuses_it(tmp_path: Path) -> None:
    """make ios-check parses what is in the tree, before all else."""
    tree = tmp_path / "tree"
    for name in ("attester/ios", "tools"):
        shutil.copytree(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(ROOT / ".venv")
    (tree / "attester/ios/swift/Touchmark.swift").write_text("func f( {\n")
    done = subprocess.run(
        [tree / "attester/ios/check"], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1 and "Touchmark.swift:1:1" in done.stdout


def test_its_objective_c_compiles_by_its_own_headers(unpacked: Path) -> None:
    """With the search paths of Package.swift, and nothing else of the tree than the stubs."""
    objective_c = unpacked / "Sources/TouchmarkObjC"
    manifest = (unpacked / "Package.swift").read_text()
    (path,) = re.findall(r'\.headerSearchPath\("([^"]+)"\)', manifest)
    for target in ("arm64-apple-ios14.0", "arm64-apple-ios14.0-simulator"):
        for source in objective_c.glob("*.m"):
            done = subprocess.run(
                ["clang-16", "-fsyntax-only", "-std=gnu11", f"--target={target}",
                 "-ffreestanding", "-fobjc-arc", "-fblocks", "-Wall", "-Wextra", "-Wconversion",
                 "-Werror", "-I", objective_c / path, "-I", objective_c / "include",
                 "-isystem", IOS / "test/stubs", source],
                check=False, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr


# Names -------------------------------------------------------------------------------------------


def lower(name: str) -> str:
    return name[0].lower() + name[1:]


def statuses() -> dict[str, int]:
    text = (IOS / "swift/TokenFetchStatus.swift").read_text()
    return {name: int(code) for name, code in re.findall(r"^  case `?(\w+)`? = (\d+)$", text, re.M)}


def test_the_statuses_are_those_of_the_other_languages() -> None:
    ours = statuses()
    script = (CORE / "status.ts").read_text()
    enum = script.split("export enum TokenFetchStatus {")[1].split("\n}")[0]
    assert ours == {lower(n): int(c) for n, c in re.findall(r"^  (\w+) = (\d+),$", enum, re.M)}
    java = (ROOT / "attester/android/java/touchmark/sdk/TokenFetchStatus.java").read_text()
    constants = {n: int(c) for n, c in re.findall(r"^  ([A-Z_]+)\((\d+)\)[,;]$", java, re.M)}
    assert {
        re.sub("_(.)", lambda m: m[1].upper(), n.lower()): c for n, c in constants.items()
    } == ours
    header = (ROOT / "attester/include/touchmark.h").read_text()
    enum = header.split("typedef enum touchmark_status {")[1].split("}")[0]
    core = {n: int(c) for n, c in re.findall(r"TOUCHMARK_([A-Z_]+) = (\d+)", enum)}
    assert len(core) == 11
    assert {n.replace("_", "").lower(): c for n, c in core.items()} == {
        name.lower(): code for name, code in ours.items() if code <= 10
    }


def test_what_may_be_tried_again_is_the_same() -> None:
    swift = (IOS / "swift/TokenFetchStatus.swift").read_text()
    (cases,) = re.findall(r"case ([^:]+): return true", swift)
    script = (CORE / "status.ts").read_text().split("export function isRetryable")[1]
    wanted = re.findall(r"status === TokenFetchStatus\.(\w+)", script)
    assert [one.strip(" .") for one in cases.split(",")] == [lower(name) for name in wanted]


def test_a_token_has_what_it_has_elsewhere() -> None:
    swift = (IOS / "swift/TouchmarkToken.swift").read_text()
    ours = set(re.findall(r"^  public let (\w+):", swift, re.M))
    script = (CORE / "touchmark.ts").read_text().split("constructor(fields: {")[1].split("}")[0]
    assert ours == set(re.findall(r"^    (\w+)\??:", script, re.M)) - {"status"}
    header = (IOS / "include/Touchmark.h").read_text()
    interface = header.split("@interface TMToken")[1].split("@end")[0]
    assert ours == set(re.findall(r"@property\([^)]*\) \w+\*? ?(\w+);", interface))


def swift_names(header: str) -> set[str]:
    """What Swift calls the members of TMTouchmark."""
    interface = header.split("@interface TMTouchmark")[1].split("@end")[0]
    named = set(re.findall(r"NS_SWIFT_NAME\(([^;]+)\);", interface))
    named |= set(re.findall(r"@property\([^)]*\) \w+\*? ?(\w+);", interface))
    # Without an argument a method's name is its own.
    return named | {f"{name}()" for name in re.findall(r"^- \(void\)(\w+);", interface, re.M)}


def test_swift_calls_what_the_objective_c_header_has() -> None:
    names = swift_names((IOS / "include/Touchmark.h").read_text())
    assert len(names) > 8
    found = set()
    for path in (IOS / "swift").glob("*.swift"):
        text = path.read_text()
        for call in re.findall(r"(?:\bcore\.|TMTouchmark\.?)(\w*)\(([^{}\n]*)\)", text):
            name, arguments = call
            labels = re.findall(r"(?:^|, )(?:(\w+): )?[^,]+", arguments)
            whole = f"{name or 'init'}({''.join(f'{label or chr(95)}:' for label in labels)})"
            # The last argument may stand behind, as a closure.
            assert {whole, whole.replace(")", "completion:)")} & names, f"{path.name}: {whole}"
            found.add(name or "init")
        for member in re.findall(r"(?:\bcore|TMTouchmark)\.(\w+)\b(?!\()", text):
            assert member in names, f"{path.name}: {member}"
            found.add(member)
    assert {"init", "fetchToken", "answer", "request", "allows", "deviceID", "version"} <= found


def test_the_class_has_what_the_other_languages_have() -> None:
    swift = (IOS / "swift/Touchmark.swift").read_text()
    ours = set(re.findall(r"^  public (?:static )?(?:func|var) (\w+)", swift, re.M))
    script = (CORE / "touchmark.ts").read_text().split("export class Touchmark {")[1]
    methods = set(re.findall(r"^  (?:async )?(\w+)\([^)]*\): Promise", script, re.M))
    assert len(methods) == 6
    assert {lower(name.removeprefix("get")) for name in methods} <= ours


# Privacy -----------------------------------------------------------------------------------------

# Apple's list of required-reason APIs, as far as sources in C++ and Objective-C can call them.
REASONED = {
    "FileTimestamp": r"\b(?:f|l)?stat\(|\bfstatat\(|\bf?getattrlist(?:bulk|at)?\(|ModificationDate"
    r"|\bcreationDate|last_write_time",
    "SystemBootTime": r"\bmach_absolute_time\(|\bsystemUptime\b",
    "DiskSpace": r"\bf?statv?fs\(|filesystem::space|volumeAvailableCapacity|NSFileSystemFreeSize",
    "ActiveKeyboards": r"\bactiveInputModes\b",
    "UserDefaults": r"\bNSUserDefaults\b|\bUserDefaults\b",
}


def reasoned(folder: Path) -> set[str]:
    text = "\n".join(
        path.read_text()
        for path in folder.rglob("*")
        if path.suffix in (".cc", ".m", ".swift") and "third-party" not in path.parts
    )
    return {name for name, pattern in REASONED.items() if re.search(pattern, text)}


def test_the_privacy_manifest_names_what_the_sources_call(unpacked: Path) -> None:
    manifest = plistlib.loads(PRIVACY.read_bytes())
    declared = {
        entry["NSPrivacyAccessedAPIType"].removeprefix("NSPrivacyAccessedAPICategory")
        for entry in manifest["NSPrivacyAccessedAPITypes"]
    }
    assert declared == reasoned(unpacked) and len(declared) == 2
    assert all(
        entry["NSPrivacyAccessedAPITypeReasons"] for entry in manifest["NSPrivacyAccessedAPITypes"]
    )
    assert manifest["NSPrivacyTracking"] is False and manifest["NSPrivacyTrackingDomains"] == []


def test_a_call_that_needs_a_reason_is_found(tmp_path: Path) -> None:
    assert reasoned(tmp_path) == set()
    (tmp_path / "x.cc").write_text("auto now = mach_absolute_time();")
    assert reasoned(tmp_path) == {"SystemBootTime"}


def test_both_ways_to_take_it_have_the_same_resources(unpacked: Path) -> None:
    """The service finds the version at one place, and Xcode the privacy manifest."""
    manifest = (unpacked / "Package.swift").read_text()
    podspec = (unpacked / "Touchmark.podspec").read_text()
    resources = unpacked / "Sources/Touchmark/Resources"
    assert set(re.findall(r'\.copy\("Resources/([^"]+)"\)', manifest)) == {
        path.name for path in resources.iterdir()
    }
    assert '"Touchmark_Touchmark" => ["Sources/Touchmark/Resources/*"]' in podspec
    for name in ("DeviceCheck", "Security", "c++", "TouchmarkCore.xcframework"):
        assert f'"{name}"' in manifest and f'"{name}"' in podspec
    assert hashlib.sha256((resources / "PrivacyInfo.xcprivacy").read_bytes()).digest() == (
        hashlib.sha256(PRIVACY.read_bytes()).digest()
    )
