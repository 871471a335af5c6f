"""A failed attestation's answer gives nothing away: same status, headers, size and claim names."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from kit.registered_app import RegisteredApp
from kit.soft_attester import Answer, SoftAttester, TlsConnection, b64url_decode

EACH = 1000


@pytest.fixture
def pair(registered_app: RegisteredApp) -> Iterator[tuple[SoftAttester, SoftAttester]]:
    """An attester that passes and one that fails, each on its own connection."""
    url, account, app = registered_app.url, registered_app.account, registered_app.app
    good = SoftAttester(TlsConnection(url), account, app)
    bad = SoftAttester(TlsConnection(url), account, app)
    yield good, bad
    good.connection.close()
    bad.connection.close()


def shape(answer: Answer) -> tuple[object, ...]:
    body = answer.json()
    token = body["token"]
    header, claims, signature = token.split(".")
    payload = json.loads(b64url_decode(claims))
    headers = sorted((k.lower(), v) for k, v in answer.headers if k.lower() != "date")
    return (
        answer.status,
        tuple(headers),
        len(answer.body),
        tuple(sorted(body)),
        header,
        tuple(payload),
        tuple(len(str(v)) for v in payload.values()),
        len(signature),
    )


def test_valid_and_decoy_answers_have_one_shape(
    pair: tuple[SoftAttester, SoftAttester], registered_app: RegisteredApp
) -> None:
    good, bad = pair
    secret, decoy = registered_app.secret, registered_app.decoy_secret
    shapes = set()
    unchanged: dict[str, Any] = {}
    hooked = {"findings": [{"id": "hook.text-modified", "detail": "libc.so"}]}
    for _ in range(EACH):
        for attester, key, changed in ((good, secret, unchanged), (bad, decoy, hooked)):
            answer = attester.attest(**changed)
            shapes.add(shape(answer))
            jwt.decode(answer.json()["token"], key, algorithms=["HS256"])
    assert len(shapes) == 1, shapes


@pytest.mark.parametrize(
    "name, change",
    [
        (
            "app.not-registered",
            lambda c: c["app"].update(
                measurement=base64.urlsafe_b64encode(bytes(32)).decode()[:43]
            ),
        ),
        (
            "app.range-proof",
            lambda c: c.update(range_proof=base64.urlsafe_b64encode(bytes(32)).decode()[:43]),
        ),
        (
            "network.mitm",
            lambda c: c["tls"].update(exporter=base64.urlsafe_b64encode(bytes(32)).decode()[:43]),
        ),
        ("evidence.checks-missing", lambda c: c.update(checks=["app"])),
        ("evidence.wrong-account", lambda c: c.update(account="0" * len(c["account"]))),
        ("device.host-build", lambda c: c["sdk"].update(build="host")),
    ],
)
def test_each_failure_gets_a_decoy_of_that_shape(
    pair: tuple[SoftAttester, SoftAttester],
    registered_app: RegisteredApp,
    name: str,
    change: Callable[[dict[str, Any]], object],
) -> None:
    good, bad = pair
    expected = shape(good.attest())
    claims = bad.claims(bad.challenge())
    change(claims)
    before = registered_app.service.log.stat().st_size
    answer = bad.send(bad.sign(claims))
    assert shape(answer) == expected
    jwt.decode(answer.json()["token"], registered_app.decoy_secret, algorithms=["HS256"])
    verdicts = [e for e in registered_app.service.events(before) if e.get("event") == "attest"]
    assert name in verdicts[-1]["findings"]


def test_replayed_evidence_fails(
    pair: tuple[SoftAttester, SoftAttester], registered_app: RegisteredApp
) -> None:
    good, _ = pair
    evidence = good.sign(good.claims(good.challenge()))
    first, second = good.send(evidence), good.send(evidence)
    jwt.decode(first.json()["token"], registered_app.secret, algorithms=["HS256"])
    jwt.decode(second.json()["token"], registered_app.decoy_secret, algorithms=["HS256"])


def test_relayed_evidence_fails(
    pair: tuple[SoftAttester, SoftAttester], registered_app: RegisteredApp
) -> None:
    """Genuine evidence, sent through a connection that is not the one it was made on."""
    good, relay = pair
    evidence = good.sign(good.claims(good.challenge()))
    answer = relay.send(evidence)
    jwt.decode(answer.json()["token"], registered_app.decoy_secret, algorithms=["HS256"])
