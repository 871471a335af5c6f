"""A failed attestation's answer gives nothing away: status, headers, size, claims and the next
challenge with its ranges are as those of a good one."""

from __future__ import annotations

import base64
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jwt
import pytest

from kit.hardware import AndroidPhone, new_key, vouched
from kit.registered_app import RegisteredApp, set_policy
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
    """Everything in an answer that is not drawn at random."""
    body = answer.json()
    token = body["token"]
    header, claims, signature = token.split(".")
    challenge = body["challenge"]
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
        body["expires_in"],
        tuple(sorted(challenge)),
        len(challenge["nonce"]),
        challenge["expires_in"],
        len(challenge["ranges"]),
        tuple(type(member).__name__ for one in challenge["ranges"] for member in one),
    )


class Ranges:
    """The ranges of many challenges, to be compared with those of others."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.offsets: list[int] = []
        self.lengths: list[int] = []

    def add(self, challenge: dict[str, Any]) -> None:
        for part, offset, length in challenge["ranges"]:
            self.parts.append(part)
            self.offsets.append(offset)
            self.lengths.append(length)

    def assert_like(self, other: Ranges) -> None:
        assert set(self.parts) == set(other.parts)
        for part in set(self.parts):
            self._assert_same(
                [float(name == part) for name in self.parts],
                [float(name == part) for name in other.parts],
            )
        self._assert_same(self.offsets, other.offsets)
        self._assert_same(self.lengths, other.lengths)

    @staticmethod
    def _assert_same(a: Sequence[float], b: Sequence[float]) -> None:
        """Kolmogorov and Smirnov's test. Draws of one kind fail it once in a million times."""
        points = sorted(set(a) | set(b))
        sorted_a, sorted_b = sorted(a), sorted(b)
        distance = max(
            abs(bisect_right(sorted_a, x) / len(a) - bisect_right(sorted_b, x) / len(b))
            for x in points
        )
        bound = math.sqrt(-math.log(5e-7) / 2 * (len(a) + len(b)) / (len(a) * len(b)))
        assert distance < bound, (distance, bound)


def test_valid_and_decoy_answers_have_one_shape(
    pair: tuple[SoftAttester, SoftAttester], registered_app: RegisteredApp
) -> None:
    good, bad = pair
    secret, decoy = registered_app.secret, registered_app.decoy_secret
    shapes = set()
    ranges = {"good": Ranges(), "bad": Ranges()}
    unchanged: dict[str, Any] = {}
    hooked = {"findings": [{"id": "hook.text-modified", "detail": "libc.so"}]}
    for _ in range(EACH):
        for attester, key, changed in ((good, secret, unchanged), (bad, decoy, hooked)):
            answer = attester.attest(**changed)
            shapes.add(shape(answer))
            ranges["good" if attester is good else "bad"].add(answer.json()["challenge"])
            jwt.decode(answer.json()["token"], key, algorithms=["HS256"])
    assert len(shapes) == 1, shapes
    ranges["good"].assert_like(ranges["bad"])


UNKNOWN = base64.urlsafe_b64encode(bytes(32)).decode()[:43]


