"""Makes tokens for the tests: with PyJWT where a token is well formed, by hand
where it must not be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt

NOW = 1_790_000_000
SECRET = bytes(range(32))
OLD_SECRET = bytes(range(32, 64))
CLAIMS = {"did": "VpbvaHuFztxhsx472W4Vgg==", "exp": NOW + 300, "ip": "192.0.2.7"}


def token(secret: bytes = SECRET, **claims: Any) -> str:
    """A token with the usual claims and these; a claim that is None is left out."""
    merged = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(merged, secret, algorithm="HS256")


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_token(header: bytes, payload: bytes, secret: bytes = SECRET) -> str:
    """Any two parts with a right HS256 signature over them."""
    signed = f"{base64url(header)}.{base64url(payload)}"
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def raw_payload(payload: str) -> str:
    return raw_token(json.dumps({"alg": "HS256", "typ": "JWT"}).encode(), payload.encode())
