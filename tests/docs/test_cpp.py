"""The C++ and C blocks of the pages are compiled as they stand, against the tree's headers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docs.blocks import ROOT, Block, blocks

COMPILERS = {"cpp": ["g++", "-std=c++20"], "c": ["gcc", "-std=c11"]}


def check(block: Block, folder: Path) -> str:
    file = folder / f"block.{block.language}"
    file.write_text(block.text)
    done = subprocess.run(
        [*COMPILERS[block.language], "-fsyntax-only", "-Wall", "-Werror", "-I", ROOT, file],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("block", blocks("cpp", "c"), ids=str)
def test_a_block_compiles(block: Block, tmp_path: Path) -> None:
    assert check(block, tmp_path) == ""


def test_a_block_with_a_wrong_name_is_found(tmp_path: Path) -> None:
    block = Block(
        "x.md", 1, "cpp", '#include "relying-party/cpp/verdict.h"\nauto x = touchmark::nobody;\n'
    )
    assert "nobody" in check(block, tmp_path)
