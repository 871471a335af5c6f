"""Every Go block of every page is a program of the tree, which its own tests build and run."""

from __future__ import annotations

import pytest

from docs.blocks import ROOT, Block, blocks

FOLDER = ROOT / "relying-party/go"
PROGRAMS = {path.read_text(): path for path in FOLDER.rglob("main.go")}


@pytest.mark.parametrize("block", blocks("go"), ids=str)
def test_a_block_is_a_program_that_is_tested(block: Block) -> None:
    assert block.text in PROGRAMS, "show one of relying-party/go's main.go whole, as it stands"


def test_every_program_is_shown() -> None:
    shown = {block.text for block in blocks("go")}
    assert [str(path) for text, path in PROGRAMS.items() if text not in shown] == []
