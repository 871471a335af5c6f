"""What a token for single use was spent for: one place that all who check tokens ask."""

from __future__ import annotations

import hashlib
import heapq
import importlib
import math
import secrets
import threading
from typing import Any, Protocol
from urllib.parse import urlsplit

from touchmark_attestation.arguments import shown
from touchmark_attestation.errors import SettingsError

MEMORY_BOUND = 100_000
_PREFIX = "touchmark:spent:"
# Redis answers within these seconds, or does not.
_REDIS_TIME = 1.0
# Redis takes no end that is beyond its clock: nothing is remembered longer than ten years.
_LONGEST = 10 * 365 * 86400


class StoreLost(Exception):
    """The store does not answer, or takes no more."""


class ReplayStore(Protocol):
    """Where spent tokens are kept, for all threads to share."""

    def spend(self, jti: str, until: float, now: float) -> bool:
        """Whether this is the first time within its time that somebody spends `jti`, which counts
        until that second. Raises StoreLost."""
        ...


class MemoryStore:
    """For one process. Full, it is lost: to forget a token that still counts would let it in
    again."""

    def __init__(self, bound: int = MEMORY_BOUND) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._until: dict[bytes, float] = {}
        self._ends: list[tuple[float, bytes]] = []

    def spend(self, jti: str, until: float, now: float) -> bool:
        key = _digest(jti)
        with self._lock:
            while self._ends and self._ends[0][0] <= now:
                _, old = heapq.heappop(self._ends)
                if self._until.get(old, math.inf) <= now:
                    del self._until[old]
            if key in self._until:
                return False
            if len(self._until) >= self._bound:
                raise StoreLost(f"{self._bound} tokens are kept already")
            self._until[key] = until
            heapq.heappush(self._ends, (until, key))
            return True


class RedisStore:
    """For all processes that share a Redis, by PyPI's redis. Raises SettingsError."""

    def __init__(self, url: str) -> None:
        host, port, database = _redis_address(url)
        try:
            self._redis: Any = importlib.import_module("redis")
        except ImportError:
            raise SettingsError(
                "single_use", "needs the Python package redis: install it, too"
            ) from None
        retry = importlib.import_module("redis.retry").Retry(
            importlib.import_module("redis.backoff").NoBackoff(), 0
        )
        # Tried again below, where it is known what a first try may have left.
        self._client = self._redis.Redis(
            host=host, port=port, db=database, socket_timeout=_REDIS_TIME,
            socket_connect_timeout=_REDIS_TIME, retry=retry,
        )  # fmt: skip

    def spend(self, jti: str, until: float, now: float) -> bool:
        key = _PREFIX + _digest(jti).hex()
        ours = secrets.token_bytes(12)
        seconds = min(max(math.ceil(until - now), 1), _LONGEST)
        try:
            return bool(self._client.set(key, ours, nx=True, ex=seconds))
        except self._redis.ConnectionError:
            pass  # a connection of the pool that Redis had closed: once more with another
        except self._redis.RedisError as error:
            raise StoreLost(type(error).__name__) from None
        try:
            # The first try may have reached Redis, and only its answer was lost.
            return bool(
                self._client.set(key, ours, nx=True, ex=seconds) or self._client.get(key) == ours
            )
        except self._redis.RedisError as error:
            raise StoreLost(type(error).__name__) from None


def store(value: str) -> ReplayStore:
    """The store that the setting names. Raises SettingsError."""
    return MemoryStore() if value == "memory" else RedisStore(value)


def _digest(jti: str) -> bytes:
    return hashlib.sha256(jti.encode()).digest()


def _redis_address(url: str) -> tuple[str, int, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    database = parts.path[1:] or "0"
    if (
        parts.scheme != "redis" or not host or port == 0 or "@" in parts.netloc
        or parts.query or parts.fragment
        or not (database.isascii() and database.isdigit() and len(database) < 6)
    ):  # fmt: skip
        # What stands before an @ may be a password.
        seen = "a URL with a user" if "@" in url else shown(url)
        raise SettingsError("single_use", f"is {seen}: use 'memory' or redis://HOST[:PORT][/DB]")
    return host, 6379 if port is None else port, int(database)
