"""Makes protocol/vectors/token-check.json with PyPI's joserfc; README.md says how."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from typing import Any

from joserfc import __version__, jws
from joserfc.jwk import OctKey

NOW = 1_790_000_000
SOON = NOW + 300
SECRET = hashlib.sha256(b"token-check secret").digest()
STRANGER = hashlib.sha256(b"token-check stranger").digest()
HEADER = {"alg": "HS256", "typ": "JWT"}
# HKDF-SHA256 of 32 bytes without salt: one block (RFC 5869).
DECOY = hmac.digest(
    hmac.digest(bytes(32), SECRET, "sha256"), b"touchmark decoy secret v1\x01", "sha256"
)

# What may stand as the value of `exp`, and the verdict at NOW.
EXPIRIES = {
    "valid": [
        f"{SOON}", f"{NOW + 1}", f"{SOON}.0", f"{SOON}.25", f"{NOW}.5", f"{SOON}e0", f"{SOON}0E-1",
        "1.7900003e9", "1e10", "1E+10", f"{2**53 - 1}", f"{2**53 - 1}.0",
    ],
    "expired": [
        f"{NOW}", f"{NOW}.0", f"{NOW - 1}", f"{NOW - 1}.5", "1.79e9", "0", "-0", "-0.0", "0.5", "1",
        "1e3", "1e-400",
    ],
    "malformed": [
        # Before 1970, or not the same number in every language.
        "-1", "-0.5", f"-{SOON}", "-1e300", f"{2**53}", f"{2**53}.0", f"{2**53 + 1}", "1e16",
        f"{2**63 - 1}", f"{2**63}", f"{2**64 - 1}", f"{2**64}", f"{2**64 + SOON}", "1e300",
        # Not a number.
        f'"{SOON}"', f'"{SOON}.5"', '""', '"2099-01-01T00:00:00Z"', "true", "false", "null", "[]",
        f"[{SOON}]", "{}", f'{{"value":{SOON}}}',
        # Not JSON.
        "NaN", "Infinity", "-Infinity", "nan", "1e400", "-1e400", "9" * 400, f"0{SOON}", f"+{SOON}",
        f"{SOON}.", ".5", "1e", "0x6AB13B2C", "1_790_000_300", f"{SOON}n", "",
    ],
}  # fmt: skip

FRESH = f'"exp":{SOON}'
NESTED = '{"a":' * 16 + "1" + "}" * 16
# Other payloads, signed with the token secret.
PAYLOADS: list[tuple[str, str, str | bytes]] = [
    ("no exp", "malformed", '{"did":"x"}'),
    ("exp under another name", "malformed", f'{{"Exp":{SOON}}}'),
    ("exp twice, fresh and expired", "malformed", f'{{{FRESH},"exp":{NOW - 1}}}'),
    ("exp twice, expired and fresh", "malformed", f'{{"exp":{NOW - 1},{FRESH}}}'),
    ("exp twice, once escaped", "malformed", f'{{{FRESH},"e\\u0078p":{SOON}}}'),
    ("exp, escaped", "valid", f'{{"e\\u0078p":{SOON}}}'),
    ("another claim twice", "malformed", f'{{"a":1,{FRESH},"a":1}}'),
    ("a name twice in a claim", "malformed", f'{{"a":{{"b":1,"b":1}},{FRESH}}}'),
    ("nbf to come", "early", f'{{{FRESH},"nbf":{SOON}}}'),
    ("nbf with a fraction, to come", "early", f'{{{FRESH},"nbf":{NOW}.5}}'),
    ("nbf now", "valid", f'{{{FRESH},"nbf":{NOW}}}'),
    ("nbf as text", "malformed", f'{{{FRESH},"nbf":"{NOW}"}}'),
    ("nbf to come, and expired", "expired", f'{{"exp":{NOW - 1},"nbf":{SOON}}}'),
    # Not judged.
    ("iat to come", "valid", f'{{{FRESH},"iat":{SOON}}}'),
    ("iat as text", "valid", f'{{{FRESH},"iat":"x"}}'),
    ("iat before 1970", "valid", f'{{{FRESH},"iat":-1.5}}'),
    ("iat that is no bound of exp", "valid", f'{{{FRESH},"iat":{SOON + 1}}}'),
    ("nbf NaN", "malformed", f'{{{FRESH},"nbf":NaN}}'),
    ("iat 1e400", "malformed", f'{{{FRESH},"iat":1e400}}'),
    # What is JSON, and what is not.
    ("white space", "valid", f' \t\r\n{{ "exp" : {SOON} }}\n'),
    ("names beyond ASCII", "valid", f'{{"é😀":"é😀\\ud83d\\ude00",{FRESH}}}'),
    ("a number that is too large", "malformed", f'{{{FRESH},"x":1e999}}'),
    ("an integer that is too large", "malformed", f'{{{FRESH},"x":{"9" * 400}}}'),
    ("an integer of 100 digits", "valid", f'{{{FRESH},"x":{"9" * 100}}}'),
    ("Infinity in an array", "malformed", f'{{{FRESH},"x":[-Infinity]}}'),
    ("half of a surrogate pair", "malformed", f'{{{FRESH},"x":"\\ud800"}}'),
    ("half of a surrogate pair in a name", "malformed", f'{{{FRESH},"\\udc00":1}}'),
    ("16 levels", "valid", f'{{{FRESH},"x":{"[" * 15}{"]" * 15}}}'),
    ("17 levels", "malformed", f'{{{FRESH},"x":{"[" * 16}{"]" * 16}}}'),
    ("17 levels of objects", "malformed", f'{{{FRESH},"x":{NESTED}}}'),
    ("an array", "malformed", f"[{SOON}]"),
    ("a number", "malformed", f"{SOON}"),
    ("text behind", "malformed", f"{{{FRESH}}}x"),
    ("a comma too many", "malformed", f"{{{FRESH},}}"),
    ("a comment", "malformed", f"{{{FRESH}}}//"),
    ("a control character", "malformed", f'{{{FRESH},"x":"\t"}}'),
    ("a NUL behind", "malformed", f"{{{FRESH}}}\0"),
    ("a byte order mark", "malformed", b"\xef\xbb\xbf" + f"{{{FRESH}}}".encode()),
    ("UTF-16", "malformed", f"{{{FRESH}}}".encode("utf-16")),
    ("UTF-16 without a mark", "malformed", f"{{{FRESH}}}".encode("utf-16-le")),
    ("UTF-32", "malformed", f"{{{FRESH}}}".encode("utf-32-le")),
    ("Latin-1", "malformed", f'{{"é":1,{FRESH}}}'.encode("latin-1")),
]

# Signed by others: what a token is comes before whose it is, and that before its time.
SIGNERS: list[tuple[str, str, bytes, str]] = [
    ("decoy", "invalid", DECOY, f"{{{FRESH}}}"),
    ("decoy, expired", "invalid", DECOY, '{"exp":1}'),
    ("decoy, exp as text", "invalid", DECOY, f'{{"exp":"{SOON}"}}'),
    ("decoy, no exp", "invalid", DECOY, "{}"),
    ("decoy, exp NaN", "malformed", DECOY, '{"exp":NaN}'),
    ("decoy, exp twice", "malformed", DECOY, f"{{{FRESH},{FRESH}}}"),
    ("stranger", "forged", STRANGER, f"{{{FRESH}}}"),
    ("stranger, expired", "forged", STRANGER, '{"exp":1}'),
    ("stranger, exp as text", "forged", STRANGER, f'{{"exp":"{SOON}"}}'),
    ("stranger, no exp", "forged", STRANGER, "{}"),
    ("stranger, exp NaN", "malformed", STRANGER, '{"exp":NaN}'),
    ("stranger, an array", "malformed", STRANGER, "[]"),
]

# Headers that joserfc does not write, signed with the token secret all the same.
HEADERS = [
    ("crit that nobody knows", "malformed", '{"alg":"HS256","crit":["x"],"x":1}'),
    ("crit of a claim", "malformed", '{"alg":"HS256","crit":["exp"],"exp":1}'),
    ("crit, empty", "malformed", '{"alg":"HS256","crit":[]}'),
    ("crit, not an array", "malformed", '{"alg":"HS256","crit":"x"}'),
    ("crit, null", "malformed", '{"alg":"HS256","crit":null}'),
    ("crit of b64", "malformed", '{"alg":"HS256","b64":true,"crit":["b64"]}'),
    ("crit and another alg", "malformed", '{"alg":"none","crit":["x"],"x":1}'),
    ("alg twice", "malformed", '{"alg":"none","alg":"HS256"}'),
    ("NaN in the header", "malformed", '{"alg":"HS256","x":NaN}'),
    ("an array as header", "malformed", "[]"),
    ("alg none", "forged", '{"alg":"none"}'),
    ("no alg", "forged", "{}"),
    ("alg in lower case", "forged", '{"alg":"hs256"}'),
    ("alg in an array", "forged", '{"alg":["HS256"]}'),
    ("b64 false without crit", "malformed", '{"alg":"HS256","b64":false}'),
    ("b64 true", "valid", '{"alg":"HS256","b64":true}'),
    ("b64 that is no boolean", "valid", '{"alg":"HS256","b64":0}'),
    ("kid", "valid", '{"alg":"HS256","kid":"1"}'),
    ("kid, a number", "malformed", '{"alg":"HS256","kid":1}'),
    ("kid, null", "malformed", '{"alg":"HS256","kid":null}'),
    ("kid, a number, and another alg", "malformed", '{"alg":"none","kid":1}'),
    ("typ, a number", "valid", '{"alg":"HS256","typ":1}'),
    ("another typ", "valid", '{"alg":"HS256","typ":"at+jwt"}'),
]

ONE = ["Authorization"]
TWO = ["Authorization", "X-Session"]
# The headers of the rule, what the token is bound to, what the request carries, the verdict.
BINDINGS: list[tuple[str, list[str], str, list[str | None], str]] = [
    ("one header", ONE, "Bearer abc", ["Bearer abc"], "valid"),
    ("white space around", ONE, "Bearer abc", [" \tBearer abc \t"], "valid"),
    ("white space within", ONE, "Bearer abc", ["Bearer  abc"], "unbound"),
    ("another case", ONE, "Bearer abc", ["bearer abc"], "unbound"),
    ("a line feed behind one value", ONE, "Bearer abc\n", ["Bearer abc"], "unbound"),
    ("two headers", TWO, "abc\nalice", ["abc", "alice"], "valid"),
    ("white space around both", TWO, "abc\nalice", ["abc ", "\talice"], "valid"),
    ("a letter over", TWO, "abc\nalice", ["abca", "lice"], "unbound"),
    ("nothing between", TWO, "abcalice", ["abc", "alice"], "unbound"),
    ("the other order", TWO, "alice\nabc", ["abc", "alice"], "unbound"),
    ("the second missing", TWO, "abc\n", ["abc", None], "unbound"),
    ("the first missing", TWO, "\nalice", [None, "alice"], "unbound"),
    ("the second empty", TWO, "abc\n", ["abc", ""], "unbound"),
    ("the first alone", TWO, "abc", ["abc", "alice"], "unbound"),
]  # fmt: skip


def sign(payload: str | bytes, secret: bytes = SECRET) -> str:
    data = payload if isinstance(payload, bytes) else payload.encode()
    key = OctKey.import_key(secret)
    token: str = jws.serialize_compact(HEADER, data, key, algorithms=["HS256"])
    return token


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_with_header(header: str) -> str:
    signed = f"{base64url(header.encode())}.{base64url(f'{{{FRESH}}}'.encode())}"
    return f"{signed}.{base64url(hmac.digest(SECRET, signed.encode(), 'sha256'))}"


def bind(value: str) -> str:
    pay = base64.b64encode(hashlib.sha256(value.encode()).digest()).decode()
    return sign(json.dumps({"exp": SOON, "pay": pay}))


def main() -> None:
    cases: list[dict[str, Any]] = []

    def add(name: str, verdict: str, token: str) -> None:
        cases.append({"name": name, "verdict": verdict, "token": token})

    for verdict, expiries in EXPIRIES.items():
        for expiry in expiries:
            shown = expiry if len(expiry) < 40 else f"of {len(expiry)} digits"
            add(f"exp {shown}".strip(), verdict, sign(f'{{"did":"x","exp":{expiry}}}'))
    for name, verdict, payload in PAYLOADS:
        add(name, verdict, sign(payload))
    for name, verdict, secret, text in SIGNERS:
        add(name, verdict, sign(text, secret))
    for name, verdict, header in HEADERS:
        add(name, verdict, sign_with_header(header))
    bindings = [
        {
            "name": name,
            "binding_headers": names,
            "headers": {n: v for n, v in zip(names, values, strict=True) if v is not None},
            "verdict": verdict,
            "token": bind(value),
        }
        for name, names, value, values, verdict in BINDINGS
    ]
    document = {
        "origin": f"tests/vectors/token-check/mint_tokens.py with joserfc {__version__}",
        "now": NOW,
        "secret": base64.b64encode(SECRET).decode(),
        "decoy_secret": base64.b64encode(DECOY).decode(),
        "cases": cases,
        "bindings": bindings,
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
