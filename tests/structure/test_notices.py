"""What is linked into the SDK's library has its notice in the AAR, in the pinned version."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ANDROID = ROOT / "attester/android"
LOCK = (ANDROID / "sources/Cargo.lock").read_text()
NOTICE = (ANDROID / "NOTICE").read_text()
BUILD = (ANDROID / "build-native").read_text()
# What build-native takes from this machine, header by header, and Debian's package of it.
HEADERS = {"nlohmann": "nlohmann-json3-dev", "tl": "libexpected-dev"}
HEADING = re.compile(
    r"^(?P<name>\S[^\n]*?) (?P<version>\d+(?:\.\d+)+) \((?P<source>[^)\n]+)\)$", re.M
)


def pinned(lock: str) -> dict[str, str]:
    """The crates whose C sources are taken, and their versions."""
    packages = {p["name"]: p for p in tomllib.loads(lock)["package"]}
    own = packages["touchmark-android-sources"]["dependencies"]
    return {name: packages[name]["version"] for name in own}


def faults(lock: str, notice: str, build: str) -> Iterator[str]:
    sources = {m["source"]: (m["name"], m["version"]) for m in HEADING.finditer(notice)}
    for crate, version in pinned(lock).items():
        found = sources.get(f"{crate} {version}")
        if not found:
            yield f"NOTICE has no heading 'NAME VERSION ({crate} {version})'"
        elif "+" in version and version.partition("+")[2].rpartition("-")[2] != found[1]:
            yield f"NOTICE says {found[0]} {found[1]}, and {crate} {version} is pinned"
    block = re.search(r"def copy_json.*?\n    # The SDK", build, re.S)
    assert block
    names = re.search(r"for name in \(([^)]*)\)", block[0])
    assert names
    for name in re.findall(r'"(\w+)"', names[1]):
        if HEADERS.get(name) not in sources:
            yield f"NOTICE has no heading for the headers of /usr/include/{name}"
    for part in ("libc++", "libc++abi", "libunwind", "compiler-rt"):
        if not re.search(rf"^libc\+\+.*{re.escape(part)}", notice, re.M):
            yield f"NOTICE does not name the NDK's {part}"


def test_every_pinned_source_has_its_notice() -> None:
    assert len(pinned(LOCK)) >= 3
    assert list(faults(LOCK, NOTICE, BUILD)) == []


@pytest.mark.parametrize("crate", sorted(pinned(LOCK)))
def test_a_source_of_another_version_is_found(crate: str) -> None:
    version = pinned(LOCK)[crate]
    later = re.sub(r"\d+$", lambda last: str(int(last[0]) + 1), version)
    moved = LOCK.replace(
        f'name = "{crate}"\nversion = "{version}"', f'name = "{crate}"\nversion = "{later}"'
    )
    assert moved != LOCK
    assert list(faults(moved, NOTICE, BUILD)) != []
    # The heading alone is not enough: it says the library's own version, too.
    if "+" in version:
        heading = NOTICE.replace(f"({crate} {version})", f"({crate} {later})")
        assert list(faults(moved, heading, BUILD)) != []


def test_a_further_source_is_found() -> None:
    more = LOCK.replace('dependencies = [\n "curl-sys",', 'dependencies = [\n "cc",\n "curl-sys",')
    assert more != LOCK
    assert any("cc " in fault for fault in faults(more, NOTICE, BUILD))
    headers = BUILD.replace(
        'for name in ("nlohmann", "tl")', 'for name in ("nlohmann", "tl", "fmt")'
    )
    assert headers != BUILD
    assert any("include/fmt" in fault for fault in faults(LOCK, NOTICE, headers))


@pytest.mark.parametrize("name", ["OpenSSL", "libcurl", "zlib", "JSON for Modern C++", "expected"])
def test_a_missing_notice_is_found(name: str) -> None:
    assert list(faults(LOCK, NOTICE.replace(f"\n{name} ", "\nX"), BUILD)) != []


def test_the_headers_are_of_the_version_that_is_named() -> None:
    named = {m["source"]: m["version"] for m in HEADING.finditer(NOTICE)}
    for path, prefix, package in (
        ("nlohmann/detail/abi_macros.hpp", "NLOHMANN_JSON_VERSION", "nlohmann-json3-dev"),
        ("tl/expected.hpp", "TL_EXPECTED_VERSION", "libexpected-dev"),
    ):
        header = (Path("/usr/include") / path).read_text()
        parts = [re.search(rf"{prefix}_{p}\s+(\d+)", header) for p in ("MAJOR", "MINOR")]
        assert ".".join(part[1] for part in parts if part) == named[package]
