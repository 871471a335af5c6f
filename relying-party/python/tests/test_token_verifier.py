from __future__ import annotations

import base64
import hashlib
import json
import string
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from tokens import CLAIMS, NOW, OLD_SECRET, SECRET, base64url, raw_payload, raw_token, token
from touchmark_attestation import SettingsError, TokenStatus, TokenVerifier, is_preflight
from touchmark_attestation.verifier import binding_claim, binding_value, derive_decoy_secret

DECOY = derive_decoy_secret(SECRET)


def verifier(*secrets: bytes, **options: Any) -> TokenVerifier:
    return TokenVerifier(secrets or [SECRET], clock=options.pop("clock", lambda: NOW), **options)


def status(text: str | None, **options: Any) -> TokenStatus:
    return verifier(**options).check(text).status


def test_a_valid_token_gives_its_claims() -> None:
    result = verifier().check(token())
    assert (result.status, result.claims, result.valid) == (TokenStatus.VALID, CLAIMS, True)


@pytest.mark.parametrize("text", [None, ""])
def test_no_token_is_missing(text: str | None) -> None:
    assert status(text) is TokenStatus.MISSING


@pytest.mark.parametrize(
    "exp, expected",
    [
        (NOW + 1, TokenStatus.VALID),
        (NOW, TokenStatus.EXPIRED),
        (NOW - 1, TokenStatus.EXPIRED),
        (NOW + 0.5, TokenStatus.VALID),
        (NOW - 0.5, TokenStatus.EXPIRED),
    ],
)
def test_the_second_of_expiry_is_too_late(exp: float, expected: TokenStatus) -> None:
    assert status(token(exp=exp)) is expected


def test_a_clock_with_a_fraction_is_compared_with_an_expiry_with_one() -> None:
    for now, expected in (
        (NOW + 0.25, TokenStatus.VALID),
        (NOW + 0.5, TokenStatus.EXPIRED),
        (NOW + 0.75, TokenStatus.EXPIRED),
    ):
        assert status(token(exp=NOW + 0.5), clock=lambda now=now: now) is expected
    assert status(token(exp=NOW), leeway=1.5, clock=lambda: NOW + 1.25) is TokenStatus.VALID
    assert status(token(exp=NOW), leeway=1.5, clock=lambda: NOW + 1.5) is TokenStatus.EXPIRED


def test_leeway_is_zero_unless_given() -> None:
    assert status(token(exp=NOW - 4)) is TokenStatus.EXPIRED
    assert status(token(exp=NOW - 4), leeway=5) is TokenStatus.VALID
    assert status(token(exp=NOW - 5), leeway=5) is TokenStatus.EXPIRED


@pytest.mark.parametrize(
    "exp",
    [
        "null",
        "true",
        '"1790000300"',
        "NaN",
        "-Infinity",
        "Infinity",
        "1e400",
        "-1",
        "[]",
        "9" * 400,
    ],
)
def test_an_expiry_that_is_no_time_is_malformed(exp: str) -> None:
    assert status(raw_payload(f'{{"did":"x","exp":{exp}}}')) is TokenStatus.MALFORMED


def test_a_token_whose_time_has_not_come_is_early() -> None:
    assert status(token(nbf=NOW)) is TokenStatus.VALID
    assert status(token(nbf=NOW + 1)) is TokenStatus.EARLY
    assert status(token(nbf=NOW + 0.5)) is TokenStatus.EARLY
    assert status(token(nbf=NOW + 5), leeway=5) is TokenStatus.VALID
    assert status(token(nbf=NOW + 5.5), leeway=5) is TokenStatus.EARLY
    assert status(token(nbf=NOW + 1, exp=NOW)) is TokenStatus.EXPIRED
    for nbf in ("null", "true", f'"{NOW}"', "-1", "[]", "9007199254740992"):
        payload = f'{{"exp":{NOW + 300},"nbf":{nbf}}}'
        assert status(raw_payload(payload)) is TokenStatus.MALFORMED


