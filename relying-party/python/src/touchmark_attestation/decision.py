"""What is decided about one request, and what a route may ask for beside the settings."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from touchmark_attestation import arguments
from touchmark_attestation.arguments import shown
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.results import TokenResult, TokenStatus
from touchmark_attestation.settings import Mode


@dataclass(frozen=True)
class Refusal:
    """The answer that every refused request gets: it does not say what was wrong."""

    status: int = 401
    # RFC 9110, section 11.6.1: a 401 names the scheme that would do.
    headers: tuple[tuple[str, str], ...] = (
        ("Content-Type", "application/json"),
        ("WWW-Authenticate", "Touchmark"),
        ("Cache-Control", "no-store"),
    )
    body: bytes = b"{}"


REFUSAL = Refusal()


class Label(NamedTuple):
    """What requests are counted by. `route` is a pattern, never a path; "" where there is none."""

    maker: str
    status: str
    reason: str
    enforced: bool
    route: str


@dataclass(frozen=True)
class Decision:
    """`allowed`: whether the request is to be served; when it is not, answer with `refusal`.
    `preflight`: it is a CORS preflight, which is served without its answer's body. `enforced`:
    whether this request is one that would be refused if its token were not valid."""

    result: TokenResult
    allowed: bool
    preflight: bool = False
    refusal: Refusal = REFUSAL
    enforced: bool = True
    route: str = ""

    @functools.cached_property
    def label(self) -> Label:
        result = self.result
        return Label(
            result.maker, result.status.value, result.reason.value, self.enforced, self.route
        )


@dataclass(frozen=True)
class RouteOptions:
    """What a route asks for of its own; None leaves it to the settings.

    - mode, percent: as TOUCHMARK_MODE and TOUCHMARK_PERCENT.
    - level, binding_headers: as the settings, for Touchmark's tokens; an empty list is none.
    - single_use: whether a token that this route takes is spent, in the place of
      TOUCHMARK_SINGLE_USE, or else in the memory of this process.

    Raises SettingsError, which names the argument.
    """

    mode: Mode | None = None
    percent: int | None = None
    level: str | None = None
    binding_headers: tuple[str, ...] | None = None
    single_use: bool | None = None

    def __post_init__(self) -> None:
        if isinstance(self.mode, str) and self.mode in {one.value for one in Mode}:
            object.__setattr__(self, "mode", Mode(self.mode))
        if not (self.mode is None or isinstance(self.mode, Mode)):
            raise SettingsError("mode", f"is {shown(self.mode)}: use a Mode, or its name")
        if self.percent is not None:
            arguments.percent("percent", self.percent)
        arguments.level("level", self.level)
        names = self.binding_headers
        if isinstance(names, Iterable) and not isinstance(names, (str, bytes)):
            object.__setattr__(self, "binding_headers", tuple(names))
        elif names is not None:
            raise SettingsError(
                "binding_headers", f"must be a list of names, not {arguments.kind(names)}"
            )
        if not (self.single_use is None or isinstance(self.single_use, bool)):
            raise SettingsError("single_use", f"is {shown(self.single_use)}: use True or False")


SERVED = frozenset([TokenStatus.VALID, TokenStatus.PREFLIGHT, TokenStatus.UNCHECKED])
