"""The check of a request's signatures (RFC 9421): protocol/request-signatures.md."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import importlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Callable, NamedTuple
from urllib.parse import urlsplit

from touchmark_attestation import arguments
from touchmark_attestation.arguments import shown
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.headers import RequestHeaders
from touchmark_attestation.keys import Keys, Secret, of_secrets
from touchmark_attestation.replay import MemoryStore, ReplayStore
from touchmark_attestation.results import TokenReason

ALGORITHMS = {"install": "ecdsa-p256-sha256", "account": "hmac-sha256"}
DERIVED = ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")
_ALWAYS = ("@method", "@target-uri")
_MAX_FIELD = 8192
_MAX_NONCE = 128
_AHEAD = 5
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
Problem = tuple[TokenReason, str]


class SignedRequest(NamedTuple):
    """What signatures cover beside headers.

    - target: as it came, not decoded.
    - body: reads it, and gives None for one that is longer than the limit that it is called with.
    - streamed: it may have a body without a header that says so, as requests of HTTP/2 may.
    """

    target: str
    body: Callable[[int], bytes | None]
    streamed: bool = False


class BodyNeeded(Exception):
    """The check cannot go on without the body, which `body` cannot read here."""


class SignatureVerifier:
    """Checks the signatures of requests. For all threads of a server to share.

    - labels: the signatures that a request must have: "install", "account", or both.
    - headers: more headers that must be covered, where a request has them.
    - origin: what apps call, such as "https://api.example.com"; default: "https://" and `Host`.
    - age: how many seconds old a signature may be.
    - max_body: the longest body in bytes.
    - account_keys: the keys of "account", 32 bytes or more each: bytes, or a Secret with the
      `keyid`.
    - nonces: where nonces are kept; default: in the memory of this process.

    Raises SettingsError, which names the argument.
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        headers: Sequence[str] = (),
        origin: str | None = None,
        age: int = 60,
        max_body: int = 1024 * 1024,
        account_keys: Iterable[bytes | Secret] = (),
        nonces: ReplayStore | None = None,
        leeway: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.labels = tuple(labels)
        if not self.labels or set(self.labels) - ALGORITHMS.keys() or (
            len(set(self.labels)) != len(self.labels)
        ):  # fmt: skip
            raise SettingsError(
                "labels",
                f"is {shown(','.join(map(str, labels)))}: use 'install', 'account', or both",
            )
        self._headers = tuple(arguments.header_name("headers", one).lower() for one in headers)
        self._origin = None if origin is None else _origin(origin)
        self._age = _whole("age", age, 1, 300)
        self.max_body = _whole("max_body", max_body, 1, 64 * 1024 * 1024)
        keys = arguments.secrets("account_keys", account_keys, may_be_empty=True)
        if "account" in self.labels and not keys:
            raise SettingsError("account_keys", "is not set, and 'account' needs it")
        self._account: Keys = of_secrets(keys, [None] * len(keys))
        self.nonces: ReplayStore = MemoryStore() if nonces is None else nonces
        self._leeway = arguments.leeway("leeway", leeway)
        self._clock = clock
        try:
            self._fields: Any = importlib.import_module("http_sfv")
            importlib.import_module("cryptography")
        except ImportError as error:
            raise SettingsError(
                "labels", f"needs the Python package {error.name}: install it, too"
            ) from None

    def check(
        self, method: str, headers: RequestHeaders, claims: Mapping[str, Any], token_header: str,
        request: SignedRequest | None,
    ) -> Problem | None:  # fmt: skip
        """What is wrong with a request whose token is right; None for nothing, when its nonces are
        spent. Raises StoreLost, and BodyNeeded."""
        if request is None:
            raise TypeError(
                "signatures are asked for: the check needs the request's target and body"
            )
        spent: list[tuple[str, float]] = []
        for label in self.labels:
            found = self._check(label, method, headers, claims, token_header, request)
            if isinstance(found[0], TokenReason):
                return found[0], str(found[1])
            spent.append((found[0], float(found[1])))
        for nonce, until in spent:
            if not self.nonces.spend(nonce, until, self._clock()):
                return TokenReason.NONCE_REPLAYED, "its nonce was spent already"
        return None

    def _check(
        self, label: str, method: str, headers: RequestHeaders, claims: Mapping[str, Any],
        token_header: str, request: SignedRequest,
    ) -> tuple[TokenReason | str, str | float]:  # fmt: skip
        """The nonce to spend and until when it counts; or what is wrong."""
        members = {}
        for name in ("Signature-Input", "Signature"):
            text = headers.get(name)
            if not text:
                return TokenReason.NO_SIGNATURE, f"no {name} header"
            try:
                members[name] = self._dictionary(text)
            except ValueError:
                return TokenReason.BAD_SIGNATURE_INPUT, f"{name} is no dictionary"
        for name, found in members.items():
            if label not in found:
                return TokenReason.NO_SIGNATURE, f"{name} has no {label}"
        listed = members["Signature-Input"][label]
        signature = getattr(members["Signature"][label], "value", None)
        if not isinstance(listed, self._fields.InnerList) or not isinstance(signature, bytes):
            return TokenReason.BAD_SIGNATURE_INPUT, f"{label} is no list, or no bytes"
        params: dict[str, Any] = dict(listed.params)
        names = [item.value for item in listed]
        problem = self._input_problem(label, listed, names, params)
        if problem:
            return TokenReason.BAD_SIGNATURE_INPUT, problem
        has_body = self._has_body(headers, request)
        wanted = [*_ALWAYS, token_header.lower(), *(["content-digest"] if has_body else [])]
        wanted += [name for name in self._headers if headers.get(name)]
        missing = [name for name in wanted if name not in names]
        missing += [name for name in names if name[0] != "@" and not headers.has(name)]
        if missing:
            return TokenReason.LOW_COVERAGE, f"{missing[0]} is not covered, or not there"
        created: Any = params.get("created")
        now = self._clock()
        if (
            not _is_whole(created)
            or now - created >= self._age + self._leeway
            or created - now > _AHEAD + self._leeway
        ):
            return TokenReason.BAD_SIGNATURE_TIME, "created is no time, or not now"
        expires = params.get("expires", created + 10**9)
        if not _is_whole(expires) or now >= expires + self._leeway:
            return TokenReason.BAD_SIGNATURE_TIME, "expires is no time, or reached"
        nonce: Any = params.get("nonce")
        if not self._is_text(nonce) or not 0 < len(nonce) <= _MAX_NONCE:
            return TokenReason.NO_NONCE, f"no nonce of 1 to {_MAX_NONCE} characters"
        keys = self._keys(label, claims, params.get("keyid"))
        if not keys:
            return TokenReason.NO_SIGNING_KEY, "no key for it"
        if has_body and not self._is_digest_right(headers, request):
            return TokenReason.WRONG_DIGEST, "Content-Digest is not the body's, or it is too long"
        base = self._base(method, headers, request, names, str(listed))
        for key_id, verify in keys:
            if verify(base, signature):
                until = created + self._age + 2 * self._leeway + _AHEAD
                return f"{label}\0{key_id}\0{nonce}", until
        return TokenReason.WRONG_SIGNATURE, f"the signature {label} is another's"

    def _dictionary(self, text: str) -> Mapping[str, Any]:
        """Raises ValueError."""
        if len(text) > _MAX_FIELD:
            raise ValueError
        found = self._fields.Dictionary()
        try:
            found.parse(text.encode("ascii"))
        except (ValueError, IndexError, RecursionError, ArithmeticError) as error:
            raise ValueError from error
        return found  # type: ignore[no-any-return]

    def _input_problem(
        self, label: str, listed: Any, names: list[Any], params: Mapping[str, Any]
    ) -> str:
        known = (int, float, Decimal, str, bytes, bool, self._fields.Token)
        if not all(isinstance(one, known) for one in params.values()):
            return "a parameter is of a type that RFC 8941 does not know"
        for item, name in zip(listed, names):
            if not self._is_text(name) or item.params:
                return "a component is no text, or has a parameter"
            if name not in DERIVED and not _FIELD.fullmatch(name):
                return "a component is unknown"
        if len(set(names)) != len(names):
            return "a component stands twice"
        algorithm = params.get("alg", ALGORITHMS[label])
        is_right = self._is_text(algorithm) and algorithm == ALGORITHMS[label]
        return "" if is_right else "another alg"

    def _is_text(self, value: Any) -> bool:
        """The library's tokens (`alg=x` without quotes) are strings to Python."""
        return isinstance(value, str) and not isinstance(value, self._fields.Token)

    def _keys(
        self, label: str, claims: Mapping[str, Any], key_id: Any
    ) -> list[tuple[str, Callable[[bytes, bytes], bool]]]:
        if label == "install":
            ipk, did = claims.get("ipk"), claims.get("did")
            verify = _installation_key(ipk) if isinstance(ipk, str) else None
            return [(did if isinstance(did, str) else "", verify)] if verify else []
        if not (key_id is None or self._is_text(key_id)):
            return []
        found = self._account.find("HS256", key_id)
        return [(key.kid or "", key.verify) for key in found]

    @staticmethod
    def _has_body(headers: RequestHeaders, request: SignedRequest) -> bool:
        length = headers.get("Content-Length")
        if headers.get("Transfer-Encoding") or (length and length.strip("0")):
            return True
        return request.streamed and not length

    def _is_digest_right(self, headers: RequestHeaders, request: SignedRequest) -> bool:
        try:
            digest = self._dictionary(headers.get("Content-Digest")).get("sha-256")
        except ValueError:
            return False
        expected = getattr(digest, "value", None)
        if not isinstance(expected, bytes):
            return False
        body = request.body(self.max_body)
        if body is None or len(body) > self.max_body:
            return False
        return hmac.compare_digest(hashlib.sha256(body).digest(), expected)

    def _base(
        self, method: str, headers: RequestHeaders, request: SignedRequest, names: list[str],
        params: str,
    ) -> bytes:  # fmt: skip
        """The signature base (RFC 9421, section 2.5)."""
        origin = self._origin or f"https://{headers.get('Host').lower()}"
        scheme, _, authority = origin.partition("://")
        target = request.target.partition("#")[0]
        path, _, query = target.partition("?")
        derived = {
            "@method": method, "@target-uri": origin + target, "@scheme": scheme, "@path": path,
            "@authority": authority, "@query": f"?{query}", "@request-target": target,
        }  # fmt: skip
        lines = [f'"{name}": {derived.get(name) or headers.get(name)}' for name in names]
        lines.append(f'"@signature-params": {params}')
        return "\n".join(lines).encode("latin-1", "backslashreplace")


@functools.lru_cache(1024)
def _installation_key(text: str) -> Callable[[bytes, bytes], bool] | None:
    """The P-256 key that a token names, in base64 of DER."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from jwt.algorithms import get_default_algorithms

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return None
    algorithm = get_default_algorithms()["ES256"]
    # PyJWT's is 64 bytes, r and s: the form of RFC 9421, too.
    return lambda signed, signature: algorithm.verify(signed, key, signature)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SettingsError(name, f"is {shown(value)}: use a whole number from {least} to {most}")
    return value


def _origin(value: str) -> str:
    try:
        url = urlsplit(value)
        right = url.scheme in ("https", "http") and url.hostname and url.port != 0
    except ValueError:
        right = False
    if not right or value.lower() != f"{url.scheme}://{url.netloc}".lower() or "@" in value:
        raise SettingsError(
            "origin", f"is {shown(value)}: use scheme and host, such as 'https://api.example.com'"
        )
    default = {"https": ":443", "http": ":80"}[url.scheme]
    return value.lower()[: -len(default)] if value.endswith(default) else value.lower()
