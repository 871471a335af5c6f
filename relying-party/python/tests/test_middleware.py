"""WSGI and ASGI applications behind the check, each over a server of its kind."""

from __future__ import annotations

import asyncio
import base64
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
import uvicorn

from tokens import SECRET, token
from touchmark_attestation import Guard, Mode, Settings, SettingsError, TokenStatus, TokenVerifier
from touchmark_attestation.asgi import AsgiMiddleware
from touchmark_attestation.wsgi import WsgiMiddleware

PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
Answer = tuple[int, bytes, dict[str, str]]


def guard(mode: str = "enforce") -> Guard:
    return Guard(Settings(TokenVerifier([SECRET]), Mode(mode)))


def fresh(**claims: Any) -> str:
    return token(**{"exp": int(time.time()) + 60, **claims})


class Seen(list[Any]):
    """The results that the application behind the check was given."""


def wsgi_app(seen: Seen) -> Any:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        seen.append(environ.get("touchmark.result"))
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-App", "here")])
        yield b"served"

    return app


def asgi_app(seen: Seen) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        seen.append(scope.get("touchmark.result"))
        headers = [(b"x-app", b"here"), (b"content-length", b"6")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ser", "more_body": True})
        await send({"type": "http.response.body", "body": b"ved"})

    return app


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def over_wsgi(seen: Seen, mode: str, exempt: tuple[str, ...]) -> Iterator[int]:
    # The standard library's validator on both sides: neither may break PEP 3333.
    app = validator(WsgiMiddleware(validator(wsgi_app(seen)), guard(mode), exempt=exempt))
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_asgi(seen: Seen, mode: str, exempt: tuple[str, ...]) -> Iterator[int]:
    app: Any = AsgiMiddleware(asgi_app(seen), guard(mode), exempt=exempt)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "uvicorn did not start"
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


KINDS = {"wsgi": over_wsgi, "asgi": over_asgi}


def ask(port: int, path: str = "/v2", method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, answer.read(), found
    finally:
        connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_valid_token_reaches_the_application(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Seen()
    with KINDS[kind](seen, "enforce", ("/healthz",)) as port:
        for refused in ({}, {"Touchmark-Token": "x"}, {"Touchmark-Token": token(b"x" * 32)}):
            status, body, headers = ask(port, **refused)
            assert (status, body) == (401, b"{}")
            assert headers["www-authenticate"] == "Touchmark"
            assert headers["content-length"] == "2" and headers["cache-control"] == "no-store"
        assert seen == []
        assert ask(port, "/v2", "HEAD")[:2] == (401, b"")
        for name in ("Touchmark-Token", "touchmark-token", "TOUCHMARK-TOKEN"):
            assert ask(port, **{name: fresh()})[:2] == (200, b"served")
        assert [result.status for result in seen] == [TokenStatus.VALID] * 3
        assert seen[0].claims["did"]
        for path in ("/healthz/", "/healthz2", "/Healthz", "/healthz%2f", "/v2/healthz"):
            assert ask(port, path)[0] == 401
        assert ask(port, "/healthz")[:2] == (200, b"served")
        assert seen[3:] == [None]
    assert "refused GET '/v2' from 127.0.0.1: missing token" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_report_mode_serves_everybody(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()
    with KINDS[kind](seen, "report", ()) as port:
        assert ask(port)[:2] == (200, b"served")
        assert ask(port, **{"Touchmark-Token": "x"})[:2] == (200, b"served")
    assert [result.status for result in seen] == [TokenStatus.MISSING, TokenStatus.MALFORMED]
    assert "would refuse GET '/v2' from 127.0.0.1: missing token" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_preflight_gets_headers_and_no_body(kind: str) -> None:
    seen = Seen()
    with KINDS[kind](seen, "enforce", ()) as port:
        status, body, headers = ask(port, method="OPTIONS", **PREFLIGHT)
        assert (status, body, headers["x-app"], headers["content-length"]) == (
            200,
            b"",
            "here",
            "0",
        )
        assert ask(port, method="OPTIONS")[0] == 401
        assert ask(port, method="PUT", **PREFLIGHT)[0] == 401
    assert [result.status for result in seen] == [TokenStatus.PREFLIGHT]


def run_asgi(scope: dict[str, Any], seen: Seen) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["touchmark.result"].status)
        await receive()
        await send({"type": "websocket.accept"})

    asyncio.run(AsgiMiddleware(app, guard())(scope, receive, send))
    return sent


def test_a_websocket_needs_a_token_as_well() -> None:
    seen = Seen()
    scope: dict[str, Any] = {"type": "websocket", "path": "/live", "headers": [], "client": None}
    assert run_asgi(scope, seen) == [{"type": "websocket.close", "code": 1008}]
    assert seen == []
    scope["headers"] = [(b"touchmark-token", fresh().encode())]
    assert run_asgi(scope, seen) == [{"type": "websocket.accept"}]
    assert seen == [TokenStatus.VALID]


def test_a_connection_of_a_new_kind_is_not_let_through() -> None:
    with pytest.raises(ValueError, match="'webtransport'"):
        run_asgi({"type": "webtransport", "path": "/", "headers": []}, Seen())


def test_without_a_guard_the_environment_has_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOUCHMARK_SECRET", raising=False)
    for middleware in (WsgiMiddleware, AsgiMiddleware):
        with pytest.raises(SettingsError, match=r"^TOUCHMARK_SECRET "):
            middleware(None)  # type: ignore[arg-type]
    monkeypatch.setenv("TOUCHMARK_SECRET", base64.b64encode(SECRET).decode())
    monkeypatch.setenv("TOUCHMARK_MODE", "report")
    assert WsgiMiddleware(None).guard.settings.mode is Mode.REPORT  # type: ignore[arg-type]
