"""What a row of the table is: an attack, what it should come to, and what it came to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from touchmark_lab.lab import Lab

NO_REQUEST = 0
"""The status of an attempt whose request never reached the API server."""


@dataclass(frozen=True)
class Observed:
    """What happened, from the screen and the servers' own logs."""

    got: str
    """What the app, or the script, was left with."""
    status: int
    """The API server's HTTP status, or NO_REQUEST."""
    findings: tuple[str, ...] = ()
    """Why the service's verdict was what it was; empty when it passed or was not asked."""
    attested: bool | None = None
    """The verdict; None when the service was not asked."""
    assurance: str = ""
    """Who vouched for the installation key, in the service's words; "" when it was not asked."""
    notes: tuple[str, ...] = ()
    """Further facts that the row requires; each is shown."""
    problems: tuple[str, ...] = ()
    """Required facts that did not hold."""


@dataclass(frozen=True)
class Expected:
    status: int
    attested: bool | None = None
    findings: frozenset[str] = frozenset()
    """All of these must be in the verdict."""
    any_of: frozenset[str] = frozenset()
    """At least one of these must be."""
    assurance: str = ""
    """The assurance level that the service must have found; "" for any."""
    got: str = ""
    """A regular expression that must be found in what the app got."""

    def problems_with(self, seen: Observed) -> list[str]:
        found = list(seen.problems)
        if seen.status != self.status:
            found.append(f"status {seen.status} in place of {self.status}")
        if seen.attested != self.attested:
            found.append(f"verdict passed={seen.attested} in place of {self.attested}")
        found += [f"no finding {finding}" for finding in sorted(self.findings - set(seen.findings))]
        if self.any_of and not self.any_of & set(seen.findings):
            found.append("none of the findings " + ", ".join(sorted(self.any_of)))
        if self.assurance and seen.assurance != self.assurance:
            found.append(f"assurance {seen.assurance!r} in place of {self.assurance!r}")
        if not re.search(self.got, seen.got):
            found.append(f"the app got {seen.got!r}, which does not match {self.got!r}")
        return found

    def __str__(self) -> str:
        text = str(self.status) if self.status else "no request"
        reasons = sorted(self.findings)
        if self.any_of:
            reasons.append(" or ".join(sorted(self.any_of)))
        return ", ".join([text, *reasons])


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

    @property
    def passed(self) -> bool:
        return not self.problems


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
