"""What becomes of a request: the check of its token, the mode, the log and the counts, for any
framework. The modules named after frameworks are covers over it."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import functools
import hashlib
import logging
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Callable, Generic, NamedTuple, TypeVar

from touchmark_attestation import metrics
from touchmark_attestation.arguments import TOKEN, kind
from touchmark_attestation.decision import REFUSAL, SERVED, Decision, Label, Refusal, RouteOptions
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.headers import AnyHeaders, RequestHeaders
from touchmark_attestation.replay import MemoryStore, ReplayStore, StoreLost
from touchmark_attestation.results import TOUCHMARK, TokenReason, TokenResult, TokenStatus
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.signatures import BodyNeeded, SignedRequest
from touchmark_attestation.verifier import Demands, TokenVerifier, is_preflight

__all__ = ["REFUSAL", "Cover", "Decision", "Guard", "Label", "Refusal", "RouteOptions"]

_log = logging.getLogger("touchmark")
# How often report mode says what it has counted, while requests come.
_SUMMARY_SECONDS = 300.0
# How many checks wait for keys or for Redis at a time; more wait for one of these.
_WAITING = 32
_OFF = TokenResult(TokenReason.OFF, "the mode is off")
_PREFLIGHT = TokenResult(TokenReason.PREFLIGHT, "a CORS preflight carries no token")


class _Plan(NamedTuple):
    """What the settings and a route's options come to."""

    mode: Mode
    percent: int
    demands: Demands
    single_use: ReplayStore | None


