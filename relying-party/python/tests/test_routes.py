"""What a route asks for of its own, in each framework; and what is counted by its pattern."""

from __future__ import annotations

import asyncio
import base64
import http.client
import time
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from flask import Flask, g

import servers
from tokens import SECRET, token
from touchmark_attestation import (
    Guard,
    Label,
    Mode,
    RouteOptions,
    Settings,
    SettingsError,
    TokenResult,
)
from touchmark_attestation.verifier import binding_claim, derive_decoy_secret

TEXT = base64.b64encode(SECRET).decode()
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}


def guard(**settings: str) -> Guard:
    named = {f"TOUCHMARK_{name}": value for name, value in settings.items()}
    return Guard(Settings.read({"TOUCHMARK_SECRET": TEXT, **named}), count_metrics=False)


def fresh(**claims: Any) -> str:
    return token(**{"exp": int(time.time()) + 60, **claims})


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def routes(one: Guard) -> set[tuple[str, str]]:
    return {(label.route, label.status) for label in one.tally()}


def strong_and_weak(port: int, one: Guard, strong: str, plain: str, pattern: str) -> None:
    """A route that asks for level "tee" and a bound Authorization, and one that asks nothing."""
    low = fresh(lvl="platform", pay=binding_claim("a"))
    high = fresh(lvl="tee", pay=binding_claim("a"))
    assert ask(port, plain, Touchmark_Token=low)[0] == 200
    assert ask(port, strong, Touchmark_Token=low, Authorization="a")[0] == 401
    assert ask(port, strong, Touchmark_Token=high)[0] == 401
    assert ask(port, strong, Touchmark_Token=high, Authorization="a")[0] == 200
    assert ask(port, plain) == (401, b"{}")
    found = routes(one)
    assert {(pattern, "valid"), (pattern, "missing")} <= found
    assert {"weak", "unbound", "valid"} <= {status for route, status in found if route != pattern}


def test_flask() -> None:
    from touchmark_attestation.flask import check_touchmark_token, init_app

    app, one = Flask(__name__), guard()
    init_app(app, guard=one)

    @app.get("/plain/<int:number>")
    @check_touchmark_token
    def plain(number: int) -> str:
        return str(g.touchmark.status.value)

    @app.get("/strong")
    @check_touchmark_token(level="tee", binding_headers=["Authorization"])
    def strong() -> str:
        return ""

    @app.get("/off")
    @check_touchmark_token(mode="off")
    def off() -> str:
        return str(g.touchmark.reason.value)

    with servers.over_werkzeug(app) as port:
        strong_and_weak(port, one, "/strong", "/plain/7", "/plain/<int:number>")
        assert ask(port, "/off") == (200, b"off")
    with pytest.raises(SettingsError, match=r"^level "):
        check_touchmark_token(level="gold")


def test_starlette() -> None:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route

    from touchmark_attestation.starlette import init_app, require_touchmark_token

    @require_touchmark_token
    async def plain(request: Any) -> Any:
        return PlainTextResponse(request.state.touchmark.status.value)

    @require_touchmark_token(level="tee", binding_headers=["Authorization"])
    async def strong(request: Any) -> Any:
        return PlainTextResponse("")

    inner = Mount("/inner", routes=[Route("/strong", strong)])
    app, one = Starlette(routes=[Route("/plain/{number}", plain), inner]), guard()
    init_app(app, guard=one)
    with servers.over_uvicorn(app) as port:
        assert ask(port, "/plain/7", Touchmark_Token=fresh()) == (200, b"valid")
        assert ask(port, "/inner/strong", Touchmark_Token=fresh(lvl="tee"))[0] == 401
        assert ask(port, "/plain/7")[0] == 401
    assert {label.reason for label in one.tally()} == {"ok", "no-bound-header", "no-token"}


