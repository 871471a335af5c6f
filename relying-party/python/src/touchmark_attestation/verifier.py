"""The check of one token: what it says, and which of the known secrets signed it."""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

import jwt

from touchmark_attestation import arguments
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.headers import AnyHeaders, RequestHeaders

DEFAULT_HEADER = "Touchmark-Token"

# The one accepted algorithm (RFC 8725, section 3.1). The token's own `alg` never chooses.
_ALGORITHM = "HS256"
_DECOY_INFO = b"touchmark decoy secret v1"
# Between the values of several binding headers: no header's value can hold it (RFC 9110, section
# 5.5), so no two lists of values are joined to the same text.
_BINDING_SEPARATOR = "\n"
# The service reads tokens with the same bound. Only a result of attestation has nested claims.
_MAX_DEPTH = 16
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


class TokenStatus(enum.Enum):
    """What a token turned out to be. Only VALID may be served."""

    VALID = "valid"
    MISSING = "missing"
    """The request has no token."""
    MALFORMED = "malformed"
    """Not a JWT, or the service signed it and its `exp` or `nbf` is no time."""
    EXPIRED = "expired"
    """Genuine, but its time is over."""
    EARLY = "early"
    """Genuine, but its time has not come (claim `nbf`)."""
    INVALID = "invalid"
    """Made by the service for an app that failed attestation: signed with the decoy secret."""
    FORGED = "forged"
    """Signed with no known secret."""
    UNBOUND = "unbound"
    """Genuine, but not bound to what this request carries (claim `pay`)."""
    MISDIRECTED = "misdirected"
    """Genuine, yet meant for another audience or from another issuer."""


@dataclass(frozen=True)
class TokenResult:
    """The outcome of a check. `claims` is empty unless one of the service's secrets signed them."""

    status: TokenStatus
    detail: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return self.status is TokenStatus.VALID


