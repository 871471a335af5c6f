"""Checks Touchmark tokens in an API server (the relying party).

`Guard` is the check with its settings, for any framework; the modules `flask`, `wsgi` and `asgi`
are covers over it. `TokenVerifier` is the check of a token alone.
"""

from touchmark_attestation.errors import SettingsError
from touchmark_attestation.guard import Decision, Guard, Refusal
from touchmark_attestation.headers import RequestHeaders
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.verifier import TokenResult, TokenStatus, TokenVerifier, is_preflight

__all__ = [
    "Decision",
    "Guard",
    "Mode",
    "Refusal",
    "RequestHeaders",
    "Settings",
    "SettingsError",
    "TokenResult",
    "TokenStatus",
    "TokenVerifier",
    "is_preflight",
]
__version__ = "0.1.0"
