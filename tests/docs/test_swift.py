"""The iOS guide's Swift parses as it stands. No compiler of Swift is at hand: names are held to the
SDK's by what it calls on it, and the rest is only parsed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from docs.blocks import ROOT, Block, blocks

SDK = ROOT / "attester/ios/swift"


def parse(block: Block, file: Path) -> str:
    file.write_text(block.text)
    done = subprocess.run(
        [ROOT / "tools/parse-swift", file],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def members() -> set[str]:
    """The names that the SDK's Swift makes public."""
    text = "\n".join(path.read_text() for path in SDK.glob("*.swift"))
    return set(re.findall(r"(?:public|open) (?:static )?(?:func|var|let) (\w+)", text)) | set(
        re.findall(r"^  case `?(\w+)`?", text, re.M)
    )


def unknown(block: Block) -> set[str]:
    """What a block calls on the SDK's objects that they do not have."""
    called = set(re.findall(r"\b(?:touchmark|token|failure)\.(\w+)", block.text))
    called |= set(re.findall(r"\.status == \.(\w+)", block.text))
    types = set(re.findall(r"\b(Touchmark(?:Session|SessionDelegate|Error|Token))\b", block.text))
    text = "\n".join(path.read_text() for path in SDK.glob("*.swift"))
    return (called - members()) | {
        name for name in types if not re.search(rf"\b(?:class|struct) {name}\b", text)
    }


@pytest.mark.parametrize("block", blocks("swift"), ids=str)
def test_a_block_parses_and_calls_what_there_is(block: Block, tmp_path: Path) -> None:
    assert block.first.startswith("import "), "begin with the imports"
    assert parse(block, tmp_path / "block.swift") == ""
    assert unknown(block) == set()


def test_the_guide_has_all_ways() -> None:
    text = "\n".join(b.text for b in blocks("swift") if b.page == "docs/integrate-ios.md")
    for name in ("TouchmarkSession(", "TouchmarkSessionDelegate(", "addToken(", "fetchToken(",
                 "ServerTrustEvaluating", "RequestInterceptor", "Redirector("):  # fmt: skip
        assert name in text, name


def test_a_mistake_is_found(tmp_path: Path) -> None:
    broken = Block("x.md", 1, "swift", "import Touchmark\nlet t = try Touchmark(\n")
    assert "block.swift:" in parse(broken, tmp_path / "block.swift")
    assert unknown(Block("x.md", 1, "swift", "touchmark.getToken()\n")) == {"getToken"}
    assert unknown(Block("x.md", 1, "swift", "failure.status == .unknownURL")) == {"unknownURL"}


def test_the_table_of_statuses_is_whole() -> None:
    page = (ROOT / "docs/integrate-ios.md").read_text()
    table = page.split("| status | what it means |")[1].split("\n\n")[0]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| `")]
    retryable = {
        name for row in rows if row[3].strip() == "yes" for name in re.findall(r"`(\w+)`", row[1])
    }
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    status = (SDK / "TokenFetchStatus.swift").read_text()
    assert named == set(re.findall(r"^  case `?(\w+)`? = ", status, re.M))
    (again,) = re.findall(r"case ([^:]+): return true", status)
    assert retryable == {one.strip(" .") for one in again.split(",")}
