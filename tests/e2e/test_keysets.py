"""The keys of tokens, from an attestation to the API server: while they change, and for a domain
that has its own."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from kit.registered_app import RegisteredApp, touchmark, touchmark_json
from touchmark_attestation import TokenStatus, TokenVerifier


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    running = RegisteredApp.start(tmp_path_factory.mktemp("keysets"), policy="development")
    yield running
    running.service.stop()


def jwks(app: RegisteredApp) -> list[dict[str, Any]]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    url = f"{app.url}/.well-known/jwks.json"
    with urllib.request.urlopen(url, context=context, timeout=20) as answer:
        found: list[dict[str, Any]] = json.load(answer)["keys"]
        return found


def test_a_domains_tokens_are_signed_with_its_keys(app: RegisteredApp) -> None:
    touchmark(app.service, "keyset", "add", "partners", "--alg", "ES256")
    (key,) = jwks(app)
    attester = app.attester()

    def token(**changed: Any) -> str:
        answer = attester.attest(None, **changed)
        assert answer.status == 200, answer.body
        text: str = answer.json()["token"]
        return text

    good = token(keyset="partners")
    assert jwt.get_unverified_header(good) == {"alg": "ES256", "kid": key["kid"], "typ": "JWT"}
    assert jwt.decode(good, jwt.PyJWK(key), algorithms=["ES256"])["did"]
    # One that fails has the same shape, and another key.
    bad = token(keyset="partners", findings=[{"id": "hook.text-modified", "detail": ""}])
    assert jwt.get_unverified_header(bad) == jwt.get_unverified_header(good)
    assert len(bad) == len(good)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(bad, jwt.PyJWK(key), algorithms=["ES256"])
    # Nobody gets a token of keys that there are not.
    for name in "", "nobody", "default":
        assert jwt.get_unverified_header(token(keyset=name))["alg"] == "HS256"


def test_the_secret_changes_under_load(app: RegisteredApp) -> None:
    """An API server that has what `secret get` printed last takes every token meanwhile."""
    verifiers = [TokenVerifier([app.secret])]
    refused: list[str] = []
    stop = threading.Event()
    counted = [0]

    def attest() -> None:
        attester = app.attester()
        while not stop.is_set():
            token = attester.attest().json()["token"]
            counted[0] += 1
            if verifiers[-1].check(token).status is not TokenStatus.VALID:
                refused.append(token.split(".")[0])

    threads = [threading.Thread(target=attest) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            touchmark(app.service, "secret", "rotate")
            known = touchmark_json(app.service, "secret", "get")["secrets"]
            verifiers.append(TokenVerifier([base64.b64decode(one["secret"]) for one in known]))
            touchmark(app.service, "secret", "rotate", "--promote")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert counted[0] > 20
    assert refused == []
