"""The three parts of a token, read as strictly as the service reads them."""

from __future__ import annotations

import binascii
import functools
import json
import math
import re
from typing import Any, NamedTuple

from touchmark_attestation.results import TokenReason

# The service reads tokens with the same bound. Only a result of attestation has nested claims.
_MAX_DEPTH = 16
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_STANDARD = str.maketrans("-_", "+/")
# How many headers are remembered: a service writes the same one until its keys change.
_HEADERS = 64


class Unreadable(Exception):
    """What is no token. `detail` shows nothing of it."""

    def __init__(self, reason: TokenReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Header(NamedTuple):
    alg: Any
    kid: str | None
    typ: Any
    unreadable: Unreadable | None


class Signed(NamedTuple):
    header: Header
    payload: bytes
    signed: bytes
    signature: bytes


def read_signed(token: str, *, typ: str | None = None) -> Signed:
    """A token's parts, without a look at what its payload is. Raises Unreadable. `typ`: what the
    header's `typ` must be, when it must be something."""
    match = _COMPACT.fullmatch(token)
    if match is None:
        raise Unreadable(TokenReason.NOT_COMPACT, "not three base64url parts")
    first, second, third = match.groups()
    signature, payload = _canonical(third), _canonical(second)
    header = read_header(first)
    problem = header.unreadable
    is_compact = problem is None or problem.reason is not TokenReason.NOT_COMPACT
    if signature is None or payload is None or not is_compact:
        raise Unreadable(TokenReason.NOT_COMPACT, "not three parts of canonical base64url")
    is_json = problem is None or problem.reason is not TokenReason.BAD_HEADER
    if is_json and typ is not None and header.typ != typ:
        raise Unreadable(TokenReason.BAD_HEADER, f"its header's typ is not {typ}")
    if problem is not None:
        raise Unreadable(problem.reason, problem.detail)
    return Signed(header, payload, token[: match.end(2)].encode(), signature)


def read_claims(payload: bytes) -> dict[str, Any]:
    """Raises Unreadable."""
    try:
        return read_object(payload)
    except ValueError as error:
        raise Unreadable(TokenReason.BAD_PAYLOAD, f"its payload is {error}") from None


@functools.lru_cache(_HEADERS)
def read_header(part: str) -> Header:
    """What would change the meaning of the signature, and of that nothing is understood (RFC 7515,
    section 4.1.11, RFC 7797), or what may not stand there (RFC 7515, section 4.1.4), makes it
    unreadable."""
    data = _canonical(part)
    if data is None:
        return Header(None, None, None, Unreadable(TokenReason.NOT_COMPACT, ""))
    try:
        header = read_object(data)
    except ValueError as error:
        return Header(
            None, None, None, Unreadable(TokenReason.BAD_HEADER, f"its header is {error}")
        )
    reason, detail = TokenReason.UNKNOWN_EXTENSION, ""
    if "crit" in header:
        detail = "its header has crit"
    elif header.get("b64") is False:
        detail = "its header says that the payload is not base64url"
    elif not isinstance(header.get("kid", ""), str):
        reason, detail = TokenReason.BAD_KID, "its header has a kid that is no text"
    problem = Unreadable(reason, detail) if detail else None
    return Header(header.get("alg"), header.get("kid"), header.get("typ"), problem)


def read_object(data: bytes) -> dict[str, Any]:
    """The JSON object (RFC 8259) that these bytes are; a ValueError says what they are instead.

    Python's reader alone takes NaN, UTF-16 and halves of surrogate pairs, and keeps the last of two
    equal names. The service takes none of these, and the two must not differ about a token.
    """
    try:
        text = data.decode()
        value = _read(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # fails for half of a surrogate pair
        if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(value) > _MAX_DEPTH:
            raise ValueError("nested too deep")
    except RecursionError:
        raise ValueError("nested too deep") from None
    except (json.JSONDecodeError, UnicodeError):
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _not_a_number(text: str) -> float:
    raise ValueError("not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("not JSON: it has a number that is too large")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 300:
        _finite(digits)  # because Python takes its time for thousands of digits
    return int(digits)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7519, section 4: names are unique."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("JSON with a name that stands twice")
    return found


_read = json.JSONDecoder(
    parse_constant=_not_a_number, parse_float=_finite, parse_int=_whole, object_pairs_hook=_unique
).decode


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _canonical(part: str) -> bytes | None:
    """The bytes of base64url as its encoder writes it: no unused bits set, which would be a second
    spelling. None for another."""
    left = len(part) % 4
    if left == 1:
        return None
    found = _decode(part)
    # Only the last letter of a part that is no whole number of groups has unused bits.
    if left and part[-1] not in ("AQgw" if left == 2 else "AEIMQUYcgkosw048"):
        return None
    return found


def _decode(part: str) -> bytes:
    return binascii.a2b_base64(part.translate(_STANDARD) + "=" * (-len(part) % 4))