def test_an_expiry_is_required() -> None:
    assert status(token(exp=None)) is TokenStatus.MALFORMED


def test_a_decoy_is_invalid_and_a_strangers_token_forged() -> None:
    assert verifier().check(token(DECOY)).status is TokenStatus.INVALID
    assert verifier().check(token(DECOY)).claims == CLAIMS
    forged = verifier().check(token(bytes(32)))
    assert (forged.status, forged.claims) == (TokenStatus.FORGED, {})


def test_a_decoy_stays_invalid_after_its_time() -> None:
    assert status(token(DECOY, exp=NOW - 1)) is TokenStatus.INVALID


def test_a_given_decoy_secret_replaces_the_derived_one() -> None:
    other = b"d" * 32
    assert status(token(other), decoy_secret=other) is TokenStatus.INVALID
    assert status(token(DECOY), decoy_secret=other) is TokenStatus.FORGED


def test_the_decoy_secret_is_hkdf_of_rfc_5869() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    hkdf = HKDF(hashes.SHA256(), length=32, salt=None, info=b"touchmark decoy secret v1")
    assert derive_decoy_secret(SECRET) == hkdf.derive(SECRET)


def test_rotation_takes_old_and_new_with_their_decoys() -> None:
    both = verifier(SECRET, OLD_SECRET)
    for secret in (SECRET, OLD_SECRET):
        assert both.check(token(secret)).status is TokenStatus.VALID
        assert both.check(token(derive_decoy_secret(secret))).status is TokenStatus.INVALID
    assert verifier(SECRET).check(token(OLD_SECRET)).status is TokenStatus.FORGED


@pytest.mark.parametrize(
    "algorithm",
    ["none", "HS384", "HS512", "hs256", "ES256", "", None, 1, ["HS256"], {}, 10**300],
    ids=range(11),
)
def test_the_header_does_not_choose_the_algorithm(algorithm: object) -> None:
    header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    assert status(raw_token(header, json.dumps(CLAIMS).encode())) is TokenStatus.FORGED


def test_other_hmac_lengths_are_refused() -> None:
    for algorithm in ("HS384", "HS512"):
        text = jwt.encode(CLAIMS, SECRET * 2, algorithm=algorithm)
        assert status(text) is TokenStatus.FORGED


def test_an_unsigned_token_is_refused() -> None:
    assert status(jwt.encode(CLAIMS, "", algorithm="none")) is TokenStatus.FORGED


def test_what_a_stranger_signed_is_malformed_when_it_is_no_set_of_claims() -> None:
    for payload in (b"[]", b"x", b"[" * 2900):
        text = raw_token(b'{"alg":"HS256"}', payload, b"x" * 32)
        assert status(text) is TokenStatus.MALFORMED


def test_no_single_change_leaves_a_token_valid() -> None:
    good = token()
    check = verifier().check
    assert check(good).valid
    for position, character in enumerate(good):
        for other in "A_9.=\n é":
            if other != character:
                changed = good[:position] + other + good[position + 1 :]
                assert not check(changed).valid, (position, other)
        assert not check(good[:position] + good[position + 1 :]).valid, position
        assert not check(good[:position] + character + good[position:]).valid, position


def test_a_signature_has_one_spelling() -> None:
    good = token()
    last = good[-1]
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    accepted = [c for c in alphabet if verifier().check(good[:-1] + c).valid]
    assert accepted == [last]
    for more in ("=", "==", "\n", " ", "."):
        assert status(good + more) is TokenStatus.MALFORMED


@pytest.mark.parametrize(
    "size, expected", [(4096, TokenStatus.VALID), (4097, TokenStatus.MALFORMED)]
)
def test_the_size_is_bounded(size: int, expected: TokenStatus) -> None:
    # Every three bytes of claims are four of the token; a longer header takes up the rest.
    for pad in range(3200):
        for header_pad in range(3):
            header = b'{"alg":"HS256"%s}' % (b" " * header_pad)
            payload = json.dumps({**CLAIMS, "x": "x" * (2900 + pad)}).encode()
            text = raw_token(header, payload)
            if len(text) == size:
                assert status(text) is expected
                return
            if len(text) > size + 8:
                pytest.fail(f"no token of {size} bytes was made")


