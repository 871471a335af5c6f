"""The table: each row is an attack, what it should come to, and how it is carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from touchmark_lab.lab import Lab
from touchmark_lab.model import Expected, Observed


@dataclass(frozen=True)
class Row:
    name: str
    attack: str
    tool: Callable[[Lab], str]
    """The tool's name and version, asked of the tool itself."""
    expected: Expected
    run: Callable[[Lab], Observed]
    """Carries the attack out, makes its own preconditions, and tells the story as it goes."""
    chapter: str
    in_demo: bool = True
    """False: the table has it, the demo's story is told without it, to be over in a minute."""


@dataclass(frozen=True)
class Result:
    row: Row
    tool: str
    seen: Observed
    seconds: float
    problems: list[str] = field(default_factory=list)
    skipped: str = ""
    """Why the row was not tried; "" when it was."""

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def outcome(self) -> str:
        if self.skipped:
            return "skip"
        return "pass" if self.passed else "FAIL"


ROWS: list[Row] = []
"""In the order of the story."""


def row(
    name: str,
    *,
    chapter: str,
    attack: str,
    tool: Callable[[Lab], str],
    expected: Expected,
    in_demo: bool = True,
) -> Callable[[Callable[[Lab], Observed]], Callable[[Lab], Observed]]:
    """Puts the decorated function into the table."""

    def register(run: Callable[[Lab], Observed]) -> Callable[[Lab], Observed]:
        ROWS.append(Row(name, attack, tool, expected, run, chapter, in_demo))
        return run

    return register
