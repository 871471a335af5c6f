"""The check of one token: what it says, and which of the known keys signed it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

from touchmark_attestation import arguments, jose, keys
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.headers import AnyHeaders, RequestHeaders
from touchmark_attestation.jwks import JwksSource
from touchmark_attestation.keys import Key, Secret, derive_decoy_secret
from touchmark_attestation.results import (
    APPROOV,
    FIREBASE,
    TOUCHMARK,
    TokenReason,
    TokenResult,
    TokenStatus,
)

__all__ = [
    "TokenReason",
    "TokenResult",
    "TokenStatus",
    "TokenVerifier",
    "approov_verifier",
    "binding_claim",
    "binding_value",
    "derive_decoy_secret",
    "firebase_verifier",
    "is_preflight",
]

DEFAULT_HEADER = "Touchmark-Token"
APPROOV_HEADER = "Approov-Token"
FIREBASE_HEADER = "X-Firebase-AppCheck"
FIREBASE_ISSUER = "https://firebaseappcheck.googleapis.com/"
FIREBASE_JWKS = "https://firebaseappcheck.googleapis.com/v1/jwks"

# Between the values of several binding headers: no header's value can hold it (RFC 9110, section
# 5.5), so no two lists of values are joined to the same text.
_BINDING_SEPARATOR = "\n"
_LEVELS = {name: number for number, name in enumerate(arguments.LEVELS)}


class Demands(NamedTuple):
    """What is asked of a token beside that it counts."""

    binding_headers: tuple[str, ...] = ()
    level: str | None = None


class TokenVerifier:
    """Checks tokens. Immutable, so that all threads of a server can share one.

    - secrets: the service's token secrets, 32 bytes or more each: bytes, or a Secret with the `kid`
      that tokens name it by. Any of them makes a token valid: list the new and the old one while a
      secret is rotated.
    - decoy_secret: what signs the tokens of failed attestations: one for all secrets, or a list in
      their order. It only tells INVALID from FORGED. By default it is derived from each of the
      secrets, as the service does.
    - jwks: where public keys come from, beside the secrets or in their place.
    - header, prefix: where a request carries its token, and what stands before it there ("Bearer
      "). The prefix is compared without regard to case, and each space in it stands for one or
      more spaces and tabs (RFC 9110, sections 11.1 and 11.4).
    - binding_headers: the headers whose values the token must be bound to, in this order.
    - audience, issuer: when given, the claims `aud` and `iss` must be there and match.
    - level: when given, the claim `lvl` must be this or more ("software", "platform", "tee",
      "secure-chip").
    - leeway: seconds by which a token may be over its time, or before it, for clocks that differ.
    - max_bytes: the longest token that is looked at.
    - clock: seconds since the epoch.

    Raises SettingsError, which names the argument.
    """

    # What tokens of another maker differ in; see the functions below.
    maker = TOUCHMARK
    _looks_at_kid = True
    _typ: str | None = None
    _public = keys.PUBLIC_ALGORITHMS
    _separator = _BINDING_SEPARATOR
    _needs_keys = True

    def __init__(
        self,
        secrets: Iterable[bytes | Secret] = (),
        decoy_secret: bytes | Sequence[bytes | Secret] | None = None,
        *,
        jwks: JwksSource | None = None,
        header: str = DEFAULT_HEADER,
        prefix: str = "",
        binding_headers: Sequence[str] = (),
        audience: str | None = None,
        issuer: str | None = None,
        level: str | None = None,
        leeway: float = 0,
        max_bytes: int = 4096,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not (jwks is None or isinstance(jwks, JwksSource)):
            raise SettingsError("jwks", f"must be a JwksSource, not {arguments.kind(jwks)}")
        self.jwks = jwks
        self._secrets = self._read_secrets(
            arguments.secrets(
                "secrets", secrets, may_be_empty=jwks is not None or not self._needs_keys
            ),
            decoy_secret,
        )
        self.header = arguments.header_name("header", header)
        self.prefix = arguments.prefix("prefix", prefix)
        self._prefix = _prefix_pattern(self.prefix) if self.prefix else None
        self.demands = self.demanding(binding_headers=binding_headers, level=level)
        self._audience = arguments.claim("audience", audience)
        self._issuer = arguments.claim("issuer", issuer)
        self.leeway = arguments.leeway("leeway", leeway)
        self._max_bytes = arguments.max_bytes("max_bytes", max_bytes)
        if not callable(clock):
            raise SettingsError("clock", "must be a function that gives seconds since the epoch")
        self.clock = clock

    @property
    def has_keys(self) -> bool:
        """False only for the verifier of settings whose mode is off, where there is no secret."""
        return bool(self._secrets) or self.jwks is not None

    @property
    def binding_headers(self) -> tuple[str, ...]:
        return self.demands.binding_headers

    def demanding(self, *, binding_headers: Sequence[str], level: str | None) -> Demands:
        """Demands for `check_headers`. Raises SettingsError."""
        return Demands(
            arguments.binding_headers("binding_headers", binding_headers, self.header),
            arguments.level("level", level),
        )

    def check_headers(self, headers: AnyHeaders, demands: Demands | None = None) -> TokenResult:
        """Checks the token that a request carries, and what is demanded of it (by default what the
        verifier was made with). `headers`: in any form that RequestHeaders takes; TypeError for
        another."""
        found = RequestHeaders(headers)
        value = found.get(self.header)
        if not value:
            return self._result(TokenReason.NO_TOKEN, f"no {self.header} header")
        # Two headers of one name are joined with a comma, which stands in no token.
        if "," in value:
            return self._result(TokenReason.TWO_TOKENS, f"more than one token in {self.header}")
        token = self._without_prefix(value)
        if not token:
            problem = f"{self.header} does not have the expected prefix"
            return self._result(TokenReason.WRONG_PREFIX, problem)
        asked = self.demands if demands is None else demands
        return self._check(token, asked, found if asked.binding_headers else None, None)

    def check(self, token: str | None, binding: str | None = None) -> TokenResult:
        """Checks one token; with `binding`, also that it is bound to that value."""
        if not token:
            return self._result(TokenReason.NO_TOKEN, "no token")
        return self._check(token, self.demands, None, binding)

    def digest(self, headers: AnyHeaders) -> str:
        """The first 12 hexadecimal digits of the token's SHA-256, for a log; "" without one."""
        value = RequestHeaders(headers).get(self.header)
        token = self._without_prefix(value) or value
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        return digest[:12] if token else ""

    def _read_secrets(self, secrets: tuple[Secret, ...], decoys: Any) -> keys.Keys:
        found = arguments.decoys("decoy_secret", decoys, secrets)
        if {one.key for one in secrets} & set(found):
            if decoys is None:
                raise SettingsError(
                    "secrets", "holds the decoy secret of another one: leave the decoy secret out"
                )
            raise SettingsError(
                "decoy_secret", "is one of the token secrets: a decoy needs a secret of its own"
            )
        return keys.of_secrets(secrets, found)

    def _result(
        self, reason: TokenReason, detail: str = "", claims: Mapping[str, Any] | None = None
    ) -> TokenResult:
        return TokenResult(reason, detail, {} if claims is None else claims, self.maker)

    def _without_prefix(self, value: str) -> str:
        if self._prefix is None:
            return value
        match = self._prefix.match(value)
        return value[match.end() :] if match else ""

    def _check(
        self, text: str, demands: Demands, headers: RequestHeaders | None, binding: str | None
    ) -> TokenResult:
        if len(text) > self._max_bytes:
            return self._result(TokenReason.TOO_LONG, f"longer than {self._max_bytes} bytes")
        try:
            token = jose.read_signed(text, typ=self._typ)
            claims = jose.read_claims(token.payload)
        except jose.Unreadable as error:
            return self._result(error.reason, error.detail)
        found = self._keys(token.header)
        if isinstance(found, TokenResult):
            return found
        for key in found:
            if key.verify(token.signed, token.signature):
                break
        else:
            if any(key.is_decoy and key.is_decoy(token.signed, token.signature) for key in found):
                return self._result(TokenReason.DECOY, "its attestation failed", claims)
            return self._result(TokenReason.BAD_SIGNATURE, "no known secret or key signed it")
        judged = self._judge(claims, demands)
        if judged is None and headers is not None:
            judged = self._judge_binding(claims, demands, headers)
        if judged is None and binding is not None and not _is_bound(claims, binding):
            judged = TokenReason.WRONG_PAY, "pay is not of this request's value"
        reason, detail = judged or (TokenReason.OK, "")
        return self._result(reason, detail, claims)

    def _keys(self, header: jose.Header) -> Sequence[Key] | TokenResult:
        """The keys to try in turn, or why there are none."""
        algorithm = header.alg
        kid = header.kid if self._looks_at_kid else None
        if not isinstance(algorithm, str):
            return self._result(TokenReason.WRONG_ALGORITHM, "its alg is no text")
        found = self._secrets
        if self.jwks is not None and algorithm in self._public:
            public = self.jwks.keys()
            if public is None or not public.knows(algorithm, kid):
                public = self.jwks.keys_after_asking()
            if public is None:
                return self._result(TokenReason.NO_KEYS, "no set of keys could be read yet")
            found = public
        if not found.is_for(algorithm):
            return self._result(TokenReason.WRONG_ALGORITHM, "no key is for its alg")
        return found.find(algorithm, kid) or self._result(
            TokenReason.UNKNOWN_KEY, "no key goes with its kid"
        )

    def _judge(self, claims: Mapping[str, Any], demands: Demands) -> tuple[TokenReason, str] | None:
        """What is wrong with the claims of a token that a known key signed; None for nothing."""
        expiry = _time(claims.get("exp"))
        if expiry is None:
            return TokenReason.NO_EXP, "no exp claim that is a time"
        now = self.clock()
        if now - expiry >= self.leeway:
            return TokenReason.EXPIRED, f"expired {now - expiry:.0f} s ago"
        if "nbf" in claims:
            start = _time(claims["nbf"])
            if start is None:
                return TokenReason.BAD_NBF, "nbf claim that is no time"
            if now + self.leeway < start:
                return TokenReason.NOT_YET_VALID, f"not valid for another {start - now:.0f} s"
        if self._issuer is not None and claims.get("iss") != self._issuer:
            return TokenReason.WRONG_ISSUER, "iss is not the expected issuer"
        if self._audience is not None and self._audience not in _audiences(claims):
            return TokenReason.WRONG_AUDIENCE, "aud does not name this API"
        if demands.level is not None:
            level = claims.get("lvl")
            if not isinstance(level, str) or _LEVELS.get(level, -1) < _LEVELS[demands.level]:
                return TokenReason.LOW_LEVEL, f"lvl is not {demands.level} or more"
        return None

    def _judge_binding(
        self, claims: Mapping[str, Any], demands: Demands, headers: RequestHeaders
    ) -> tuple[TokenReason, str] | None:
        parts = [headers.get(name) for name in demands.binding_headers]
        for name, part in zip(demands.binding_headers, parts):
            # A value with a line feed is no header, though a server let it through.
            if not part or _BINDING_SEPARATOR in part:
                problem = f"{name} has two lines" if part else f"no {name} header"
                return TokenReason.NO_BOUND_HEADER, problem
        if not _is_bound(claims, self._separator.join(parts)):
            return TokenReason.WRONG_PAY, "pay is not of this request's value"
        return None


class KeylessVerifier(TokenVerifier):
    """For a mode that looks at no token."""

    _needs_keys = False


class _ApproovVerifier(TokenVerifier):
    maker = APPROOV
    _looks_at_kid = False
    _separator = ""

    def _read_secrets(self, secrets: tuple[Secret, ...], decoys: Any) -> keys.Keys:
        return keys.of_secrets(secrets, [None] * len(secrets))


class _FirebaseVerifier(TokenVerifier):
    maker = FIREBASE
    _typ = "JWT"
    _public = frozenset(["RS256"])


def approov_verifier(
    secrets: Iterable[bytes], *, binding_headers: Sequence[str] = (), **options: Any
) -> TokenVerifier:
    """For tokens of Approov: HS256, no decoys, and the values of binding headers joined with
    nothing between. `options`: `leeway` and `clock`."""
    return _ApproovVerifier(
        secrets, header=APPROOV_HEADER, binding_headers=binding_headers, **options
    )


def firebase_verifier(
    project: str, jwks: JwksSource | None = None, **options: Any
) -> TokenVerifier:
    """For tokens of Firebase App Check, for the project with this number. `options`: `leeway` and
    `clock`."""
    if not (isinstance(project, str) and project.isascii() and project.isdigit()):
        raise SettingsError(
            "project", f"is {arguments.shown(project)}: use the project's number, and not its name"
        )
    return _FirebaseVerifier(
        jwks=JwksSource(FIREBASE_JWKS) if jwks is None else jwks,
        header=FIREBASE_HEADER,
        issuer=f"{FIREBASE_ISSUER}{project}",
        audience=f"projects/{project}",
        **options,
    )


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


def binding_claim(value: str) -> str:
    """What the claim `pay` of a token bound to `value` holds."""
    return base64.b64encode(
        hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
    ).decode()


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