@pytest.mark.parametrize(
    "text",
    [
        "x", "..", "a.b", "a.b.c", "a.b.c.d", ".".join(["é" * 43] * 3), "\x00" * 50, "." * 4000,
        base64url(b"{}") * 2, "A" * 4096,
    ],
)  # fmt: skip
def test_what_is_no_token_is_malformed(text: str) -> None:
    assert status(text) is TokenStatus.MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        b"", b"[]", b"null", b"1", b'"HS256"', b"{", b"\xff\xfe", b"[" * 2900, b'{"a":' * 600,
        b'{"alg":"HS256","crit":["exp"]}', b'{"alg":"HS256","crit":["x"],"x":1}',
        b'{"alg":"HS256","b64":false,"crit":["b64"]}', b'{"alg":"HS256","kid":1}',
        b'{"alg":' + b"9" * 2800 + b"}",
    ],
    ids=range(14),
)  # fmt: skip
def test_a_hostile_header_is_malformed_and_never_an_exception(header: bytes) -> None:
    # Rightly signed, so that no earlier check hides what becomes of the header.
    assert status(raw_token(header, json.dumps(CLAIMS).encode())) is TokenStatus.MALFORMED


@pytest.mark.parametrize("crit", ["x", ["x"], ["exp"], ["x", "b64"], [], None, {}])
def test_the_library_below_refuses_an_extension_that_it_does_not_know(crit: object) -> None:
    # The floor of PyJWT in pyproject.toml is the first version that does, so that the check does
    # not hang by one line of ours.
    header = json.dumps({"alg": "HS256", "crit": crit, "x": 1, "exp": 1}).encode()
    text = raw_token(header, json.dumps(CLAIMS).encode())
    with pytest.raises(jwt.InvalidTokenError):
        jwt.PyJWS().decode(text, SECRET, algorithms=["HS256"])


@pytest.mark.parametrize(
    "payload", ["", "[]", "null", "1", "{", '"x"', "[" * 2900, '{"exp":' + "1" * 2900 + "}"]
)
def test_a_signed_payload_that_is_no_set_of_claims_is_malformed(payload: str) -> None:
    assert status(raw_payload(payload)) is TokenStatus.MALFORMED


def test_binding_is_compared_when_a_value_is_given() -> None:
    bound = token(pay=binding_claim("Bearer user-1"))
    assert (
        base64.b64decode(binding_claim("Bearer user-1"))
        == hashlib.sha256(b"Bearer user-1").digest()
    )
    assert verifier().check(bound, binding="Bearer user-1").valid
    assert verifier().check(bound, binding="Bearer user-2").status is TokenStatus.UNBOUND
    assert verifier().check(bound).valid
    for pay in (None, 1, "", [binding_claim("Bearer user-1")], "é"):
        text = token(pay=pay)
        assert verifier().check(text, binding="Bearer user-1").status is TokenStatus.UNBOUND


def test_binding_headers_are_trimmed_and_joined_in_order() -> None:
    check = verifier(binding_headers=["Authorization", "X-Session"]).check_headers
    headers = {
        "Touchmark-Token": token(pay=binding_claim("Bearer ü1\ns2")),
        "Authorization": " Bearer ü1 ",
        "X-Session": "s2",
    }
    assert check(headers).valid
    assert check({**headers, "X-Session": "s3"}).status is TokenStatus.UNBOUND
    del headers["X-Session"]
    headers["Touchmark-Token"] = token(pay=binding_claim("Bearer ü1"))
    result = check(headers)
    assert (result.status, result.detail) == (TokenStatus.UNBOUND, "no X-Session header")


