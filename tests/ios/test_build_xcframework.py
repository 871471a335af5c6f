"""tools/ios/build-xcframework, on a Mac that is played: its tools note what they are asked for."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from kit.service import ROOT

# One program under all names. What it leaves behind is what the next step looks for.
TOOL = r"""#!/usr/bin/env bash
name=$(basename "$0")
printf '%s %s\n' "$name" "$*" >>"$PLAYED/calls"
value_of() {
  local want=$1
  shift
  while (($#)); do
    [ "$1" != "$want" ] || { echo "$2"; return; }
    shift
  done
}
case "$name $*" in
  uname*) echo Darwin ;;
  'xcodebuild -version') echo 'Xcode 15.4' ;;
  'xcodebuild -create'*)
    made=$(value_of -output "$@")
    mkdir -p "$made" && touch "$made/Info.plist" ;;
  *--show-sdk-path) echo /sdk ;;
  *--show-sdk-version) echo 17.5 ;;
  'xcrun '*' nm '*) cat "$PLAYED/symbols" ;;
  'xcrun '*' ld '*)
    [ ! -f "$PLAYED/no-ld" ] || { echo 'ld: symbol(s) not found'; exit 1; }
    touch "$(value_of -o "$@")" ;;
  'xcrun '*' libtool '*) touch "$(value_of -o "$@")" ;;
  'xcrun lipo '*) touch "$(value_of -output "$@")" ;;
  'cmake '*' -S '*)
    mkdir -p "$(value_of -B "$@")"
    for word in "$@"; do
      [[ $word != -DCMAKE_INSTALL_PREFIX=* ]] || touch "${word#*=}"/lib/lib{curl,z}.a
    done ;;
  perl*) mkdir -p include/openssl && touch include/openssl/configuration.h ;;
  *build_libs) touch libcrypto.a libssl.a ;;
esac
"""
TOOLS = ("uname", "xcodebuild", "xcrun", "cmake", "ninja", "perl", "make", "cargo")


class Mac:
    """An archive that was unpacked, and the machine that builds its core."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        done = subprocess.run(
            [ROOT / "attester/ios/build-package", "--sdk-dir", folder],
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (archive,) = folder.glob("*.zip")
        with zipfile.ZipFile(archive) as read:
            read.extractall(folder)
        self.package = folder / archive.stem
        self.script = self.package / "core/tools/ios/build-xcframework"
        sources = folder / "sources/openssl/include/openssl"
        sources.mkdir(parents=True)
        (sources / "ssl.h").touch()
        (folder / "sources/.stamp").write_text("of these crates")
        fetch = self.package / "core/attester/android/fetch-sources"
        fetch.write_text(f"#!/bin/sh\necho {folder}/sources\n")
        tools = folder / "tools"
        tools.mkdir()
        for name in TOOLS:
            (tools / name).write_text(TOOL)
            (tools / name).chmod(0o755)
        fetch.chmod(0o755)
        header = (self.package / "core/attester/include/touchmark.h").read_text()
        self.interface = [
            line.split("(")[0].split()[-1].lstrip("*")
            for line in header.splitlines()
            if line.startswith("TOUCHMARK_API") and "(" in line
        ]
        self.show(self.interface)

    def show(self, symbols: list[str]) -> None:
        """What nm sees in the library."""
        (self.folder / "symbols").write_text(
            "".join(f"0000000000000000 T _{name}\n" for name in symbols)
        )

    def build(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        (self.folder / "calls").write_text("")
        path = f"{self.folder}/tools:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", self.script, *arguments], env={"PATH": path, "PLAYED": str(self.folder)},
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def calls(self, beginning: str) -> list[str]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(beginning)]


@pytest.fixture(scope="module")
def mac(tmp_path_factory: pytest.TempPathFactory) -> Mac:
    return Mac(tmp_path_factory.mktemp("mac"))


def test_it_builds_for_all_kinds_of_machines(mac: Mac) -> None:
    done = mac.build()
    assert done.returncode == 0, done.stderr
    framework = mac.package / "TouchmarkCore.xcframework"
    assert done.stdout.strip() == str(framework) and framework.is_dir()
    targets = [call.split()[2] for call in mac.calls("perl")]
    assert targets == ["ios64-xcrun", "iossimulator-arm64-xcrun", "iossimulator-x86_64-xcrun"]
    options = ROOT / "attester/android/dependencies/openssl-options.txt"
    words = [w for line in options.read_text().splitlines() if line[0] != "#" for w in line.split()]
    assert len(words) > 60
    for call in mac.calls("perl"):
        assert set(words) <= set(call.split())
    configured = mac.calls("cmake -Wno-dev")
    assert len(configured) == 6  # what is fetched, and the core
    for sdk, architecture in (
        ("iphoneos", "arm64"), ("iphonesimulator", "arm64"), ("iphonesimulator", "x86_64"),
    ):  # fmt: skip
        wanted = f"-DCMAKE_OSX_SYSROOT={sdk} -DCMAKE_OSX_ARCHITECTURES={architecture} "
        assert len([call for call in configured if wanted in call]) == 2
    linked = [call for call in mac.calls("xcrun") if " ld " in call]
    assert [call.split("-platform_version ")[1].split()[:3] for call in linked] == [
        [platform, "14.0", "17.5"] for platform in ("ios", "ios-simulator", "ios-simulator")
    ]
    for call in linked:
        assert "-exported_symbols_list" in call and "libssl.a" in call and "libz.a" in call
    (joined,) = mac.calls("xcodebuild -create")
    assert joined.count("-library ") == 2


def test_what_is_built_already_is_taken(mac: Mac) -> None:
    assert mac.build().returncode == 0
    assert mac.calls("perl") == []
    (mac.folder / "sources/.stamp").write_text("of other crates")
    assert mac.build().returncode == 0
    assert len(mac.calls("perl")) == 3


def test_it_may_come_elsewhere(mac: Mac, tmp_path: Path) -> None:
    done = mac.build("--out", tmp_path / "a folder", "--headers", "/usr/include")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a folder/TouchmarkCore.xcframework/Info.plist").is_file()


def test_a_library_that_is_not_whole_or_shows_more_is_refused(mac: Mac) -> None:
    mac.show(mac.interface[1:])
    done = mac.build()
    assert done.returncode == 1 and f"lacks {mac.interface[0]}" in done.stderr
    mac.show([*mac.interface, "SSL_new"])
    done = mac.build()
    assert done.returncode == 1 and "SSL_new is seen from outside" in done.stderr
    mac.show(mac.interface)


def test_the_end_of_a_tool_s_log_is_shown(mac: Mac) -> None:
    (mac.folder / "no-ld").touch()
    done = mac.build()
    (mac.folder / "no-ld").unlink()
    assert done.returncode == 1
    assert "symbol(s) not found" in done.stderr and "the whole log is in" in done.stderr


def test_headers_that_are_nowhere_are_asked_for(mac: Mac, tmp_path: Path) -> None:
    done = mac.build("--headers", tmp_path)
    assert done.returncode == 1 and "nlohmann-json" in done.stderr


def test_a_wrong_word_is_refused(mac: Mac) -> None:
    assert mac.build("--output").returncode == 2
    assert mac.build("--out").returncode == 1
