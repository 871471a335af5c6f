"""What an attacker can make of a token without the secret."""

from __future__ import annotations

import time

import jwt

from touchmark_lab.device import token_claims


def forge(token: str) -> str:
    """The claims of a real token with a fresh expiry, signed with a guessed secret."""
    claims = {**token_claims(token), "exp": int(time.time()) + 300}
    return jwt.encode(claims, "a guess that is thirty-two bytes.", algorithm="HS256")
