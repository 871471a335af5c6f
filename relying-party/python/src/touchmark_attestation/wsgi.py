"""Touchmark for every WSGI application (PEP 3333): Django, Bottle, Pyramid and the like."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Callable

from touchmark_attestation.guard import Cover

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
