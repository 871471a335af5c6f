"""The gateway beside real servers: nginx and HAProxy that ask it, with the configuration that the
guide shows, and Redis for what is spent."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway import ROOT, SECRET, TIME, Client, Gateway, Upstream, client_of, connect, say
from test_proxy import HOST, with_token

from test_contract import CONTRACT, start

PROXIES = ROOT / "relying-party/gateway/proxies"


def server(name: str) -> Path:
    path = ROOT / f"build/servers/{name}/usr/sbin/{name}"
    assert path.exists(), "run tools/setup --tests"
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(command: list[Any], port: int, folder: Path, **options: Any) -> Iterator[None]:
    """A server, once it accepts connections."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **options)
    try:
        ends = time.monotonic() + TIME
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            with contextlib.suppress(OSError):
                connect(f"127.0.0.1:{port}").close()
                break
            assert time.monotonic() < ends
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(timeout=TIME)


@contextlib.contextmanager
def nginx(folder: Path, gateway: int, api: str) -> Iterator[str]:
    port = free_port()
    text = (PROXIES / "nginx.conf").read_text()
    text = text.replace("127.0.0.1:9091", f"127.0.0.1:{gateway}")
    text = text.replace("127.0.0.1:3000", api).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    (folder / "touchmark.conf").write_text(text)
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nworker_processes 1;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}include {folder}/touchmark.conf;\n}}\n"
    )
    command = [server("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
    with running(command, port, folder):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def haproxy(folder: Path, gateway: int, api: str) -> Iterator[str]:
    port = free_port()
    text = (PROXIES / "haproxy.cfg").read_text()
    text = text.replace("127.0.0.1:3000", api).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    (folder / "haproxy.cfg").write_text(text)
    shutil.copy(PROXIES / "haproxy.lua", folder)
    environment = {"TOUCHMARK_GATEWAY": f"http://127.0.0.1:{gateway}", "PATH": "/usr/bin:/bin"}
    command = [server("haproxy"), "-db", "-f", folder / "haproxy.cfg"]
    with running(command, port, folder, env=environment):
        yield f"127.0.0.1:{port}"


def host_of(url: str) -> str:
    return url.removeprefix("http://")


def play(groups: list[dict[str, Any]], address: str, port: int, folder: Path, clock: Path) -> int:
    played = 0
    for group in groups:
        listen = ["--decision-listen", f"127.0.0.1:{port}"]
        with start(group, folder, clock, *listen).wait_for("decisions") as gateway:
            for case in group["cases"]:
                client = Client(connect(address))
                headers = [HOST, *map(tuple, case["headers"])]
                answer = client.ask(case["method"], "/v1/rates?x=1", headers)
                client.close()
                found = gateway.decision()
                wanted = (case["status"], case["reason"], case["http"])
                assert (found["status"], found["reason"], answer.status) == wanted, case["name"]
                if case["http"] == 401:
                    assert answer.body == b"{}"
                    assert answer.headers["www-authenticate"] == "Touchmark"
                    assert answer.headers["content-type"] == "application/json"
                played += 1
    return played


def test_the_contract_behind_nginx(tmp_path: Path, fixed_clock: Path) -> None:
    port = free_port()
    with Upstream(say("x")).serve() as api, nginx(tmp_path, port, host_of(api)) as address:
        assert play(CONTRACT["groups"], address, port, tmp_path, fixed_clock) >= 582


def test_the_contract_behind_haproxy(tmp_path: Path, fixed_clock: Path) -> None:
    names = ("forms of a token", "the header", "preflights", "mode report", "single use")
    groups = [group for group in CONTRACT["groups"] if group["name"] in names]
    port = free_port()
    with Upstream(say("x")).serve() as api, haproxy(tmp_path, port, host_of(api)) as address:
        assert play(groups, address, port, tmp_path, fixed_clock) > 80


@pytest.mark.parametrize("proxy", [nginx, haproxy], ids=["nginx", "haproxy"])
def test_facts_paths_and_a_gateway_that_is_gone(proxy: Any, tmp_path: Path) -> None:
    upstream = Upstream(say("x"))
    port = free_port()
    (tmp_path / "gateway.toml").write_text(
        f'decision_listen = "127.0.0.1:{port}"\n[[rule]]\npath = "/open/*"\nmode = "off"\n'
    )
    lies = [("X-Touchmark-Level", "secure-chip"), ("X-Touchmark-Device", "somebody")]
    with upstream.serve() as api, proxy(tmp_path, port, host_of(api)) as address:

        def ask(target: str, headers: list[tuple[str, str]]) -> int:
            client = Client(connect(address))
            status = client.ask("GET", target, headers).status
            client.close()
            return status

        with Gateway("--config", str(tmp_path / "gateway.toml")).wait_for("decisions"):
            assert ask("/v1", with_token(*lies, lvl="tee")) == 200
            assert ask("/open/x", [HOST]) == 200
            assert ask("/v1", [HOST]) == 401
            assert ask("/open/../v1", [HOST]) == 401
            assert ask("/open/%252e%252e/v1", [HOST]) in (401, 403)
        assert ask("/open/x", [HOST]) in (401, 500)
    first = upstream.seen[0]
    assert first.all("X-Touchmark-Level") == ["tee"]
    assert first.all("X-Touchmark-Status") == ["valid"]
    assert first.all("X-Touchmark-Device") == []
    assert len(upstream.seen) == 2


def test_traefik_and_envoy_ask_in_their_own_way(tmp_path: Path) -> None:
    """Neither is in Debian: the requests are those that their documentation shows."""
    (tmp_path / "gateway.toml").write_text(
        'decision_listen = "127.0.0.1:0"\n[[rule]]\npath = "/open/*"\nmode = "off"\n'
    )
    with (
        Gateway("--config", str(tmp_path / "gateway.toml")).wait_for("decisions") as gateway,
        client_of(gateway, "decisions") as client,
    ):
        for target, headers, status in (
            ("/forward", [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/open/x")], 200),
            ("/forward", [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/v1")], 401),
            ("/forward", [("X-Forwarded-Method", "GET")], 403),
            ("/envoy/open/x?y", [], 200),
            ("/envoy/v1", [], 401),
            ("/envoy/open/../v1", [], 401),
            # What another proxy would write is no word of this one's.
            ("/envoy/v1", [("X-Original-URI", "/open/x"), ("X-Forwarded-Uri", "/open/x")], 401),
            ("/auth", [("X-Forwarded-Uri", "/open/x")], 403),
        ):
            assert client.ask("GET", target, [HOST, *headers]).status == status, target
        preflight = [
            ("Origin", "https://app.example"),
            ("Access-Control-Request-Method", "GET"),
            ("X-Forwarded-Method", "OPTIONS"),
            ("X-Forwarded-Uri", "/v1"),
        ]
        assert client.ask("GET", "/forward", [HOST, *preflight]).status == 200
        assert client.ask("OPTIONS", "/envoy/v1", [HOST, *preflight[:2]]).status == 200
        assert client.ask("GET", "/nowhere", [HOST]).status == 404


# --- Redis ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def redis(folder: Path, port: int) -> Iterator[None]:
    binary = shutil.which("redis-server")
    assert binary, "run tools/setup --tests"
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with running(command, port, folder):
        yield


def gateway_with(port: int, **settings: str) -> Gateway:
    base = {"TOUCHMARK_SECRET": SECRET, "TOUCHMARK_SINGLE_USE": f"redis://127.0.0.1:{port}/1"}
    return Gateway("--decision-listen", "127.0.0.1:0", settings=base | settings)


def test_redis_is_shared_and_may_be_lost(tmp_path: Path) -> None:
    port = free_port()
    once = with_token(jti="once")
    with (
        gateway_with(port) as first,
        gateway_with(port) as second,
        gateway_with(port, TOUCHMARK_REPLAY_FAILURE="open") as third,
        client_of(first.wait_for("decisions"), "decisions") as one,
        client_of(second.wait_for("decisions"), "decisions") as other,
        client_of(third.wait_for("decisions"), "decisions") as opened,
    ):
        with redis(tmp_path, port):
            assert one.ask("GET", "/auth", once).status == 200
            assert other.ask("GET", "/auth", once).status == 401
            assert second.decision()["reason"] == "replayed"
            assert one.ask("GET", "/auth", with_token(jti="two")).status == 200
        # It is gone: a setting says what that means.
        assert one.ask("GET", "/auth", with_token(jti="three")).status == 401
        assert [first.decision()["reason"] for _ in range(3)][-1] == "no-replay-store"
        assert opened.ask("GET", "/auth", with_token(jti="three")).status == 200
        with redis(tmp_path, port):
            assert one.ask("GET", "/auth", with_token(jti="four")).status == 200


# --- Keys over HTTP ------------------------------------------------------------------------------


def test_a_key_that_is_new_is_read_while_requests_wait(tmp_path: Path, fixed_clock: Path) -> None:
    group = next(group for group in CONTRACT["groups"] if group["name"] == "public keys")
    case = next(one for one in group["cases"] if one["name"] == "rsa with its kid")
    others = [k for k in group["jwks"]["keys"] if isinstance(k, dict) and k.get("kty") != "RSA"]
    keys: dict[str, Any] = {"keys": others}
    reads = 0

    def respond(_: Any, handler: Any) -> None:
        nonlocal reads
        reads += 1
        body = json.dumps(keys)
        say(body, "Cache-Control: max-age=300")(_, handler)

    with Upstream(respond).serve() as url, Gateway(
        "--decision-listen", "127.0.0.1:0", settings={"TOUCHMARK_JWKS": url + "/jwks"},
        clock=f"{fixed_clock}@{CONTRACT['now']}",
    ).wait_for("decisions") as gateway, client_of(gateway, "decisions") as client:  # fmt: skip
        headers = [HOST, *map(tuple, case["headers"])]
        while reads == 0:
            time.sleep(0.01)
        keys = group["jwks"]
        assert client.ask("GET", "/auth", headers).status == 200
        assert reads == 2
    # The source is gone, and what was read goes on counting; one that was never there refuses.
    with Gateway(
        "--decision-listen", "127.0.0.1:0", settings={"TOUCHMARK_JWKS": url + "/jwks"}
    ).wait_for("decisions") as gateway, client_of(gateway, "decisions") as client:  # fmt: skip
        assert client.ask("GET", "/auth", headers).status == 401
        assert gateway.decision()["reason"] == "no-keys"
