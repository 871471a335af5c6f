"""Commands, options and links within the text of a page exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

from docs.blocks import ROOT, pages
from docs.exceptions import INLINE
from kit.service import BINARY

SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)*)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text_of(page: str) -> str:
    """A page without its blocks, which run by themselves."""
    return re.sub(
        r"^ *```.*?^ *```$", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE
    )


def spans(start: str) -> list[tuple[str, str]]:
    found = [
        (page, " ".join(span.split())) for page in pages() for span in SPAN.findall(text_of(page))
    ]
    return [(page, span) for page, span in found if span.startswith(start)]


@cache
def help_of(*command: str) -> str:
    done = subprocess.run(
        [str(BINARY), *command, "--help"], check=False, capture_output=True, text=True, timeout=60
    )
    return done.stdout if done.returncode == 0 else ""


@cache
def commands_of(*command: str) -> frozenset[str]:
    listed = re.search(
        r"^Commands:\n((?: .*\n|\n)+?)(?=\S)", help_of(*command) + "\n.", re.MULTILINE
    )
    return frozenset(
        re.findall(r"^ {2,4}([a-z][a-z-]*) ", listed[1], re.MULTILINE) if listed else []
    )


def every_command(*command: str) -> list[tuple[str, ...]]:
    below = [one for name in sorted(commands_of(*command)) for one in every_command(*command, name)]
    return [command, *below]


def problem(line: str) -> str:
    """What is wrong with a `touchmark …` of the text; "" for nothing."""
    words = shlex.split(line.split(" > ")[0].split("; ")[0])[1:]
    command: list[str] = []
    while words and words[0].lstrip("-") in commands_of(*command):
        command.append(words.pop(0).lstrip("-"))
    if not command and words and not words[0].startswith("-"):
        return f"there is no command {words[0]}"
    if words and commands_of(*command) and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        return f"{' '.join(command)} has no command {words[0]}"
    options = re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join(words))
    absent = [
        one
        for one in options
        if not re.search(rf"(?<![\w-]){one}(?![\w-])", help_of(*command) + help_of())
    ]
    return f"{' '.join(command) or 'touchmark'} has no {', '.join(absent)}" if absent else ""


def test_a_command_in_the_text_exists() -> None:
    found = {
        f"{page}: {span}": wrong
        for page, span in spans("touchmark ")
        if (page, span) not in INLINE and (wrong := problem(span))
    }
    assert found == {}
    assert len(spans("touchmark ")) > 40


@pytest.mark.parametrize(
    "line",
    ["touchmark serv", "touchmark policy sho", "touchmark serve --datta x", "touchmark --verson",
     "touchmark registration add app.apk --expire"],
)  # fmt: skip
def test_a_command_that_is_none_is_found(line: str) -> None:
    assert problem(line)


def test_an_option_in_the_text_is_one_of_some_command() -> None:
    ours = "\n".join(help_of(*command) for command in every_command())
    scripts = subprocess.run(
        ["git", "grep", "-hoE", "--", "--[a-z][a-z-]+", "--", ":!*.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    known = set(re.findall(r"--[a-z][\w-]*", ours)) | set(scripts)
    found = {
        f"{page}: {span}"
        for page, span in spans("--")
        if (page, span) not in INLINE and not set(re.findall(r"^--[a-z][\w-]*", span)) <= known
    }
    assert found == set()


def test_a_target_of_make_in_the_text_exists() -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    found = {
        f"{page}: {span}"
        for page, span in spans("make ")
        if not set(re.findall(r"(?<= )[a-z][\w-]*", span)) <= targets
    }
    assert found == set()


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return {slug(one) for one in re.findall(r"^#+ +(.*)$", text, re.MULTILINE)}


def test_a_link_leads_somewhere() -> None:
    found: list[str] = []
    for page in pages():
        for target in LINK.findall(text_of(page)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (ROOT / page).parent / name if name else ROOT / page
            if not path.exists() or (anchor and anchor not in anchors(path)):
                found.append(f"{page}: {target}")
    assert found == []


def test_no_exception_outlives_what_it_is_for() -> None:
    assert INLINE.keys() - {*spans("touchmark "), *spans("--")} == set()
