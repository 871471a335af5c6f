"""docs/platform-support.md names, in every row, what shows it; all of that exists."""

from __future__ import annotations

import re

import pytest

from docs.blocks import ROOT

PAGE = ROOT / "docs/platform-support.md"
STATES = ("run", "compiled", "type-checked", "written")
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
NAMED = re.compile(r"`([^`]+)`")


def rows() -> list[dict[str, str]]:
    out: list[dict[str, str]] = []
    head: list[str] = []
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = cells
        elif not set(line) <= set("|-: ") and "shown by" in head:
            assert len(cells) == len(head), line
            out.append(dict(zip(head, cells, strict=True)))
    return out


ROWS = rows()


def fault(row: dict[str, str]) -> str | None:
    named = NAMED.findall(row["shown by"])
    if row["state"] not in STATES:
        return f"'{row['state']}' is no state"
    if row["state"] == "written":
        return None if row["shown by"] == "nothing" else "what is only written is shown by nothing"
    if not named:
        return "nothing shows it"
    for one in named:
        words = one.split()
        if words[0] == "make":
            if len(words) != 2 or words[1] not in TARGETS:
                return f"the Makefile has no target '{' '.join(words[1:])}'"
        elif not (ROOT / words[0]).exists():
            return f"there is no {words[0]}"
        elif words[1:2] and words[1] not in (ROOT / words[0]).read_text():
            return f"{words[0]} knows no {words[1]}"
    return None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(list(row.values())[:2]))
def test_what_shows_it_exists(row: dict[str, str]) -> None:
    assert fault(row) is None


def test_no_abi_level_or_part_is_left_out() -> None:
    assert len(ROWS) > 25
    abis = re.findall(
        r'^    Abi\(\s*"([^"]+)"', (ROOT / "attester/android/build-native").read_text(), re.M
    )
    assert len(abis) == 4
    assert [row["ABI"] for row in ROWS if "ABI" in row] == abis
    levels = {row["levels"] for row in ROWS if "levels" in row}
    manifest = (ROOT / "attester/android/AndroidManifest.xml").read_text()
    least = re.search(r'minSdkVersion="(\d+)"', manifest)
    assert least and {least[1], f"{least[1]} to 36"} <= levels
    text = PAGE.read_text()
    for part in ("Maven", "Gradle", "iOS", "Debian", "container", "Python", "JVM", "Robolectric"):
        assert part in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"state": "works"}, "no state"),
        ({"shown by": "`make nothing`"}, "no target"),
        ({"shown by": "`tests/android/test_none.py`"}, "there is no"),
        ({"shown by": "`attester/android/check --all-of-it`"}, "knows no"),
        ({"shown by": "nothing"}, "nothing shows it"),
        ({"state": "written", "shown by": "`make test`"}, "shown by nothing"),
    ],
)
def test_a_row_that_promises_too_much_is_found(change: dict[str, str], says: str) -> None:
    sound = {"state": "run", "shown by": "`make test`"}
    assert fault(sound) is None
    assert says in (fault({**sound, **change}) or "")


def test_the_readme_and_the_index_link_to_it() -> None:
    for page, link in (
        ("README.md", "docs/platform-support.md"),
        ("docs/README.md", "platform-support.md"),
    ):
        assert f"({link})" in (ROOT / page).read_text()


def test_the_readme_promises_no_more() -> None:
    text = (ROOT / "README.md").read_text()
    assert "on no phone yet" in " ".join(text.split())
