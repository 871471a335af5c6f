"""docs/migrating.md: its day of requests is counted as it says, with its settings and routes."""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path

import jwt
import prometheus_client
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from jwt.algorithms import RSAAlgorithm

from tokens import SECRET, token
from touchmark_attestation import Guard, Settings, metrics
from touchmark_attestation.flask import check_touchmark_token, init_app
from touchmark_attestation.verifier import binding_claim, derive_decoy_secret

PAGE = (Path(__file__).parents[3] / "docs/migrating.md").read_text()
BLOCKS = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
APPROOV = b"approov's secret, of 32 bytes or m"


def settings_of(first: str, **more: str) -> Settings:
    (block,) = [one for one in BLOCKS if one.startswith(first)]
    named = dict(line.split("=", 1) for line in block.splitlines())
    text = base64.b64encode(SECRET).decode()
    assert (
        named.keys() & more.keys() == {n for n in more if named.get(n, "…") == "…"} & named.keys()
    )
    return Settings.read({"TOUCHMARK_SECRET": text, **named, **more})


def app_of(settings: Settings) -> tuple[Flask, prometheus_client.CollectorRegistry]:
    app, registry = Flask(__name__), prometheus_client.CollectorRegistry()
    guard = Guard(settings, observer=metrics.observer(registry), count_metrics=False)
    init_app(app, guard=guard)

    @app.get("/v1/rates")
    @check_touchmark_token(mode="report")
    def rates_v1() -> str:
        return "1"

    @app.get("/v2/rates")
    @check_touchmark_token
    def rates_v2() -> str:
        return "2"

    return app, registry


def test_the_day_of_the_page(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    (shown,) = [one for one in BLOCKS if one.startswith("touchmark_requests_total{")]
    numbers = [float(line.split()[-1]) for line in shown.splitlines()]
    v2 = numbers[:-1]
    assert (sum(v2), sum(v2[:2]), sum(v2[2:])) == (10_000, 9_800, 200)
    for text in ("Of 10,000 requests to V2, 9,800", "200 would be refused", "1,010 of 9,800"):
        assert text in PAGE
    assert f"{numbers[-1]:.0f} of {sum(numbers):,.0f} requests" in PAGE
    now = int(time.time())
    bound = binding_claim("Bearer a")
    secret = base64.urlsafe_b64encode(APPROOV).decode()
    settings = settings_of("TOUCHMARK_APPROOV", TOUCHMARK_APPROOV_SECRET=secret)
    # The day is one of step 3, the settings those of a server that enforces already.
    app, registry = app_of(Settings(settings.verifier, Settings.read(
        {"TOUCHMARK_MODE": "report", "TOUCHMARK_SECRET": base64.b64encode(SECRET).decode()}
    ).mode, others=settings.others))  # fmt: skip
    own, other = "Touchmark-Token", "Approov-Token"
    requests = [
        ("/v2/rates", {own: token(exp=now + 600)}),
        ("/v2/rates", {other: token(APPROOV, exp=now + 600, pay=bound)}),
        ("/v2/rates", {other: token(APPROOV, exp=now - 9, pay=bound)}),
        ("/v2/rates", {}),
        ("/v2/rates", {own: token(derive_decoy_secret(SECRET), exp=now + 600)}),
        ("/v2/rates", {own: token(exp=now - 9)}),
        ("/v2/rates", {own: token(b"x" * 32, exp=now + 600)}),
        ("/v1/rates", {}),
    ]
    client = app.test_client()
    for number, (path, headers) in zip(numbers, requests):
        # A tenth of them: the numbers of the page that are no tens are of the small kinds.
        times = int(number) // 10 if number >= 100 else int(number)
        for _ in range(times):
            answer = client.get(path, headers={**headers, "Authorization": "Bearer a"})
            assert answer.status_code == 200
    written = prometheus_client.generate_latest(registry).decode().splitlines()
    counted = {line for line in written if line.startswith("touchmark_requests_total{")}
    expected = set()
    for line in shown.splitlines():
        name, number = line.rsplit(" ", 1)
        counted_of_it = float(number) / 10 if float(number) >= 100 else float(number)
        expected.add(f"{name} {counted_of_it}")
    assert counted == expected


def test_enforcing_with_the_page_s_settings_takes_both_and_leaves_v1() -> None:
    secret = base64.b64encode(APPROOV).decode()
    app, _ = app_of(settings_of("TOUCHMARK_APPROOV", TOUCHMARK_APPROOV_SECRET=secret))
    client, now = app.test_client(), int(time.time())
    approov = token(APPROOV, exp=now + 60, pay=binding_claim("Bearer a"))
    headers = {"Approov-Token": approov, "Authorization": "Bearer a"}
    assert client.get("/v2/rates", headers=headers).status_code == 200
    headers["Authorization"] = "Bearer b"
    assert client.get("/v2/rates", headers=headers).status_code == 401
    own = {"Touchmark-Token": token(exp=now + 60)}
    assert client.get("/v2/rates", headers=own).status_code == 200
    assert client.get("/v2/rates").status_code == 401
    assert client.get("/v1/rates").status_code == 200
    # The last step: without the setting, its tokens are none.
    text = base64.b64encode(SECRET).decode()
    after, _ = app_of(Settings.read({"TOUCHMARK_SECRET": text}))
    assert after.test_client().get("/v2/rates", headers=headers).status_code == 401


def test_firebase_s_tokens_beside_ours(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    member = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "a", "alg": "RS256"}
    member.pop("key_ops", None)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [member]}))
    settings = settings_of("TOUCHMARK_FIREBASE", TOUCHMARK_FIREBASE_JWKS=str(keys))
    app, registry = app_of(settings)
    claims = {
        "iss": "https://firebaseappcheck.googleapis.com/123456789", "exp": int(time.time()) + 60,
        "aud": ["projects/123456789"], "sub": "1:123456789:android:abc",
    }  # fmt: skip
    text = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "a"})
    client = app.test_client()
    assert client.get("/v2/rates", headers={"X-Firebase-AppCheck": text}).status_code == 200
    assert client.get("/v2/rates", headers={"Touchmark-Token": text}).status_code == 200
    written = prometheus_client.generate_latest(registry).decode()
    assert 'maker="firebase",reason="ok",route="/v2/rates",status="valid"} 1.0' in written
    assert 'maker="touchmark",reason="wrong-algorithm"' in written