def test_fastapi() -> None:
    from touchmark_attestation.starlette import TouchmarkToken, check_touchmark_token, init_app

    app, one = FastAPI(), guard()
    init_app(app, guard=one)
    checked = Depends(check_touchmark_token)
    router = APIRouter(prefix="/strong")

    @app.get("/plain/{number}")  # type: ignore[untyped-decorator]
    async def plain(number: int, result: TokenResult = checked) -> str:
        return str(result.claims["did"])

    @router.get("")  # type: ignore[untyped-decorator]
    def strong() -> str:
        return ""

    @app.websocket("/live")  # type: ignore[untyped-decorator]
    async def live(socket: WebSocket, result: TokenResult = checked) -> None:
        await socket.accept()

    wanted = TouchmarkToken(level="tee", binding_headers=["Authorization"])
    app.include_router(router, dependencies=[Depends(wanted)])
    with servers.over_uvicorn(app) as port:
        strong_and_weak(port, one, "/strong", "/plain/7", "/plain/{number}")
        assert ask(port, "/plain/x", Touchmark_Token=fresh())[0] == 422
        assert ask(port, "/plain/x")[0] == 401, "nobody learns without a token what a route takes"
        assert b"did" not in ask(port, "/openapi.json")[1]
    forgot = FastAPI()

    @forgot.get("/")  # type: ignore[untyped-decorator]
    async def index(result: TokenResult = checked) -> str:
        return ""

    with servers.over_uvicorn(forgot) as port:
        assert ask(port, "/", Touchmark_Token=fresh())[0] == 500


