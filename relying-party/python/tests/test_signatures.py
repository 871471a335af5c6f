"""Signed requests beyond the contract's: RFC 9421's own vector, settings, and what becomes of a
body that the check has read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import random
import time
from pathlib import Path
from typing import Any, Callable

import pytest

import servers
from tokens import NOW, SECRET, token
from touchmark_attestation import (
    Guard,
    RequestHeaders,
    Settings,
    SettingsError,
    SignatureVerifier,
    SignedRequest,
)

TEXT = base64.b64encode(SECRET).decode()
ACCOUNT = base64.b64encode(b"a" * 32).decode()
ROOT = Path(__file__).parents[3]
VECTORS = json.loads(
    (ROOT / "protocol/vectors/token-check/signed-requests.json").read_text()
)  # fmt: skip


def guard(**settings: str) -> Guard:
    named = {f"TOUCHMARK_{name}": value for name, value in settings.items()}
    given = {"TOUCHMARK_SECRET": TEXT, "TOUCHMARK_SIGNATURES": "account", **named}
    given.setdefault("TOUCHMARK_ACCOUNT_KEY", ACCOUNT)
    return Guard(Settings.read(given), count_metrics=False)


def test_the_base_is_that_of_rfc_9421() -> None:
    """Appendix B.2.5, with the key of B.1.5."""
    secret = base64.b64decode(
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    )
    headers = RequestHeaders({
        "Host": "example.com", "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "Content-Type": "application/json",
    })  # fmt: skip
    names = ["date", "@authority", "content-type"]
    params = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    verifier = SignatureVerifier(["account"], account_keys=[secret])
    request = SignedRequest("/foo?param=Value&Pet=dog", lambda limit: b"")
    base = verifier._base("POST", headers, request, names, params)
    found = base64.b64encode(hmac.digest(secret, base, "sha256")).decode()
    assert found == "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNATURES", ""), ("SIGNATURES", "installation"), ("SIGNATURES", "install,install"),
        ("SIGNATURES", "install,"), ("SIGNATURE_HEADERS", "X Y"), ("SIGNATURE_ORIGIN", "api"),
        ("SIGNATURE_ORIGIN", "https://a.example/x"), ("SIGNATURE_ORIGIN", "ftp://a.example"),
        ("SIGNATURE_ORIGIN", "https://u@a.example"), ("SIGNATURE_ORIGIN", "https://a.example:x"),
        ("SIGNATURE_AGE", "0"), ("SIGNATURE_AGE", "301"), ("SIGNATURE_AGE", "1.5"),
        ("SIGNATURE_BODY", "0"), ("SIGNATURE_BODY", "67108865"), ("SIGNATURE_BODY", "1e3"),
        ("SIGNATURE_NONCES", "disk"), ("ACCOUNT_KEY", "short"), ("ACCOUNT_KEY", "x y:" + ACCOUNT),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_one_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^TOUCHMARK_{name} "):
        guard(**{name: value})


def test_what_a_signature_needs_stops_the_start() -> None:
    given = {"TOUCHMARK_SECRET": TEXT, "TOUCHMARK_SIGNATURES": "account"}
    with pytest.raises(SettingsError, match=r"^TOUCHMARK_ACCOUNT_KEY "):
        Settings.read(given)
    with pytest.raises(SettingsError, match=r"^TOUCHMARK_SIGNATURE_AGE "):
        Settings.read({"TOUCHMARK_SECRET": TEXT, "TOUCHMARK_SIGNATURE_AGE": "5"})
    with pytest.raises(TypeError, match="target and body"):
        guard().check("GET", {"Touchmark-Token": token(exp=2**40)})


def signed(target: str, body: bytes, origin: str) -> dict[str, str]:
    """A POST as an app makes it, with the account's key."""
    text = token(exp=2**40)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    nonce = random.randbytes(8).hex()
    names = '("@method" "@target-uri" "touchmark-token" "content-digest")'
    params = f'{names};created={int(time.time())};nonce="{nonce}"'
    base = (
        f'"@method": POST\n"@target-uri": {origin}{target}\n"touchmark-token": {text}\n'
        f'"content-digest": sha-256=:{digest}:\n"@signature-params": {params}'
    )
    mac = base64.b64encode(hmac.digest(b"a" * 32, base.encode(), "sha256")).decode()
    return {
        "Touchmark-Token": text, "Content-Digest": f"sha-256=:{digest}:",
        "Signature-Input": f"account={params}", "Signature": f"account=:{mac}:",
    }  # fmt: skip


def wsgi_echo(one: Guard) -> Any:
    from touchmark_attestation.wsgi import WsgiMiddleware

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or -1)
        body = environ["wsgi.input"].read(length) if length >= 0 else environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return WsgiMiddleware(app, one)


def asgi_echo(one: Guard) -> Any:
    from touchmark_attestation.asgi import AsgiMiddleware

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return AsgiMiddleware(app, one)


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_application_reads_the_body_that_the_check_has_read(kind: str, chunked: bool) -> None:
    make, over = {
        "wsgi": (wsgi_echo, servers.over_werkzeug), "asgi": (asgi_echo, servers.over_uvicorn),
    }[kind]  # fmt: skip
    one = guard(SIGNATURE_ORIGIN="https://api.example.com", SIGNATURE_BODY="100000", MODE="report")
    with over(make(one)) as port:
        for size in (1, 70_000, 100_000, 100_001, 300_000):
            body = random.randbytes(size)
            headers = signed("/v2/%7Eorders?a=b", body, "https://api.example.com")
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            parts: Any = iter([body[:1000], body[1000:]]) if chunked else body
            connection.request(
                "POST", "/v2/%7Eorders?a=b", parts, headers, encode_chunked=chunked
            )  # fmt: skip
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, body), size
            connection.close()
    assert one.counts() == {"valid": 3, "unsigned": 2}


def test_a_mutated_signed_request_is_never_taken(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    seed = time.time_ns()
    print(f"seed {seed}")
    source = random.Random(seed)
    group = VECTORS["groups"][0]
    good = [case for case in group["cases"] if case["reason"] == "ok" and case["method"] == "POST"]
    settings = {**group["settings"], "TOUCHMARK_MODE": "report"}
    one = Guard(Settings.read(settings, clock=lambda: NOW), count_metrics=False)
    letters = 'abz09=:;,()"@ \t\\\0é?%/-'
    for _ in range(3000):
        case = source.choice(good)
        headers = dict(case["headers"])
        headers["Content-Length"] = str(len(case["body"].encode()))
        name = source.choice(["Signature-Input", "Signature", "Content-Digest"])
        text = headers[name]
        place = source.randrange(len(text))
        if source.random() < 0.5:
            changed = text[:place] + source.choice(letters) + text[place + 1 :]
        else:
            changed = text[:place] + text[place + source.randint(1, 5) :]
        if changed.replace(" ", "") == text.replace(" ", ""):
            continue
        request = SignedRequest(case["target"], lambda limit, case=case: case["body"].encode())  # type: ignore[misc]
        result = one.check("POST", {**headers, name: changed}, request=request).result
        # Another label's member, or a digest's of another hash, may change.
        is_beside = "sha-512" in text or "other" in text
        assert not result.valid or is_beside, (name, changed)