def test_a_value_that_moves_from_one_header_into_the_next_unbinds() -> None:
    check = verifier(binding_headers=["Authorization", "X-User"]).check_headers
    headers = {"Touchmark-Token": token(pay=binding_claim(binding_value(["abc", "alice"])))}
    assert check({**headers, "Authorization": "abc", "X-User": "alice"}).valid
    for first, second in (("abca", "lice"), ("ab", "calice"), ("abcalice", ""), ("", "abcalice")):
        moved = check({**headers, "Authorization": first, "X-User": second})
        assert moved.status is TokenStatus.UNBOUND
    # A server that lets line feeds through cannot be used to move them, either.
    for first, second in (("abc\nal", "ice"), ("abc", "al\nice")):
        bound = token(pay=binding_claim(f"{first}\n{second}"))
        moved = check({"Touchmark-Token": bound, "Authorization": first, "X-User": second})
        assert moved.status is TokenStatus.UNBOUND


def test_a_bound_value_keeps_what_is_no_white_space_of_http() -> None:
    check = verifier(binding_headers=["Authorization"]).check_headers
    bound = token(pay=binding_claim("\u00a0abc\x85"))
    assert check({"Touchmark-Token": bound, "Authorization": "\u00a0abc\x85"}).valid


@pytest.mark.parametrize(
    ("prefix", "value", "expected"),
    [
        ("Bearer ", "Bearer {}", "valid"),
        ("Bearer ", "bearer {}", "valid"),
        ("Bearer ", "BEARER {}", "valid"),
        ("bearer ", "Bearer {}", "valid"),
        ("Bearer ", "Bearer   {}", "valid"),
        ("Bearer ", "Bearer\t{}", "valid"),
        ("Bearer ", "Bearer \t {}", "valid"),
        ("Bearer ", "\t Bearer {} \t", "valid"),
        ("Bearer\t", "Bearer {}", "valid"),
        ("Bearer  ", "Bearer {}", "valid"),
        (" Bearer ", "Bearer {}", "valid"),
        ("Bearer", "Bearer {}", "valid"),
        ("Bearer", "bearer{}", "valid"),
        ("App v1 ", "app\t v1  {}", "valid"),
        ("tm:", "TM:{}", "valid"),
        ("  ", "{}", "valid"),
        ("Bearer ", "Bearer{}", "malformed"),
        ("Bearer ", "{}", "malformed"),
        ("Bearer ", "Bearer", "malformed"),
        ("Bearer ", "Bearer \t", "malformed"),
        ("Bearer ", "Bearer, {}", "malformed"),
        ("Bearer ", "XBearer {}", "malformed"),
        ("Bearer ", "Bearer Bearer {}", "malformed"),
        ("Bearer ", "Bearer\u00a0{}", "malformed"),
        ("Bearer ", "Bearer\n{}", "malformed"),
        ("Bearer ", "Bearer\x0b{}", "malformed"),
        ("Bearer ", "Bearer {}\u00a0", "malformed"),
        ("Basik ", "Basi\u212a {}", "malformed"),  # the sign for kelvin, in lower case a k
        ("a.b ", "axb {}", "malformed"),
        ("App v1 ", "Appv1 {}", "malformed"),
    ],
)
def test_the_prefix_is_read_as_http_reads_a_scheme(prefix: str, value: str, expected: str) -> None:
    headers = {"Touchmark-Token": value.format(token())}
    assert verifier(prefix=prefix).check_headers(headers).status.value == expected