class TokenVerifier:
    """Checks tokens. Immutable, so that all threads of a server can share one.

    - secrets: the service's token secrets, 32 bytes or more each. Any of them makes a token valid:
      list the new and the old one while a secret is rotated.
    - decoy_secret: what signs the tokens of failed attestations. It only tells INVALID from FORGED.
      By default it is derived from each of the secrets, as the service does.
    - header, prefix: where a request carries its token, and what stands before it there ("Bearer
      "). The prefix is compared without regard to case, and each space in it stands for one or
      more spaces and tabs (RFC 9110, sections 11.1 and 11.4).
    - binding_headers: the headers whose values the token must be bound to, in this order.
    - audience, issuer: when given, the claims `aud` and `iss` must be there and match.
    - leeway: seconds by which a token may be over its time, for clocks that differ.
    - max_bytes: the longest token that is looked at.
    - clock: seconds since the epoch.

    Raises SettingsError, which names the argument.
    """

    def __init__(
        self,
        secrets: Iterable[bytes],
        decoy_secret: bytes | None = None,
        *,
        header: str = DEFAULT_HEADER,
        prefix: str = "",
        binding_headers: Sequence[str] = (),
        audience: str | None = None,
        issuer: str | None = None,
        leeway: float = 0,
        max_bytes: int = 4096,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = arguments.secrets("secrets", secrets)
        if decoy_secret is None:
            self._decoys = tuple(derive_decoy_secret(secret) for secret in self._secrets)
            if set(self._secrets) & set(self._decoys):
                raise SettingsError(
                    "secrets", "holds the decoy secret of another one: leave the decoy secret out"
                )
        else:
            self._decoys = (arguments.secret("decoy_secret", decoy_secret),)
            if self._decoys[0] in self._secrets:
                raise SettingsError(
                    "decoy_secret", "is one of the token secrets: a decoy needs a secret of its own"
                )
        self.header = arguments.header_name("header", header)
        self.prefix = arguments.prefix("prefix", prefix)
        self._prefix = _prefix_pattern(self.prefix)
        self.binding_headers = arguments.binding_headers(
            "binding_headers", binding_headers, self.header
        )
        self._audience = arguments.claim("audience", audience)
        self._issuer = arguments.claim("issuer", issuer)
        self._leeway = arguments.leeway("leeway", leeway)
        self._max_bytes = arguments.max_bytes("max_bytes", max_bytes)
        if not callable(clock):
            raise SettingsError("clock", "must be a function that gives seconds since the epoch")
        self._clock = clock

    def check_headers(self, headers: AnyHeaders) -> TokenResult:
        """Checks the token that a request carries, and its binding when there
        are binding headers. `headers`: in any form that RequestHeaders takes; TypeError for
        another."""
        found = RequestHeaders(headers)
        value = found.get(self.header)
        if not value:
            return TokenResult(TokenStatus.MISSING, f"no {self.header} header")
        prefix = self._prefix.match(value)
        if prefix is None:
            return TokenResult(
                TokenStatus.MALFORMED, f"{self.header} does not have the expected prefix"
            )
        token = value[prefix.end() :]
        if not self.binding_headers:
            return self.check(token)
        parts = [found.get(name) for name in self.binding_headers]
        for name, part in zip(self.binding_headers, parts):
            if part and _BINDING_SEPARATOR not in part:
                continue
            # A value with a line feed is no header, though a server let it through.
            problem = f"{name} has two lines" if part else f"no {name} header"
            result = self.check(token)
            return (
                TokenResult(TokenStatus.UNBOUND, problem, result.claims) if result.valid else result
            )
        return self.check(token, binding=binding_value(parts))

    def check(self, token: str | None, binding: str | None = None) -> TokenResult:
        """Checks one token; with `binding`, also that it is bound to that value."""
        if not token:
            return TokenResult(TokenStatus.MISSING, "no token")
        if len(token) > self._max_bytes:
            return TokenResult(TokenStatus.MALFORMED, f"longer than {self._max_bytes} bytes")
        if not _COMPACT.fullmatch(token) or not all(map(_is_canonical, token.split("."))):
            return TokenResult(TokenStatus.MALFORMED, "not three base64url parts")
        header, payload, _ = token.split(".")
        try:
            problem = _header_problem(_read_object(header))
            if problem:
                return TokenResult(TokenStatus.MALFORMED, problem)
        except ValueError as error:
            return TokenResult(TokenStatus.MALFORMED, f"its header is {error}")
        try:
            signed = self._signer(token)
        except jwt.PyJWTError as error:
            return TokenResult(TokenStatus.MALFORMED, str(error))
        try:
            claims = _read_object(payload)
        except ValueError as error:
            known = "unsigned" if signed is TokenStatus.FORGED else "signed"
            return TokenResult(TokenStatus.MALFORMED, f"{known}, and its payload is {error}")
        if signed is TokenStatus.FORGED:
            return TokenResult(signed, "no known secret signed it")
        if signed is TokenStatus.INVALID:
            return TokenResult(signed, "its attestation failed", claims)
        return self._judge(claims, binding)

    def _signer(self, token: str) -> TokenStatus:
        """VALID for a token secret, INVALID for a decoy secret, FORGED for none of them."""
        for secrets, status in (
            (self._secrets, TokenStatus.VALID),
            (self._decoys, TokenStatus.INVALID),
        ):
            if any(_is_signed_by(token, secret) for secret in secrets):
                return status
        return TokenStatus.FORGED

    def _judge(self, claims: Mapping[str, Any], binding: str | None) -> TokenResult:
        """Judges the claims of a token that the service signed as a valid one."""
        expiry = _time(claims.get("exp"))
        if expiry is None:
            return TokenResult(TokenStatus.MALFORMED, "no exp claim that is a time", claims)
        now = self._clock()
        if now - expiry >= self._leeway:
            return TokenResult(TokenStatus.EXPIRED, f"expired {now - expiry:.0f} s ago", claims)
        if "nbf" in claims:
            start = _time(claims["nbf"])
            if start is None:
                return TokenResult(TokenStatus.MALFORMED, "nbf claim that is no time", claims)
            if now + self._leeway < start:
                problem = f"not valid for another {start - now:.0f} s"
                return TokenResult(TokenStatus.EARLY, problem, claims)
        if self._issuer is not None and claims.get("iss") != self._issuer:
            return TokenResult(TokenStatus.MISDIRECTED, "iss is not the expected issuer", claims)
        if self._audience is not None and self._audience not in _audiences(claims):
            return TokenResult(TokenStatus.MISDIRECTED, "aud does not name this API", claims)
        if binding is not None and not _is_bound(claims, binding):
            return TokenResult(TokenStatus.UNBOUND, "pay is not of this request's value", claims)
        return TokenResult(TokenStatus.VALID, "", claims)


def is_preflight(method: str, headers: AnyHeaders) -> bool:
    """Whether a request is a browser's question before a request to another origin (CORS-preflight
    request, Fetch standard). A browser sends it by itself, and it can carry no token."""
    if method != "OPTIONS":
        return False
    found = RequestHeaders(headers)
    if not found.get("Origin"):
        return False
    asked = found.get("Access-Control-Request-Method")
    return arguments.TOKEN.fullmatch(asked) is not None


def derive_decoy_secret(secret: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) of a token secret, with no salt and 32 bytes of output: one block."""
    key = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(key, _DECOY_INFO + b"\x01", "sha256")


def binding_claim(value: str) -> str:
    """What the claim `pay` of a token bound to `value` holds."""
    return base64.b64encode(hashlib.sha256(value.encode()).digest()).decode()


def binding_value(values: Iterable[str]) -> str:
    """What a token is bound to: the one value, or several with a line feed between them."""
    return _BINDING_SEPARATOR.join(values)


def _prefix_pattern(prefix: str) -> re.Pattern[str]:
    gap = f"[{arguments.WHITESPACE}]"
    words = [re.escape(word) for word in prefix.split()]
    needs_gap = words and prefix[-1] in arguments.WHITESPACE
    return re.compile(
        f"{gap}+".join(words) + (f"{gap}+" if needs_gap else f"{gap}*"), re.ASCII | re.IGNORECASE
    )


def _header_problem(header: Mapping[str, Any]) -> str | None:
    """What would change the meaning of the signature, and of that nothing is understood (RFC 7515,
    section 4.1.11, RFC 7797), or what may not stand there (RFC 7515, section 4.1.4)."""
    if "crit" in header:
        return "its header has crit"
    if header.get("b64") is False:
        return "its header says that the payload is not base64url"
    return (
        None if isinstance(header.get("kid", ""), str) else "its header has a kid that is no text"
    )


def _is_signed_by(token: str, secret: bytes) -> bool:
    """Raises jwt.PyJWTError for a header that is none of a JWS."""
    try:
        jwt.PyJWS().decode(token, secret, algorithms=[_ALGORITHM])
        return True
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
        return False


def _read_object(part: str) -> dict[str, Any]:
    """The JSON object (RFC 8259) of a token's part; a ValueError says what it is instead.

    Python's reader alone takes NaN, UTF-16 and halves of surrogate pairs, and keeps the last of two
    equal names. The service takes none of these, and the two must not differ about a token.
    """
    try:
        text = _decode(part).decode()
        value = json.loads(
            text,
            parse_constant=_not_a_number,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_unique,
        )
        json.dumps(value, ensure_ascii=False).encode()  # fails for half of a surrogate pair
        if _depth(value) > _MAX_DEPTH:
            raise ValueError("nested too deep")
    except RecursionError:
        raise ValueError("nested too deep") from None
    except (json.JSONDecodeError, UnicodeError):
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _not_a_number(text: str) -> float:
    raise ValueError("not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("not JSON: it has a number that is too large")
    return number


def _whole(digits: str) -> int:
    _finite(digits)  # first, because Python takes its time for thousands of digits
    return int(digits)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7519, section 4: names are unique."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("JSON with a name that stands twice")
    return found


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _time(value: Any) -> float | None:
    """A number of seconds, with a fraction or without (RFC 7519, section 2), or None. A bool is an
    int in Python. From 2^53 on a number would not have the same value in every language."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 2**53 else None


def _is_bound(claims: Mapping[str, Any], value: str) -> bool:
    pay = claims.get("pay")
    return isinstance(pay, str) and hmac.compare_digest(pay.encode(), binding_claim(value).encode())


def _audiences(claims: Mapping[str, Any]) -> Sequence[Any]:
    """RFC 7519, section 4.1.3: one string, or an array of them."""
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _is_canonical(part: str) -> bool:
    """Base64url as its encoder writes it: no unused bits set, which would be a second spelling."""
    if len(part) % 4 == 1:
        return False
    return base64.urlsafe_b64encode(_decode(part)).decode().rstrip("=") == part


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