class Guard:
    """Decides about each request by its token and the mode. One for all threads of a server.

    Without settings it reads them from the environment. Raises SettingsError, so make it where the
    server starts. The log (logger "touchmark") then says which mode is on; in report mode it says
    from time to time, and when the process ends, what was counted.

    - clock: seconds from any beginning.
    - observer: is given each decision, in the thread that made it.
    - count_metrics: whether to count in prometheus_client's own registry, where that is installed.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        observer: Callable[[Decision], None] | None = None,
        count_metrics: bool = True,
    ) -> None:
        if settings is None:
            settings = Settings.read(os.environ)
        elif not isinstance(settings, Settings):
            raise SettingsError(
                "settings", f"must be a touchmark_attestation.Settings, not {kind(settings)}"
            )
        self.settings = settings
        self._observers = [
            one
            for one in (observer, metrics.observer_if_there() if count_metrics else None)
            if one is not None
        ]
        self._lock = threading.Lock()
        self._tally: Counter[Label] = Counter()
        self._said = 0
        self._clock = clock
        self._summary_at = clock() + _SUMMARY_SECONDS
        self._memory: MemoryStore | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._plans: dict[RouteOptions | None, _Plan] = {}
        self._plan(None)
        self._reports = settings.mode is Mode.REPORT or settings.percent < 100
        self._say_mode()

    def check(
        self, method: str, headers: AnyHeaders, path: str = "", client: str = "", *,
        route: str = "", options: RouteOptions | None = None,
        request: SignedRequest | None = None,
    ) -> Decision:  # fmt: skip
        """Decides about one request. `headers`: in any form that RequestHeaders takes. `path` is
        for the log alone; `client` (an address) also stands for a device that is not known. `route`
        is the pattern that requests are counted by, and `options` what it asks for of its own.
        `request` is what signatures cover beside headers, where they are asked for."""
        plan = self._plans.get(options) or self._plan(options)
        if plan.mode is Mode.OFF:
            return self._decided(Decision(_OFF, allowed=True, enforced=False, route=route))
        found = RequestHeaders(headers)
        if is_preflight(method, found):
            enforced = _is_enforced(plan, client)
            return self._decided(
                Decision(_PREFLIGHT, allowed=True, preflight=True, enforced=enforced, route=route)
            )
        verifier = self._verifier(found)
        is_own = verifier is self.settings.verifier
        result = verifier.check_headers(found, plan.demands if is_own else None)
        if result.valid and self.settings.signatures is not None:
            result = self._check_signatures(result, verifier, method, found, request)
        if result.valid and is_own and plan.single_use is not None:
            result = self._spend(result, plan.single_use)
        enforced = _is_enforced(plan, result.device or client)
        allowed = result.valid or not enforced
        decision = Decision(result, allowed=allowed, enforced=enforced, route=route)
        if not result.valid:
            said = "refused" if enforced else "would refuse"
            _log.warning("%s %s", said, _describe(verifier, result, method, found, path, client))
        elif _log.isEnabledFor(logging.DEBUG):
            _log.debug("accepted %s", _describe(verifier, result, method, found, path, client))
        self._decided(decision)
        if self._reports and not result.valid:
            self._summarise_now_and_then()
        return decision

    async def check_async(
        self, method: str, headers: AnyHeaders, path: str = "", client: str = "", *,
        route: str = "", options: RouteOptions | None = None,
        request: SignedRequest | None = None,
        read_body: Callable[[int], Awaitable[bytes | None]] | None = None,
    ) -> Decision:  # fmt: skip
        """The same for an event loop of asyncio. What may have to wait, for keys or for Redis, is
        done in a thread. `read_body` reads the request's body, up to a limit, where a signature
        covers it: the body of `request` is `no_body` then."""
        check = functools.partial(
            self.check, method, headers, path, client, route=route, options=options,
            request=request,
        )  # fmt: skip
        try:
            return await self._run(check, options)
        except BodyNeeded:
            assert request is not None and read_body is not None
            assert self.settings.signatures is not None
            body = await read_body(self.settings.signatures.max_body)
            with_body = request._replace(body=lambda limit: body)
            return await self._run(functools.partial(check, request=with_body), options)

    async def _run(self, check: Callable[[], Decision], options: RouteOptions | None) -> Decision:
        if not self._may_wait(options):
            return check()
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_WAITING, thread_name_prefix="touchmark")
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._pool, run, check)

    @property
    def asks_for_signatures(self) -> bool:
        """Whether `check` needs a SignedRequest."""
        return self.settings.signatures is not None

    def counts(self) -> dict[str, int]:
        """How many requests had a token of each status ("valid", "missing" …) since the start of
        this process, and how many were a "preflight". In report mode, those of another status than
        valid are what enforce mode would have refused."""
        found: Counter[str] = Counter()
        for label, number in self.tally().items():
            found[label.status] += number
        return dict(found)

    def tally(self) -> dict[Label, int]:
        """How many requests there were by maker, status, reason, whether it was enforced, and
        route."""
        with self._lock:
            return dict(self._tally)

    def summary(self) -> str:
        """The counts as a line of a log: "of 12 requests 9 had a valid token, and 3 would be
        refused: 2 missing, 1 expired"."""
        valid, refused, reported = 0, 0, 0
        kinds: Counter[str] = Counter()
        for label, number in self.tally().items():
            if label.status == TokenStatus.VALID.value:
                valid += number
            elif TokenStatus(label.status) not in SERVED:
                kinds[label.status] += number
                refused += number if label.enforced else 0
                reported += 0 if label.enforced else number
        if refused and reported:
            were = f"{refused} {'was' if refused == 1 else 'were'} and {reported} would be refused"
        elif reported or (not refused and self.settings.mode is Mode.REPORT):
            were = f"{reported} would be refused"
        else:
            were = f"{refused} {'was' if refused == 1 else 'were'} refused"
        every = valid + refused + reported
        listed = ", ".join(f"{number} {name}" for name, number in sorted(kinds.items()))
        return (
            f"of {every} request{'' if every == 1 else 's'} {valid} had a valid token, and {were}"
            + (f": {listed}" if listed else "")
        )

    def _plan(self, options: RouteOptions | None) -> _Plan:
        """Raises SettingsError for what a route asks for and the settings have no means for."""
        settings, verifier = self.settings, self.settings.verifier
        asked = RouteOptions() if options is None else options
        mode = settings.mode if asked.mode is None else asked.mode
        names = asked.binding_headers
        demands = verifier.demanding(
            binding_headers=verifier.demands.binding_headers if names is None else names,
            level=verifier.demands.level if asked.level is None else asked.level,
        )
        if mode is not Mode.OFF and not verifier.has_keys:
            raise SettingsError("mode", "is not off, and there is no secret: set TOUCHMARK_SECRET")
        single_use = settings.single_use
        if asked.single_use is False:
            single_use = None
        elif asked.single_use and single_use is None:
            with self._lock:
                if self._memory is None:
                    self._memory = MemoryStore()
                single_use = self._memory
        percent = settings.percent if asked.percent is None else asked.percent
        return self._plans.setdefault(options, _Plan(mode, percent, demands, single_use))

    def _verifier(self, headers: RequestHeaders) -> TokenVerifier:
        """Touchmark's, unless the request has another maker's token alone."""
        own = self.settings.verifier
        if self.settings.others and not headers.get(own.header):
            for other in self.settings.others:
                if headers.get(other.header):
                    return other
        return own

    def _spend(self, result: TokenResult, store: ReplayStore) -> TokenResult:
        jti = result.claims.get("jti")
        if not isinstance(jti, str) or not jti:
            return TokenResult(TokenReason.NO_JTI, "no jti claim that is text", result.claims)
        verifier = self.settings.verifier
        until = result.claims["exp"] + verifier.leeway
        try:
            if store.spend(jti, until, verifier.clock()):
                return result
        except StoreLost as error:
            lost = self._lost(error)
            return result if lost is None else TokenResult(*lost, result.claims)
        return TokenResult(TokenReason.REPLAYED, "its jti was spent already", result.claims)

    def _check_signatures(
        self, result: TokenResult, verifier: TokenVerifier, method: str, headers: RequestHeaders,
        request: SignedRequest | None,
    ) -> TokenResult:  # fmt: skip
        signatures = self.settings.signatures
        assert signatures is not None
        try:
            problem = signatures.check(method, headers, result.claims, verifier.header, request)
        except StoreLost as error:
            problem = self._lost(error)
        return result if problem is None else replace(result, reason=problem[0], detail=problem[1])

    def _lost(self, error: StoreLost) -> tuple[TokenReason, str] | None:
        problem = f"the store of spent tokens does not answer: {error}"
        if not self.settings.fail_open:
            return TokenReason.NO_REPLAY_STORE, problem
        _log.warning("%s; the request is served all the same", problem)
        return None

    def _may_wait(self, options: RouteOptions | None) -> bool:
        plan = self._plans.get(options) or self._plan(options)
        verifiers = [self.settings.verifier, *self.settings.others]
        signatures = self.settings.signatures
        stores = [plan.single_use, None if signatures is None else signatures.nonces]
        return plan.mode is not Mode.OFF and (
            not all(isinstance(one, (MemoryStore, type(None))) for one in stores)
            or any(one.jwks is not None for one in verifiers)
        )

    def _say_mode(self) -> None:
        settings = self.settings
        header = settings.verifier.header
        if settings.mode is Mode.OFF:
            _log.warning("off: no request is checked; TOUCHMARK_MODE=enforce checks them")
        elif settings.mode is Mode.REPORT:
            _log.warning(
                "report mode: requests without a valid token in %s are served and logged;"
                " TOUCHMARK_MODE=enforce refuses them", header,
            )  # fmt: skip
        elif settings.percent < 100:
            _log.warning(
                "enforce mode for %d %% of the devices: there, requests without a valid token in %s"
                " get 401; of the others they are served and logged", settings.percent, header,
            )  # fmt: skip
        else:
            _log.info("enforce mode: requests without a valid token in %s get 401", header)
        if self._reports:
            _summarise_at_exit(self)

    def _decided(self, decision: Decision) -> Decision:
        with self._lock:
            self._tally[decision.label] += 1
        for observe in self._observers:
            _observe(observe, decision)
        return decision

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
            every = sum(self._tally.values())
            if every == self._said:
                return
            self._said = every
        mode = "report" if self.settings.mode is Mode.REPORT else "enforce"
        _log.warning("%s mode: %s", mode, self.summary())


