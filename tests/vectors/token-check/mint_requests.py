"""Makes protocol/vectors/token-check/requests.json with PyPI's joserfc; README.md says how."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import __version__, jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from mint_tokens import (
    BINDINGS,
    EXPIRIES,
    FRESH,
    HEADERS,
    NOW,
    PAYLOADS,
    SECRET,
    SIGNERS,
    SOON,
    base64url,
    sign,
    sign_with_header,
)

HEADER_NAME = "Touchmark-Token"
JWKS = "${jwks}"
KEYS = json.loads((Path(__file__).parent / "keys.json").read_text())
PRIVATE: dict[str, Any] = {
    name: {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}[key["kty"]].import_key(key)
    for name, key in KEYS.items()
}
# The names that the checks give to what mint_tokens.py calls a verdict.
OF_VERDICT = {"valid": "ok", "expired": "expired", "invalid": "decoy", "early": "not-yet-valid"}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def secret(name: str) -> bytes:
    return hashlib.sha256(f"token-check {name}".encode()).digest()


def decoy_of(key: bytes) -> bytes:
    first = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(first, b"touchmark decoy secret v1\x01", "sha256")


def hs256(claims: dict[str, Any] | str, key: bytes = SECRET, **header: Any) -> str:
    payload = claims if isinstance(claims, str) else json.dumps(claims, separators=(",", ":"))
    found: str = jws.serialize_compact(
        {"alg": "HS256", "typ": "JWT", **header},
        payload,
        OctKey.import_key(key),
        algorithms=["HS256"],
    )
    return found


def public(name: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    key = PRIVATE[name]
    alg = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[key.key_type]
    found: str = jws.serialize_compact(
        {"alg": alg, "typ": "JWT", **header},
        json.dumps(claims or {"exp": SOON}),
        key,
        algorithms=[alg],
    )
    return found


def by_hand(header: str, payload: str, key: bytes, digest: str = "sha256") -> str:
    """What joserfc would refuse to make."""
    signed = f"{base64url(header.encode())}.{base64url(payload.encode())}"
    return f"{signed}.{base64url(hmac.digest(key, signed.encode(), digest))}"


def jwk(name: str, **members: Any) -> dict[str, Any]:
    found: dict[str, Any] = {**PRIVATE[name].as_dict(private=False), **members}
    found.pop("kid", None) if "kid" not in members else None
    return {key: value for key, value in found.items() if value is not None}


def bind(value: str) -> str:
    return text(hashlib.sha256(value.encode()).digest())


class Group:
    def __init__(self, name: str, settings: dict[str, str], **members: Any) -> None:
        self.document: dict[str, Any] = {"name": name, "settings": settings, **members, "cases": []}
        mode, percent = settings.get("TOUCHMARK_MODE"), settings.get("TOUCHMARK_PERCENT", "100")
        self.enforces = mode not in ("report", "off") and percent == "100"
        self.header = settings.get("TOUCHMARK_TOKEN_HEADER", HEADER_NAME)

    def add(
        self,
        name: str,
        status: str,
        reason: str,
        token: str | None = None,
        *,
        headers: list[list[str]] | None = None,
        method: str = "GET",
        served: bool | None = None,
        **members: Any,
    ) -> None:
        passes = status in ("valid", "preflight", "unchecked")
        carried = [] if token is None else [[self.header, token]]
        self.document["cases"].append(
            {
                "name": name,
                "method": method,
                "headers": carried + (headers or []),
                **members,
                "http": 200
                if (served if served is not None else passes or not self.enforces)
                else 401,
                "status": status,
                "reason": reason,
            }
        )


def plain(**settings: str) -> dict[str, str]:
    named = {f"TOUCHMARK_{name}": value for name, value in settings.items()}
    return {"TOUCHMARK_SECRET": text(SECRET), **named}


def without_secret(**settings: str) -> dict[str, str]:
    found = plain(**settings)
    del found["TOUCHMARK_SECRET"]
    return found


def reason_of(name: str, verdict: str, *, of_header: bool = False) -> str:
    if verdict != "malformed":
        return OF_VERDICT.get(verdict, "bad-signature")
    if of_header:
        if "crit" in name or "b64" in name:
            return "unknown-extension"
        return "bad-kid" if "kid" in name else "bad-header"
    return "bad-payload"


def tokens() -> Group:
    group = Group("tokens", plain())
    for verdict, expiries in EXPIRIES.items():
        for expiry in expiries:
            shown = expiry if len(expiry) < 40 else f"of {len(expiry)} digits"
            reason = reason_of("", verdict)
            if verdict == "malformed" and is_json(expiry):
                reason = "no-exp"
            token = sign(f'{{"did":"x","exp":{expiry}}}')
            group.add(f"exp {shown}".strip(), verdict, reason, token)
    for name, verdict, payload in PAYLOADS:
        reason = reason_of(name, verdict)
        if verdict == "malformed" and name.startswith(("no exp", "exp under")):
            reason = "no-exp"
        if verdict == "malformed" and name == "nbf as text":
            reason = "bad-nbf"
        group.add(name, verdict, reason, sign(payload))
    for name, verdict, key, payload in SIGNERS:
        group.add(name, verdict, reason_of(name, verdict), sign(payload, key))
    for name, verdict, header in HEADERS:
        reason = reason_of(name, verdict, of_header=True)
        group.add(
            name,
            verdict,
            "wrong-algorithm" if verdict == "forged" else reason,
            sign_with_header(header),
        )
    return group


def is_json(value: str) -> bool:
    """As the protocol reads it: Python alone takes NaN, and numbers beyond a double."""
    try:
        found = json.loads(value, parse_constant=lambda _: json.loads("x"))
    except ValueError:
        return False
    return not isinstance(found, (int, float)) or abs(found) < 1e308


def compact() -> Group:
    group = Group("forms of a token", plain())
    good = hs256({"did": "x", "exp": SOON})
    header, payload, signature = good.split(".")
    last = "AEIMQUYcgkosw048"
    respelled = (
        next(
            c
            for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            if c not in last and c > signature[-1]
        )
        if signature[-1] in last
        else "B"
    )
    for name, token in {
        "no dots": "token",
        "one dot": f"{header}.{payload}",
        "three dots": f"{good}.x",
        "five parts": f"{good}.x.y",
        "dots alone": "..",
        "an empty header": f".{payload}.{signature}",
        "an empty payload": f"{header}..{signature}",
        "padding": f"{good}=",
        "padding in the header": f"{header}=.{payload}.{signature}",
        "a space within": f"{header}. {payload}.{signature}",
        "a tab within": f"{header}.\t{payload}.{signature}",
        "standard base64": f"{header}.{payload}.{'+/' + signature[2:]}",
        "one letter beyond whole bytes": f"{header}.{payload}.{signature}AA",
        "unused bits set": f"{header}.{payload}.{signature[:-1]}{respelled}",
        "a letter beyond ASCII": f"{header}.{payload}.é{signature[1:]}",
        "quotes around": f'"{good}"',
        "a scheme nobody asked for": f"Bearer {good}",
        "percent": f"{header}.{payload}.%41{signature[3:]}",
        "a JSON serialization": json.dumps({"payload": payload, "signature": signature}).replace(
            ",", ";"
        ),
    }.items():
        group.add(name, "malformed", "not-compact", token)
    group.add("no signature", "forged", "bad-signature", f"{header}.{payload}.")
    group.add(
        "a signature cut short", "forged", "bad-signature", f"{header}.{payload}.{signature[:40]}"
    )
    group.add(
        "a signature of another token",
        "forged",
        "bad-signature",
        f"{header}.{payload}.{hs256({'exp': SOON}).split('.')[2]}",
    )
    group.add(
        "the payload of another token",
        "forged",
        "bad-signature",
        f"{header}.{base64url(json.dumps({'exp': SOON}).encode())}.{signature}",
    )
    group.add(
        "a header that is no JSON",
        "malformed",
        "bad-header",
        f"{base64url(b'x')}.{payload}.{signature}",
    )
    group.add(
        "alg none without a signature",
        "forged",
        "wrong-algorithm",
        base64url(b'{"alg":"none"}') + f".{payload}.",
    )
    for alg, digest in ("HS384", "sha384"), ("HS512", "sha512"):
        group.add(
            f"{alg} with the secret",
            "forged",
            "wrong-algorithm",
            by_hand(json.dumps({"alg": alg}), f"{{{FRESH}}}", SECRET, digest),
        )
    for alg in "RS256", "ES256", "EdDSA", "PS256":
        group.add(
            f"{alg} where there are secrets alone",
            "forged",
            "wrong-algorithm",
            by_hand(json.dumps({"alg": alg}), f"{{{FRESH}}}", SECRET),
        )
    for name, value in {
        "jwk": {"kty": "oct", "k": base64url(secret("stranger"))},
        "jku": "https://attacker.example/jwks",
        "x5u": "https://attacker.example/x",
    }.items():
        group.add(
            f"{name} in the header, signed by a stranger",
            "forged",
            "bad-signature",
            by_hand(json.dumps({"alg": "HS256", name: value}), f"{{{FRESH}}}", secret("stranger")),
        )
        group.add(
            f"{name} in the header, signed by the service",
            "valid",
            "ok",
            by_hand(json.dumps({"alg": "HS256", name: value}), f"{{{FRESH}}}", SECRET),
        )
    for size, status, reason in (
        (4095, "valid", "ok"),
        (4096, "valid", "ok"),
        (4097, "malformed", "too-long"),
        (8000, "malformed", "too-long"),
    ):
        group.add(f"{size} bytes", status, reason, of_length(size))
    return group


def of_length(size: int) -> str:
    """A part grows by one letter or two, so a kid of another length may be needed."""
    for kid in "k", "kk", "kkk":
        for pad in range(size * 3 // 4 - 200, size * 3 // 4):
            token = hs256(f'{{"did":"x","exp":{SOON},"pad":"{"x" * pad}"}}', kid=kid)
            if len(token) == size:
                return token
    raise AssertionError(size)


def carriers() -> list[Group]:
    good = hs256({"did": "x", "exp": SOON})
    group = Group("the header", plain())
    group.add("no header", "missing", "no-token")
    group.add("an empty header", "missing", "no-token", "")
    group.add("white space alone", "missing", "no-token", "  \t ")
    group.add("white space around", "valid", "ok", f" \t{good}\t ")
    group.add("two tokens", "malformed", "two-tokens", good, headers=[[HEADER_NAME, good]])
    group.add(
        "a token and something else", "malformed", "two-tokens", good, headers=[[HEADER_NAME, "x"]]
    )
    group.add(
        "something else and a token", "malformed", "two-tokens", "x", headers=[[HEADER_NAME, good]]
    )
    group.add("two tokens in one", "malformed", "two-tokens", f"{good}, {good}")
    group.add("a comma behind", "malformed", "two-tokens", f"{good},")
    for name in HEADER_NAME.lower(), HEADER_NAME.upper():
        group.add(f"as {name}", "valid", "ok", headers=[[name, good]])
    for name in (
        "Authorization",
        "Touchmark_Token",
        "X-Touchmark-Token",
        "Cookie",
        "Approov-Token",
        "X-Firebase-AppCheck",
    ):
        group.add(f"in {name} instead", "missing", "no-token", headers=[[name, good]])
    for method in "POST", "PUT", "DELETE", "PATCH":
        group.add(f"{method} with one", "valid", "ok", good, method=method)
        group.add(f"{method} without", "missing", "no-token", method=method)
    bearer = Group("a prefix", plain(TOKEN_HEADER="Authorization", TOKEN_PREFIX="Bearer "))
    bearer.add("as it stands", "valid", "ok", f"Bearer {good}")
    bearer.add("in lower case", "valid", "ok", f"bearer {good}")
    bearer.add("in upper case", "valid", "ok", f"BEARER {good}")
    bearer.add("several spaces", "valid", "ok", f"Bearer   {good}")
    bearer.add("a tab", "valid", "ok", f"Bearer \t{good}")
    bearer.add("none", "malformed", "wrong-prefix", good)
    bearer.add("no space", "malformed", "wrong-prefix", f"Bearer{good}")
    bearer.add("another scheme", "malformed", "wrong-prefix", f"Basic {good}")
    bearer.add("the prefix alone", "malformed", "wrong-prefix", "Bearer")
    bearer.add("twice", "malformed", "not-compact", f"Bearer Bearer {good}")
    bearer.add("in Touchmark's header", "missing", "no-token", headers=[[HEADER_NAME, good]])
    bearer.add("no header", "missing", "no-token")
    other = Group("another header", plain(TOKEN_HEADER="X-App-Token"))
    other.add("in it", "valid", "ok", good)
    other.add("in Touchmark's", "missing", "no-token", headers=[[HEADER_NAME, good]])
    return [group, bearer, other]


def preflights() -> Group:
    group = Group("preflights", plain())
    asks = ["Access-Control-Request-Method", "GET"]
    origin = ["Origin", "https://app.example"]
    group.add("a preflight", "preflight", "preflight", headers=[origin, asks], method="OPTIONS")
    group.add(
        "a preflight with a bad token",
        "preflight",
        "preflight",
        "x",
        headers=[origin, asks],
        method="OPTIONS",
    )
    group.add("no Origin", "missing", "no-token", headers=[asks], method="OPTIONS")
    group.add("nothing asked", "missing", "no-token", headers=[origin], method="OPTIONS")
    group.add(
        "an empty question",
        "missing",
        "no-token",
        headers=[origin, [asks[0], ""]],
        method="OPTIONS",
    )
    group.add(
        "a question that is no method",
        "missing",
        "no-token",
        headers=[origin, [asks[0], "GET POST"]],
        method="OPTIONS",
    )
    group.add(
        "an empty Origin", "missing", "no-token", headers=[["Origin", ""], asks], method="OPTIONS"
    )
    group.add("OPTIONS with a token", "valid", "ok", hs256({"exp": SOON}), method="OPTIONS")
    for method in "GET", "POST":
        group.add(
            f"{method} with a preflight's headers",
            "missing",
            "no-token",
            headers=[origin, asks],
            method=method,
        )
    return group


def modes() -> list[Group]:
    groups = []
    good = hs256({"did": "x", "exp": SOON})
    for mode in "report", "off":
        group = Group(f"mode {mode}", plain(MODE=mode))
        for name, status, reason, token in [
            ("a token", "valid", "ok", good),
            ("none", "missing", "no-token", None),
            ("a forged one", "forged", "bad-signature", hs256({"exp": SOON}, secret("stranger"))),
            ("a decoy", "invalid", "decoy", hs256({"exp": SOON}, decoy_of(SECRET))),
            ("an expired one", "expired", "expired", hs256({"exp": NOW - 1})),
        ]:
            off = mode == "off"
            group.add(name, "unchecked" if off else status, "off" if off else reason, token)
        groups.append(group)
    nothing = Group("mode off without a secret", without_secret(MODE="off"))
    nothing.add("none", "unchecked", "off")
    return [*groups, nothing]


def is_within(device: str, percent: int) -> bool:
    digest = hashlib.sha256(b"touchmark share v1" + device.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < percent


def shares() -> list[Group]:
    groups = []
    for percent in 0, 1, 30, 99:
        group = Group(f"a share of {percent} %", plain(PERCENT=str(percent)))
        for number in range(8):
            did = text(hashlib.sha256(f"device {number}".encode()).digest()[:16])
            served = not is_within(did, percent)
            group.add(
                f"device {number}, expired",
                "expired",
                "expired",
                hs256({"did": did, "exp": 1}),
                served=served,
            )
            if number > 3:
                continue
            group.add(
                f"device {number}, decoy",
                "invalid",
                "decoy",
                hs256({"did": did, "exp": SOON}, decoy_of(SECRET)),
                served=served,
            )
            group.add(f"device {number}, valid", "valid", "ok", hs256({"did": did, "exp": SOON}))
            # Anybody can write a did into a token of their own: the address counts there.
            group.add(
                f"device {number}, forged",
                "forged",
                "bad-signature",
                hs256({"did": did, "exp": SOON}, secret("stranger")),
                client="127.0.0.1",
                served=not is_within("127.0.0.1", percent),
            )
        group.add(
            "no token",
            "missing",
            "no-token",
            client="127.0.0.1",
            served=not is_within("127.0.0.1", percent),
        )
        group.add(
            "a did that is no text",
            "expired",
            "expired",
            hs256({"did": 1, "exp": 1}),
            client="127.0.0.1",
            served=not is_within("127.0.0.1", percent),
        )
        groups.append(group)
    return groups


def key_ids() -> list[Group]:
    old, new, bare = secret("old"), secret("new"), secret("bare")
    claims = {"did": "x", "exp": SOON}
    named = Group(
        "secrets with a kid", {"TOUCHMARK_SECRET": f"2026-11:{text(old)},2026-12:{text(new)}"}
    )
    named.add("the old one", "valid", "ok", hs256(claims, old, kid="2026-11"))
    named.add("the new one", "valid", "ok", hs256(claims, new, kid="2026-12"))
    named.add("the old one without a kid", "valid", "ok", hs256(claims, old))
    named.add("the new one without a kid", "valid", "ok", hs256(claims, new))
    named.add("the other's kid", "forged", "bad-signature", hs256(claims, old, kid="2026-12"))
    named.add("an unknown kid", "forged", "unknown-key", hs256(claims, new, kid="2027-01"))
    named.add("an empty kid", "forged", "unknown-key", hs256(claims, new, kid=""))
    named.add("a kid in another case", "forged", "unknown-key", hs256(claims, new, kid="2026-12 "))
    named.add(
        "a kid that is a path", "forged", "unknown-key", hs256(claims, new, kid="../../2026-12")
    )
    named.add("decoy of the old", "invalid", "decoy", hs256(claims, decoy_of(old), kid="2026-11"))
    named.add("decoy of the new", "invalid", "decoy", hs256(claims, decoy_of(new), kid="2026-12"))
    named.add("decoy without a kid", "invalid", "decoy", hs256(claims, decoy_of(new)))
    named.add(
        "decoy with the other's kid",
        "forged",
        "bad-signature",
        hs256(claims, decoy_of(old), kid="2026-12"),
    )
    mixed = Group(
        "secrets with a kid and without", {"TOUCHMARK_SECRET": f"{text(bare)},2026-12:{text(new)}"}
    )
    mixed.add("with its kid", "valid", "ok", hs256(claims, new, kid="2026-12"))
    mixed.add("an unknown kid, by the bare one", "valid", "ok", hs256(claims, bare, kid="x"))
    mixed.add(
        "an unknown kid, by the named one", "forged", "bad-signature", hs256(claims, new, kid="x")
    )
    mixed.add("no kid, by the bare one", "valid", "ok", hs256(claims, bare))
    mixed.add("no kid, by the named one", "valid", "ok", hs256(claims, new))
    mixed.add("decoy of the bare one", "invalid", "decoy", hs256(claims, decoy_of(bare), kid="x"))
    turn = Group("several secrets", {"TOUCHMARK_SECRET": ",".join(map(text, (old, new, bare)))})
    for name, key in {"first": old, "second": new, "third": bare}.items():
        turn.add(f"by the {name}", "valid", "ok", hs256(claims, key))
        turn.add(f"decoy of the {name}", "invalid", "decoy", hs256(claims, decoy_of(key)))
    turn.add("by none", "forged", "bad-signature", hs256(claims, secret("stranger")))
    decoy = secret("decoy")
    given = Group("a decoy secret that is given", plain(DECOY_SECRET=text(decoy)))
    given.add("a token", "valid", "ok", hs256(claims))
    given.add("a decoy", "invalid", "decoy", hs256(claims, decoy))
    given.add("the derived one", "forged", "bad-signature", hs256(claims, decoy_of(SECRET)))
    return [named, mixed, turn, given]


def jwks() -> list[Group]:
    keys = {
        "keys": [
            jwk("rsa", kid="rsa", alg="RS256", use="sig"),
            jwk("ec", kid="ec", alg="ES256", use="sig"),
            jwk("ed", kid="ed", alg="EdDSA", use="sig", key_ops=["verify"]),
            jwk("other-ec", kid="enc", use="enc"),
            jwk("other-rsa", kid="wrap", key_ops=["wrapKey"]),
            jwk("other-ed", kid="p384", alg="ES384"),
            {"kty": "oct", "kid": "oct", "k": base64url(secret("oct"))},
            {"kty": "unknown", "kid": "unknown"},
            "not a key",
        ]
    }
    claims = {"did": "x", "exp": SOON}
    group = Group("public keys", without_secret(JWKS=JWKS), jwks=keys)
    for name in "rsa", "ec", "ed":
        group.add(f"{name} with its kid", "valid", "ok", public(name, claims, kid=name))
        group.add(f"{name} without a kid", "valid", "ok", public(name, claims))
        group.add(f"{name}, expired", "expired", "expired", public(name, {"exp": 1}, kid=name))
        group.add(f"{name}, an unknown kid", "forged", "unknown-key", public(name, claims, kid="x"))
        group.add(
            f"{name} of a stranger",
            "forged",
            "bad-signature",
            public(f"other-{name}", claims, kid=name),
        )
        good = public(name, claims, kid=name)
        flipped = good[:-20] + ("A" if good[-20] != "A" else "B") + good[-19:]
        group.add(f"{name}, one letter changed", "forged", "bad-signature", flipped)
        signed, signature = good.rsplit(".", 1)
        short = base64url(base64.urlsafe_b64decode(signature + "==")[:-3])
        group.add(f"{name}, cut short", "forged", "bad-signature", f"{signed}.{short}")
        group.add(f"{name}, no signature", "forged", "bad-signature", good.rsplit(".", 1)[0] + ".")
        # The public key as a secret: the classic confusion of algorithms.
        for form, material in {
            "PEM": PRIVATE[name].as_pem(private=False),
            "DER": PRIVATE[name].as_der(private=False),
            "JWK": json.dumps(jwk(name)).encode(),
        }.items():
            group.add(
                f"HS256 with the {form} of {name}",
                "forged",
                "wrong-algorithm",
                by_hand(json.dumps({"alg": "HS256", "kid": name}), f"{{{FRESH}}}", material),
            )
    group.add(
        "the kid of another algorithm", "forged", "unknown-key", public("ec", claims, kid="rsa")
    )
    group.add(
        "a key for encryption", "forged", "unknown-key", public("other-ec", claims, kid="enc")
    )
    group.add("a key that wraps", "forged", "unknown-key", public("other-rsa", claims, kid="wrap"))
    group.add(
        "a secret in the set", "forged", "wrong-algorithm", hs256(claims, secret("oct"), kid="oct")
    )
    ec = public("ec", claims, kid="ec")
    signed, signature = ec.rsplit(".", 1)
    zeros = base64url(bytes(64))
    group.add("ES256 of zeros", "forged", "bad-signature", f"{signed}.{zeros}")

    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    group.add("ES256 as DER", "forged", "bad-signature", f"{signed}.{base64url(der)}")
    group.add("no token", "missing", "no-token")
    bare = Group(
        "public keys without alg and kid",
        without_secret(JWKS=JWKS),
        jwks={"keys": [jwk("rsa"), jwk("ec"), jwk("ed"), jwk("small-rsa", kid="small")]},
    )
    for name in "rsa", "ec", "ed":
        bare.add(name, "valid", "ok", public(name, claims))
        bare.add(f"{name} with a kid", "valid", "ok", public(name, claims, kid="x"))
    bare.add("RSA of 1024 bits", "forged", "bad-signature", small_rsa(claims))
    both = Group("a secret and public keys", plain(JWKS=JWKS), jwks={"keys": [jwk("ec", kid="ec")]})
    both.add("HS256", "valid", "ok", hs256(claims))
    both.add("HS256 with the kid of the public key", "valid", "ok", hs256(claims, kid="ec"))
    both.add("ES256", "valid", "ok", public("ec", claims, kid="ec"))
    both.add("decoy", "invalid", "decoy", hs256(claims, decoy_of(SECRET)))
    both.add("RS256, which no key is for", "forged", "wrong-algorithm", public("rsa", claims))
    both.add(
        "EdDSA, which no key is for", "forged", "wrong-algorithm", public("ed", claims, kid="ed")
    )
    return [group, bare, both]


def small_rsa(claims: dict[str, Any]) -> str:

    header = base64url(b'{"alg":"RS256"}')
    signed = f"{header}.{base64url(json.dumps(claims).encode())}"
    signature = PRIVATE["small-rsa"].private_key.sign(
        signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    return f"{signed}.{base64url(signature)}"


def claims() -> list[Group]:
    api = "https://api.example.com"
    group = Group("audience and issuer", plain(AUDIENCE=api, ISSUER="touchmark"))
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("both", {"aud": api, "iss": "touchmark"}, ""),
        ("an array with it", {"aud": ["x", api], "iss": "touchmark"}, ""),
        ("an array of it alone", {"aud": [api], "iss": "touchmark"}, ""),
        ("another audience", {"aud": "https://other.example.com", "iss": "touchmark"}, "audience"),
        ("an array without it", {"aud": ["x"], "iss": "touchmark"}, "audience"),
        ("an empty array", {"aud": [], "iss": "touchmark"}, "audience"),
        ("no audience", {"iss": "touchmark"}, "audience"),
        ("an audience that is a number", {"aud": 1, "iss": "touchmark"}, "audience"),
        ("the audience within an array within", {"aud": [[api]], "iss": "touchmark"}, "audience"),
        ("the audience as a name", {"aud": {api: 1}, "iss": "touchmark"}, "audience"),
        ("an audience that begins so", {"aud": api + "/", "iss": "touchmark"}, "audience"),
        ("another issuer", {"aud": api, "iss": "other"}, "issuer"),
        ("no issuer", {"aud": api}, "issuer"),
        ("an issuer in an array", {"aud": api, "iss": ["touchmark"]}, "issuer"),
        ("another case", {"aud": api, "iss": "Touchmark"}, "issuer"),
        ("neither", {}, "issuer"),
    ]
    for name, members, reason in cases:
        group.add(
            name,
            "misdirected" if reason else "valid",
            f"wrong-{reason}" if reason else "ok",
            hs256({"exp": SOON, **members}),
        )
    group.add("expired and misdirected", "expired", "expired", hs256({"exp": 1}))
    group.add("decoy and misdirected", "invalid", "decoy", hs256({"exp": SOON}, decoy_of(SECRET)))
    leeway = Group("a leeway", plain(LEEWAY="30"))
    for exp, status in (
        (NOW + 1, "valid"),
        (NOW, "valid"),
        (NOW - 29, "valid"),
        (NOW - 29.5, "valid"),
        (NOW - 30, "expired"),
        (NOW - 31, "expired"),
    ):
        leeway.add(
            f"exp {exp - NOW:+}", status, "ok" if status == "valid" else status, hs256({"exp": exp})
        )
    for nbf, status in (
        (NOW - 1, "valid"),
        (NOW, "valid"),
        (NOW + 30, "valid"),
        (NOW + 30.5, "early"),
        (NOW + 31, "early"),
    ):
        leeway.add(
            f"nbf {nbf - NOW:+}",
            status,
            "ok" if status == "valid" else "not-yet-valid",
            hs256({"exp": SOON, "nbf": nbf}),
        )
    half = Group("a leeway with a fraction", plain(LEEWAY="0.5"))
    half.add("exp now", "valid", "ok", hs256({"exp": NOW}))
    half.add("exp a second ago", "expired", "expired", hs256({"exp": NOW - 1}))
    return [group, leeway, half, times()]


def times() -> Group:
    group = Group("nbf", plain())
    for nbf, status, reason in [
        (str(NOW - 1), "valid", "ok"),
        (str(NOW), "valid", "ok"),
        (f"{NOW}.0", "valid", "ok"),
        ("0", "valid", "ok"),
        ("1.79e9", "valid", "ok"),
        (str(NOW + 1), "early", "not-yet-valid"),
        (f"{NOW}.5", "early", "not-yet-valid"),
        (str(SOON), "early", "not-yet-valid"),
        (str(2**53 - 1), "early", "not-yet-valid"),
        ("-1", "malformed", "bad-nbf"),
        (str(2**53), "malformed", "bad-nbf"),
        ("1e300", "malformed", "bad-nbf"),
        (f'"{NOW}"', "malformed", "bad-nbf"),
        ("true", "malformed", "bad-nbf"),
        ("null", "malformed", "bad-nbf"),
        ("[]", "malformed", "bad-nbf"),
        ("{}", "malformed", "bad-nbf"),
    ]:
        group.add(f"nbf {nbf}", status, reason, hs256(f'{{"exp":{SOON},"nbf":{nbf}}}'))
    group.add("expired, with a bad nbf", "expired", "expired", hs256('{"exp":1,"nbf":"x"}'))
    group.add("no exp, with a bad nbf", "malformed", "no-exp", hs256('{"nbf":"x"}'))
    group.add(
        "decoy that is early",
        "invalid",
        "decoy",
        hs256({"exp": SOON, "nbf": SOON}, decoy_of(SECRET)),
    )
    return group


def levels() -> list[Group]:
    names = ["software", "platform", "tee", "secure-chip"]
    groups = []
    for asked in names:
        group = Group(f"level {asked}", plain(LEVEL=asked))
        for index, name in enumerate(names):
            enough = index >= names.index(asked)
            group.add(
                f"lvl {name}",
                "valid" if enough else "weak",
                "ok" if enough else "low-level",
                hs256({"exp": SOON, "lvl": name}),
            )
        groups.append(group)
    for name, value in {
        "in upper case": "TEE",
        "unknown": "gold",
        "empty": "",
        "a number": 3,
        "null": None,
        "in an array": ["tee"],
        "true": True,
    }.items():
        groups[2].add(f"lvl {name}", "weak", "low-level", hs256({"exp": SOON, "lvl": value}))
    groups[2].add("no lvl", "weak", "low-level", hs256({"exp": SOON}))
    groups[2].add("no lvl and expired", "expired", "expired", hs256({"exp": 1}))
    return groups


def bindings() -> list[Group]:
    groups: dict[str, Group] = {}
    for name, names, value, values, verdict in BINDINGS:
        listed = ",".join(names)
        group = groups.setdefault(
            listed, Group(f"bound to {listed}", plain(BINDING_HEADERS=listed))
        )
        missing = any(not (v or "").strip(" \t") for v in values)
        reason = "ok" if verdict == "valid" else "no-bound-header" if missing else "wrong-pay"
        headers = [[n, v] for n, v in zip(names, values, strict=True) if v is not None]
        group.add(name, verdict, reason, hs256({"exp": SOON, "pay": bind(value)}), headers=headers)
    one = groups["Authorization"]
    auth = [["Authorization", "Bearer abc"]]
    good = bind("Bearer abc")
    for name, pay in {
        "no pay": None,
        "an empty pay": "",
        "a number": 1,
        "without padding": good.rstrip("="),
        "base64url": good.replace("/", "_").replace("+", "-") + "x",
        "the value itself": "Bearer abc",
        "in hexadecimal": hashlib.sha256(b"Bearer abc").hexdigest(),
        "in an array": [good],
    }.items():
        one.add(
            f"pay: {name}",
            "unbound",
            "wrong-pay",
            hs256({"exp": SOON, **({} if pay is None else {"pay": pay})}),
            headers=auth,
        )
    one.add("no header", "unbound", "no-bound-header", hs256({"exp": SOON, "pay": good}))
    one.add(
        "white space alone",
        "unbound",
        "no-bound-header",
        hs256({"exp": SOON, "pay": bind("")}),
        headers=[["Authorization", "  "]],
    )
    one.add("no header, expired", "expired", "expired", hs256({"exp": 1, "pay": good}))
    one.add(
        "no header, forged",
        "forged",
        "bad-signature",
        hs256({"exp": SOON, "pay": good}, secret("stranger")),
    )
    one.add(
        "bound, decoy",
        "invalid",
        "decoy",
        hs256({"exp": SOON, "pay": good}, decoy_of(SECRET)),
        headers=auth,
    )
    one.add(
        "the header in lower case",
        "valid",
        "ok",
        hs256({"exp": SOON, "pay": good}),
        headers=[["authorization", "Bearer abc"]],
    )
    session = Group("bound to X-Session", plain(BINDING_HEADERS="X-Session"))
    session.add(
        "the header twice",
        "unbound",
        "wrong-pay",
        hs256({"exp": SOON, "pay": bind("abc")}),
        headers=[["X-Session", "abc"], ["X-Session", "def"]],
    )
    session.add(
        "the header twice, the second bound",
        "unbound",
        "wrong-pay",
        hs256({"exp": SOON, "pay": bind("def")}),
        headers=[["X-Session", "abc"], ["X-Session", "def"]],
    )
    session.add(
        "a comma within",
        "valid",
        "ok",
        hs256({"exp": SOON, "pay": bind("a, b")}),
        headers=[["X-Session", "a, b"]],
    )
    unasked = Group("bound, where nothing is asked", plain())
    unasked.add("a bound token", "valid", "ok", hs256({"exp": SOON, "pay": good}))
    return [*groups.values(), session, unasked]


def single_use() -> Group:
    group = Group("single use", plain(SINGLE_USE="memory"))
    first, second = hs256({"exp": SOON, "jti": "first"}), hs256({"exp": SOON, "jti": "second"})
    group.add("the first time", "valid", "ok", first)
    group.add("the second time", "replayed", "replayed", first)
    group.add("the third time", "replayed", "replayed", first)
    group.add("another token", "valid", "ok", second)
    group.add(
        "another token with the same jti",
        "replayed",
        "replayed",
        hs256({"did": "y", "exp": SOON, "jti": "second"}),
    )
    group.add("no jti", "replayed", "no-jti", hs256({"exp": SOON}))
    group.add("an empty jti", "replayed", "no-jti", hs256({"exp": SOON, "jti": ""}))
    group.add("a jti that is a number", "replayed", "no-jti", hs256({"exp": SOON, "jti": 1}))
    group.add("expired", "expired", "expired", hs256({"exp": 1, "jti": "third"}))
    group.add("what expired has spent nothing", "valid", "ok", hs256({"exp": SOON, "jti": "third"}))
    group.add(
        "a decoy", "invalid", "decoy", hs256({"exp": SOON, "jti": "fourth"}, decoy_of(SECRET))
    )
    group.add("a decoy has spent nothing", "valid", "ok", hs256({"exp": SOON, "jti": "fourth"}))
    group.add("a jti beyond ASCII", "valid", "ok", hs256({"exp": SOON, "jti": "é😀"}))
    group.add(
        "a jti beyond ASCII again", "replayed", "replayed", hs256({"exp": SOON, "jti": "é😀"})
    )
    return group


def other_makers() -> list[Group]:
    key = secret("approov")
    url = base64url(key)
    groups = []
    for form, value in {
        "base64": text(key),
        "base64url": url,
        "base64url with padding": url + "=",
    }.items():
        group = Group(f"Approov, its secret in {form}", plain(APPROOV_SECRET=value))
        group.header = "Approov-Token"
        group.add("a token", "valid", "ok", hs256({"did": "x", "exp": SOON}, key), maker="approov")
        group.add("expired", "expired", "expired", hs256({"exp": 1}, key), maker="approov")
        group.add("no exp", "malformed", "no-exp", hs256({"did": "x"}, key), maker="approov")
        group.add(
            "forged",
            "forged",
            "bad-signature",
            hs256({"exp": SOON}, secret("stranger")),
            maker="approov",
        )
        group.add(
            "Touchmark's own secret",
            "forged",
            "bad-signature",
            hs256({"exp": SOON}),
            maker="approov",
        )
        group.add(
            "its secret in Touchmark's header",
            "forged",
            "bad-signature",
            headers=[[HEADER_NAME, hs256({"exp": SOON}, key)]],
            maker="touchmark",
        )
        group.add(
            "a bad one of Touchmark's beside",
            "forged",
            "bad-signature",
            hs256({"exp": SOON}, key),
            headers=[[HEADER_NAME, hs256({"exp": SOON}, key)]],
            maker="touchmark",
        )
        group.add(
            "Touchmark's",
            "valid",
            "ok",
            headers=[[HEADER_NAME, hs256({"exp": SOON})]],
            maker="touchmark",
        )
        group.add("neither", "missing", "no-token", maker="touchmark")
        group.add(
            "two",
            "malformed",
            "two-tokens",
            hs256({"exp": SOON}, key),
            headers=[["Approov-Token", "x"]],
            maker="approov",
        )
        groups.append(group)
    bound = Group(
        "Approov, bound",
        plain(APPROOV_SECRET=text(key), APPROOV_BINDING_HEADERS="Authorization,X-Session"),
    )
    bound.header = "Approov-Token"
    values = [["Authorization", " abc "], ["X-Session", "alice"]]
    bound.add(
        "joined with nothing between",
        "valid",
        "ok",
        hs256({"exp": SOON, "pay": bind("abcalice")}, key),
        headers=values,
        maker="approov",
    )
    bound.add(
        "joined with a line feed",
        "unbound",
        "wrong-pay",
        hs256({"exp": SOON, "pay": bind("abc\nalice")}, key),
        headers=values,
        maker="approov",
    )
    bound.add(
        "no pay", "unbound", "wrong-pay", hs256({"exp": SOON}, key), headers=values, maker="approov"
    )
    bound.add(
        "one header missing",
        "unbound",
        "no-bound-header",
        hs256({"exp": SOON, "pay": bind("abc")}, key),
        headers=values[:1],
        maker="approov",
    )
    app_check = Group(
        "Firebase App Check",
        plain(FIREBASE_PROJECT="123456789", FIREBASE_JWKS=JWKS),
        jwks={
            "keys": [
                jwk("rsa", kid="rsa", alg="RS256", use="sig"),
                jwk("ec", kid="ec", alg="ES256"),
            ]
        },
    )
    app_check.header = "X-Firebase-AppCheck"
    good = {
        "iss": "https://firebaseappcheck.googleapis.com/123456789",
        "aud": ["projects/123456789", "projects/demo"],
        "sub": "1:123456789:android:abc",
        "exp": SOON,
        "iat": NOW,
    }
    app_check.add("a token", "valid", "ok", public("rsa", good, kid="rsa"), maker="firebase")
    others: list[tuple[str, dict[str, Any], str, str]] = [
        ("expired", {"exp": 1}, "expired", "expired"),
        ("no exp", {"exp": None}, "malformed", "no-exp"),
        (
            "another project's issuer",
            {"iss": "https://firebaseappcheck.googleapis.com/1"},
            "misdirected",
            "wrong-issuer",
        ),
        ("another project's audience", {"aud": ["projects/1"]}, "misdirected", "wrong-audience"),
        ("no audience", {"aud": None}, "misdirected", "wrong-audience"),
    ]
    for name, members, status, reason in others:
        app_check.add(
            name,
            status,
            reason,
            public("rsa", {**good, **members}, kid="rsa"),
            maker="firebase",
        )
    app_check.add(
        "ES256 of a key in the set",
        "forged",
        "wrong-algorithm",
        public("ec", good, kid="ec"),
        maker="firebase",
    )
    app_check.add(
        "a stranger",
        "forged",
        "bad-signature",
        public("other-rsa", good, kid="rsa"),
        maker="firebase",
    )
    app_check.add(
        "an unknown kid", "forged", "unknown-key", public("rsa", good, kid="x"), maker="firebase"
    )
    app_check.add(
        "another typ",
        "malformed",
        "bad-header",
        public("rsa", good, kid="rsa", typ="at+jwt"),
        maker="firebase",
    )
    app_check.add(
        "HS256 with Touchmark's secret", "forged", "wrong-algorithm", hs256(good), maker="firebase"
    )
    app_check.add(
        "its token in Touchmark's header",
        "forged",
        "wrong-algorithm",
        headers=[[HEADER_NAME, public("rsa", good, kid="rsa")]],
        maker="touchmark",
    )
    app_check.add(
        "Touchmark's",
        "valid",
        "ok",
        headers=[[HEADER_NAME, hs256({"exp": SOON})]],
        maker="touchmark",
    )
    return [*groups, bound, app_check]


def main() -> None:
    groups = [
        tokens(),
        compact(),
        *carriers(),
        preflights(),
        *modes(),
        *shares(),
        *key_ids(),
        *jwks(),
        *claims(),
        *levels(),
        *bindings(),
        single_use(),
        *other_makers(),
    ]
    for group in groups:
        names = [case["name"] for case in group.document["cases"]]
        assert len(names) == len(set(names)), (group.document["name"], sorted(names))
    document = {
        "origin": f"tests/vectors/token-check/mint_requests.py with joserfc {__version__}",
        "now": NOW,
        "groups": [group.document for group in groups],
    }
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
