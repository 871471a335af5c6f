"""What each argument of the check must be. Each function gives the value in the form that the check
uses, or raises a SettingsError that names the argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from touchmark_attestation.errors import SettingsError

# RFC 9110, section 5.6.2: the name of a header, and that of a method.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, section 5.6.3: what may stand around a header's value, and between its parts.
WHITESPACE = " \t"

# RFC 7518, section 3.2: a key at least as long as the hash.
_MIN_SECRET_BYTES = 32
# More than this is no difference between clocks, and keeps stolen tokens alive.
_MAX_LEEWAY = 300
_PRINTABLE = re.compile(r"[\t\x20-\x7e]*")


def secrets(name: str, value: Any) -> tuple[bytes, ...]:
    """One secret or more. A single `bytes` is refused: to Python it is a list of numbers."""
    if isinstance(value, (str, bytes, bytearray)) or not isinstance(value, Iterable):
        raise SettingsError(name, f"must be a list of secrets, not {kind(value)}")
    found = tuple(secret(name, one) for one in value)
    if not found:
        raise SettingsError(name, "is empty: at least one secret is needed")
    return found


def secret(name: str, value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise SettingsError(name, f"must hold the bytes behind the base64, not {kind(value)}")
    if len(value) < _MIN_SECRET_BYTES:
        raise SettingsError(
            name,
            f"holds a secret of {len(value)} bytes: {_MIN_SECRET_BYTES} are needed at least",
        )
    return bytes(value)


def header_name(name: str, value: Any) -> str:
    text = _text(name, value, "the name of a header, such as 'Authorization'")
    if not TOKEN.fullmatch(text):
        raise SettingsError(
            name,
            f"is {shown(text)}, which cannot be the name of a header: use letters, digits and '-'",
        )
    return text


def binding_headers(name: str, value: Any, token_header: str) -> tuple[str, ...]:
    if isinstance(value, (str, bytes, bytearray)) or not isinstance(value, Sequence):
        raise SettingsError(name, f"must be a list of names of headers, not {kind(value)}")
    names = tuple(header_name(name, one) for one in value)
    folded = [one.lower() for one in names]
    for position, one in enumerate(folded):
        if one in folded[:position]:
            raise SettingsError(name, f"names {shown(names[position])} twice: name it once")
    if token_header.lower() in folded:
        raise SettingsError(
            name, "names the header of the token, and no token is bound to itself: name another"
        )
    return names


def prefix(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingsError(name, f"must be text, such as 'Bearer ', not {kind(value)}")
    if not _PRINTABLE.fullmatch(value):
        raise SettingsError(
            name, f"is {shown(value)}, which cannot stand in a header: use printable ASCII"
        )
    return value


def claim(name: str, value: Any) -> str | None:
    """What a claim must be; None when it may be anything."""
    if value is None:
        return None
    text = _text(name, value, "what the claim must be")
    if not text.isprintable():
        raise SettingsError(name, f"is {shown(text)}: take out what is not printable")
    return text


def leeway(name: str, value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _MAX_LEEWAY:  # NaN is in no range
        raise SettingsError(
            name, f"is {shown(value)}: a leeway is a number of seconds from 0 to {_MAX_LEEWAY}"
        )
    return float(value)


def max_bytes(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingsError(name, f"is {shown(value)}: use a whole number from 1")
    return value


def shown(value: Any) -> str:
    """Somebody's value in a message: escaped, and cut to a length."""
    try:
        text = ascii(value)
    except ValueError:  # Python writes no number of thousands of digits
        text = kind(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def kind(value: Any) -> str:
    """The type of somebody's value, for a value that may be a secret."""
    return "None" if value is None else type(value).__name__


def _text(name: str, value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise SettingsError(name, f"must be text, {what}, not {kind(value)}")
    if not value.strip():
        raise SettingsError(name, f"is empty: leave it out, or give {what}")
    return value
