"""The settings of an API server's check, from environment variables or a
framework's configuration."""

from __future__ import annotations

import base64
import enum
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touchmark_attestation.arguments import WHITESPACE, kind, shown
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.verifier import DEFAULT_HEADER, TokenVerifier

# The setting that each argument of TokenVerifier comes from.
_NAMES = {
    "secrets": "TOUCHMARK_SECRET",
    "decoy_secret": "TOUCHMARK_DECOY_SECRET",
    "header": "TOUCHMARK_TOKEN_HEADER",
    "prefix": "TOUCHMARK_TOKEN_PREFIX",
    "binding_headers": "TOUCHMARK_BINDING_HEADERS",
    "audience": "TOUCHMARK_AUDIENCE",
    "issuer": "TOUCHMARK_ISSUER",
    "leeway": "TOUCHMARK_LEEWAY",
}
_MODE = "TOUCHMARK_MODE"
_KNOWN = frozenset([*_NAMES.values(), _MODE])
# What the command and the service read, and may well stand in the same environment.
_OTHERS = frozenset(
    f"TOUCHMARK_{name}"
    for name in ("BIN", "DATA", "HOME", "LISTEN", "PIN", "PROFILE", "PUBLIC_URL", "TOKEN", "URL")
)
# So few letters apart are a typing error, whatever was meant.
_TYPING_ERROR = 2
_log = logging.getLogger("touchmark")
# Python's float() would also take "1_0", "٣" and "nan".
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Mode(enum.Enum):
    """What happens to a request whose token is not valid."""

    ENFORCE = "enforce"
    """It is refused with 401."""
    REPORT = "report"
    """It is served; the log says that it would be refused."""


@dataclass(frozen=True)
class Settings:
    verifier: TokenVerifier
    mode: Mode

    def __post_init__(self) -> None:
        """Raises SettingsError: a text as mode would be neither of the two."""
        if not isinstance(self.verifier, TokenVerifier):
            raise SettingsError("verifier", f"must be a TokenVerifier, not {kind(self.verifier)}")
        if not isinstance(self.mode, Mode):
            raise SettingsError("mode", f"is {shown(self.mode)}: use Mode.ENFORCE or Mode.REPORT")

    @staticmethod
    def read(source: Mapping[str, Any]) -> Settings:
        """Reads the TOUCHMARK_ settings of a mapping such as os.environ; README.md lists them.

        Raises SettingsError. A setting that is there and empty is refused, except the prefix: empty
        text most often comes from a variable that was meant to be set, and would turn a check off.
        A name that is a letter or two from a setting's is refused, too, and every other unknown
        name that begins with TOUCHMARK_ gets a warning in the log (logger "touchmark").
        """
        _refuse_typing_errors(source)
        arguments: dict[str, Any] = {
            "header": _given(source, "header", DEFAULT_HEADER),
            "prefix": _given(source, "prefix", "", may_be_empty=True),
            "audience": _given(source, "audience", None),
            "issuer": _given(source, "issuer", None),
            "leeway": _leeway(source),
            "secrets": _secrets(source),
        }
        names = _given(source, "binding_headers", None)
        arguments["binding_headers"] = [] if names is None else _listed(names)
        decoy = _given(source, "decoy_secret", None)
        arguments["decoy_secret"] = None if decoy is None else _decode("decoy_secret", decoy)
        mode = _mode(source)
        try:
            verifier = TokenVerifier(arguments.pop("secrets"), **arguments)
        except SettingsError as error:
            raise SettingsError(_NAMES[error.setting], error.problem) from None
        return Settings(verifier, mode)


def _refuse_typing_errors(source: Mapping[str, Any]) -> None:
    """`TOUCHMARK_MOD=report` must not be taken for no mode at all."""
    for name, value in source.items():
        if not isinstance(name, str) or value is None or name in _KNOWN or name in _OTHERS:
            continue
        folded = name.upper().replace("-", "_")
        ours = folded.startswith("TOUCHMARK")
        apart, meant = min((_distance(folded, one), one) for one in _KNOWN)
        if apart <= _TYPING_ERROR:
            raise SettingsError(shown(name)[1:-1], f"is not a setting: did you mean {meant}?")
        if ours:
            _log.warning(
                "%s is not a setting of the token check, and nothing reads it; the nearest is %s",
                shown(name)[1:-1], meant,
            )  # fmt: skip


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out, changed, or swapped with their neighbour, to make
    one of the other; exact up to what counts as a typing error, and more than that beyond."""
    if abs(len(one) - len(other)) > _TYPING_ERROR:
        return abs(len(one) - len(other)) + _TYPING_ERROR
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, its in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and its == one[i - 2]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]


def _given(
    source: Mapping[str, Any], argument: str, default: Any, *, may_be_empty: bool = False
) -> Any:
    """The text of a setting, or `default` when there is none: a framework's None is none."""
    name = _NAMES[argument]
    value = source.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise SettingsError(name, f"must be text, not {kind(value)}")
    if not value.strip() and not may_be_empty:
        raise SettingsError(name, "is empty: leave it out, or give it a value")
    return value


def _listed(text: str) -> list[str]:
    """The words between commas. An empty one stays, and is refused as what it should be."""
    return [word.strip(WHITESPACE) for word in text.split(",")]


def _secrets(source: Mapping[str, Any]) -> list[bytes]:
    name = _NAMES["secrets"]
    value = source.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise SettingsError(
            name, "is not set: an operator gets it with 'touchmark secret get --format env'"
        )
    return [_decode("secrets", one) for one in _listed(_given(source, "secrets", None))]


def _decode(argument: str, text: str) -> bytes:
    """Padded standard base64 (RFC 4648, section 4), in the one spelling that an encoder writes. A
    line's end around it comes with secrets that stand in files."""
    name, text = _NAMES[argument], text.strip()
    if not text:
        raise SettingsError(name, "names an empty secret: take out the comma beside it")
    try:
        found = base64.b64decode(text, validate=True)
        is_base64 = base64.b64encode(found).decode() == text
    except ValueError:  # not only binascii.Error: characters beyond ASCII are a plain one
        is_base64 = False
    if not is_base64:
        raise SettingsError(
            name, "is not base64: copy it as 'touchmark secret get' prints it, with every '='"
        )
    return found


def _leeway(source: Mapping[str, Any]) -> Any:
    """A number as it stands (TokenVerifier judges it), or the number that a text is."""
    value = source.get(_NAMES["leeway"])
    if value is None:
        return 0
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip(WHITESPACE)):
        return float(value)
    return value


def _mode(source: Mapping[str, Any]) -> Mode:
    value = source.get(_MODE)
    if value is None:
        return Mode.ENFORCE
    try:
        return Mode(value)
    except ValueError:
        # A typing error must not turn the check off.
        raise SettingsError(_MODE, f"is {shown(value)}: use 'enforce' or 'report'") from None
