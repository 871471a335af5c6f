"""Touchmark for every WSGI application (PEP 3333): Django, Bottle, Pyramid and the like."""

from __future__ import annotations

import io
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Callable
from urllib.parse import quote

from touchmark_attestation.guard import Cover
from touchmark_attestation.signatures import SignedRequest

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class WsgiMiddleware(Cover[Application]):
    """Refuses every request without a valid token, except the paths in `exempt`, which must be
    equal to the request's letter by letter. `environ["touchmark.result"]` holds the TokenResult.
    """

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if path in self._exempt:
            return self._app(environ, start_response)
        method = environ.get("REQUEST_METHOD", "")
        decision = self.guard.check(
            method, environ, path, environ.get("REMOTE_ADDR") or "",
            route=self._route(path), options=self._routes.get(path),
            request=signed_request(environ) if self.guard.asks_for_signatures else None,
        )  # fmt: skip
        environ["touchmark.result"] = decision.result
        if not decision.allowed:
            refusal = decision.refusal
            length = ("Content-Length", str(len(refusal.body)))
            status = f"{refusal.status} {HTTPStatus(refusal.status).phrase}"
            start_response(status, [*refusal.headers, length])
            return [] if method == "HEAD" else [refusal.body]
        if decision.preflight:
            return self._without_body(environ, start_response)
        return self._app(environ, start_response)

    def _without_body(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Status and headers only: whoever writes the two headers of a preflight is no app for
        that."""

        def start(
            status: str, headers: list[tuple[str, str]], *more: Any
        ) -> Callable[[bytes], None]:
            kept = [pair for pair in headers if pair[0].lower() != "content-length"]
            # RFC 9110, section 8.6: no length with a 204.
            length = [] if status.startswith("204") else [("Content-Length", "0")]
            start_response(status, kept + length, *more)
            return lambda data: None

        answer = self._app(environ, start)
        try:
            for _ in answer:
                pass
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return []


def signed_request(environ: Environ) -> SignedRequest:
    """What signatures cover beside headers. The target is what servers hand on as it came; without
    that it is put together again."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not target:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING", "")
        target = quote(path.encode("latin-1"), safe="/~!$&'()*+,;=:@-._")
        target += f"?{query}" if query else ""
    return SignedRequest(str(target), lambda limit: _read_body(environ, limit))


def _read_body(environ: Environ, limit: int) -> bytes | None:
    """The body, which the application reads again; None for one that is longer than the limit."""
    text = environ.get("CONTENT_LENGTH") or ""
    is_known = text.isascii() and text.isdigit() and len(text) < 18
    if is_known and int(text) > limit:
        return None
    source = environ["wsgi.input"]
    wanted = int(text) if is_known else limit + 1
    parts: list[bytes] = []
    while wanted > 0:
        part = source.read(wanted)
        if not part:
            break
        parts.append(part)
        wanted -= len(part)
    body = b"".join(parts)
    environ["wsgi.input"] = io.BufferedReader(_Again(body, source, at_end=is_known))
    return body if len(body) <= limit else None


class _Again(io.RawIOBase):
    """What was read, and then the rest."""

    def __init__(self, first: bytes, rest: Any, *, at_end: bool) -> None:
        self._first, self._rest, self._at_end = io.BytesIO(first), rest, at_end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._first.read(len(buffer))
        if not data and not self._at_end:
            data = self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