def test_a_wrong_prefix_is_named() -> None:
    result = verifier(prefix="Bearer ").check_headers({"Touchmark-Token": token()})
    assert result.detail == "Touchmark-Token does not have the expected prefix"


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("OPTIONS", {"Origin": "https://a.example", "ACRM": "GET"}, True),
        ("OPTIONS", {"Origin": "null", "ACRM": "PURGE"}, True),
        ("OPTIONS", {"Origin": "https://a.example"}, False),
        ("OPTIONS", {"ACRM": "GET"}, False),
        ("OPTIONS", {"Origin": "", "ACRM": "GET"}, False),
        ("OPTIONS", {"Origin": " ", "ACRM": "GET"}, False),
        ("OPTIONS", {"Origin": "https://a.example", "ACRM": ""}, False),
        ("OPTIONS", {"Origin": "https://a.example", "ACRM": "GET, PUT"}, False),
        ("OPTIONS", {}, False),
        ("options", {"Origin": "https://a.example", "ACRM": "GET"}, False),
        ("GET", {"Origin": "https://a.example", "ACRM": "GET"}, False),
        ("POST", {"Origin": "https://a.example", "ACRM": "POST"}, False),
    ],
)
def test_a_preflight_is_what_a_browser_sends(
    method: str, headers: dict[str, str], expected: bool
) -> None:
    names = {"ACRM": "Access-Control-Request-Method"}
    sent = {names.get(name, name): value for name, value in headers.items()}
    assert is_preflight(method, sent) is expected


def test_header_and_prefix_are_settings() -> None:
    custom = verifier(header="X-Attest", prefix="Bearer ")
    assert custom.check_headers({"X-Attest": "Bearer " + token()}).valid
    assert custom.check_headers({"X-Attest": token()}).status is TokenStatus.MALFORMED
    assert custom.check_headers({"X-Attest": "Bearer "}).status is TokenStatus.MALFORMED
    assert custom.check_headers({"Touchmark-Token": token()}).status is TokenStatus.MISSING
    assert verifier().check_headers({"Touchmark-Token": f" {token()} "}).valid
    # How a server joins two headers of one name.
    assert (
        verifier().check_headers({"Touchmark-Token": f"{token()}, {token()}"}).status
        is TokenStatus.MALFORMED
    )


@pytest.mark.parametrize(
    "claims, expected",
    [
        ({"aud": "api", "iss": "svc"}, TokenStatus.VALID),
        ({"aud": ["other", "api"], "iss": "svc"}, TokenStatus.VALID),
        ({"aud": "other", "iss": "svc"}, TokenStatus.MISDIRECTED),
        ({"aud": "api-2", "iss": "svc"}, TokenStatus.MISDIRECTED),
        ({"iss": "svc"}, TokenStatus.MISDIRECTED),
        ({"aud": "api"}, TokenStatus.MISDIRECTED),
        ({"aud": "api", "iss": "svc2"}, TokenStatus.MISDIRECTED),
    ],
)
def test_audience_and_issuer_are_required_when_set(
    claims: dict[str, Any], expected: TokenStatus
) -> None:
    assert status(token(**claims), audience="api", issuer="svc") is expected


def test_optional_claims_are_not_judged_unless_asked_for() -> None:
    assert (
        status(token(aud="x", iss="y", sub="z", jti="1", iat=NOW + 30, arc="AEAQ"))
        is TokenStatus.VALID
    )


