"""What becomes of a request: the check of its token, the mode, the log and the counts, for any
framework. `flask`, `wsgi` and `asgi` are covers over it."""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Callable, Generic, TypeVar

from touchmark_attestation.arguments import TOKEN, kind
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.headers import AnyHeaders, RequestHeaders
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.verifier import TokenResult, TokenStatus, is_preflight

_log = logging.getLogger("touchmark")
# How often report mode says what it has counted, while requests come.
_SUMMARY_SECONDS = 300.0
_PREFLIGHT = "preflight"


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


@dataclass(frozen=True)
class Decision:
    """`allowed`: whether the request is to be served; when it is not, answer with `refusal`.
    `preflight`: it is a CORS preflight, which is served without its answer's body."""

    result: TokenResult
    allowed: bool
    preflight: bool = False
    refusal: Refusal = REFUSAL


class Guard:
    """Decides about each request by its token and the mode. One for all threads of a server.

    Without settings it reads them from the environment. Raises SettingsError, so make it where the
    server starts. The log (logger "touchmark") then says which mode is on; in report mode it says
    from time to time, and when the process ends, what was counted.
    """

    def __init__(
        self, settings: Settings | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if settings is None:
            settings = Settings.read(os.environ)
        elif not isinstance(settings, Settings):
            raise SettingsError(
                "settings", f"must be a touchmark_attestation.Settings, not {kind(settings)}"
            )
        self.settings = settings
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._said: Counter[str] = Counter()
        self._clock = clock
        self._summary_at = clock() + _SUMMARY_SECONDS
        header = settings.verifier.header
        if settings.mode is Mode.REPORT:
            _log.warning(
                "report mode: requests without a valid token in %s are served and logged;"
                " TOUCHMARK_MODE=enforce refuses them", header,
            )  # fmt: skip
            _summarise_at_exit(self)
        else:
            _log.info("enforce mode: requests without a valid token in %s get 401", header)

    def check(self, method: str, headers: AnyHeaders, path: str = "", client: str = "") -> Decision:
        """Decides about one request. `headers`: in any form that RequestHeaders takes. `path` and
        `client` (an address) are for the log alone."""
        found = RequestHeaders(headers)
        if is_preflight(method, found):
            self._count(_PREFLIGHT)
            result = TokenResult(TokenStatus.MISSING, "a CORS preflight carries no token")
            return Decision(result, allowed=True, preflight=True)
        result = self.settings.verifier.check_headers(found)
        self._count(result.status.value)
        if result.valid:
            if _log.isEnabledFor(logging.DEBUG):
                _log.debug("accepted %s", self._describe(result, method, found, path, client))
            return Decision(result, allowed=True)
        reports = self.settings.mode is Mode.REPORT
        said = "would refuse" if reports else "refused"
        _log.warning("%s %s", said, self._describe(result, method, found, path, client))
        if reports:
            self._summarise_now_and_then()
        return Decision(result, allowed=reports)

    def counts(self) -> dict[str, int]:
        """How many requests had a token of each status ("valid", "missing" …) since the start of
        this process, and how many were a "preflight". In report mode, those of another status than
        valid are what enforce mode would have refused."""
        with self._lock:
            return dict(self._counts)

    def summary(self) -> str:
        """The counts as a line of a log: "of 12 requests 9 had a valid token, and 3 would be
        refused: 2 missing, 1 expired"."""
        counts = self.counts()
        counts.pop(_PREFLIGHT, None)
        valid = counts.pop(TokenStatus.VALID.value, 0)
        refused = sum(counts.values())
        reports = self.settings.mode is Mode.REPORT
        were = ("would be" if reports else "was" if refused == 1 else "were") + " refused"
        kinds = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
        return (
            f"of {valid + refused} request{'' if valid + refused == 1 else 's'}"
            f" {valid} had a valid token, and {refused} {were}" + (f": {kinds}" if kinds else "")
        )

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def _summarise_now_and_then(self) -> None:
        with self._lock:
            now = self._clock()
            if now < self._summary_at:
                return
            self._summary_at = now + _SUMMARY_SECONDS
        self._summarise()

    def _summarise(self) -> None:
        """Says what was counted, unless nothing was since it was last said."""
        with self._lock:
            if self._counts == self._said:
                return
            self._said = self._counts.copy()
        _log.warning("report mode: %s", self.summary())

    def _describe(
        self, result: TokenResult, method: str, headers: RequestHeaders, path: str, client: str
    ) -> str:
        """One line without the token. What the client chose is escaped: it must not start a new
        line."""
        parts = [method if TOKEN.fullmatch(method) else ascii(method)]
        if path:
            parts.append(ascii(path))
        if client:
            parts.append(f"from {ascii(client)[1:-1]}")
        parts[-1] += ":"
        if not result.valid:
            parts.append(f"{result.status.value} token ({ascii(result.detail)[1:-1]})")
        if "did" in result.claims:
            parts.append(f"did={result.claims['did']!a}")
        if result.status is not TokenStatus.MISSING:
            value = headers.get(self.settings.verifier.header)
            digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
            parts.append(f"token-sha256={digest[:12]}")
        return " ".join(parts)


_Application = TypeVar("_Application")


class Cover(Generic[_Application]):
    """What the covers over whole applications have in common. `exempt`: paths that need no token.

    Without a guard it makes one from the environment: raises SettingsError.
    """

    def __init__(
        self, app: _Application, guard: Guard | None = None, *, exempt: Collection[str] = ()
    ) -> None:
        self.guard = Guard() if guard is None else guard
        self._app = app
        self._exempt = frozenset(exempt)


def _summarise_at_exit(guard: Guard) -> None:
    """Without keeping the guard alive."""
    reference = weakref.ref(guard)

    def summarise() -> None:
        living = reference()
        if living is not None:
            living._summarise()

    atexit.register(summarise)
    # Only for a guard that goes before the process does.
    weakref.finalize(guard, atexit.unregister, summarise).atexit = False
