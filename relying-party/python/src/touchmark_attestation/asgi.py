"""Touchmark for every ASGI application: FastAPI, Starlette, Quart, Django and the like."""

from __future__ import annotations

from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable

from touchmark_attestation.guard import Cover

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiMiddleware(Cover[Application]):
    """Refuses every request and every WebSocket without a valid token, except the paths in
    `exempt`, which must be equal to the request's letter by letter. `scope["touchmark.result"]`
    holds the TokenResult.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan" or (kind in ("http", "websocket") and scope["path"] in self._exempt):
            return await self._app(scope, receive, send)
        if kind not in ("http", "websocket"):
            raise ValueError(f"Touchmark has no check for connections of the type {kind!a}")
        client = (scope.get("client") or [""])[0]
        decision = self.guard.check(scope.get("method", "GET"), scope, scope["path"], client)
        scope = {**scope, "touchmark.result": decision.result}
        if decision.allowed:
            return await self._app(scope, receive, _silent(send) if decision.preflight else send)
        if kind == "websocket":
            await receive()  # websocket.connect; a close before the acceptance is a 403
            return await send({"type": "websocket.close", "code": 1008})
        refusal = decision.refusal
        length = (b"content-length", str(len(refusal.body)).encode())
        headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers]
        await send(
            {
                "type": "http.response.start",
                "status": refusal.status,
                "headers": [*headers, length],
            }
        )
        return await send({"type": "http.response.body", "body": refusal.body})


def _silent(send: Send) -> Send:
    """Whoever writes the two headers of a preflight is no app for that: status and headers only."""

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", ()) if pair[0] != b"content-length"]
            # RFC 9110, section 8.6: no length with a 204.
            length = [] if message["status"] == 204 else [(b"content-length", b"0")]
            message = {**message, "headers": kept + length}
        elif message["type"] == "http.response.body":
            message = {**message, "body": b""}
        elif message["type"] in ("http.response.pathsend", "http.response.zerocopysend"):
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return without_body
