"""While somebody floods the service, an operator's command and another client's attestation are
answered, and memory, log and database stay within bounds."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kit import flood
from kit.flood import Cost
from kit.registered_app import RegisteredApp, touchmark
from kit.soft_attester import SoftAttester, TlsConnection

SECONDS = float(os.environ.get("TOUCHMARK_FLOOD_SECONDS", "10"))
# Of most answers, and of each, beside the attacker's own processes on the same machine.
USUAL = 1.0
SLOWEST = 2.0
MIB = 1 << 20
HALF_HEADER = b"GET /healthz HTTP/1.1\r\nX-Slow: "
HALF_BODY = b"POST /v1/attest HTTP/1.1\r\nHost: a\r\nContent-Length: 262144\r\n\r\n" + bytes(60_000)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    folder = tmp_path_factory.mktemp("flooded")
    app = RegisteredApp.start(
        folder, ["--max-connections", "1000", "--log-level", "info"], policy="development"
    )
    yield app
    app.service.stop()


def attest(app: RegisteredApp) -> None:
    """As a phone does: a new connection, a challenge and the answer to it."""
    connection = TlsConnection(app.url, timeout=10)
    try:
        answer = SoftAttester(connection, app.account, app.app).attest()
        assert answer.status == 200, answer.body
    finally:
        connection.close()


def timed(what: Callable[[], object]) -> float:
    before = time.monotonic()
    what()
    return time.monotonic() - before


def evidence(app: RegisteredApp, details: int = 0) -> bytes:
    """A request whose evidence is refused: its challenge was answered already."""
    connection = TlsConnection(app.url)
    attester = SoftAttester(connection, app.account, app.app)
    challenge = attester.challenge()
    found: dict[str, Any] = {}
    if details:
        found["findings"] = [{"id": "hook.text-modified", "detail": "x" * 500}] * details
    claims = {**attester.claims(challenge), **found}
    body = json.dumps({"evidence": attester.sign(claims)}).encode()
    assert connection.post("/v1/attest", body).status == 200
    connection.close()
    return flood.post("/v1/attest", body)


def floods(app: RegisteredApp) -> dict[str, tuple[Any, ...]]:
    where = flood.address_of(app.service)
    wrong = "Authorization: Bearer tmk_admin_" + "A" * 43 + "\r\n"
    garbage = json.dumps({"evidence": "x" * 187_000}).encode()
    forged = json.dumps({"evidence": ".".join(["eyJhbGciOiJFUzI1NiJ9", "A" * 2000, "A" * 86])})
    return {
        "silent sockets": (flood.silent_sockets, where, 1500),
        "half a ClientHello": (flood.half_handshakes, where, 1000, 7),
        # Each costs the service a signature: more of them than it can make leave those of the same
        # address to chance, so these come from another one.
        "half handshakes": (flood.half_handshakes, where, 1000, None, "127.0.0.2"),
        "handshakes": (flood.handshakes, where),
        "idle connections": (flood.idle_connections, where, 1200),
        "dripping headers": (flood.dripping_requests, where, 700, HALF_HEADER),
        "dripping bodies": (flood.dripping_requests, where, 700, HALF_BODY),
        "deaf clients": (flood.deaf_clients, where, 200),
        "refused evidence": (flood.requests, where, evidence(app), 1_000_000),
        "refused evidence, a connection each": (flood.requests, where, evidence(app), 1),
        "refused evidence of 187 KB": (flood.requests, where, evidence(app, 250), 100),
        "nonsense of 187 KB": (flood.requests, where, flood.post("/v1/attest", garbage), 100),
        "forged evidence": (flood.requests, where, flood.post("/v1/attest", forged.encode()), 100),
        "challenges": (
            flood.requests,
            where,
            flood.post(
                "/v1/challenge",
                json.dumps({"account": app.account, "measurement": app.app.digest()}).encode(),
            ),
            100,
        ),
        "wrong operator tokens": (
            flood.requests,
            where,
            f"GET /admin/v1/status HTTP/1.1\r\nHost: a\r\n{wrong}\r\n".encode(),
            100,
        ),
        "broken requests": (flood.requests, where, b"GET / HTTP/1.1\r\nX: \x01\r\n\r\n", 10),
    }


NAMES = [
    "silent sockets",
    "half a ClientHello",
    "half handshakes",
    "handshakes",
    "idle connections",
    "dripping headers",
    "dripping bodies",
    "deaf clients",
    "refused evidence",
    "refused evidence, a connection each",
    "refused evidence of 187 KB",
    "nonsense of 187 KB",
    "forged evidence",
    "challenges",
    "wrong operator tokens",
    "broken requests",
]


# Whatever else the machine does counts as the service's: one round of these has to hold.
ROUNDS = 3


@pytest.mark.parametrize("name", NAMES)
def test_others_are_served_and_nothing_grows_without_bound(
    target: RegisteredApp, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    what = floods(target)
    assert sorted(what) == sorted(NAMES)
    attest(target)
    for left in reversed(range(ROUNDS)):
        calm = Times.of(target)
        before = Cost.of(target.service)
        during = Times()
        with flood.running(*what[name], processes=2):
            until = time.monotonic() + SECONDS + 1  # the attackers take a while to start
            while time.monotonic() < until:
                during.add(target)
                time.sleep(0.05)
            after = Cost.of(target.service)
        with capsys.disabled():
            print(f"\n{name}: {during} (calm: {calm}); {after.grown_since(before)}")
        assert after.memory - before.memory < 128 * MIB
        assert after.log - before.log < 16 * MIB
        assert after.database - before.database < 16 * MIB
        assert after.descriptors < 1000 + 128
        slow = during.slower_than(calm)
        if not slow:
            return
        assert left > 0, slow


@dataclass
class Times:
    """Of attestations and of an operator's commands, in seconds."""

    attestations: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)

    @staticmethod
    def of(app: RegisteredApp) -> Times:
        times = Times()
        times.add(app)
        return times

    def add(self, app: RegisteredApp) -> None:
        self.attestations.append(timed(lambda: attest(app)))
        self.commands.append(timed(lambda: touchmark(app.service, "status")))

    def slower_than(self, calm: Times) -> str:
        for times, before in (
            (self.attestations, calm.attestations),
            (self.commands, calm.commands),
        ):
            if statistics.median(times) > before[0] + USUAL or max(times) > before[0] + SLOWEST:
                return str(self)
        return ""

    def __str__(self) -> str:
        return ", ".join(
            f"{what} {statistics.median(times):.3f} s, at most {max(times):.3f}"
            for what, times in (("attestation", self.attestations), ("command", self.commands))
        )


