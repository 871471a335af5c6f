"""Checks Touchmark tokens in an API server (the relying party).

`Guard` is the check with its settings, for any framework; the modules `flask`, `starlette` (also
for FastAPI), `django`, `wsgi` and `asgi` are covers over it. `TokenVerifier` is the check of a
token alone.
"""

from touchmark_attestation.decision import Decision, Label, Refusal, RouteOptions
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.guard import Guard
from touchmark_attestation.headers import RequestHeaders
from touchmark_attestation.jwks import JwksSource
from touchmark_attestation.keys import Secret
from touchmark_attestation.replay import MemoryStore, RedisStore, ReplayStore, StoreLost
from touchmark_attestation.results import TokenReason, TokenResult, TokenStatus
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.signatures import SignatureVerifier, SignedRequest
from touchmark_attestation.verifier import (
    TokenVerifier,
    approov_verifier,
    firebase_verifier,
    is_preflight,
)

__all__ = [
    "Decision",
    "Guard",
    "JwksSource",
    "Label",
    "MemoryStore",
    "Mode",
    "RedisStore",
    "Refusal",
    "ReplayStore",
    "RequestHeaders",
    "RouteOptions",
    "Secret",
    "Settings",
    "SettingsError",
    "SignatureVerifier",
    "SignedRequest",
    "StoreLost",
    "TokenReason",
    "TokenResult",
    "TokenStatus",
    "TokenVerifier",
    "approov_verifier",
    "firebase_verifier",
    "is_preflight",
]
__version__ = "0.1.0"
