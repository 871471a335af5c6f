"""Checks Touchmark tokens in an API server (the relying party).

`TokenVerifier` is the check itself, for any framework; `touchmark_attestation.flask` is the
decorator for Flask.
"""

from touchmark_attestation.errors import SettingsError
from touchmark_attestation.settings import Mode, Settings
from touchmark_attestation.verifier import TokenResult, TokenStatus, TokenVerifier, is_preflight

__all__ = [
    "Mode",
    "Settings",
    "SettingsError",
    "TokenResult",
    "TokenStatus",
    "TokenVerifier",
    "is_preflight",
]
__version__ = "0.1.0"
