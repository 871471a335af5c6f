"""Tokens that count once: in memory, and in a real Redis that several processes share."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tokens import SECRET, token
from touchmark_attestation import (
    Guard,
    MemoryStore,
    RedisStore,
    RouteOptions,
    Settings,
    SettingsError,
    StoreLost,
    TokenReason,
)

TEXT = base64.b64encode(SECRET).decode()


def guard(single_use: str | None = "memory", **settings: str) -> Guard:
    named = {f"TOUCHMARK_{name}": value for name, value in settings.items()}
    if single_use is not None:
        named["TOUCHMARK_SINGLE_USE"] = single_use
    return Guard(Settings.read({"TOUCHMARK_SECRET": TEXT, **named}))


def fresh(jti: Any, **claims: Any) -> str:
    return token(jti=jti, **{"exp": int(time.time()) + 60, **claims})


def reason(one: Guard, text: str, options: RouteOptions | None = None) -> TokenReason:
    found = one.check("GET", {"Touchmark-Token": text}, options=options)
    return found.result.reason


def test_a_token_is_remembered_until_its_end_and_not_longer() -> None:
    store = MemoryStore()
    assert store.spend("a", until=10, now=0)
    assert not store.spend("a", until=10, now=9.9)
    assert store.spend("a", until=20, now=10)
    assert not store.spend("a", until=20, now=19)


def test_a_full_memory_is_a_lost_store_until_something_ends() -> None:
    store = MemoryStore(3)
    assert all(store.spend(name, until=5 + number, now=0) for number, name in enumerate("abc"))
    with pytest.raises(StoreLost, match="3 tokens"):
        store.spend("d", until=9, now=1)
    assert not store.spend("a", until=9, now=1), "what is known is still refused"
    assert store.spend("d", until=9, now=5)
    with pytest.raises(StoreLost):
        store.spend("e", until=9, now=5)


def test_threads_spend_a_token_once() -> None:
    one = guard()
    texts = [fresh(f"t{number}") for number in range(200)]
    served: list[str] = []

    def spend() -> None:
        served.extend(text for text in texts if reason(one, text) is TokenReason.OK)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(served) == sorted(texts)


def test_a_token_is_spent_in_report_mode_too() -> None:
    one, text = guard(MODE="report"), fresh("x")
    assert reason(one, text) is TokenReason.OK
    decision = one.check("GET", {"Touchmark-Token": text})
    assert decision.result.reason is TokenReason.REPLAYED and decision.allowed


def test_a_token_is_spent_last() -> None:
    one = guard(BINDING_HEADERS="Authorization")
    text = fresh("x")
    assert reason(one, text) is TokenReason.NO_BOUND_HEADER
    assert reason(one, text, RouteOptions(binding_headers=())) is TokenReason.OK
    assert reason(one, text, RouteOptions(binding_headers=())) is TokenReason.REPLAYED


def test_a_route_may_ask_for_it_and_another_may_not() -> None:
    one, text = guard(None), fresh("x")
    once = RouteOptions(single_use=True)
    assert [reason(one, text) for _ in range(2)] == [TokenReason.OK] * 2
    assert [reason(one, text, once) for _ in range(2)] == [TokenReason.OK, TokenReason.REPLAYED]
    assert reason(one, fresh(None), once) is TokenReason.NO_JTI
    always, text = guard(), fresh("y")
    free = RouteOptions(single_use=False)
    assert [reason(always, text, free) for _ in range(2)] == [TokenReason.OK] * 2


# Redis -------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def redis_server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("redis-server")
    assert program, "tools/setup --tests installs redis-server"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "redis-server did not start"
                time.sleep(0.02)
        yield server
    finally:
        server.kill()
        server.wait(20)


def test_processes_that_share_a_redis_spend_a_token_once_between_them() -> None:
    port = free_port()
    with redis_server(port):
        guards = [guard(f"redis://127.0.0.1:{port}/1") for _ in range(2)]
        text = fresh("x")
        assert [reason(one, text) for one in guards] == [TokenReason.OK, TokenReason.REPLAYED]
        # Also a token that a token's maker gave an end beyond what Redis takes.
        text = fresh("far", exp=2**53 - 1)
        assert [reason(one, text) for one in guards] == [TokenReason.OK, TokenReason.REPLAYED]
        store = RedisStore(f"redis://127.0.0.1:{port}/1")
        now = time.time()
        assert store.spend("short", now + 0.5, now)
        kept = list(store._client.scan_iter())
        (key,) = [one for one in kept if 0 < store._client.ttl(one) < 5]
        assert b"short" not in key and len(kept) == 3
        # Another database is another store.
        assert reason(guard(f"redis://127.0.0.1:{port}/2"), fresh("x")) is TokenReason.OK


def test_a_lost_redis_is_closed_or_open_and_comes_back() -> None:
    port = free_port()
    closed = guard(f"redis://127.0.0.1:{port}")
    opened = guard(f"redis://127.0.0.1:{port}", REPLAY_FAILURE="open")
    assert reason(closed, fresh("a")) is TokenReason.NO_REPLAY_STORE
    assert reason(opened, fresh("b")) is TokenReason.OK
    with redis_server(port) as server:
        text = fresh("c")
        assert [reason(closed, text) for _ in range(2)] == [TokenReason.OK, TokenReason.REPLAYED]
        server.kill()
        server.wait(20)
        began = time.monotonic()
        assert reason(closed, fresh("d")) is TokenReason.NO_REPLAY_STORE
        assert reason(opened, fresh("e")) is TokenReason.OK
        assert reason(closed, fresh(None)) is TokenReason.NO_JTI
        assert time.monotonic() - began < 10
    with redis_server(port):
        # The connections of the pool are those of the server that is gone.
        assert reason(closed, fresh("f")) is TokenReason.OK


def test_a_redis_that_does_not_answer_is_lost_in_a_second_or_two() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = guard(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert reason(one, fresh("a")) is TokenReason.NO_REPLAY_STORE
        assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "Memory", "redis", "redis://", "redis:///1", "redis://h:0", "redis://h:x",
        "redis://h/x", "redis://h/1/2", "redis://h/-1", "rediss://h", "http://h", "redis://h?a=b",
        "redis://h#x", "redis://user:secret@h", "redis://:secret@h/0",
    ],
)  # fmt: skip
def test_a_store_that_cannot_be_one_is_named_without_a_password(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^TOUCHMARK_SINGLE_USE ") as caught:
        guard(value)
    assert ":secret" not in str(caught.value)