@pytest.mark.parametrize("sizes", ["claimed", "not claimed"])
def test_the_ranges_do_not_tell_whether_the_app_is_registered(
    pair: tuple[SoftAttester, SoftAttester], registered_app: RegisteredApp, sizes: str
) -> None:
    """The same claims of code under a measurement that is registered and under one that is not:
    both challenges, the first one and the next one, are drawn alike."""
    first = {name: Ranges() for name in ("registered", "unknown")}
    following = {name: Ranges() for name in ("registered", "unknown")}
    shapes = set()
    for _ in range(EACH // 2):
        for attester, name in zip(pair, ("registered", "unknown"), strict=True):
            measurement = attester.app.digest() if name == "registered" else UNKNOWN
            asked: dict[str, Any] = {"account": attester.account, "measurement": measurement}
            if sizes == "claimed":
                asked["code"] = attester.app.code_sizes()
            answer = attester.connection.post("/v1/challenge", json.dumps(asked).encode())
            assert answer.status == 200
            first[name].add(answer.json())
            claims = attester.claims(answer.json())
            claims["app"]["measurement"] = measurement
            if sizes != "claimed":
                del claims["app"]["code"]
            answer = attester.send(attester.sign(claims))
            shapes.add(shape(answer))
            following[name].add(answer.json()["challenge"])
            key = registered_app.secret if name == "registered" else registered_app.decoy_secret
            jwt.decode(answer.json()["token"], key, algorithms=["HS256"])
    assert len(shapes) == 1, shapes
    first["registered"].assert_like(first["unknown"])
    following["registered"].assert_like(following["unknown"])
    code = dict(pair[0].app.code_sizes())
    if sizes == "claimed":
        for ranges in (*first.values(), *following.values()):
            assert all(
                0 <= offset < code[part]
                for part, offset in zip(ranges.parts, ranges.offsets, strict=True)
            )


def test_a_challenge_of_other_code_cannot_be_answered(
    pair: tuple[SoftAttester, SoftAttester], registered_app: RegisteredApp
) -> None:
    """Claiming a little of the code does not get an easier question that counts."""
    good, _ = pair
    asked = {
        "account": good.account,
        "measurement": good.app.digest(),
        "code": [("classes.dex", 16)],
    }
    challenge = good.connection.post("/v1/challenge", json.dumps(asked).encode()).json()
    before = registered_app.service.log.stat().st_size
    answer = good.send(good.sign(good.claims(challenge)))
    jwt.decode(answer.json()["token"], registered_app.decoy_secret, algorithms=["HS256"])
    verdicts = [e for e in registered_app.service.events(before) if e.get("event") == "attest"]
    assert verdicts[-1]["findings"] == ["app.range-proof"]


def test_the_level_does_not_depend_on_the_verdict(tmp_path: Path) -> None:
    """Whatever the policy makes of hardware evidence that was refused, the claim `lvl` of a decoy
    is the one that a valid token for the same evidence has."""
    phone = AndroidPhone()
    root = phone.write_root(tmp_path / "root.pem")
    app = RegisteredApp.start(tmp_path, ["--hardware-roots", str(root), "--claims", "lvl"])
    attester = app.attester()
    kinds: dict[str, dict[str, Any]] = {
        "none": {},
        "good": vouched(phone, attester),
        "another phone's": vouched(phone, attester, key=new_key()),
        "of an unknown root": vouched(AndroidPhone(), attester),
        "no chain": {"android-key": {}},
        "an iPhone's": {"app-attest": {}},
        "Google's, broken": {"play-integrity": {"token": "x"}},
        "good, and an iPhone's": {**vouched(phone, attester), "app-attest": {}},
    }

    def level(submods: dict[str, Any], **changed: Any) -> tuple[bool, str]:
        judged = app.judged(attester, submods=submods, **changed)
        return judged.valid, judged.claims["lvl"]

    hooked = {"findings": [{"id": "hook.text-modified", "detail": "libc.so"}]}
    try:
        for action in ("annotate", "ignore"):
            policy = f'version = 1\n[findings]\n"hardware.*" = "{action}"\n'
            set_policy(app.service, policy, tmp_path)
            for name, submods in kinds.items():
                passed, valid = level(submods)
                assert passed, name
                assert valid == ("tee" if name.startswith("good") else "software"), name
                assert level(submods, **hooked) == (False, valid), (action, name)
        set_policy(app.service, "version = 1\n", tmp_path)
        for name, submods in kinds.items():
            # What is refused gets no valid token, so its decoy claims what would have been one's.
            assert level(submods)[1] == level(submods, **hooked)[1], name
    finally:
        app.service.stop()


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
        ("root.su", lambda c: c.update(findings_omitted={"root.su": 3})),
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
