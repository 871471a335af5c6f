"""An application behind the check in each framework, over a real server of its kind."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

from touchmark_attestation import Guard, SignedRequest

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
SERVED = b'{"served":true}'


def wsgi(guard: Guard) -> Any:
    from touchmark_attestation.wsgi import WsgiMiddleware

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [SERVED]

    return WsgiMiddleware(app, guard)


def flask(guard: Guard) -> Any:
    from flask import Flask

    from touchmark_attestation.flask import check_touchmark_token, init_app

    app = Flask(__name__)
    init_app(app, guard=guard)

    @app.route("/", methods=METHODS)
    @app.route("/<path:rest>", methods=METHODS)
    @check_touchmark_token
    def index(rest: str = "") -> bytes:
        return SERVED

    return app


def asgi(guard: Guard) -> Any:
    from touchmark_attestation.asgi import AsgiMiddleware

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": SERVED})

    return AsgiMiddleware(app, guard)


def starlette(guard: Guard) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    from touchmark_attestation.starlette import init_app, require_touchmark_token

    @require_touchmark_token
    async def index(request: Any) -> Response:
        return Response(SERVED)

    app = Starlette(routes=[Route("/{rest:path}", index, methods=METHODS)])
    init_app(app, guard=guard)
    return app


def fastapi(guard: Guard) -> Any:
    from fastapi import Depends, FastAPI

    from touchmark_attestation.starlette import check_touchmark_token, init_app

    app = FastAPI()
    init_app(app, guard=guard)

    @app.api_route("/{rest:path}", methods=METHODS, dependencies=[Depends(check_touchmark_token)])  # type: ignore[untyped-decorator]
    async def index() -> dict[str, bool]:
        return {"served": True}

    return app


def _django(guard: Guard, *, middleware: bool) -> None:
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"], ROOT_URLCONF="django_urls", SECRET_KEY="tests", MIDDLEWARE=[]
        )
        django.setup()
    settings.MIDDLEWARE = ["touchmark_attestation.django.TouchmarkMiddleware"] if middleware else []
    from touchmark_attestation.django import init

    init(guard=guard)


def django_wsgi(guard: Guard) -> Any:
    _django(guard, middleware=True)
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()


def django_asgi(guard: Guard) -> Any:
    _django(guard, middleware=True)
    from django.core.handlers.asgi import ASGIHandler

    return ASGIHandler()


def django_decorator(guard: Guard) -> Any:
    _django(guard, middleware=False)
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()


def django_async_decorator(guard: Guard) -> Any:
    _django(guard, middleware=False)
    from django.core.handlers.asgi import ASGIHandler

    return ASGIHandler()


@contextmanager
def over_werkzeug(app: Any) -> Iterator[int]:
    """A server that keeps headers with underscores from those with dashes, as those that people
    run do: gunicorn, waitress, uWSGI. The standard library's wsgiref makes one of them."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *arguments: Any) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_uvicorn(app: Any) -> Iterator[int]:
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="auto"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "uvicorn did not start"
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def over_http_server(guard: Guard) -> Iterator[int]:
    """The guard alone, called by a handler of the standard library."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or "0")
            body = self.rfile.read(length)
            decision = guard.check(
                self.command, self.headers, self.path, self.client_address[0],
                request=SignedRequest(self.path, lambda limit: body),
            )  # fmt: skip
            refusal = decision.refusal
            status = 200 if decision.allowed else refusal.status
            served = b"" if decision.preflight else SERVED
            body = served if decision.allowed else refusal.body
            self.send_response(status)
            for name, value in () if decision.allowed else refusal.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def identity(guard: Guard) -> Guard:
    return guard


ADAPTERS: dict[str, tuple[Callable[[Guard], Any], Callable[[Any], Any]]] = {
    "guard": (identity, over_http_server),
    "wsgi": (wsgi, over_werkzeug),
    "asgi": (asgi, over_uvicorn),
    "flask": (flask, over_werkzeug),
    "starlette": (starlette, over_uvicorn),
    "fastapi": (fastapi, over_uvicorn),
    "django-wsgi": (django_wsgi, over_werkzeug),
    "django-asgi": (django_asgi, over_uvicorn),
    "django-decorator": (django_decorator, over_werkzeug),
    "django-async-decorator": (django_async_decorator, over_uvicorn),
}


@contextmanager
def serving(adapter: str, guard: Guard) -> Iterator[int]:
    make, over = ADAPTERS[adapter]
    with over(make(guard)) as port:
        yield port