def no_body(limit: int) -> bytes | None:
    """For a SignedRequest of an event loop, where the body is read by waiting for it."""
    raise BodyNeeded


def _observe(observe: Callable[[Decision], None], decision: Decision) -> None:
    """The request is not the observer's to fail."""
    try:
        observe(decision)
    except Exception:
        _log.exception("an observer of the check failed; the request goes on")


def _is_enforced(plan: _Plan, device: str) -> bool:
    """Whether a request of this device is refused when its token is not valid. A device stays on
    its side, and one that cannot be told from others is not let off."""
    if plan.mode is not Mode.ENFORCE or plan.percent == 0:
        return False
    if plan.percent == 100 or not device:
        return True
    seed = b"touchmark share v1" + device.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(seed).digest()[:4], "big") % 100 < plan.percent


def _describe(
    verifier: TokenVerifier, result: TokenResult, method: str, headers: RequestHeaders, path: str,
    client: str,
) -> str:  # fmt: skip
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
        parts.append(f"reason={result.reason.value}")
    if verifier.maker != TOUCHMARK:
        parts.append(f"maker={verifier.maker}")
    if "did" in result.claims:
        parts.append(f"did={result.claims['did']!a}")
    digest = verifier.digest(headers)
    if digest:
        parts.append(f"token-sha256={digest}")
    return " ".join(parts)


_Application = TypeVar("_Application")


class Cover(Generic[_Application]):
    """What the covers over whole applications have in common.

    - exempt: paths that need no token, equal to the request's letter by letter.
    - routes: the options of paths, in the same way; requests are counted by these paths.

    Without a guard it makes one from the environment: raises SettingsError.
    """

    def __init__(
        self,
        app: _Application,
        guard: Guard | None = None,
        *,
        exempt: Collection[str] = (),
        routes: Mapping[str, RouteOptions] | None = None,
    ) -> None:
        self.guard = Guard() if guard is None else guard
        self._app = app
        self._exempt = frozenset(exempt)
        self._routes = dict(routes or {})

    def _route(self, path: str) -> str:
        """A path is no label for a counter, unless it is one of a list."""
        return path if path in self._routes else ""


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
