"""The fenced blocks of the pages, with their language and place."""

from __future__ import annotations

import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"( *)(`{3,}|~{3,}) *([A-Za-z0-9_+-]*)\s*$")


@dataclass(frozen=True)
class Block:
    page: str
    line: int  # of its fence
    language: str  # "" when it names none
    text: str

    @property
    def first(self) -> str:
        return self.text.strip("\n").split("\n")[0].strip()

    @property
    def file(self) -> str:
        """The name that its first line gives it: "# server.py"."""
        named = re.fullmatch(r"# ([\w.-]+\.\w+)", self.first)
        return named[1] if named else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Every page of the tree but those of other origin."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return [name for name in listed if (ROOT / name).is_file()]


def blocks(*languages: str) -> list[Block]:
    found = [block for page in pages() for block in of(page, (ROOT / page).read_text())]
    return [block for block in found if not languages or block.language in languages]


def of(page: str, text: str) -> list[Block]:
    found: list[Block] = []
    opened: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.fullmatch(line)
        if opened is None:
            if fence:
                opened, lines = (number, fence[2], fence[3]), []
        elif fence and not fence[3] and fence[2].startswith(opened[1]):
            content = textwrap.dedent("\n".join(lines)) + "\n"
            found.append(Block(page, opened[0], opened[2], content))
            opened = None
        else:
            lines.append(line)
    assert opened is None, f"{page}:{opened and opened[0]}: this block has no end"
    return found