@pytest.mark.parametrize(
    ("secrets", "options", "named"),
    [
        ([], {}, "secrets"),
        (SECRET, {}, "secrets"),
        (bytearray(SECRET), {}, "secrets"),
        ("c2VjcmV0", {}, "secrets"),
        (None, {}, "secrets"),
        (32, {}, "secrets"),
        (["text" * 8], {}, "secrets"),
        ([None], {}, "secrets"),
        ([32], {}, "secrets"),
        ([b"short"], {}, "secrets"),
        ([b""], {}, "secrets"),
        ([b"x" * 31], {}, "secrets"),
        ([SECRET, b""], {}, "secrets"),
        ([SECRET, DECOY], {}, "secrets"),
        ([SECRET], {"decoy_secret": b"short"}, "decoy_secret"),
        ([SECRET], {"decoy_secret": b""}, "decoy_secret"),
        ([SECRET], {"decoy_secret": "text" * 8}, "decoy_secret"),
        ([SECRET], {"decoy_secret": SECRET}, "decoy_secret"),
        ([SECRET], {"decoy_secret": bytearray(SECRET)}, "decoy_secret"),
        ([SECRET], {"header": ""}, "header"),
        ([SECRET], {"header": " "}, "header"),
        ([SECRET], {"header": "X Attest"}, "header"),
        ([SECRET], {"header": "X-Attest:"}, "header"),
        ([SECRET], {"header": "X-Attest\n"}, "header"),
        ([SECRET], {"header": "X-Attest\0"}, "header"),
        ([SECRET], {"header": "X-Ättest"}, "header"),
        ([SECRET], {"header": "X-Attest,Y"}, "header"),
        ([SECRET], {"header": None}, "header"),
        ([SECRET], {"header": b"X-Attest"}, "header"),
        ([SECRET], {"header": 1}, "header"),
        ([SECRET], {"prefix": None}, "prefix"),
        ([SECRET], {"prefix": b"Bearer "}, "prefix"),
        ([SECRET], {"prefix": "Bearer\n"}, "prefix"),
        ([SECRET], {"prefix": "Bearer\r\nX: "}, "prefix"),
        ([SECRET], {"prefix": "\x7f"}, "prefix"),
        ([SECRET], {"prefix": "Bärer "}, "prefix"),
        ([SECRET], {"prefix": "Bearer\u00a0"}, "prefix"),
        ([SECRET], {"binding_headers": "Authorization"}, "binding_headers"),
        ([SECRET], {"binding_headers": None}, "binding_headers"),
        ([SECRET], {"binding_headers": {"Authorization"}}, "binding_headers"),
        ([SECRET], {"binding_headers": [""]}, "binding_headers"),
        ([SECRET], {"binding_headers": ["Authorization", ""]}, "binding_headers"),
        ([SECRET], {"binding_headers": ["Authorization: "]}, "binding_headers"),
        ([SECRET], {"binding_headers": [None]}, "binding_headers"),
        ([SECRET], {"binding_headers": ["X-User", "x-user"]}, "binding_headers"),
        ([SECRET], {"binding_headers": ["touchmark-token"]}, "binding_headers"),
        ([SECRET], {"audience": ""}, "audience"),
        ([SECRET], {"audience": ["api"]}, "audience"),
        ([SECRET], {"audience": "api\n"}, "audience"),
        ([SECRET], {"issuer": ""}, "issuer"),
        ([SECRET], {"issuer": 1}, "issuer"),
        ([SECRET], {"leeway": -1}, "leeway"),
        ([SECRET], {"leeway": 301}, "leeway"),
        ([SECRET], {"leeway": float("nan")}, "leeway"),
        ([SECRET], {"leeway": float("inf")}, "leeway"),
        ([SECRET], {"leeway": "5"}, "leeway"),
        ([SECRET], {"leeway": True}, "leeway"),
        ([SECRET], {"leeway": None}, "leeway"),
        ([SECRET], {"leeway": 10**5000}, "leeway"),
        ([SECRET], {"max_bytes": 0}, "max_bytes"),
        ([SECRET], {"max_bytes": True}, "max_bytes"),
        ([SECRET], {"max_bytes": 4096.0}, "max_bytes"),
        ([SECRET], {"clock": NOW}, "clock"),
    ],
)
def test_an_argument_that_cannot_be_one_is_named(
    secrets: Any, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        TokenVerifier(secrets, **options)
    assert isinstance(caught.value, ValueError)
    assert caught.value.setting == named
    assert str(caught.value).startswith(f"{named} ")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 200
    assert "text" * 8 not in str(caught.value) and "c2VjcmV0" not in str(caught.value)


def test_threads_share_one_verifier() -> None:
    shared = verifier(SECRET, OLD_SECRET)
    kinds = [
        (token(), TokenStatus.VALID), (token(OLD_SECRET), TokenStatus.VALID),
        (token(DECOY), TokenStatus.INVALID), (token(b"x" * 32), TokenStatus.FORGED),
        (token(exp=NOW - 1), TokenStatus.EXPIRED), ("x", TokenStatus.MALFORMED),
    ] * 200  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda kind: shared.check(kind[0]).status, kinds))
    assert results == [expected for _, expected in kinds]
