"""Makes protocol/vectors/token-check/signed-requests.json; README.md says how."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from mint_requests import PRIVATE, Group, decoy_of, hs256, plain, secret, text
from mint_tokens import NOW, SECRET, SOON
from requests import Request

ORIGIN = "https://api.example.com"
ACCOUNT = secret("account key")
INSTALL = PRIVATE["ec"].private_key
STRANGER = PRIVATE["other-ec"].private_key
USUAL = ["@method", "@target-uri", "touchmark-token"]


def spki(key: ec.EllipticCurvePrivateKey) -> str:
    return text(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


TOKEN = hs256({"did": "x", "exp": SOON, "ipk": spki(INSTALL)})


def digest(body: bytes, name: str = "sha-256") -> str:
    return f"{name}=:{text(hashlib.new(name.replace('-', ''), body).digest())}:"


class Signed:
    """One request. What is signed is what it was made with; what is sent may be changed after."""

    def __init__(
        self,
        method: str = "GET",
        target: str = "/v2/rates?from=EUR&to=GBP",
        body: str | None = None,
        headers: list[list[str]] | None = None,
        token: str = TOKEN,
    ) -> None:
        self.method, self.target, self.body = method, target, body
        self.headers = [["Touchmark-Token", token], *(headers or [])]
        if body:
            self.headers.append(["Content-Digest", digest(body.encode())])
        self.inputs: list[str] = []
        self.signatures: list[str] = []

    def value(self, name: str, origin: str) -> str:
        path, _, query = self.target.partition("?")
        scheme, _, authority = origin.partition("://")
        derived = {
            "@method": self.method,
            "@target-uri": origin + self.target,
            "@path": path,
            "@query": "?" + query,
            "@scheme": scheme,
            "@authority": authority,
            "@request-target": self.target,
        }
        if name in derived:
            return derived[name]
        found = [v.strip(" \t") for n, v in self.headers if n.lower() == name]
        return ", ".join(found)

    def sign(
        self,
        label: str = "install",
        key: Any = INSTALL,
        components: list[str] | None = None,
        *,
        created: Any = NOW,
        nonce: str | None = None,
        extra: str = "",
        origin: str = ORIGIN,
        parameters: str | None = None,
        raw: bool = True,
    ) -> Signed:
        covered = (
            USUAL + (["content-digest"] if self.body else []) if components is None else components
        )
        nonce = f"nonce-{next(COUNTER)}" if nonce is None else nonce
        if parameters is None:
            parameters = (
                (f";created={created}" if created is not None else "")
                + (f';nonce="{nonce}"' if nonce else "")
                + extra
            )
        listed = " ".join(f'"{name}"' for name in covered)
        base = "".join(f'"{name}": {self.value(name, origin)}\n' for name in covered)
        signed = f'{base}"@signature-params": ({listed}){parameters}'.encode()
        if isinstance(key, bytes):
            signature = hmac.digest(key, signed, "sha256")
        else:
            signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
            if raw:
                r, s = decode_dss_signature(signature)
                signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        self.inputs.append(f"{label}=({listed}){parameters}")
        self.signatures.append(f"{label}=:{text(signature)}:")
        return self

    def sent(self, *, inputs: str | None = None, signatures: str | None = None) -> list[list[str]]:
        out = list(self.headers)
        inputs = ", ".join(self.inputs) if inputs is None else inputs
        signatures = ", ".join(self.signatures) if signatures is None else signatures
        return (
            out
            + ([["Signature-Input", inputs]] if inputs else [])
            + ([["Signature", signatures]] if signatures else [])
        )


COUNTER = iter(range(10_000))


class SignedGroup(Group):
    def check(
        self,
        name: str,
        status: str,
        reason: str,
        request: Signed,
        headers: list[list[str]] | None = None,
        **changed: Any,
    ) -> None:
        members = {"target": request.target, "body": request.body, **changed}
        self.add(
            name,
            status,
            reason,
            headers=request.sent() if headers is None else headers,
            method=members.pop("method", request.method),
            **{key: value for key, value in members.items() if value is not None},
        )
        if status == "valid":
            verify_with_library(request)


class Keys(HTTPSignatureKeyResolver):  # type: ignore[misc]
    def __init__(self, key: Any) -> None:
        self._key = key

    def resolve_public_key(self, key_id: str) -> Any:
        return self._key

    def resolve_private_key(self, key_id: str) -> Any:
        return self._key


def verify_with_library(request: Signed) -> None:
    """What is called valid here must be so for http-message-signatures, which asks for a keyid."""
    if len(request.inputs) != 1:
        return
    for label, algorithm, key in (
        ("install", algorithms.ECDSA_P256_SHA256, INSTALL.public_key()),
        ("account", algorithms.HMAC_SHA256, ACCOUNT),
    ):
        if not any(one.startswith(label + "=") and "keyid=" in one for one in request.inputs):
            continue
        message = Request(
            request.method, ORIGIN + request.target, headers=dict(request.sent()), data=request.body
        ).prepare()
        verifier = HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=Keys(key))
        verifier.validate_created_and_expires = lambda *_, **__: None
        assert verifier.verify(message)


def install() -> SignedGroup:
    g = SignedGroup(
        "signed by the installation", plain(SIGNATURES="install", SIGNATURE_ORIGIN=ORIGIN)
    )
    ok = ("valid", "ok")
    g.check("a GET", *ok, Signed().sign())
    g.check("with a keyid", *ok, Signed().sign(extra=';keyid="x"'))
    g.check("with its alg", *ok, Signed().sign(extra=';alg="ecdsa-p256-sha256"'))
    g.check("with expires", *ok, Signed().sign(extra=f";expires={NOW + 60}"))
    g.check(
        "parameters in another order",
        *ok,
        Signed().sign(parameters=f';nonce="order";keyid="x";created={NOW}'),
    )
    g.check("a tag", *ok, Signed().sign(extra=';tag="app"'))
    g.check(
        "components in another order",
        *ok,
        Signed().sign(components=["touchmark-token", "@target-uri", "@method"]),
    )
    g.check(
        "every derived component",
        *ok,
        Signed().sign(
            components=[*USUAL, "@authority", "@scheme", "@path", "@query", "@request-target"]
        ),
    )
    g.check(
        "more headers",
        *ok,
        Signed(headers=[["Accept", " text/plain "], ["X-One", "1"]]).sign(
            components=[*USUAL, "accept", "x-one"]
        ),
    )
    g.check("no query", *ok, Signed(target="/v2/rates").sign(components=[*USUAL, "@query"]))
    g.check("a target with escapes", *ok, Signed(target="/v2/%7Erates/a%2Fb?q=%C3%A9+x").sign())
    g.check("a POST", *ok, Signed("POST", body='{"hello": "world"}').sign())
    g.check("a PUT of text beyond ASCII", *ok, Signed("PUT", body="é😀\n").sign())
    g.check("a digest beside another", *ok, both_digests().sign())
    g.check("another signature beside", *ok, Signed().sign("other", STRANGER).sign())
    g.check(
        "the fields in two lines",
        *ok,
        (two := Signed().sign("other", STRANGER).sign()),
        [
            *two.headers,
            ["Signature-Input", two.inputs[0]],
            ["Signature-Input", two.inputs[1]],
            ["Signature", two.signatures[0]],
            ["Signature", two.signatures[1]],
        ],
    )
    for age, reason in (
        (59, "ok"),
        (60, "bad-signature-time"),
        (61, "bad-signature-time"),
        (-5, "ok"),
        (-6, "bad-signature-time"),
    ):
        g.check(
            f"made {age} s ago",
            "valid" if reason == "ok" else "unsigned",
            reason,
            Signed().sign(created=NOW - age),
        )

    def bad(
        name: str,
        reason: str,
        request: Signed,
        headers: list[list[str]] | None = None,
        **changed: Any,
    ) -> None:
        g.check(name, "unsigned", reason, request, headers, **changed)

    bad("nothing", "no-signature", Signed())
    one = Signed().sign()
    bad("no Signature", "no-signature", one, one.sent(signatures=""))
    bad("no Signature-Input", "no-signature", one, one.sent(inputs=""))
    bad("another label", "no-signature", Signed().sign("account", ACCOUNT))
    bad("the label in upper case", "bad-signature-input", Signed().sign("INSTALL"))
    bad("no dictionary", "bad-signature-input", one, one.sent(inputs='install=("@method"'))
    bad(
        "no dictionary in Signature",
        "bad-signature-input",
        one,
        one.sent(signatures="install=:AAA"),
    )
    bad("a text as input", "bad-signature-input", one, one.sent(inputs='install="@method"'))
    bad("a text as signature", "bad-signature-input", one, one.sent(signatures='install="AAAA"'))
    bad(
        "a token in the list",
        "bad-signature-input",
        one,
        one.sent(inputs=f'install=(method);created={NOW};nonce="a"'),
    )
    bad("a component twice", "bad-signature-input", Signed().sign(components=[*USUAL, "@method"]))
    bad(
        "a component with a parameter",
        "bad-signature-input",
        one,
        one.sent(inputs=one.inputs[0].replace('"@method"', '"@method";req')),
    )
    bad(
        "a component in upper case",
        "bad-signature-input",
        Signed().sign(components=[*USUAL, "Accept"]),
    )
    bad("@status", "bad-signature-input", Signed().sign(components=[*USUAL, "@status"]))
    bad(
        "an unknown derived component",
        "bad-signature-input",
        Signed().sign(components=[*USUAL, "@touchmark"]),
    )
    bad("another alg", "bad-signature-input", Signed().sign(extra=';alg="hmac-sha256"'))
    bad("an alg that is no text", "bad-signature-input", Signed().sign(extra=";alg=1"))
    bad("longer than 8 KiB", "bad-signature-input", Signed().sign(extra=f';tag="{"x" * 8192}"'))
    for left_out in USUAL:
        bad(
            f"without {left_out}",
            "low-coverage",
            Signed().sign(components=[c for c in USUAL if c != left_out]),
        )
    bad("nothing covered", "low-coverage", Signed().sign(components=[]))
    bad(
        "@path in place of @target-uri",
        "low-coverage",
        Signed().sign(components=["@method", "@path", "@query", "touchmark-token"]),
    )
    bad(
        "a body without its digest covered",
        "low-coverage",
        Signed("POST", body="x").sign(components=USUAL),
    )
    bad(
        "a covered header that is not there",
        "low-coverage",
        Signed().sign(components=[*USUAL, "x-gone"]),
    )
    bad("no created", "bad-signature-time", Signed().sign(created=None))
    bad("created as text", "bad-signature-time", Signed().sign(created=f'"{NOW}"'))
    bad("created with a fraction", "bad-signature-time", Signed().sign(created=f"{NOW}.5"))
    bad("created below 0", "bad-signature-time", Signed().sign(created=-1))
    bad("expired", "bad-signature-time", Signed().sign(extra=f";expires={NOW}"))
    bad("expires as text", "bad-signature-time", Signed().sign(extra=f';expires="{NOW + 60}"'))
    bad("no nonce", "no-nonce", Signed().sign(nonce=""))
    bad("an empty nonce", "no-nonce", Signed().sign(parameters=f';created={NOW};nonce=""'))
    bad("a nonce that is a number", "no-nonce", Signed().sign(parameters=f";created={NOW};nonce=1"))
    bad("a nonce of 129 letters", "no-nonce", Signed().sign(nonce="n" * 129))
    g.check("a nonce of 128 letters", *ok, Signed().sign(nonce="n" * 128))
    for name, ipk in {
        "no ipk": None,
        "an ipk that is no base64": "?",
        "an ipk that is no key": text(b"x"),
        "an ipk on another curve": spki(ec.generate_private_key(ec.SECP384R1())),
        "an ipk that is a number": 1,
    }.items():
        bad(
            name,
            "no-signing-key",
            Signed(
                token=hs256({"did": "x", "exp": SOON, **({} if ipk is None else {"ipk": ipk})})
            ).sign(),
        )
    bad(
        "another body",
        "wrong-digest",
        Signed("POST", body='{"amount": 1}').sign(),
        body='{"amount": 2}',
    )
    bad("no digest of SHA-256", "wrong-digest", only_512().sign())
    bad("a digest that is text", "wrong-digest", odd_digest('sha-256="x"').sign())
    bad("a digest that is no dictionary", "wrong-digest", odd_digest("sha-256=:").sign())
    for name, changed in {
        "another method": {"method": "DELETE"},
        "another path": {"target": "/v1/rates?from=EUR&to=GBP"},
        "another query": {"target": "/v2/rates?from=EUR&to=USD"},
        "a query taken off": {"target": "/v2/rates"},
        "an escape spelled out": {"target": "/v2/r%61tes?from=EUR&to=GBP"},
    }.items():
        bad(name, "wrong-signature", Signed().sign(), None, **changed)
    bad("another origin", "wrong-signature", Signed().sign(origin="https://api.example.org"))
    bad("another scheme", "wrong-signature", Signed().sign(origin="http://api.example.com"))
    moved = Signed().sign()
    other = hs256({"did": "y", "exp": SOON, "ipk": spki(INSTALL)})
    bad("another token", "wrong-signature", moved, [["Touchmark-Token", other], *moved.sent()[1:]])
    stolen = Signed(token=hs256({"did": "y", "exp": SOON, "ipk": spki(STRANGER)})).sign()
    bad("a token of another installation", "wrong-signature", stolen)
    bad("signed by a stranger", "wrong-signature", Signed().sign(key=STRANGER))
    bad("in DER", "wrong-signature", Signed().sign(raw=False))
    flipped = Signed().sign()
    bad(
        "zeros", "wrong-signature", flipped, flipped.sent(signatures=f"install=:{text(bytes(64))}:")
    )
    bad("empty", "wrong-signature", flipped, flipped.sent(signatures="install=::"))
    bad(
        "created changed",
        "wrong-signature",
        flipped,
        flipped.sent(inputs=flipped.inputs[0].replace(f"created={NOW}", f"created={NOW - 1}")),
    )
    bad(
        "nonce changed",
        "wrong-signature",
        flipped,
        flipped.sent(inputs=flipped.inputs[0].replace("nonce-", "nonce+")),
    )
    changed_header = Signed(headers=[["X-Amount", "1"]]).sign(components=[*USUAL, "x-amount"])
    bad(
        "a covered header changed",
        "wrong-signature",
        changed_header,
        [[n, "2" if n == "X-Amount" else v] for n, v in changed_header.sent()],
    )
    bad(
        "a covered header doubled",
        "wrong-signature",
        changed_header,
        [*changed_header.sent(), ["X-Amount", "2"]],
    )
    once = Signed().sign(nonce="once")
    g.check("a nonce", *ok, once)
    g.check("a nonce again", "replayed", "nonce-replayed", once)
    g.check(
        "a nonce again, in another request",
        "replayed",
        "nonce-replayed",
        Signed(target="/v2/other").sign(nonce="once"),
    )
    g.check(
        "a nonce of another device",
        *ok,
        Signed(token=hs256({"did": "z", "exp": SOON, "ipk": spki(INSTALL)})).sign(nonce="once"),
    )
    unspent = Signed().sign(nonce="unspent", key=STRANGER)
    bad("a stranger spends no nonce", "wrong-signature", unspent)
    g.check("the nonce is still good", *ok, Signed().sign(nonce="unspent"))
    g.check("expired, and unsigned", "expired", "expired", Signed(token=hs256({"exp": 1})))
    g.check(
        "a decoy, signed",
        "invalid",
        "decoy",
        Signed(token=hs256({"exp": SOON, "ipk": spki(INSTALL)}, decoy_of(SECRET))).sign(),
    )
    g.check(
        "no token, signed",
        "missing",
        "no-token",
        Signed().sign(components=["@method", "@target-uri"]),
        [["Signature-Input", 'install=("@method" "@target-uri")'], ["Signature", "install=:AAAA:"]],
    )
    return g


def both_digests() -> Signed:
    request = Signed("POST", body="x")
    request.headers[-1][1] = f"{digest(b'x', 'sha-512')}, {digest(b'x')}"
    return request


def only_512() -> Signed:
    request = Signed("POST", body="x")
    request.headers[-1][1] = digest(b"x", "sha-512")
    return request


def odd_digest(value: str) -> Signed:
    request = Signed("POST", body="x")
    request.headers[-1][1] = value
    return request


def account() -> list[SignedGroup]:
    settings = plain(
        SIGNATURES="account", SIGNATURE_ORIGIN=ORIGIN, ACCOUNT_KEY=f"2026:{text(ACCOUNT)}"
    )
    g = SignedGroup("signed by the account", settings)
    g.check("a GET", "valid", "ok", Signed().sign("account", ACCOUNT))
    g.check(
        "with its keyid", "valid", "ok", Signed().sign("account", ACCOUNT, extra=';keyid="2026"')
    )
    g.check(
        "with its alg", "valid", "ok", Signed().sign("account", ACCOUNT, extra=';alg="hmac-sha256"')
    )
    g.check("a POST", "valid", "ok", Signed("POST", body="x=1").sign("account", ACCOUNT))
    g.check(
        "a token without ipk",
        "valid",
        "ok",
        Signed(token=hs256({"exp": SOON})).sign("account", ACCOUNT),
    )
    g.check(
        "an unknown keyid",
        "unsigned",
        "no-signing-key",
        Signed().sign("account", ACCOUNT, extra=';keyid="2025"'),
    )
    g.check(
        "another alg",
        "unsigned",
        "bad-signature-input",
        Signed().sign("account", ACCOUNT, extra=';alg="ecdsa-p256-sha256"'),
    )
    g.check(
        "another key", "unsigned", "wrong-signature", Signed().sign("account", secret("stranger"))
    )
    g.check("the token secret", "unsigned", "wrong-signature", Signed().sign("account", SECRET))
    g.check("the installation's", "unsigned", "no-signature", Signed().sign())
    cut = Signed().sign("account", ACCOUNT)
    g.check(
        "half a signature",
        "unsigned",
        "wrong-signature",
        cut,
        cut.sent(signatures=f"account=:{text(base64.b64decode(cut.signatures[0][9:-1])[:16])}:"),
    )
    both = SignedGroup(
        "signed by both, a header asked for",
        {
            **settings,
            "TOUCHMARK_SIGNATURES": "install,account",
            "TOUCHMARK_SIGNATURE_HEADERS": "Authorization,X-Amount",
        },
    )
    with_it = [*USUAL, "authorization"]
    auth = [["Authorization", "Bearer abc"]]
    both.check(
        "both",
        "valid",
        "ok",
        Signed(headers=auth).sign(components=with_it).sign("account", ACCOUNT, with_it),
    )
    both.check("without the header", "valid", "ok", Signed().sign().sign("account", ACCOUNT))
    both.check(
        "the header is not covered by one",
        "unsigned",
        "low-coverage",
        Signed(headers=auth).sign(components=with_it).sign("account", ACCOUNT),
    )
    both.check("one alone", "unsigned", "no-signature", Signed().sign())
    both.check("the other alone", "unsigned", "no-signature", Signed().sign("account", ACCOUNT))
    both.check(
        "one wrong",
        "unsigned",
        "wrong-signature",
        Signed().sign().sign("account", secret("stranger")),
    )
    kept = Signed().sign(nonce="kept").sign("account", secret("stranger"), nonce="kept")
    both.check("one wrong spends no nonce", "unsigned", "wrong-signature", kept)
    both.check(
        "the nonces are still good",
        "valid",
        "ok",
        Signed().sign(nonce="kept").sign("account", ACCOUNT, nonce="kept"),
    )
    report = SignedGroup(
        "signed, in report mode",
        plain(SIGNATURES="install", SIGNATURE_ORIGIN=ORIGIN, MODE="report"),
    )
    report.check("unsigned", "unsigned", "no-signature", Signed())
    report.check("signed", "valid", "ok", Signed().sign())
    small = SignedGroup(
        "a limit of the body",
        plain(SIGNATURES="install", SIGNATURE_ORIGIN=ORIGIN, SIGNATURE_BODY="16"),
    )
    small.check("16 bytes", "valid", "ok", Signed("POST", body="x" * 16).sign())
    small.check("17 bytes", "unsigned", "wrong-digest", Signed("POST", body="x" * 17).sign())
    port = SignedGroup(
        "an origin with a port, a leeway",
        plain(
            SIGNATURES="install",
            SIGNATURE_ORIGIN="https://API.example.com:8443",
            SIGNATURE_AGE="10",
            LEEWAY="20",
        ),
    )
    origin = "https://api.example.com:8443"
    port.add(
        "signed",
        "valid",
        "ok",
        headers=Signed().sign(origin=origin, components=[*USUAL, "@authority"]).sent(),
        target="/v2/rates?from=EUR&to=GBP",
    )
    for age, good in (29, True), (30, False), (-25, True), (-26, False):
        port.add(
            f"made {age} s ago",
            "valid" if good else "unsigned",
            "ok" if good else "bad-signature-time",
            headers=Signed().sign(origin=origin, created=NOW - age).sent(),
            target="/v2/rates?from=EUR&to=GBP",
        )
    return [g, both, report, small, port]


RFC_DATE = "Tue, 20 Apr 2021 02:07:55 GMT"
# RFC 9421, appendix B: the keys B.1.3 and B.1.5, the examples B.2.4, B.2.5 and B.3.
RFC = [
    {
        "name": "B.2.4",
        "alg": "ecdsa-p256-sha256",
        "public_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf"
        "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==",
        "components": [
            ["@status", "200"],
            ["content-type", "application/json"],
            [
                "content-digest",
                (
                    "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5"
                    "oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
                ),
            ],
            ["content-length", "23"],
        ],
        "parameters": ';created=1618884473;keyid="test-key-ecc-p256"',
        "signature": "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDA"
        "Uy5eCdlYUEkLIj+32oiasw==",
    },
    {
        "name": "B.2.5",
        "alg": "hmac-sha256",
        "secret": "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjx"
        "BdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
        "components": [
            ["date", RFC_DATE],
            ["@authority", "example.com"],
            ["content-type", "application/json"],
        ],
        "parameters": ';created=1618884473;keyid="test-shared-secret"',
        "signature": "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    },
]


def check_rfc() -> None:
    for case in RFC:
        listed = " ".join(f'"{name}"' for name, _ in case["components"])
        base = "".join(f'"{name}": {value}\n' for name, value in case["components"])
        signed = f'{base}"@signature-params": ({listed}){case["parameters"]}'.encode()
        signature = base64.b64decode(str(case["signature"]))
        if "secret" in case:
            assert hmac.digest(base64.b64decode(str(case["secret"])), signed, "sha256") == signature
            continue
        key = serialization.load_der_public_key(base64.b64decode(str(case["public_key"])))

        der = encode_dss_signature(
            int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        )
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(der, signed, ec.ECDSA(hashes.SHA256()))


def main() -> None:
    check_rfc()
    groups = [install(), *account()]
    document = {
        "origin": "tests/vectors/token-check/mint_signatures.py; RFC 9421, appendix B",
        "now": NOW,
        "groups": [group.document for group in groups],
        "rfc9421": RFC,
    }
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
