"""The gateway as a reverse proxy: what goes on to the API, what does not, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway import SECRET, TIME, Client, Gateway, Seen, Upstream, client_of, connect, say

HOST = ("Host", "api.example")


def part(value: Any) -> str:
    text = json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def token(secret: str = SECRET, **claims: Any) -> str:
    signed = (
        f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'exp': int(time.time()) + 300} | claims)}"
    )
    mac = hmac.digest(base64.b64decode(secret), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def with_token(*headers: tuple[str, str], **claims: Any) -> list[tuple[str, str]]:
    return [HOST, ("Touchmark-Token", token(**claims)), *headers]


@contextmanager
def proxy(upstream: Upstream, *options: str) -> Iterator[Gateway]:
    with (
        upstream.serve() as url,
        Gateway("--listen", "127.0.0.1:0", "--upstream", url, *options).wait_for(
            "proxy"
        ) as gateway,
    ):
        yield gateway


def with_rules(folder: Path, text: str) -> list[str]:
    (folder / "gateway.toml").write_text(text)
    return ["--config", str(folder / "gateway.toml")]


# --- What goes on --------------------------------------------------------------------------------


def test_facts_are_the_gateways_own() -> None:
    upstream = Upstream(say("x"))
    lies = [
        ("X-Touchmark-Status", "valid"),
        ("x_touchmark_device", "me"),
        ("X-TOUCHMARK-Else", "1"),
    ]
    with proxy(upstream) as gateway, client_of(gateway) as client:
        client.ask("GET", "/", with_token(*lies, did="2Y1wkk7nBWrXkFfqxba0tA==", lvl="tee"))
    facts = {
        n: v
        for n, v in upstream.seen[0].headers
        if "touchmark" in n.lower() and n != "Touchmark-Token"
    }
    assert facts == {
        "X-Touchmark-Status": "valid",
        "X-Touchmark-Reason": "ok",
        "X-Touchmark-Maker": "touchmark",
        "X-Touchmark-Enforced": "true",
        "X-Touchmark-Level": "tee",
        "X-Touchmark-Device": "2Y1wkk7nBWrXkFfqxba0tA==",
    }


def test_a_device_that_is_no_text_of_a_header_is_left_out() -> None:
    upstream = Upstream(say("x"))
    with proxy(upstream) as gateway, client_of(gateway) as client:
        client.ask("GET", "/", with_token(did="a\r\nX-Touchmark-Level: tee"))
    assert upstream.seen[0].all("X-Touchmark-Device") == []
    assert upstream.seen[0].all("X-Touchmark-Level") == []


def test_what_is_of_one_connection_goes_no_further() -> None:
    upstream = Upstream(
        say("x", "Connection: x-theirs", "X-Theirs: 1", "Keep-Alive: 5", "X-Kept: 2")
    )
    headers = with_token(
        ("Connection", "keep-alive, X-Own"), ("X-Own", "1"), ("Keep-Alive", "5"),
        ("TE", "trailers"), ("Proxy-Authorization", "x"), ("Upgrade", "h2c"), ("X-Other", "2"),
    )  # fmt: skip
    with proxy(upstream) as gateway, client_of(gateway) as client:
        answer = client.ask("GET", "/v1?q=1", headers)
    seen = upstream.seen[0]
    assert seen.line == "GET /v1?q=1 HTTP/1.1"
    for name in ("Connection", "X-Own", "Keep-Alive", "TE", "Proxy-Authorization", "Upgrade"):
        assert seen.all(name) == [], name
    assert seen.all("X-Other") == ["2"]
    assert seen.all("Via") == ["1.1 touchmark"]
    assert answer.headers.get("x-kept") == "2"
    assert not {"x-theirs", "keep-alive"} & set(answer.headers)


def test_addresses_are_a_trusted_proxys_word_alone() -> None:
    lies = [
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Real-IP", "1.1.1.1"),
    ]
    for options, seen_for, real, proto in (
        ([], "127.0.0.1", "127.0.0.1", "http"),
        (["--trusted-proxy", "127.0.0.1"], "192.0.2.7, 127.0.0.1", "192.0.2.7", "https"),
    ):
        upstream = Upstream(say("x"))
        with proxy(upstream, *options) as gateway, client_of(gateway) as client:
            client.ask("GET", "/", with_token(*lies))
            assert gateway.decision()["client"] == real
        assert upstream.seen[0].all("X-Forwarded-For") == [seen_for]
        assert upstream.seen[0].all("X-Real-IP") == [real]
        assert upstream.seen[0].all("X-Forwarded-Proto") == [proto]


def test_connections_are_kept_on_both_sides() -> None:
    upstream = Upstream(say("x"))
    with proxy(upstream, "--threads", "1") as gateway:
        for _ in range(3):
            with client_of(gateway) as client:
                for _ in range(5):
                    assert client.ask("GET", "/", with_token()).body == b"x"
    assert len(upstream.seen) == 15
    assert upstream.connections == 1


def test_an_upstream_that_closes_what_was_kept_costs_no_request() -> None:
    def once(seen: Seen, handler: Any) -> None:
        say("x")(seen, handler)
        handler.connection.shutdown(socket.SHUT_RDWR)

    upstream = Upstream(once)
    with proxy(upstream, "--threads", "1") as gateway, client_of(gateway) as client:
        for _ in range(20):
            assert client.ask("GET", "/", with_token()).status == 200


def test_head_and_answers_without_a_body() -> None:
    upstream = Upstream(say("four"))
    with proxy(upstream) as gateway, client_of(gateway) as client:
        answer = client.ask("HEAD", "/", with_token())
        assert (answer.status, answer.headers["content-length"]) == (200, "4")
        assert client.ask("GET", "/", with_token()).body == b"four"


def test_http_1_0() -> None:
    def chunked(_: Seen, handler: Any) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        )

    with proxy(Upstream(chunked)) as gateway, client_of(gateway) as client:
        client.send(f"GET / HTTP/1.0\r\nTouchmark-Token: {token()}\r\n\r\n".encode())
        answer = client.read()
        assert (answer.body, answer.headers["connection"]) == (b"ab", "close")


# --- Bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_go_through_in_both_directions(chunked: bool) -> None:
    def echo(seen: Seen, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(seen.body), 70_001):
            piece = seen.body[at : at + 70_001]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    body = bytes(range(256)) * 4000
    with proxy(Upstream(echo)) as gateway, client_of(gateway) as client:
        for _ in range(2):
            if chunked:
                pieces = [body[at : at + 9_999] for at in range(0, len(body), 9_999)]
                data = b"".join(f"{len(p):X}\r\n".encode() + p + b"\r\n" for p in pieces)
                answer = client.ask(
                    "POST", "/", with_token(("Transfer-Encoding", "chunked")), data + b"0\r\n\r\n"
                )
            else:
                answer = client.ask(
                    "POST", "/", with_token(("Content-Length", str(len(body)))), body
                )
            assert answer.body == body


def test_a_body_is_not_kept_and_its_sender_has_to_wait() -> None:
    """The upstream reads none of it: the client can send what the kernel's buffers hold."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        listener,
        Gateway("--listen", "127.0.0.1:0", "--upstream", url).wait_for("proxy") as gateway,
        client_of(gateway) as client,
    ):
        client.send(("POST / HTTP/1.1\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in with_token(("Content-Length", str(1 << 30)))
        ) + "\r\n").encode())  # fmt: skip
        taken, _ = listener.accept()
        client.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 1 << 30:
                sent += client.socket.send(bytes(1 << 16))
        assert sent < 64 << 20
        resident = next(
            int(line.split()[1])
            for line in Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
        assert resident < 64 << 10  # KiB
        taken.close()


def test_an_early_answer_arrives_though_the_body_has_not() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        listener,
        Gateway("--listen", "127.0.0.1:0", "--upstream", url).wait_for("proxy") as gateway,
        client_of(gateway) as client,
    ):
        client.send(("POST / HTTP/1.1\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in with_token(("Content-Length", "1000"))
        ) + "\r\n").encode())  # fmt: skip
        taken, _ = listener.accept()
        taken.recv(4096)
        taken.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        answer = client.read()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        taken.close()