def test_a_flood_is_told_in_the_log_and_not_by_a_line_for_each_request(
    target: RegisteredApp,
) -> None:
    seen = target.service.log.stat().st_size
    where = flood.address_of(target.service)
    with flood.running(flood.half_handshakes, where, 1500):
        time.sleep(7)
    events = [event["event"] for event in target.service.events(seen)]
    assert "pressure" in events
    assert len(events) < 1000


def test_one_client_takes_no_connection_from_the_others_with_few_descriptors(
    tmp_path: Path,
) -> None:
    app = RegisteredApp.start(tmp_path, policy="development")
    app.service.stop()
    app.service.prefix = ["bash", "-c", 'ulimit -n 256; exec "$0" "$@"']
    app.service.start()
    try:
        lowered = [e for e in app.service.events() if e["event"] == "connections.lowered"]
        assert lowered[0]["max_connections"] == 256 - 128
        seen = app.service.log.stat().st_size
        with flood.running(flood.silent_sockets, flood.address_of(app.service), 300):
            time.sleep(2)
            for _ in range(5):
                assert timed(lambda: attest(app)) < SLOWEST
                assert timed(lambda: touchmark(app.service, "status")) < SLOWEST
        assert "accept.failed" not in [e["event"] for e in app.service.events(seen)]
    finally:
        app.service.stop()