def test_a_websocket_of_fastapi_needs_a_token() -> None:
    from touchmark_attestation.starlette import check_touchmark_token, init_app

    app = FastAPI(dependencies=[Depends(check_touchmark_token)])
    init_app(app, guard=guard())

    @app.websocket("/live")  # type: ignore[untyped-decorator]
    async def live(socket: WebSocket) -> None:
        await socket.accept()

    def open_it(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "websocket", "path": "/live", "headers": list(headers), "query_string": b"",
            "client": ("192.0.2.7", 1), "subprotocols": [],
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
        return sent[0]

    assert open_it() == {"type": "websocket.close", "code": 1008, "reason": ""}
    assert open_it((b"touchmark-token", fresh().encode()))["type"] == "websocket.accept"


@pytest.mark.parametrize("adapter", ["django-wsgi", "django-asgi"])
def test_django_s_middleware(adapter: str) -> None:
    one = guard()
    with servers.serving(adapter, one) as port:
        strong_and_weak(port, one, "/strong", "/plain/7", "plain/<int:number>")
        assert ask(port, "/open")[0] == 200, "touchmark_exempt"
        assert ask(port, "/nowhere") == (401, b"{}"), "nobody learns without a token what there is"
        assert ask(port, "/nowhere", Touchmark_Token=fresh())[0] == 404
        assert ask(port, "/later", Touchmark_Token=fresh())[0] == 200
        assert ask(port, "/later")[0] == 401
        assert ask(port, "/plain/7", "OPTIONS", **PREFLIGHT) == (200, b"")
    # One request, one decision, though the decorator stands under the middleware.
    assert sum(one.tally().values()) == 10


@pytest.mark.parametrize("adapter", ["django-decorator", "django-async-decorator"])
def test_django_s_decorator(adapter: str) -> None:
    one = guard()
    with servers.serving(adapter, one) as port:
        assert ask(port, "/plain/7")[0] == 200, "not decorated"
        assert ask(port, "/strong", Touchmark_Token=fresh(lvl="platform"))[0] == 401
        assert ask(port, "/")[0] == 401
        assert ask(port, "/", "OPTIONS", **PREFLIGHT) == (200, b"")
    assert {label.reason for label in one.tally()} == {"low-level", "no-token", "preflight"}


def test_middleware_over_whole_applications() -> None:
    from touchmark_attestation.asgi import AsgiMiddleware
    from touchmark_attestation.wsgi import WsgiMiddleware

    wanted = {"/strong": RouteOptions(level="tee", binding_headers=("Authorization",))}
    for kind, over, cover in (
        (servers.wsgi, servers.over_werkzeug, WsgiMiddleware),
        (servers.asgi, servers.over_uvicorn, AsgiMiddleware),
    ):
        one = guard()
        app: Any = cover(kind(one)._app, one, exempt=["/healthz"], routes=wanted)
        with over(app) as port:
            strong_and_weak(port, one, "/strong", "/anything", "")
            assert ask(port, "/healthz")[0] == 200
        assert "/strong" in {label.route for label in one.tally()}


def test_a_header_of_a_megabyte_ends_its_own_request_alone() -> None:
    for adapter in ("flask", "asgi", "guard"):
        one = guard()
        with servers.serving(adapter, one) as port:
            try:
                status = ask(port, "/", Touchmark_Token="x" * 1_000_000)[0]
                assert 400 <= status < 500
            except OSError:
                pass  # the server hung up while we were still sending
            assert ask(port, "/", Touchmark_Token=fresh())[0] == 200
        assert one.check("GET", {"Touchmark-Token": "x" * 1_000_000}).result.reason.value == (
            "too-long"
        )


# The guard's part --------------------------------------------------------------------------------


def test_a_share_of_devices_is_refused() -> None:
    """The other shares, and what counts as a device, are in the contract's requests."""
    one = guard(PERCENT="30")
    sides: dict[bool, int] = {True: 0, False: 0}
    for number in range(1000):
        headers = {"Touchmark-Token": token(did=f"device {number}", exp=1)}
        decision = one.check("GET", headers)
        assert decision.enforced is not decision.allowed
        assert one.check("GET", headers).allowed is decision.allowed, "it stays on its side"
        sides[decision.allowed] += 1
    assert 240 < sides[False] < 360
    assert one.check("GET", {}).allowed is False, "without a device and an address"
    assert "were and " in one.summary() and "would be refused: 2000 expired" in one.summary()


def test_a_route_s_mode_and_share_go_before_the_settings() -> None:
    one, report = guard(), guard(MODE="report")
    assert one.check("GET", {}, options=RouteOptions(mode=Mode.REPORT)).allowed
    assert one.check("GET", {}, options=RouteOptions(percent=0)).allowed
    assert not report.check("GET", {}, options=RouteOptions(mode=Mode.ENFORCE)).allowed
    decoy = token(derive_decoy_secret(SECRET), exp=int(time.time()) + 60)
    assert report.check("GET", {"Touchmark-Token": decoy}).enforced is False


def test_off_asks_for_no_secret_until_a_route_does() -> None:
    one = Guard(Settings.read({"TOUCHMARK_MODE": "off"}))
    assert one.check("GET", {}).result.status.value == "unchecked"
    with pytest.raises(SettingsError, match=r"^mode .*TOUCHMARK_SECRET"):
        one.check("GET", {}, options=RouteOptions(mode=Mode.ENFORCE))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"mode": "On"}, "mode"), ({"mode": True}, "mode"), ({"percent": 101}, "percent"),
        ({"percent": "5"}, "percent"), ({"level": "gold"}, "level"), ({"level": 1}, "level"),
        ({"binding_headers": "Authorization"}, "binding_headers"),
        ({"binding_headers": 1}, "binding_headers"), ({"single_use": "memory"}, "single_use"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_one_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{named} "):
        RouteOptions(**options)


def test_an_observer_that_fails_fails_no_request(caplog: pytest.LogCaptureFixture) -> None:
    def observer(decision: Any) -> None:
        raise ValueError("no")

    one = Guard(guard().settings, observer=observer, count_metrics=False)
    assert not one.check("GET", {}).allowed
    assert "an observer of the check failed" in caplog.text


def test_prometheus_counts_by_the_contract_s_labels() -> None:
    prometheus = pytest.importorskip("prometheus_client")
    from touchmark_attestation import metrics

    registry = prometheus.CollectorRegistry()
    one = Guard(guard().settings, observer=metrics.observer(registry), count_metrics=False)
    for headers in ({}, {}, {"Touchmark-Token": fresh()}):
        one.check("GET", headers, "/v2/rates/EUR", "192.0.2.7", route="/v2/rates/{name}")
    written = prometheus.generate_latest(registry).decode()
    line = (
        'touchmark_requests_total{enforced="true",maker="touchmark",reason="no-token",'
        'route="/v2/rates/{name}",status="missing"} 2.0'
    )
    assert line in written and "EUR" not in written and "192.0.2.7" not in written
    missing = Label("touchmark", "missing", "no-token", True, "/v2/rates/{name}")
    assert one.tally()[missing] == 2
    # By itself, in the library's own registry, and once however many guards there are.
    for _ in range(2):
        Guard(guard().settings).check("GET", {}, route="/once")
    written = prometheus.generate_latest().decode()
    assert 'route="/once",status="missing"} 2.0' in written
