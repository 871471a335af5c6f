"""Every block of Java and Kotlin that shows an API server is a file of the tree, which the tests of
relying-party/java build and run."""

from __future__ import annotations

import pytest

from docs.blocks import ROOT, Block, blocks

FOLDER = ROOT / "relying-party/java"
FILES = {
    path.read_text(): path
    for path in FOLDER.glob("*/src/test/*/com/example/**/*")
    if path.suffix in (".java", ".kt")
}
SHOWN = [
    block
    for block in [*blocks("java"), *blocks("kotlin")]
    if block.page.startswith("relying-party/java/")
]


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_a_block_is_a_file_that_is_tested(block: Block) -> None:
    assert block.text in FILES, "show one of com/example/rates whole, as it stands"


def test_every_file_is_shown() -> None:
    shown = {block.text for block in SHOWN}
    assert [str(path) for text, path in FILES.items() if text not in shown] == []
