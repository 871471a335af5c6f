"""Touchmark for Flask: put `@check_touchmark_token` on each endpoint that only the app may call."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
from typing import Any, Callable, TypeVar

from flask import Flask, Response, current_app, g, request

from touchmark_attestation.arguments import kind
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.verifier import TokenResult, TokenStatus, is_preflight

_EXTENSION = "touchmark"
_log = logging.getLogger("touchmark")
_View = TypeVar("_View", bound=Callable[..., Any])


def init_app(app: Flask, settings: Settings | None = None) -> None:
    """Gives `app` its settings: those passed, or TOUCHMARK_ from app.config, or
    else from the environment.

    Raises SettingsError. Without this call the decorator does the same at the first request; call
    it so that a missing secret stops the start and not the first user.
    """
    if settings is None:
        settings = Settings.read({**os.environ, **app.config})
    elif not isinstance(settings, Settings):
        raise SettingsError(
            "settings", f"must be a touchmark_attestation.Settings, not {kind(settings)}"
        )
    app.extensions[_EXTENSION] = settings


def check_touchmark_token(view: _View) -> _View:
    """Refuses a request without a valid token: status 401, body `{}`.

    The log (logger "touchmark") says why, and the response does not. `g.touchmark` holds the
    TokenResult while the view runs, so that it can read claims. In report mode nothing is refused.

    A CORS preflight that reaches the view passes without a token. It gets the view's status and
    headers, and no body: whoever writes the two headers of a preflight is no app for that.
    """

    @functools.wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        settings = _settings()
        if is_preflight(request.method, request.headers):
            g.touchmark = TokenResult(TokenStatus.MISSING, "a CORS preflight carries no token")
            return _without_body(current_app.ensure_sync(view)(*args, **kwargs))
        result = settings.verifier.check_headers(request.headers)
        g.touchmark = result
        if result.valid:
            _log.debug("accepted %s", _describe(result, settings))
        elif settings.mode is Mode.REPORT:
            _log.warning("would refuse %s", _describe(result, settings))
        else:
            _log.warning("refused %s", _describe(result, settings))
            return _refusal()
        return current_app.ensure_sync(view)(*args, **kwargs)

    return checked  # type: ignore[return-value]


def _settings() -> Settings:
    if _EXTENSION not in current_app.extensions:
        init_app(current_app._get_current_object())  # type: ignore[attr-defined]
    settings = current_app.extensions[_EXTENSION]
    assert isinstance(settings, Settings)
    return settings


def _without_body(answer: Any) -> Response:
    response = current_app.make_response(answer)
    response.set_data(b"")
    return response


def _refusal() -> Response:
    response = Response("{}", status=401, mimetype="application/json")
    # RFC 9110, section 11.6.1: a 401 names the scheme that would do.
    response.headers["WWW-Authenticate"] = "Touchmark"
    response.headers["Cache-Control"] = "no-store"
    return response


def _describe(result: TokenResult, settings: Settings) -> str:
    """One line without the token. What the client chose is escaped: it must not
    start a new line."""
    parts = [f"{request.method} {request.path!a} from {request.remote_addr}:"]
    if not result.valid:
        parts.append(f"{result.status.value} token ({ascii(result.detail)[1:-1]})")
    if "did" in result.claims:
        parts.append(f"did={result.claims['did']!a}")
    if result.status is not TokenStatus.MISSING:
        value = request.headers.get(settings.verifier.header, "")
        parts.append(f"token-sha256={hashlib.sha256(value.encode()).hexdigest()[:12]}")
    return " ".join(parts)
