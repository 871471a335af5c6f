"""Touchmark for Flask: put `@check_touchmark_token` on each endpoint that only the app may call."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from typing import Any, Callable, TypeVar, overload

from flask import Flask, Response, current_app, g, request

from touchmark_attestation.guard import Guard, Refusal, RouteOptions
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.signatures import SignedRequest
from touchmark_attestation.wsgi import signed_request

_EXTENSION = "touchmark"
_View = TypeVar("_View", bound=Callable[..., Any])


def init_app(app: Flask, settings: Settings | None = None, *, guard: Guard | None = None) -> Guard:
    """Gives `app` its settings: those passed, or TOUCHMARK_ from app.config, or
    else from the environment. The guard that it returns (or was given) has the counts.

    Raises SettingsError. Without this call the decorator does the same at the first request; call
    it so that a missing secret stops the start and not the first user.
    """
    if guard is None:
        if settings is None:
            settings = Settings.read({**os.environ, **app.config})
        guard = Guard(settings)
    app.extensions[_EXTENSION] = guard
    return guard


@overload
def check_touchmark_token(view: _View) -> _View: ...


@overload
def check_touchmark_token(
    *,
    mode: Mode | str | None = ...,
    percent: int | None = ...,
    level: str | None = ...,
    binding_headers: Iterable[str] | None = ...,
    single_use: bool | None = ...,
) -> Callable[[_View], _View]: ...


def check_touchmark_token(view: _View | None = None, **options: Any) -> Any:
    """Refuses a request without a valid token: status 401, body `{}`.

    The log (logger "touchmark") says why, and the response does not. `g.touchmark` holds the
    TokenResult while the view runs, so that it can read claims. In report mode nothing is refused.

    With arguments (`@check_touchmark_token(level="tee")`), which are those of RouteOptions, the
    view asks for more or less than the settings say. Raises SettingsError for wrong ones.

    A CORS preflight that reaches the view passes without a token. It gets the view's status and
    headers, and no body: whoever writes the two headers of a preflight is no app for that.
    """
    asked = RouteOptions(**options) if options else None

    def cover(view: _View) -> _View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            rule = request.url_rule
            guard = _guard()
            decision = guard.check(
                request.method, request.environ, request.path, request.remote_addr or "",
                route="" if rule is None else rule.rule, options=asked,
                request=_signed_request() if guard.asks_for_signatures else None,
            )  # fmt: skip
            g.touchmark = decision.result
            if not decision.allowed:
                return _answer(decision.refusal)
            answer = current_app.ensure_sync(view)(*args, **kwargs)
            return _without_body(answer) if decision.preflight else answer

        return checked  # type: ignore[return-value]

    return cover if view is None else cover(view)


def _signed_request() -> SignedRequest:
    found = signed_request(request.environ)
    # Of a known length Flask reads it itself, in case somebody asked before.
    length = request.content_length
    if length is None:
        return found
    return found._replace(body=lambda limit: request.get_data() if length <= limit else None)


def _guard() -> Guard:
    if _EXTENSION not in current_app.extensions:
        init_app(current_app._get_current_object())  # type: ignore[attr-defined]
    guard = current_app.extensions[_EXTENSION]
    assert isinstance(guard, Guard)
    return guard


def _without_body(answer: Any) -> Response:
    response = current_app.make_response(answer)
    response.set_data(b"")
    return response


def _answer(refusal: Refusal) -> Response:
    return Response(refusal.body, refusal.status, list(refusal.headers))
