"""Touchmark for every ASGI application: FastAPI, Starlette, Quart, Django and the like."""

from __future__ import annotations

from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable

from touchmark_attestation.guard import Cover, Decision, Refusal

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
        decision = await self._decide(scope)
        scope = {**scope, "touchmark.result": decision.result}
        if decision.allowed:
            return await self._app(scope, receive, silent(send) if decision.preflight else send)
        if kind == "websocket":
            return await refuse_websocket(scope, receive, send, decision.refusal)
        return await _answer(send, "http.response", decision.refusal)

    async def _decide(self, scope: Scope) -> Decision:
        path = scope["path"]
        return await self.guard.check_async(
            scope.get("method", "GET"), scope, path, client_address(scope),
            route=self._route(path), options=self._routes.get(path),
        )  # fmt: skip


def client_address(scope: Scope) -> str:
    client = scope.get("client") or ("",)
    return str(client[0] or "")


async def refuse_websocket(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """With the refusal's own status and body, where the server can; else the server says 403."""
    await receive()  # websocket.connect
    if "websocket.http.response" in (scope.get("extensions") or {}):
        return await _answer(send, "websocket.http.response", refusal)
    return await send({"type": "websocket.close", "code": 1008})


async def _answer(send: Send, kind: str, refusal: Refusal) -> None:
    length = (b"content-length", str(len(refusal.body)).encode())
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers]
    start = {"type": f"{kind}.start", "status": refusal.status, "headers": [*headers, length]}
    await send(start)
    await send({"type": f"{kind}.body", "body": refusal.body})


def silent(send: Send) -> Send:
    """Whoever writes the two headers of a preflight is no app for that: status and headers only."""

    async def without_body(message: Message) -> None:
        await send(without_its_body(message))

    return without_body


def without_its_body(message: Message) -> Message:
    if message["type"] == "http.response.start":
        kept = [pair for pair in message.get("headers", ()) if pair[0] != b"content-length"]
        # RFC 9110, section 8.6: no length with a 204.
        length = [] if message["status"] == 204 else [(b"content-length", b"0")]
        return {**message, "headers": kept + length}
    if message["type"] == "http.response.body":
        return {**message, "body": b""}
    if message["type"] in ("http.response.pathsend", "http.response.zerocopysend"):
        return {"type": "http.response.body", "body": b""}
    return message
