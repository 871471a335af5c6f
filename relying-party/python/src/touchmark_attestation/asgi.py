"""Touchmark for every ASGI application: FastAPI, Starlette, Quart, Django and the like."""

from __future__ import annotations

from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable
from urllib.parse import quote

from touchmark_attestation.guard import Cover, Decision, Refusal, no_body
from touchmark_attestation.signatures import SignedRequest

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
        body = _Body(receive)
        decision = await self._decide(scope, body)
        receive = body.receive
        scope = {**scope, "touchmark.result": decision.result}
        if decision.allowed:
            return await self._app(scope, receive, silent(send) if decision.preflight else send)
        if kind == "websocket":
            return await refuse_websocket(scope, receive, send, decision.refusal)
        return await _answer(send, "http.response", decision.refusal)

    async def _decide(self, scope: Scope, body: _Body) -> Decision:
        path = scope["path"]
        return await self.guard.check_async(
            scope.get("method", "GET"), scope, path, client_address(scope),
            route=self._route(path), options=self._routes.get(path),
            request=signed_request(scope) if self.guard.asks_for_signatures else None,
            read_body=body.read,
        )  # fmt: skip


class _Body:
    """A body that is read for the check, and then once more by the application."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._seen: list[Message] = []

    async def read(self, limit: int) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            self._seen.append(message)
            if message["type"] != "http.request":
                return None  # it hung up
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                return None
            if not message.get("more_body"):
                return b"".join(parts)

    async def receive(self) -> Message:
        return self._seen.pop(0) if self._seen else await self._receive()


def signed_request(scope: Scope) -> SignedRequest:
    """What signatures cover beside headers."""
    raw = scope.get("raw_path") or quote(scope["path"], safe="/~!$&'()*+,;=:@-._").encode()
    query = scope.get("query_string") or b""
    target = (raw + (b"?" + query if query else b"")).decode("latin-1")
    # A request of HTTP/2 or 3 may have a body, and no header says so.
    streamed = str(scope.get("http_version", "1.1"))[0] != "1" and scope.get("method") not in (
        "GET", "HEAD", "OPTIONS",
    )  # fmt: skip
    return SignedRequest(target, no_body, streamed)


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
