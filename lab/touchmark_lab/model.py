"""What an attack should come to, and what it came to."""

from __future__ import annotations

import re
from dataclasses import dataclass

NO_REQUEST = 0
"""The status of an attempt whose request never reached the API server."""


class Skipped(Exception):
    """A row cannot be tried on this machine; says what is missing, and what makes it."""


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


REFUSED_WITHOUT_HARDWARE = Expected(
    401,
    attested=False,
    findings=frozenset({"hardware.assurance"}),
    assurance="software",
    got=r"^\{\}$",
)
"""What a key in software comes to under the policy that every new service starts with."""
