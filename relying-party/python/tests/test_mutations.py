"""60,000 mutated tokens: none is accepted, and none makes an exception."""

from __future__ import annotations

import base64
import json
import random
import sys
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from test_jwks import Source
from tokens import NOW, SECRET, base64url, raw_token, token
from touchmark_attestation import Guard, Mode, RequestHeaders, Settings, TokenReason, TokenVerifier
from touchmark_attestation.verifier import approov_verifier, binding_claim

pytestmark = pytest.mark.skipif(
    "lowest" in sys.prefix, reason="takes seconds, and is the same with others"
)

HEADERS = [
    b'{"alg":"HS256","typ":"JWT"}', b'{"alg":"none"}', b'{"alg":"HS256","kid":"x"}', b"{}",
    b'{"alg":"ES256"}', b'{"alg":"HS256","crit":["exp"]}', b'{"alg":"HS256","b64":false}', b"[]",
    b'{"alg":["HS256"]}', b'{"alg":"RS256","jwk":{}}', b"\xff", b'{"alg":"HS512"}', b"",
    b'{"alg":1e999}',
]  # fmt: skip
PAYLOADS = [
    b'{"exp":9007199254740991}', b'{"exp":1e400}', b'{"exp":-0.0}', b"null", b'{"exp":"x"}', b"{}",
    b'{"exp":1790000300,"exp":1}', b'{"exp":1790000300,"nbf":[]}', b'{"exp":1790000300,"aud":{}}',
    b'{"a":' * 40 + b"1" + b"}" * 40, b"\xed\xa0\x80", b'{"exp":1790000300,"did":"\\ud800"}',
]  # fmt: skip


def mutated(random: random.Random, good: list[str]) -> str:
    text = random.choice(good)
    kind = random.randrange(8)
    if kind == 0:
        header, payload = random.choice(HEADERS), random.choice(PAYLOADS)
        key = random.choice([b"x" * 32, b"", base64.b64encode(SECRET), SECRET[::-1]])
        return raw_token(header, payload, key)
    if kind == 1:
        parts = text.split(".")
        parts[random.randrange(3)] = base64url(random.choice(HEADERS + PAYLOADS))
        return ".".join(parts)
    if kind == 2:
        other = random.choice(good).split(".")
        parts = text.split(".")
        position = random.randrange(3)
        parts[position] = other[position]
        return ".".join(parts)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        letter = random.choice("AZaz09-_.=+/ \t\n\0é\ud800,{}\"'")
        if kind < 5:
            text = text[:place] + letter + text[place + 1 :]
        elif kind == 5:
            text = text[:place] + letter + text[place:]
        elif kind == 6:
            text = text[:place] + text[place + random.randint(1, 9) :]
        else:
            text = text[:place] + text[place : place + 9] * random.randint(1, 600) + text[place:]
    return text


def test_no_mutated_token_is_accepted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    seed = time.time_ns()
    print(f"seed {seed}")  # pytest shows it of a failure
    source = random.Random(seed)
    guard = Guard(Settings(TokenVerifier([SECRET], clock=lambda: NOW), Mode.REPORT))
    bound = TokenVerifier([SECRET], binding_headers=["Authorization"], clock=lambda: NOW)
    approov = approov_verifier([SECRET], clock=lambda: NOW)
    good = [token(), token(pay=binding_claim("a")), token(SECRET, did="é", exp=2**53 - 1)]
    reasons: set[TokenReason] = set()
    for number in range(50_000):
        text = mutated(source, good)
        if text.strip(" \t") in good:
            continue
        result = guard.check("GET", {"Touchmark-Token": text}).result
        reasons.add(result.reason)
        assert not result.valid, ascii(text)
        if number % 10 == 0:
            headers = {"Touchmark-Token": text, "Authorization": "a", "Approov-Token": text}
            assert not bound.check_headers(headers).valid, ascii(text)
            assert not approov.check_headers(headers).valid, ascii(text)
            assert RequestHeaders(headers).get("authorization") == "a"
    assert {TokenReason.BAD_SIGNATURE, TokenReason.NOT_COMPACT, TokenReason.TOO_LONG} <= reasons
    assert len(reasons) >= 8


def test_no_mutated_token_of_a_public_key_is_accepted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    seed = time.time_ns()
    print(f"seed {seed}")
    source = random.Random(seed)
    keys: list[tuple[str, Any, Any]] = [
        ("RS256", rsa.generate_private_key(65537, 2048), jwt.algorithms.RSAAlgorithm),
        ("ES256", ec.generate_private_key(ec.SECP256R1()), jwt.algorithms.ECAlgorithm),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate(), jwt.algorithms.OKPAlgorithm),
    ]
    members = [kind.to_jwk(key.public_key(), as_dict=True) for _, key, kind in keys]
    verifier = Source(json.dumps({"keys": members}).encode()).verifier
    claims = {"did": "x", "exp": NOW + 300}
    good = [jwt.encode(claims, key, algorithm=name) for name, key, _ in keys]
    assert all(verifier.check(text).valid for text in good)
    accepted = []
    for _ in range(10_000):
        text = mutated(source, good)
        if text not in good and verifier.check(text).valid:
            accepted.append(text)
    # ECDSA has a second signature for each message, (r, n - s), which no mutation here finds.
    assert accepted == []
