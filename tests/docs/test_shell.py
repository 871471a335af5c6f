"""Every shell block of every page runs, and prints what the page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.blocks import ROOT, Block, blocks
from docs.exceptions import BEFORE, ENDS_WITH, FILLED, NOT_COMPARED, NOT_RUN, PLAYED
from docs.samples import expect
from docs.session import Session, commands_of, run, samples_of

PAGES: dict[str, list[Block]] = {}
for one in blocks():
    PAGES.setdefault(one.page, []).append(one)


def to_run(page: str) -> list[str]:
    shells = [block for block in PAGES[page] if block.language in ("sh", "console")]
    found = [line for block in shells for line in commands_of(block)]
    return [line for line in found if (page, line) not in NOT_RUN]


RUN = [page for page in PAGES if to_run(page) and page not in PLAYED]
TEXTS = [block for block in blocks("text") if (block.page, block.first) not in NOT_COMPARED]


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Session]:
    """One run of each page for all tests."""
    done: dict[str, Session] = {}

    def of(page: str) -> Session:
        if page not in done:
            folder: Path = tmp_path_factory.mktemp("page") / "session"
            done[page] = run(PAGES[page], folder)
        return done[page]

    return of


@pytest.mark.parametrize("page", RUN)
def test_every_command_of_a_page_does_its_work(
    page: str, session: Callable[[str], Session]
) -> None:
    done = session(page)
    assert [command.line for command in done.commands] == to_run(page)
    for command in done.commands:
        status, part, _ = ENDS_WITH.get((page, command.line), (0, "", ""))
        shown = f"{command.block}: {command.line}\nends with {command.status}\n{command.output}"
        assert command.status == status and part in command.output, shown


CONSOLES = [
    block
    for block in blocks("console")
    if block.page in RUN
    and samples_of(block)
    and any((block.page, one) not in NOT_RUN for one in commands_of(block))
]


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_a_command_prints_what_the_page_shows(
    block: Block, session: Callable[[str], Session]
) -> None:
    printed = [one.output for one in session(block.page).commands if one.block == block]
    expect(samples_of(block), "\n".join(printed))


@pytest.mark.parametrize("block", TEXTS, ids=str)
def test_a_sample_is_what_the_page_s_commands_print(
    block: Block, session: Callable[[str], Session]
) -> None:
    done = session(block.page)
    expect(block.text.splitlines(), done.before.get(block) or done.output())


def test_no_exception_outlives_what_it_is_for() -> None:
    commands = {
        (block.page, line) for block in blocks("sh", "console") for line in commands_of(block)
    }
    assert NOT_RUN.keys() - commands == set()
    for page, reason in PLAYED.items():
        (test,) = re.findall(r"tests/\S+\.py", reason)
        assert page in PAGES and page in (ROOT / test).read_text()
    assert ENDS_WITH.keys() - (commands - NOT_RUN.keys()) == set()
    assert NOT_COMPARED.keys() - {(one.page, one.first) for one in blocks("text")} == set()
    assert BEFORE.keys() - {(one.page, one.first) for one in blocks()} == set()
    lines = [line for key, line in commands - NOT_RUN.keys()]
    assert [text for text in FILLED if not any(text in line for line in lines)] == []


def test_what_a_command_of_a_build_names_is_there() -> None:
    """Of the commands that take too long to run here."""
    cmake = "\n".join(path.read_text() for path in ROOT.rglob("CMakeLists.txt"))
    presets = {one["name"] for one in json.loads((ROOT / "CMakePresets.json").read_text())[
        "configurePresets"]}  # fmt: skip
    looked_at = 0
    for _, line in NOT_RUN:
        for preset in re.findall(r"--preset (\S+)", line):
            assert preset in presets, line
            looked_at += 1
        for target in re.findall(r"(?:--target |/bin/)([a-z_]+_tests)", line):
            assert re.search(rf"touchmark_test\({target}\b", cmake), line
            looked_at += 1
        if line.startswith("tests/fuzz/run"):
            for name in re.sub(r"--seconds \d+ ", "", line).split()[1:]:
                assert (ROOT / f"tests/fuzz/fuzz_{name}.cc").is_file(), line
                looked_at += 1
        if re.match(r"[\w./-]+/[\w-]+(?= |$)", line) and not line.startswith("build/"):
            folder = ROOT / "demo" if re.match("(bin|api-server)/", line) else ROOT
            assert (folder / line.split()[0]).exists() or line.startswith(".venv"), line
            looked_at += 1
    assert looked_at > 25


def test_the_samples_are_compared_word_by_word() -> None:
    expect(["a … 12:00:00", "b"], "x\na zzz 23:59:59\nmore\nb\n")
    for sample in ("a … 12:00:0", "b c", "a zzz 23:59:59 "[:-2]):
        with pytest.raises(AssertionError, match="no such line"):
            expect([sample], "a zzz 23:59:59\nb\n")
    with pytest.raises(AssertionError, match="in this order"):
        expect(["b", "a"], "a\nb\n")
