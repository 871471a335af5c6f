"""A JWKS that is read again now and then: from a file, or over HTTPS."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple
from urllib.parse import urlsplit

from touchmark_attestation.arguments import kind, shown
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.keys import Keys, can_read_public_keys, read_jwks

MAX_BYTES = 256 * 1024
# Seconds.
READING_TIME = 5.0
KEPT = 600.0
_KEPT_AT_LEAST, _KEPT_AT_MOST = 60.0, 86400.0
# How often a token with an unknown `kid`, or a source that fails, can make the set be read.
AGAIN_AFTER = 10.0

_MAX_AGE = re.compile(r'(?:^|[,\s])max-age="?([0-9]{1,10})"?(?:$|[,\s])', re.IGNORECASE)
_log = logging.getLogger("touchmark")


class Document(NamedTuple):
    data: bytes
    kept: float
    """Seconds for which it counts before it is read again."""


class JwksSource:
    """The keys of a set, for all threads to share.

    - location: the path of a file, or an https URL; http for this machine alone, since whoever can
      change the set can make tokens. Redirects are not followed.
    - clock: seconds, from any beginning.
    - fetch: reads the location; raises OSError or ValueError, which says why.

    One thread reads at a time. When the set cannot be read, or has no usable key, the one that was
    read before goes on counting. Raises SettingsError.
    """

    def __init__(
        self,
        location: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        fetch: Callable[[str], Document] | None = None,
    ) -> None:
        self.location = _location(location)
        self._clock = clock
        self._fetch = read if fetch is None else fetch
        # What follows is changed by the thread that has the lock, and read by all.
        self._reading = threading.Lock()
        self._keys: Keys | None = None
        self._ends = self._tried = self._asked = float("-inf")
        self._failed = False

    def keys(self) -> Keys | None:
        """The set; None as long as none could be had.

        A set whose time is over is read before it is given. While that fails, it is tried again
        in the background, and nobody waits.
        """
        if self._clock() < self._ends:
            return self._keys
        if self._keys is not None and self._failed:
            if self._reading.acquire(blocking=False):
                self._read_in_background()
            return self._keys
        with self._reading:
            if self._is_due():
                self._read()
        return self._keys

    def keys_after_asking(self) -> Keys | None:
        """The set as it is now, for a token whose key it does not have: read again, unless it was
        for this reason within the last seconds. Waits for a reading that is under way."""
        before = self._keys
        with self._reading:
            if self._keys is before and self._clock() - self._asked >= AGAIN_AFTER:
                self._asked = self._clock()
                self._read()
        return self._keys

    def _is_due(self) -> bool:
        now = self._clock()
        return now >= self._ends and not (self._failed and now - self._tried < AGAIN_AFTER)

    def _read_in_background(self) -> None:
        """Ends with the lock released."""
        if not self._is_due():
            self._reading.release()
            return

        def read() -> None:
            try:
                self._read()
            finally:
                self._reading.release()

        threading.Thread(target=read, name="touchmark-jwks", daemon=True).start()

    def _read(self) -> None:
        now = self._tried = self._clock()
        try:
            document = self._fetch(self.location)
            found = read_jwks(document.data)
        except (OSError, ValueError, http.client.HTTPException) as error:
            _log.warning(
                "the keys of %s cannot be read (%s); %s", shown(self.location)[1:-1],
                shown(str(error) or kind(error))[1:-1],
                "tokens that need them are refused" if self._keys is None
                else "those that were read before go on counting",
            )  # fmt: skip
            self._asked, self._failed = now, True
            return
        self._keys, self._failed = found, False
        self._ends = now + document.kept


def read(location: str) -> Document:
    """Reads a set within READING_TIME. Raises OSError, ValueError or http.client.HTTPException."""
    if not _is_url(location):
        with Path(location).open("rb") as file:
            return Document(_bounded(file.read(MAX_BYTES + 1)), KEPT)
    found: list[Document | BaseException] = []
    connection = _connection(location)

    def ask() -> None:
        try:
            found.append(_ask(connection, location))
        except BaseException as error:
            found.append(error)
        finally:
            connection.close()

    # A timeout of a socket is for each of its operations, and none is for the look-up of a name: a
    # server that drips would hold its reader for hours.
    thread = threading.Thread(target=ask, name="touchmark-jwks", daemon=True)
    thread.start()
    thread.join(READING_TIME)
    if thread.is_alive():
        _hang_up(connection)
        raise TimeoutError(f"no answer within {READING_TIME:.0f} s")
    (answer,) = found
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _ask(connection: http.client.HTTPConnection, location: str) -> Document:
    url = urlsplit(location)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {"Accept": "application/jwk-set+json, application/json", "Connection": "close"}
    connection.request("GET", target, headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise ValueError(f"status {answer.status}")
    data = _bounded(answer.read(MAX_BYTES + 1))
    return Document(data, _kept(answer.headers.get_all("Cache-Control")))


def _kept(headers: list[str] | None) -> float:
    found = _MAX_AGE.search(", ".join(headers or []))
    return min(max(float(found[1]), _KEPT_AT_LEAST), _KEPT_AT_MOST) if found else KEPT


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    return data


def _connection(location: str) -> http.client.HTTPConnection:
    url = urlsplit(location)
    assert url.hostname is not None
    if url.scheme == "http":
        return http.client.HTTPConnection(url.hostname, url.port, timeout=READING_TIME)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(
        url.hostname, url.port, timeout=READING_TIME, context=context
    )


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """Ends the reading of another thread."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _is_url(location: str) -> bool:
    return "://" in location


def _location(location: str) -> str:
    if not isinstance(location, str):
        raise SettingsError("jwks", f"must be text, a URL or a path, not {kind(location)}")
    if not location.strip() or not location.isprintable():
        raise SettingsError("jwks", f"is {shown(location)}: use a URL or the path of a file")
    if _is_url(location):
        # What stands before an @ may be a password.
        seen = "a URL with a user" if "@" in location else shown(location)
        for problem in _url_problems(location):
            raise SettingsError("jwks", f"is {seen}: {problem}")
    if not can_read_public_keys():
        raise SettingsError("jwks", "needs the package cryptography: install it, too")
    return location


def _url_problems(location: str) -> Iterator[str]:
    try:
        url = urlsplit(location)
        host, _ = url.hostname, url.port
    except ValueError as error:
        yield f"it is no URL ({error})"
        return
    if url.scheme not in ("https", "http"):
        yield "use https"
    is_plain = location.isascii() and " " not in location and url.username is None
    if not host or url.fragment or not is_plain:
        yield "use a URL of a host, without a user and a fragment"
    elif url.scheme == "http" and not _is_loopback(host):
        yield "use https, since whoever can change the keys can make tokens"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
