"""Touchmark for Starlette and FastAPI: a dependency for FastAPI's routes, and a decorator for
Starlette's endpoints. The check of a whole application is `asgi.AsgiMiddleware`."""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Iterable
from typing import Any, Callable, TypeVar, overload

from starlette.applications import Starlette
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from touchmark_attestation.asgi import (
    Application,
    Message,
    Receive,
    Scope,
    Send,
    client_address,
    signed_request,
    without_its_body,
)
from touchmark_attestation.guard import REFUSAL, Decision, Guard, Refusal, RouteOptions
from touchmark_attestation.results import TokenResult
from touchmark_attestation.settings import Mode, Settings

_STATE = "touchmark"
_PREFLIGHT = "touchmark.preflight"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Awaitable[Any]])


class TokenRefused(Exception):
    """The request gets its refusal: `init_app` sees to it."""

    def __init__(self, refusal: Refusal = REFUSAL) -> None:
        super().__init__("a request without a valid Touchmark token")
        self.refusal = refusal


def init_app(
    app: Starlette, settings: Settings | None = None, *, guard: Guard | None = None
) -> Guard:
    """Gives `app` its settings: those passed, or else TOUCHMARK_ from the environment. The guard
    that it returns (or was given) has the counts. Call it before the application starts.

    Raises SettingsError.
    """
    if guard is None:
        guard = Guard(Settings.read(os.environ) if settings is None else settings)
    setattr(app.state, _STATE, guard)
    app.add_exception_handler(TokenRefused, _refused)
    app.add_middleware(_SilentPreflights)
    return guard


class TouchmarkToken:
    """A dependency of FastAPI: `Depends(TouchmarkToken())` on a route, a router or an application
    refuses a request without a valid token, and gives its TokenResult to those who ask for it.
    The arguments are those of RouteOptions. `check_touchmark_token` is one without any.

    FastAPI reads a body before it asks: one that is no JSON gets its 422 without a token. Where
    that is too much, use the middleware.
    """

    def __init__(self, **options: Any) -> None:
        self._options = RouteOptions(**options) if options else None

    # FastAPI reads the annotation, in whose place no text may stand.
    async def __call__(self, connection: HTTPConnection) -> TokenResult:
        decision = await _decide(connection, self._options)
        if not decision.allowed and connection.scope["type"] == "websocket":
            raise WebSocketException(1008)  # before the acceptance: a 403
        if not decision.allowed:
            raise TokenRefused(decision.refusal)
        return decision.result


TouchmarkToken.__call__.__annotations__.update(connection=HTTPConnection, **{"return": TokenResult})
check_touchmark_token = TouchmarkToken()


@overload
def require_touchmark_token(endpoint: _Endpoint) -> _Endpoint: ...


@overload
def require_touchmark_token(
    *,
    mode: Mode | str | None = ...,
    percent: int | None = ...,
    level: str | None = ...,
    binding_headers: Iterable[str] | None = ...,
    single_use: bool | None = ...,
) -> Callable[[_Endpoint], _Endpoint]: ...


def require_touchmark_token(endpoint: _Endpoint | None = None, **options: Any) -> Any:
    """A decorator for an endpoint of Starlette (`async def endpoint(request)`), with the arguments
    of RouteOptions or without. `request.state.touchmark` holds the TokenResult."""
    asked = RouteOptions(**options) if options else None

    def cover(endpoint: _Endpoint) -> _Endpoint:
        @functools.wraps(endpoint)
        async def checked(request: Request, *args: Any, **kwargs: Any) -> Any:
            decision = await _decide(request, asked)
            if not decision.allowed:
                return _response(decision.refusal)
            return await endpoint(request, *args, **kwargs)

        return checked  # type: ignore[return-value]

    return cover if endpoint is None else cover(endpoint)


async def _decide(connection: HTTPConnection, options: RouteOptions | None) -> Decision:
    scope = connection.scope
    guard = getattr(scope["app"].state, _STATE, None)
    if not isinstance(guard, Guard):
        raise RuntimeError("call touchmark_attestation.starlette.init_app(app) at the start")
    decision = await guard.check_async(
        scope.get("method", "GET"), scope, scope["path"], client_address(scope),
        route=getattr(scope.get("route"), "path", ""), options=options,
        request=signed_request(scope) if guard.asks_for_signatures else None,
        read_body=functools.partial(_read_body, connection),
    )  # fmt: skip
    connection.state.touchmark = decision.result
    scope[_PREFLIGHT] = decision.preflight
    return decision


async def _read_body(connection: HTTPConnection, limit: int) -> bytes | None:
    if not isinstance(connection, Request):
        return b""
    length = connection.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        return None
    body: bytes = await connection.body()  # which the endpoint can ask for again
    return body if len(body) <= limit else None


class _SilentPreflights:
    """Takes the body from the answer to a preflight, which a route cannot do itself."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("method") != "OPTIONS":
            return await self._app(scope, receive, send)

        async def sending(message: Message) -> None:
            await send(without_its_body(message) if scope.get(_PREFLIGHT) else message)

        return await self._app(scope, receive, sending)


async def _refused(request: Request, error: Exception) -> Response:
    return _response(error.refusal if isinstance(error, TokenRefused) else REFUSAL)


def _response(refusal: Refusal) -> Response:
    return Response(refusal.body, refusal.status, dict(refusal.headers))