def test_expect_continue_is_answered_for_who_may_send_alone() -> None:
    upstream = Upstream(say("x"))
    expecting = [("Expect", "100-continue"), ("Content-Length", "3")]
    with proxy(upstream) as gateway:
        with client_of(gateway) as client:
            client.send(b"POST / HTTP/1.1\r\n" + b"".join(
                f"{n}: {v}\r\n".encode() for n, v in with_token(*expecting)) + b"\r\n")  # fmt: skip
            first = client.read_head()
            assert first and first.status == 100
            client.send(b"abc")
            assert client.read().body == b"x"
        with client_of(gateway) as client:
            assert client.ask("POST", "/", [HOST, *expecting]).status == 401
    assert [seen.body for seen in upstream.seen] == [b"abc"]
    assert upstream.seen[0].all("Expect") == []


def test_websocket() -> None:
    def upgrade(seen: Seen, handler: Any) -> None:
        key = seen.all("Sec-WebSocket-Key")[0] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        handler.wfile.write(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\nhello".encode()
        )
        while data := handler.connection.recv(4096):
            handler.connection.sendall(data.upper())

    upstream = Upstream(upgrade)
    headers = with_token(
        ("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
    )  # fmt: skip
    with proxy(upstream) as gateway, client_of(gateway) as client:
        client.send(b"GET /live HTTP/1.1\r\n" + b"".join(
            f"{n}: {v}\r\n".encode() for n, v in headers) + b"\r\n")  # fmt: skip
        answer = client.read_head()
        assert answer and answer.status == 101
        assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert client.file.read(5) == b"hello"
        for text in (b"abc", b"x" * 100_000):
            threading.Thread(target=client.send, args=(text,)).start()
            assert client.file.read(len(text)) == text.upper()
        client.socket.shutdown(socket.SHUT_WR)
        assert client.file.read() == b""
    assert upstream.seen[0].all("Upgrade") == ["websocket"]


# --- What is refused -----------------------------------------------------------------------------


SMUGGLED = {
    "both lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n",
    "the same length twice": "Content-Length: 5\r\nContent-Length: 5\r\n",
    "a list of lengths": "Content-Length: 5, 5\r\n",
    "a signed length": "Content-Length: +5\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\n",
    "a folded line": "X: a\r\n b\r\n",
    "a lone line feed": "X: a\nTransfer-Encoding: chunked\r\n",
    "a lone return": "X: a\rTransfer-Encoding: chunked\r\n",
    "another coding": "Transfer-Encoding: xchunked\r\n",
    "chunked in quotes": 'Transfer-Encoding: "chunked"\r\n',
    "chunked not last": "Transfer-Encoding: chunked, gzip\r\n",
    "a NUL": "X: a\0b\r\n",
    "two hosts": "Host: other.example\r\n",
    "the length made to go": "Content-Length: 5\r\nConnection: content-length\r\n",
    "the host made to go": "Connection: host\r\n",
}


@pytest.mark.parametrize("fields", SMUGGLED.values(), ids=SMUGGLED)
def test_a_request_that_two_servers_end_in_two_places_is_refused(fields: str) -> None:
    upstream = Upstream(say("x"))
    with proxy(upstream) as gateway, client_of(gateway) as client:
        start = f"POST / HTTP/1.1\r\nHost: api.example\r\nTouchmark-Token: {token()}\r\n"
        client.send((start + fields + "\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n").encode())
        answer = client.read()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert client.read_head() is None
    assert upstream.seen == []


@pytest.mark.parametrize(
    "chunks",
    [b"5\nhello\n0\n\n", b"5 \r\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"-1\r\n\r\n"],
)
def test_bad_chunks_end_the_request(chunks: bytes) -> None:
    upstream = Upstream(say("x"))
    with proxy(upstream) as gateway, client_of(gateway) as client:
        answer = client.ask("POST", "/", with_token(("Transfer-Encoding", "chunked")), chunks)
        assert (answer.status, answer.headers["connection"]) == (400, "close")


def test_a_megabyte_of_header_is_refused() -> None:
    with proxy(Upstream(say("x"))) as gateway, client_of(gateway) as client:
        answer = client.ask("GET", "/", [HOST, ("X", "y" * (1 << 20))])
        assert answer.status == 431


def test_a_slow_header_ends() -> None:
    with (
        proxy(Upstream(say("x")), "--header-timeout", "1s") as gateway,
        client_of(gateway) as client,
    ):
        began = time.monotonic()
        client.send(b"GET / HTTP/1.1\r\nHost: a")
        assert client.file.read() == b""
        assert time.monotonic() - began < 5


def test_an_upstream_that_is_not_there_or_says_nothing() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options = ["--listen", "127.0.0.1:0", "--upstream", url, "--progress-timeout", "1s"]
    with Gateway(*options).wait_for("proxy") as gateway:
        with client_of(gateway) as client:
            assert client.ask("GET", "/", with_token()).status == 504
        listener.close()
        with client_of(gateway) as client:
            assert client.ask("GET", "/", with_token()).status == 502


@pytest.mark.parametrize(
    "answer",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "nonsense\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
def test_an_answer_that_is_none(answer: str) -> None:
    def respond(_: Seen, handler: Any) -> None:
        handler.wfile.write(answer.encode())

    with proxy(Upstream(respond)) as gateway, client_of(gateway) as client:
        assert client.ask("GET", "/", with_token()).status == 502


def test_half_an_answer_does_not_look_like_a_whole_one() -> None:
    def half(_: Seen, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        handler.connection.shutdown(socket.SHUT_RDWR)

    with proxy(Upstream(half)) as gateway, client_of(gateway) as client:
        client.send(b"GET / HTTP/1.1\r\n" + b"".join(
            f"{n}: {v}\r\n".encode() for n, v in with_token()) + b"\r\n")  # fmt: skip
        assert not client.socket.makefile("rb").read().endswith(b"0\r\n\r\n")


# --- Rules ---------------------------------------------------------------------------------------

RULES = """
[[rule]]
path = "/health"
mode = "off"
[[rule]]
path = "/v2/*"
level = "tee"
[[rule]]
path = "/v1/*"
mode = "report"
"""


@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        ("/health", 200, "off"),
        ("/health/", 200, "off"),
        ("/health/x", 401, "no-token"),
        ("/healthy", 401, "no-token"),
        ("/v1/rates", 200, "no-token"),
        ("/v1/../v2/rates", 401, "no-token"),
        ("/v1/%2e%2e/v2/rates", 401, "no-token"),
        ("/v1/%2E./v2/rates", 401, "no-token"),
        ("//v2/rates", 401, "no-token"),
        ("/v1//../v2/rates", 401, "no-token"),
        ("/%76%31/rates", 200, "no-token"),
        ("/V1/rates", 400, ""),
        ("/Health", 400, ""),
        ("/v1/..%2fv2", 400, ""),
        ("/v1/..;/v2", 400, ""),
        ("/v1\\..\\v2", 400, ""),
        ("/v1/%252e%252e/v2", 400, ""),
        ("/../v1/x", 400, ""),
        ("http://api.example/v1/rates", 400, ""),
        ("/other", 401, "no-token"),
    ],
)
def test_no_spelling_gets_around_a_rule(
    target: str, status: int, reason: str, tmp_path: Path
) -> None:
    upstream = Upstream(say("x"))
    with proxy(upstream, *with_rules(tmp_path, RULES)) as gateway, client_of(gateway) as client:
        assert client.ask("GET", target, [HOST]).status == status
        if reason:
            assert gateway.decision()["reason"] == reason
    for seen in upstream.seen:
        assert not {"..", "//"} & {seen.line.split()[1]}


def test_the_upstream_sees_the_path_that_the_rule_saw(tmp_path: Path) -> None:
    upstream = Upstream(say("x"))
    with proxy(upstream, *with_rules(tmp_path, RULES)) as gateway, client_of(gateway) as client:
        client.ask("GET", "/v2/./a/../%76//x%20y?z=%2e", [*with_token(lvl="tee")])
    assert upstream.seen[0].line == "GET /v2/v/x%20y?z=%2e HTTP/1.1"


def test_rules_ask_for_levels_and_lead_elsewhere(tmp_path: Path) -> None:
    first, second = Upstream(say("first")), Upstream(say("second"))
    with second.serve(tmp_path / "second.sock") as where:
        text = RULES + f'[[rule]]\npath = "/pay"\nupstream = "{where}"\nsingle_use = true\n'
        with proxy(first, *with_rules(tmp_path, text)) as gateway, client_of(gateway) as client:
            assert client.ask("GET", "/v2/x", with_token(lvl="software")).status == 401
            assert client.ask("GET", "/v2/x", with_token(lvl="secure-chip")).body == b"first"
            once = with_token(jti="one")
            assert client.ask("GET", "/pay", once).body == b"second"
            assert client.ask("GET", "/pay", once).status == 401
            assert client.ask("GET", "/", once).body == b"first"


# --- The process ---------------------------------------------------------------------------------


def test_metrics_and_health() -> None:
    options = ["--metrics-listen", "127.0.0.1:0"]
    with proxy(Upstream(say("x")), *options) as gateway:
        gateway.wait_for("metrics")
        with client_of(gateway) as client:
            client.ask("GET", "/a/secret/path", with_token())
            client.ask("GET", "/", [HOST])
        with client_of(gateway, "metrics") as client:
            text = client.ask("GET", "/metrics", [HOST]).body.decode()
            assert client.ask("GET", "/healthz", [HOST]).body == b"ok\n"
            assert client.ask("GET", "/else", [HOST]).status == 404
            assert client.ask("POST", "/metrics", [HOST]).status == 405
    valid = 'maker="touchmark",status="valid",reason="ok",enforced="true",route="*"'
    assert f"touchmark_requests_total{{{valid}}} 1\n" in text
    assert 'status="missing",reason="no-token"' in text
    assert "secret" not in text


def test_the_log_holds_no_token() -> None:
    bad = token(secret=base64.b64encode(bytes(32)).decode())
    with proxy(Upstream(say("x"))) as gateway, client_of(gateway) as client:
        client.ask("GET", "/", [HOST, ("Touchmark-Token", bad)])
        event = gateway.decision()
    assert event["token_sha256"] == hashlib.sha256(bad.encode()).hexdigest()[:12]
    assert bad not in json.dumps(event)


def test_a_request_under_way_is_answered_before_the_end() -> None:
    comes, goes_on = threading.Event(), threading.Event()

    def slow(seen: Seen, handler: Any) -> None:
        comes.set()
        goes_on.wait(TIME)
        say("late")(seen, handler)

    with proxy(Upstream(slow)) as gateway, client_of(gateway) as client:
        waits = Client(gateway.connect("proxy"))
        assert waits.ask("GET", "/", [HOST]).status == 401
        client.send(b"GET / HTTP/1.1\r\n" + b"".join(
            f"{n}: {v}\r\n".encode() for n, v in with_token()) + b"\r\n")  # fmt: skip
        assert comes.wait(TIME)
        gateway.process.terminate()
        assert waits.file.read() == b""  # it waited for nothing
        with pytest.raises(OSError):
            connect(gateway.addresses["proxy"])
        goes_on.set()
        answer = client.read()
        assert (answer.body, answer.headers["connection"]) == (b"late", "close")
        assert gateway.process.wait(timeout=TIME) == 0


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    upstream = Upstream(say("x"))
    with upstream.serve(tmp_path / "api.sock") as url:
        for _ in range(2):  # what the first left behind is removed
            with Gateway("--listen", f"unix:{path}", "--upstream", url).wait_for(
                "proxy"
            ) as gateway:
                with client_of(gateway) as client:
                    assert client.ask("GET", "/", with_token()).body == b"x"
                gateway.process.kill()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "nothing to listen on"),
        (["--listen", "127.0.0.1:0"], "there is no --upstream"),
        (["--decision-listen", "nowhere"], '--decision-listen: is "nowhere"'),
        (["--decision-listen", "127.0.0.1:0", "--threads", "0"], '--threads: is "0"'),
        (["--config", "/no/such/file", "--decision-listen", "127.0.0.1:0"], "/no/such/file"),
    ],
)
def test_a_start_that_cannot_be(options: list[str], problem: str) -> None:
    gateway = Gateway(*options)
    assert gateway.process.wait(timeout=TIME) == 2
    gateway._reader.join(TIME)
    assert any(problem in line for line in gateway.others), gateway.others


def test_a_setting_that_cannot_be() -> None:
    gateway = Gateway("--decision-listen", "127.0.0.1:0", settings={"TOUCHMARK_SECRET": "short"})
    assert gateway.process.wait(timeout=TIME) == 2
    gateway._reader.join(TIME)
    assert any("TOUCHMARK_SECRET is not base64" in line for line in gateway.others)
