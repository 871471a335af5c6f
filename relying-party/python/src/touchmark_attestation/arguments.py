"""What each argument of the check must be. Each function gives the value in the form that the check
uses, or raises a SettingsError that names the argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from touchmark_attestation.errors import SettingsError
from touchmark_attestation.keys import MAX_TRIED, Secret, derive_decoy_secret

# RFC 9110, section 5.6.2: the name of a header, and that of a method.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, section 5.6.3: what may stand around a header's value, and between its parts.
WHITESPACE = " \t"

# What `lvl` can be, each more than the one before.
LEVELS = ("software", "platform", "tee", "secure-chip")

# RFC 7518, section 3.2: a key at least as long as the hash.
_MIN_SECRET_BYTES = 32
# More than this is no difference between clocks, and keeps stolen tokens alive.
_MAX_LEEWAY = 300
_KID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_PRINTABLE = re.compile(r"[\t\x20-\x7e]*")


def secrets(name: str, value: Any, *, may_be_empty: bool = False) -> tuple[Secret, ...]:
    """One secret or more, each of them bytes or a Secret. A single `bytes` is refused: to Python it
    is a list of numbers."""
    if isinstance(value, (str, bytes, bytearray, Secret)) or not isinstance(value, Iterable):
        raise SettingsError(name, f"must be a list of secrets, not {kind(value)}")
    found = tuple(_secret_with_kid(name, one) for one in value)
    if not found and not may_be_empty:
        raise SettingsError(name, "is empty: at least one secret is needed")
    if len(found) > MAX_TRIED:
        raise SettingsError(name, f"holds {len(found)} secrets: {MAX_TRIED} are tried at most")
    return found


def decoys(name: str, value: Any, secrets: Sequence[Secret]) -> tuple[bytes, ...]:
    """A decoy secret for each secret: derived, one for all, or a list in the same order."""
    if value is None:
        return tuple(derive_decoy_secret(one.key) for one in secrets)
    if isinstance(value, (bytes, bytearray)):
        return (secret(name, value),) * len(secrets)
    if isinstance(value, (str, Secret)) or not isinstance(value, Sequence):
        raise SettingsError(name, f"must hold the bytes behind the base64, not {kind(value)}")
    found = tuple(_secret_with_kid(name, one) for one in value)
    if len(found) != len(secrets):
        raise SettingsError(
            name, f"holds {len(found)} secrets: give one for each of the {len(secrets)} secrets"
        )
    for decoy, one in zip(found, secrets):
        if decoy.kid not in (None, one.kid):
            raise SettingsError(
                name, f"has kid {shown(decoy.kid)} where the secret has"
                f" {shown(one.kid)}: give them in the same order",
            )  # fmt: skip
    return tuple(one.key for one in found)


def _secret_with_kid(name: str, value: Any) -> Secret:
    if not isinstance(value, Secret):
        return Secret(secret(name, value))
    if value.kid is not None and not (isinstance(value.kid, str) and _KID.fullmatch(value.kid)):
        raise SettingsError(
            name, f"has kid {shown(value.kid)}: use 1 to 64 letters, digits and . _ ~ -"
        )
    return Secret(secret(name, value.key), value.kid)


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


def level(name: str, value: Any) -> str | None:
    """A level of assurance; None when it may be any."""
    if value is None or (isinstance(value, str) and value in LEVELS):
        return value
    *others, last = (f"'{one}'" for one in LEVELS)
    raise SettingsError(name, f"is {shown(value)}: use {', '.join(others)} or {last}")


def percent(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise SettingsError(name, f"is {shown(value)}: use a whole number from 0 to 100")
    return value


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
