#!/usr/bin/env python3
"""Tokens per second on one core: the package, PyJWT, and HMAC-SHA256 of the same bytes; and whole
requests in Flask and Starlette with the check and without.

Each number is the best of several rounds, which take turns: what else a machine does meets them
all.

    relying-party/python/bench/run.py [--seconds S] [--json]    # in build/relying-party/newest
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import secrets
import time
from typing import Any, Callable

import jwt
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from touchmark_attestation import Guard, Settings, TokenVerifier
from touchmark_attestation.flask import check_touchmark_token, init_app
from touchmark_attestation.settings import Mode
from touchmark_attestation.starlette import init_app as init_starlette
from touchmark_attestation.starlette import require_touchmark_token

Work = Callable[[int], None]
SECRET = secrets.token_bytes(32)
CLAIMS = {"did": "VpbvaHuFztxhsx472W4Vgg==", "exp": int(time.time()) + 3600, "ip": "192.0.2.7"}
TOKEN = jwt.encode(CLAIMS, SECRET, algorithm="HS256")
ROUNDS = 7


def repeated(call: Callable[[], Any]) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            call()

    return work


def checks() -> dict[str, Work]:
    verifier = TokenVerifier([SECRET])
    signed = TOKEN.rsplit(".", 1)[0].encode()
    assert verifier.check(TOKEN).valid
    return {
        "HMAC-SHA256 alone": repeated(lambda: hmac.digest(SECRET, signed, hashlib.sha256)),
        "PyJWT": repeated(lambda: jwt.decode(TOKEN, SECRET, algorithms=["HS256"])),
        "touchmark_attestation": repeated(lambda: verifier.check(TOKEN)),
    }


def guard() -> Guard:
    return Guard(Settings(TokenVerifier([SECRET]), Mode.ENFORCE))


def flask_requests(checked: bool) -> Work:
    app = Flask(__name__)
    init_app(app, guard=guard())

    def rates() -> dict[str, int]:
        return {"EUR": 1}

    app.add_url_rule("/v2/rates", view_func=check_touchmark_token(rates) if checked else rates)
    client = app.test_client()
    environ = client.open("/v2/rates", headers={"Touchmark-Token": TOKEN}).request.environ

    def ask() -> None:
        answer: list[str] = []
        body = app.wsgi_app(dict(environ), lambda status, headers, *more: answer.append(status))  # type: ignore[arg-type]
        assert answer == ["200 OK"] and b"".join(body)

    return repeated(ask)


def starlette_requests(checked: bool) -> Work:
    async def rates(request: Request) -> Response:
        return JSONResponse({"EUR": 1})

    endpoint = require_touchmark_token(rates) if checked else rates
    app = Starlette(routes=[Route("/v2/rates", endpoint)])
    if checked:
        init_starlette(app, guard=guard())
    headers = [(b"host", b"api.example.com"), (b"touchmark-token", TOKEN.encode())]
    headers += [(b"user-agent", b"okhttp/4.12.0"), (b"accept-encoding", b"gzip")]

    async def many(times: int) -> None:
        for _ in range(times):
            said: list[Any] = []

            async def send(message: Any, said: list[Any] = said) -> None:
                said.append(message)

            async def receive() -> dict[str, Any]:
                return {"type": "http.request"}

            scope = {
                "type": "http", "method": "GET", "path": "/v2/rates", "query_string": b"",
                "headers": headers, "client": ("192.0.2.7", 1), "root_path": "",
            }  # fmt: skip
            await app(scope, receive, send)
            assert said[0]["status"] == 200

    return lambda times: asyncio.run(many(times))


def measured(works: dict[str, Work], seconds: float) -> dict[str, float]:
    """How often each is done in a second: the best of some rounds."""
    times: dict[str, int] = {}
    for name, work in works.items():
        work(20)
        began = time.process_time()
        work(100)
        times[name] = max(int(100 * seconds / max(time.process_time() - began, 1e-6)), 1)
    best = dict.fromkeys(works, 0.0)
    for _ in range(ROUNDS):
        for name, work in works.items():
            began = time.process_time()
            work(times[name])
            best[name] = max(best[name], times[name] / (time.process_time() - began))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=0.3, help="of a round (0.3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = {
        "tokens": measured(checks(), options.seconds),
        "Flask": measured(
            {"without": flask_requests(False), "with": flask_requests(True)}, options.seconds
        ),
        "Starlette": measured(
            {"without": starlette_requests(False), "with": starlette_requests(True)},
            options.seconds,
        ),
    }
    if options.json:
        print(json.dumps(found))
        return
    for name, number in found["tokens"].items():
        print(f"{name:24} {number:12,.0f} tokens a second")
    for framework in ("Flask", "Starlette"):
        without, with_ = found[framework]["without"], found[framework]["with"]
        cost = 1e6 / with_ - 1e6 / without
        print(
            f"{framework:24} {without:12,.0f} requests a second, {with_:,.0f} with the check"
            f" ({cost:.0f} µs, {with_ / without:.1%})"
        )


if __name__ == "__main__":
    main()
