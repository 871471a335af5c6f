"""One body, as large as the service takes and sent again and again, leaves little behind: no
signature and no challenge is needed for each, so nothing but a bound stops it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fault.measure import cpu_seconds, database_bytes, log_bytes, resident_bytes
from kit import apk
from kit.command import Command
from kit.registered_app import RegisteredApp
from kit.soft_attester import Answer, SoftAttester, TlsConnection, b64url

REQUESTS = 600
LOG_BYTES_EACH = 4096
DATABASE_BYTES_EACH = 6144
MEMORY_BYTES = 48 << 20


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RegisteredApp]:
    started = RegisteredApp.start(tmp_path, policy="development")
    yield started
    started.service.stop()


def sent(answer: Answer, status: int = 200) -> None:
    assert answer.status == status, answer.body


def attester(app: RegisteredApp) -> SoftAttester:
    return app.attester()


def worst_claims() -> dict[str, Any]:
    """What fills log and records most: findings with long details, and text that grows in JSON."""
    findings = [
        {"id": ("root.su", "no.such", "hook.framework")[n % 3], "detail": '"\\' * 128}
        for n in range(256)
    ]
    text = "\x01" * 255
    platform = {"os": "android", "os_version": text, "model": text, "manufacturer": text}
    return {"findings": findings, "platform": {**platform, "installer": text}}


def growth(app: RegisteredApp, send: Any, requests: int = REQUESTS) -> dict[str, float]:
    service = app.service
    for _ in range(50):  # what every process takes once
        send()
    time.sleep(6)
    memory, log, database = resident_bytes(service), log_bytes(service), database_bytes(service)
    for _ in range(requests):
        send()
    time.sleep(6)  # housekeeping writes what waits
    return {
        "memory": resident_bytes(service) - memory,
        "log": (log_bytes(service) - log) / requests,
        "database": (database_bytes(service) - database) / requests,
    }


def check(grown: dict[str, float]) -> None:
    print({name: round(value) for name, value in grown.items()})
    assert grown["log"] < LOG_BYTES_EACH
    assert grown["database"] < DATABASE_BYTES_EACH
    assert grown["memory"] < MEMORY_BYTES


def test_a_replayed_body(app: RegisteredApp) -> None:
    client = attester(app)
    evidence = client.sign({**client.claims(client.challenge()), **worst_claims()})
    assert 180_000 < len(evidence) < 256 * 1024
    grown = growth(app, lambda: sent(client.send(evidence)))
    check(grown)
    # Its details are the client's words, and it has answered no challenge.
    last = [e for e in app.service.events() if e.get("event") == "attest"][-1]
    assert "\\" not in json.dumps(last["details"]).replace('\\"', ""), "none of its words"
    assert "challenge.replayed" in last["findings"]


def test_a_body_for_a_forged_challenge(app: RegisteredApp) -> None:
    client = attester(app)
    forged = {**client.claims(client.challenge()), **worst_claims(), "eat_nonce": b64url(bytes(40))}
    evidence = client.sign(forged)
    check(growth(app, lambda: sent(client.send(evidence)), 300))


def test_a_body_for_a_new_challenge_each_time(app: RegisteredApp) -> None:
    client = attester(app)
    check(growth(app, lambda: sent(client.attest(**worst_claims())), 300))


def test_malformed_bodies(app: RegisteredApp) -> None:
    client = attester(app)
    body = json.dumps({"evidence": "x." * 60_000 + "\x01" * 20_000}).encode()
    check(growth(app, lambda: sent(client.connection.post("/v1/attest", body), 400), 300))


def test_a_path_that_an_operator_never_asked_for(app: RegisteredApp) -> None:
    connection = TlsConnection(app.url)
    path = "/admin/v1/registrations/" + "x" * 12_000

    def send() -> None:
        sent(connection.post(path, b""), 405)

    check(growth(app, send, 300))


def test_honest_records_outlive_a_flood_and_are_judged_again(
    app: RegisteredApp, tmp_path: Path
) -> None:
    honest = attester(app)
    honest.attest()
    client = attester(app)
    evidence = client.sign({**client.claims(client.challenge()), **worst_claims()})
    began = time.monotonic()
    sent_between_writes = 0
    while sent_between_writes < 800 or time.monotonic() < began + 5:
        client.send(evidence)
        sent_between_writes += 1
    honest.attest()
    flushes = (time.monotonic() - began) / 5 + 2
    admin = Command(tmp_path / "home")
    admin.init(app.service)
    policy = tmp_path / "policy.toml"
    policy.write_text("version = 1\n[android]\nmin_os_version = 15\n")
    replayed = admin.json("policy", "replay", str(policy))
    assert replayed["newly_failing"]["appraisals"] == 2
    assert replayed["appraisals"] <= 2 + 256 * flushes


def test_a_replay_of_all_that_is_kept_takes_little_memory(
    app: RegisteredApp, tmp_path: Path
) -> None:
    attester(app).attest()
    service = app.service
    service.stop()
    # As many records as are kept, each as large as one may be.
    with sqlite3.connect(service.data / "touchmark.db") as database:
        content = json.loads(database.execute("SELECT content FROM appraisal").fetchone()[0])
        content["findings"] = [{"id": "root.su", "detail": "x" * 3300}]
        database.executemany(
            "INSERT INTO appraisal (time, did, passed, content) VALUES (?, ?, 1, ?)",
            [(1, f"did{n}", json.dumps(content)) for n in range(10_000)],
        )
    service.start()
    admin = Command(tmp_path / "home")
    admin.init(service)
    before = resident_bytes(service)
    policy = tmp_path / "policy.toml"
    policy.write_text("version = 1\n[findings]\n")
    replayed = admin.json("policy", "replay", str(policy))
    assert replayed["appraisals"] == 10_000
    assert resident_bytes(service) - before < 24 << 20


PARTS = 2400


@pytest.fixture
def many_releases(app: RegisteredApp, tmp_path: Path) -> RegisteredApp:
    """Sixteen releases of one version with many parts, which differ in the last of them."""
    admin = Command(tmp_path / "releases-home")
    admin.init(app.service)
    signer = apk.SigningKey.generate()
    manifest = apk.compile_manifest("com.example.many")
    for number in range(16):
        files = {f"lib/arm64-v8a/l{n:04}.so": b"%d" % n for n in range(PARTS)}
        files[f"lib/arm64-v8a/l{PARTS - 1:04}.so"] = b"release %d" % number
        package = tmp_path / f"many{number}.apk"
        package.write_bytes(apk.build(manifest, signer, files))
        admin.ok("registration", "add", package)
    return app


def test_the_releases_do_not_make_an_attestation_dearer(many_releases: RegisteredApp) -> None:
    """Evidence that is like sixteen releases in all but a part, beside the same evidence for an app
    that has none: what is compared has a bound."""
    app = many_releases
    client = attester(app)
    parts = {
        f"lib/arm64-v8a/l{n:04}.so": b64url(hashlib.sha256(b"%d" % n).digest())
        for n in range(PARTS)
    }

    def evidence(package: str) -> str:
        claims = client.claims(client.challenge())
        about = {"package": package, "parts": parts, "measurement": b64url(bytes(32))}
        return client.sign({**claims, "app": {**claims["app"], "version_code": 1, **about}})

    def cost(body: str, requests: int = 100) -> float:
        for _ in range(10):
            sent(client.send(body))
        before = cpu_seconds(app.service)
        for _ in range(requests):
            sent(client.send(body))
        return (cpu_seconds(app.service) - before) / requests

    # In turns, and the least of each: what else the machine does comes and goes.
    bodies = evidence("com.example.none"), evidence("com.example.many")
    rounds = []
    for _ in range(12):
        rounds.append([cost(body) for body in bodies])
        alone, compared = (min(costs) for costs in zip(*rounds, strict=True))
        # About 1.9 of it; were nothing bounded, 3.3.
        if len(rounds) >= 4 and compared < 2.5 * alone:
            break
    print(f"{alone * 1e3:.2f} ms without releases, {compared * 1e3:.2f} ms with sixteen")
    assert compared < 2.5 * alone
