"""Published vectors: Touchmark's own tokens, and Wycheproof's HS256 cases of JSON Web Signature."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from touchmark_attestation import Secret, TokenStatus, TokenVerifier, jose, keys
from touchmark_attestation.verifier import binding_claim, derive_decoy_secret

ROOT = Path(__file__).parents[3]
TOKENS = json.loads((ROOT / "protocol/vectors/token.json").read_text())
CHECKS = json.loads((ROOT / "protocol/vectors/token-check.json").read_text())
# Marked invalid for a wrong padding that their text does not have: it is that of valid test 357.
# And marked valid with a character outside base64url in header or payload (RFC 7515, section 2).
MISMARKED = {367, 370, 372, 373}
# Valid, with an empty payload: which is no set of claims, so the form is refused already.
EMPTY_PAYLOAD = 259
WYCHEPROOF = ROOT / "tests/vectors/wycheproof/json_web_signature_test.json"


def hs256_cases() -> Iterator[tuple[bytes, dict[str, Any]]]:
    for group in json.loads(WYCHEPROOF.read_text())["testGroups"]:
        key = group.get("private", {})
        if key.get("kty") == "oct" and key.get("alg") == "HS256":
            secret = base64.urlsafe_b64decode(key["k"] + "==")
            for case in group["tests"]:
                yield secret, case


def is_signature_accepted(secret: bytes, token: str) -> bool:
    """Most of the vectors sign text that is no set of claims: what such a token gets does not
    depend on its signature. So it is the key of the check that is asked."""
    try:
        read = jose.read_signed(token)
    except jose.Unreadable:
        return False
    found = keys.of_secrets([Secret(secret)], [None]).find(read.header.alg, read.header.kid)
    return any(key.verify(read.signed, read.signature) for key in found)


def test_wycheproof() -> None:
    cases = list(hs256_cases())
    assert len(cases) > 30
    for secret, case in cases:
        expected = (case["result"] == "valid") != (case["tcId"] in MISMARKED)
        assert is_signature_accepted(secret, case["jws"]) is expected, case


def public_cases() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Of the keys that the contract takes; a key of another algorithm or use is passed over, and
    then nothing is accepted."""
    for group in json.loads(WYCHEPROOF.read_text())["testGroups"]:
        key = group.get("public", {})
        if key.get("kty") in ("RSA", "EC"):
            for case in group["tests"]:
                yield key, case


def test_wycheproof_of_public_keys() -> None:
    wrong, taken = [], 0
    for key, case in public_cases():
        try:
            found = keys.read_jwks(json.dumps({"keys": [key]}).encode())
        except ValueError:
            assert key.get("alg") not in ("RS256", "ES256"), key
            continue
        taken += 1
        try:
            read = jose.read_signed(case["jws"])
            tried = found.find(read.header.alg, read.header.kid)
            accepted = any(one.verify(read.signed, read.signature) for one in tried)
        except jose.Unreadable:
            accepted = False
        if accepted is not (case["result"] == "valid" and case["tcId"] != EMPTY_PAYLOAD):
            wrong.append((case["tcId"], case["comment"], case["result"]))
    assert taken > 250
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("valid", TokenStatus.VALID),
        ("bound", TokenStatus.VALID),
        ("decoy", TokenStatus.INVALID),
        ("expired", TokenStatus.EXPIRED),
        ("forged", TokenStatus.FORGED),
        ("alg_none", TokenStatus.FORGED),
        ("other_alg", TokenStatus.FORGED),
    ],
)
def test_tokens_that_the_service_makes(name: str, status: TokenStatus) -> None:
    result = TokenVerifier([base64.b64decode(TOKENS["secret"])]).check(TOKENS[name])
    assert result.status is status, result.detail
    if name == "valid":
        assert result.claims == TOKENS["claims"]


def named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", named(CHECKS["cases"]))
def test_the_verdict_is_that_of_every_language(case: dict[str, Any]) -> None:
    verifier = TokenVerifier([base64.b64decode(CHECKS["secret"])], clock=lambda: CHECKS["now"])
    result = verifier.check(case["token"])
    assert result.status.value == case["verdict"], result.detail
    # What does not know the secret cannot put anything into the hands of a view.
    assert case["verdict"] != "forged" or not result.claims


@pytest.mark.parametrize("case", named(CHECKS["bindings"]))
def test_the_binding_is_that_of_every_language(case: dict[str, Any]) -> None:
    verifier = TokenVerifier(
        [base64.b64decode(CHECKS["secret"])],
        binding_headers=case["binding_headers"],
        clock=lambda: CHECKS["now"],
    )
    result = verifier.check_headers({"Touchmark-Token": case["token"], **case["headers"]})
    assert result.status.value == case["verdict"], result.detail


def test_what_is_derived_as_the_service_derives_it() -> None:
    secret = base64.b64decode(TOKENS["secret"])
    assert derive_decoy_secret(secret) == base64.b64decode(TOKENS["decoy_secret"])
    assert binding_claim(TOKENS["pay"]["value"]) == TOKENS["pay"]["pay"]
