"""The notices in the AAR are those of the sources that its library is built from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kit.android_build import ANDROID

NOTICE = (ANDROID / "NOTICE").read_text()


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def sources() -> Path:
    done = subprocess.run(
        [ANDROID / "fetch-sources"], stdout=subprocess.PIPE, text=True, check=True
    )
    return Path(done.stdout.strip())


@pytest.mark.parametrize("name", ["curl/COPYING", "curl/LICENSES/ISC.txt", "zlib/LICENSE"])
def test_a_licence_is_there_whole(sources: Path, name: str) -> None:
    text = words((sources / name).read_text())
    assert text.removeprefix("Copyright notice: ") in words(NOTICE)


def test_openssl_has_the_licence_that_stands_beside_it(sources: Path) -> None:
    licence = words((sources / "openssl/LICENSE.txt").read_text())
    end = "END OF TERMS AND CONDITIONS"
    own = words((ANDROID.parents[1] / "LICENSE").read_text())
    start = "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"
    assert licence[licence.index(start) : licence.index(end)] in own


def test_what_is_named_is_what_is_built(sources: Path) -> None:
    def number(name: str, pattern: str) -> str:
        found = re.search(pattern, (sources / name).read_text(), re.M)
        assert found
        return found[1]

    openssl = [number("openssl/VERSION.dat", rf"^{p}=(\d+)") for p in ("MAJOR", "MINOR", "PATCH")]
    for name, version in (
        ("OpenSSL", ".".join(openssl)),
        ("libcurl", number("curl/include/curl/curlver.h", r'LIBCURL_VERSION "([\d.]+)')),
        ("zlib", number("zlib/zlib.h", r'ZLIB_VERSION "([\d.]+)')),
    ):
        assert f"\n{name} {version} (" in NOTICE


# What of curl is compiled, by the licence that each file names.
def test_no_file_that_is_compiled_has_another_licence(sources: Path) -> None:
    folders = [
        sources / "curl/lib",
        *(sources / "curl/lib" / d for d in ("curlx", "vtls", "vauth")),
    ]
    found: set[str] = set()
    files = [file for folder in folders for file in folder.glob("*.[ch]")]
    for file in files:
        named = re.search(r"SPDX-License-Identifier: (.*)", file.read_text(errors="replace"))
        assert named, file
        found.add(named[1].removesuffix("*/").strip())
    assert len(files) > 150
    assert found == {"curl", "ISC"}
