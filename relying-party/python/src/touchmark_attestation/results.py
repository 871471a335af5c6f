"""What a check can say of a request: status, reason, and the claims of a token that is the
service's. protocol/token-check.md has the table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOUCHMARK = "touchmark"
APPROOV = "approov"
FIREBASE = "firebase"


class TokenStatus(enum.Enum):
    """What a token turned out to be. Only VALID, PREFLIGHT and UNCHECKED may be served."""

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
    """Made by the service for an app that failed attestation: signed with a decoy secret."""
    FORGED = "forged"
    """Signed with no known key."""
    UNBOUND = "unbound"
    """Genuine, but not bound to what this request carries (claim `pay`)."""
    MISDIRECTED = "misdirected"
    """Genuine, yet meant for another audience or from another issuer."""
    WEAK = "weak"
    """Genuine, but of a lower level of assurance than the route asks for (claim `lvl`)."""
    UNSIGNED = "unsigned"
    """Genuine, but the request's signatures are not there, or not right."""
    REPLAYED = "replayed"
    """Genuine, but for single use, and spent already."""
    UNAVAILABLE = "unavailable"
    """Cannot be judged: a set of keys, or the store of spent tokens, cannot be had."""
    PREFLIGHT = "preflight"
    """A browser's question before a request, which carries no token."""
    UNCHECKED = "unchecked"
    """The mode is off."""


class TokenReason(enum.Enum):
    """Why. Each reason belongs to one status."""

    OFF = "off"
    PREFLIGHT = "preflight"
    NO_TOKEN = "no-token"
    TWO_TOKENS = "two-tokens"
    WRONG_PREFIX = "wrong-prefix"
    TOO_LONG = "too-long"
    NOT_COMPACT = "not-compact"
    BAD_HEADER = "bad-header"
    UNKNOWN_EXTENSION = "unknown-extension"
    BAD_KID = "bad-kid"
    BAD_PAYLOAD = "bad-payload"
    WRONG_ALGORITHM = "wrong-algorithm"
    NO_KEYS = "no-keys"
    UNKNOWN_KEY = "unknown-key"
    DECOY = "decoy"
    BAD_SIGNATURE = "bad-signature"
    NO_EXP = "no-exp"
    EXPIRED = "expired"
    BAD_NBF = "bad-nbf"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_AUDIENCE = "wrong-audience"
    LOW_LEVEL = "low-level"
    NO_BOUND_HEADER = "no-bound-header"
    WRONG_PAY = "wrong-pay"
    NO_SIGNATURE = "no-signature"
    BAD_SIGNATURE_INPUT = "bad-signature-input"
    LOW_COVERAGE = "low-coverage"
    BAD_SIGNATURE_TIME = "bad-signature-time"
    NO_NONCE = "no-nonce"
    NO_SIGNING_KEY = "no-signing-key"
    WRONG_DIGEST = "wrong-digest"
    WRONG_SIGNATURE = "wrong-signature"
    NONCE_REPLAYED = "nonce-replayed"
    NO_JTI = "no-jti"
    NO_REPLAY_STORE = "no-replay-store"
    REPLAYED = "replayed"
    OK = "ok"

    @property
    def status(self) -> TokenStatus:
        return _STATUS[self]


_STATUS = {
    TokenReason.OFF: TokenStatus.UNCHECKED,
    TokenReason.PREFLIGHT: TokenStatus.PREFLIGHT,
    TokenReason.NO_TOKEN: TokenStatus.MISSING,
    TokenReason.TWO_TOKENS: TokenStatus.MALFORMED,
    TokenReason.WRONG_PREFIX: TokenStatus.MALFORMED,
    TokenReason.TOO_LONG: TokenStatus.MALFORMED,
    TokenReason.NOT_COMPACT: TokenStatus.MALFORMED,
    TokenReason.BAD_HEADER: TokenStatus.MALFORMED,
    TokenReason.UNKNOWN_EXTENSION: TokenStatus.MALFORMED,
    TokenReason.BAD_KID: TokenStatus.MALFORMED,
    TokenReason.BAD_PAYLOAD: TokenStatus.MALFORMED,
    TokenReason.WRONG_ALGORITHM: TokenStatus.FORGED,
    TokenReason.NO_KEYS: TokenStatus.UNAVAILABLE,
    TokenReason.UNKNOWN_KEY: TokenStatus.FORGED,
    TokenReason.DECOY: TokenStatus.INVALID,
    TokenReason.BAD_SIGNATURE: TokenStatus.FORGED,
    TokenReason.NO_EXP: TokenStatus.MALFORMED,
    TokenReason.EXPIRED: TokenStatus.EXPIRED,
    TokenReason.BAD_NBF: TokenStatus.MALFORMED,
    TokenReason.NOT_YET_VALID: TokenStatus.EARLY,
    TokenReason.WRONG_ISSUER: TokenStatus.MISDIRECTED,
    TokenReason.WRONG_AUDIENCE: TokenStatus.MISDIRECTED,
    TokenReason.LOW_LEVEL: TokenStatus.WEAK,
    TokenReason.NO_BOUND_HEADER: TokenStatus.UNBOUND,
    TokenReason.WRONG_PAY: TokenStatus.UNBOUND,
    TokenReason.NO_SIGNATURE: TokenStatus.UNSIGNED,
    TokenReason.BAD_SIGNATURE_INPUT: TokenStatus.UNSIGNED,
    TokenReason.LOW_COVERAGE: TokenStatus.UNSIGNED,
    TokenReason.BAD_SIGNATURE_TIME: TokenStatus.UNSIGNED,
    TokenReason.NO_NONCE: TokenStatus.UNSIGNED,
    TokenReason.NO_SIGNING_KEY: TokenStatus.UNSIGNED,
    TokenReason.WRONG_DIGEST: TokenStatus.UNSIGNED,
    TokenReason.WRONG_SIGNATURE: TokenStatus.UNSIGNED,
    TokenReason.NONCE_REPLAYED: TokenStatus.REPLAYED,
    TokenReason.NO_JTI: TokenStatus.REPLAYED,
    TokenReason.NO_REPLAY_STORE: TokenStatus.UNAVAILABLE,
    TokenReason.REPLAYED: TokenStatus.REPLAYED,
    TokenReason.OK: TokenStatus.VALID,
}


@dataclass(frozen=True)
class TokenResult:
    """The outcome of a check. `claims` is empty unless a known key signed them. `detail` is a few
    words for a log, without a token. `maker`: whose token was looked for."""

    reason: TokenReason
    detail: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    maker: str = TOUCHMARK

    @property
    def status(self) -> TokenStatus:
        return _STATUS[self.reason]

    @property
    def valid(self) -> bool:
        return self.reason is TokenReason.OK

    @property
    def device(self) -> str:
        """The claim `did`, when a known key signed it and it is text; else ""."""
        did = self.claims.get("did")
        return did if isinstance(did, str) else ""
