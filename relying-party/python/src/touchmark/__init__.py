"""Checks Touchmark tokens in an API server (the relying party).

`TokenVerifier` is the check itself, for any framework; `touchmark.flask` is the
decorator for Flask.
"""

from touchmark.errors import SettingsError
from touchmark.settings import Mode, Settings
from touchmark.verifier import TokenResult, TokenStatus, TokenVerifier, is_preflight

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
