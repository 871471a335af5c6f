"""Touchmark for Django: a middleware for every view, or a decorator for some."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterable
from inspect import iscoroutinefunction
from typing import Any, Callable, TypeVar, overload

from asgiref.sync import markcoroutinefunction
from django.conf import settings as django_settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from touchmark_attestation import asgi, wsgi
from touchmark_attestation.guard import Decision, Guard, RouteOptions
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.signatures import SignedRequest

_OPTIONS = "_touchmark_options"
_DECISION = "_touchmark_decision"
_EXEMPT = "exempt"
_View = TypeVar("_View", bound=Callable[..., Any])
_lock = threading.Lock()
_guards: list[Guard] = []  # none, or the process's


def init(settings: Settings | None = None, *, guard: Guard | None = None) -> Guard:
    """Gives the process its guard, by the settings passed, or TOUCHMARK_ from Django's settings, or
    else from the environment. The guard that it returns (or was given) has the counts.

    Raises SettingsError. Without this call middleware and decorator do the same; call it from
    `AppConfig.ready` so that a missing secret stops the start and not the first user.
    """
    if guard is None:
        if settings is None:
            names = [name for name in dir(django_settings) if name.startswith("TOUCHMARK")]
            ours = {name: getattr(django_settings, name) for name in names}
            settings = Settings.read({**os.environ, **ours})
        guard = Guard(settings)
    with _lock:
        _guards[:] = [guard]
    return guard


def get_guard() -> Guard:
    """The process's guard, which is made when there is none. Raises SettingsError."""
    with _lock:
        found = _guards[0] if _guards else None
    return init() if found is None else found


class TouchmarkMiddleware:
    """Refuses every request without a valid token, except for views with `@touchmark_exempt`.
    `request.touchmark` holds the TokenResult. A path that no view is for needs a token as well.

    Let it stand last in MIDDLEWARE: what those before it answer by themselves is not refused.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        get_guard()
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._call_async(request)
        response = self._get_response(request)
        if not hasattr(request, _DECISION):  # no view: no process_view
            return self._finish(_decide(request, None), response)
        return self._finish(getattr(request, _DECISION), response)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._get_response(request)
        if not hasattr(request, _DECISION):
            return self._finish(await _decide_async(request, None), response)
        return self._finish(getattr(request, _DECISION), response)

    @property
    def process_view(self) -> Callable[..., Any]:
        return self._process_view_async if self._is_async else self._process_view

    def _process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        options = getattr(view, _OPTIONS, None)
        if options == _EXEMPT:
            setattr(request, _DECISION, None)
            return None
        return _refusal(_decide(request, options))

    async def _process_view_async(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        options = getattr(view, _OPTIONS, None)
        if options == _EXEMPT:
            setattr(request, _DECISION, None)
            return None
        return _refusal(await _decide_async(request, options))

    @staticmethod
    def _finish(decision: Decision | None, response: HttpResponseBase) -> HttpResponseBase:
        if decision is None:
            return response
        refusal = _refusal(decision)
        if refusal is not None:
            return refusal
        return _without_body(response) if decision.preflight else response


def touchmark_exempt(view: _View) -> _View:
    """For a view that the middleware lets everybody ask."""

    @functools.wraps(view)
    def exempt(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    if iscoroutinefunction(view):
        markcoroutinefunction(exempt)
    setattr(exempt, _OPTIONS, _EXEMPT)
    return exempt  # type: ignore[return-value]


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
    """Refuses a request without a valid token: status 401, body `{}`. With arguments, which are
    those of RouteOptions, the view asks for more or less than the settings say; under the
    middleware too, which then looks once.

    The log (logger "touchmark") says why, and the response does not. `request.touchmark` holds the
    TokenResult. A CORS preflight passes, and gets the view's status and headers without a body.
    """
    asked = RouteOptions(**options) if options else None

    def cover(view: _View) -> _View:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def checked_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                decision = getattr(request, _DECISION, None) or await _decide_async(request, asked)
                refusal = _refusal(decision)
                if refusal is not None:
                    return refusal
                response = await view(request, *args, **kwargs)
                return _without_body(response) if decision.preflight else response

            setattr(checked_async, _OPTIONS, asked)
            return checked_async  # type: ignore[return-value]

        @functools.wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            decision = getattr(request, _DECISION, None) or _decide(request, asked)
            refusal = _refusal(decision)
            if refusal is not None:
                return refusal
            response = view(request, *args, **kwargs)
            return _without_body(response) if decision.preflight else response

        setattr(checked, _OPTIONS, asked)
        return checked  # type: ignore[return-value]

    return cover if view is None else cover(view)


def _arguments(request: HttpRequest) -> tuple[str, Any, str, str, str]:
    # Of an ASGI request Django's META has names with underscores and with dashes as one; its scope
    # tells them apart.
    headers = getattr(request, "scope", None) or request.META
    match = request.resolver_match
    route = "" if match is None else str(match.route)
    method = request.method or ""
    return method, headers, request.path, request.META.get("REMOTE_ADDR") or "", route


def _signed_request(request: HttpRequest) -> SignedRequest | None:
    if not get_guard().asks_for_signatures:
        return None
    scope = getattr(request, "scope", None)
    found = asgi.signed_request(scope) if scope else wsgi.signed_request(request.META)
    return found._replace(body=lambda limit: _read_body(request, limit))


def _read_body(request: HttpRequest, limit: int) -> bytes | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limit:
        return None
    try:
        body: bytes = request.body  # which the view can ask for again
    except RequestDataTooBig:
        return None
    return body if len(body) <= limit else None


def _decide(request: HttpRequest, options: RouteOptions | None) -> Decision:
    *arguments, route = _arguments(request)
    return _noted(request, get_guard().check(
        *arguments, route=route, options=options, request=_signed_request(request)
    ))  # fmt: skip


async def _decide_async(request: HttpRequest, options: RouteOptions | None) -> Decision:
    *arguments, route = _arguments(request)
    decision = await get_guard().check_async(
        *arguments, route=route, options=options, request=_signed_request(request)
    )
    return _noted(request, decision)


def _noted(request: HttpRequest, decision: Decision) -> Decision:
    setattr(request, _DECISION, decision)
    request.touchmark = decision.result
    return decision


def _refusal(decision: Decision) -> HttpResponse | None:
    if decision.allowed:
        return None
    refusal = decision.refusal
    headers = {**dict(refusal.headers), "Content-Length": str(len(refusal.body))}
    return HttpResponse(refusal.body, status=refusal.status, headers=headers)


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    if response.streaming:
        response.close()
        headers = {name: value for name, value in response.items() if name != "Content-Length"}
        return HttpResponse(b"", status=response.status_code, headers=headers)
    response.content = b""
    if response.has_header("Content-Length"):
        response["Content-Length"] = "0"
    return response
