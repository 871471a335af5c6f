"""Streams of the standard library stay out of the SDK: they bring its locales into every app."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("base", "formats", "crypto", "pki", "protocol", "package", "attester")
HEAVY = re.compile(
    r"^#include <(?:sstream|iostream|fstream|istream|ostream|iomanip|locale|regex|format)>", re.M
)


def test_no_source_of_the_sdk_uses_the_standard_librarys_streams() -> None:
    sources = [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".cc", ".h")
        and not path.name.endswith("_test.cc")
        and "testing" not in path.parts
    ]
    assert len(sources) > 200
    found = {str(path.relative_to(ROOT)) for path in sources if HEAVY.search(path.read_text())}
    assert found == set()
