"""The settings of an API server's check, from environment variables or a
framework's configuration."""

from __future__ import annotations

import base64
import contextlib
import enum
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from touchmark_attestation import arguments, replay
from touchmark_attestation.arguments import WHITESPACE, kind, shown
from touchmark_attestation.errors import SettingsError
from touchmark_attestation.jwks import JwksSource
from touchmark_attestation.keys import Secret
from touchmark_attestation.replay import ReplayStore
from touchmark_attestation.signatures import SignatureVerifier
from touchmark_attestation.verifier import (
    DEFAULT_HEADER,
    FIREBASE_JWKS,
    KeylessVerifier,
    TokenVerifier,
    approov_verifier,
    firebase_verifier,
)

# The setting that each argument of TokenVerifier comes from.
_NAMES = {
    "secrets": "TOUCHMARK_SECRET",
    "decoy_secret": "TOUCHMARK_DECOY_SECRET",
    "jwks": "TOUCHMARK_JWKS",
    "header": "TOUCHMARK_TOKEN_HEADER",
    "prefix": "TOUCHMARK_TOKEN_PREFIX",
    "binding_headers": "TOUCHMARK_BINDING_HEADERS",
    "audience": "TOUCHMARK_AUDIENCE",
    "issuer": "TOUCHMARK_ISSUER",
    "level": "TOUCHMARK_LEVEL",
    "leeway": "TOUCHMARK_LEEWAY",
}
_APPROOV_NAMES = {
    "secrets": "TOUCHMARK_APPROOV_SECRET",
    "binding_headers": "TOUCHMARK_APPROOV_BINDING_HEADERS",
}
_FIREBASE_NAMES = {"project": "TOUCHMARK_FIREBASE_PROJECT", "jwks": "TOUCHMARK_FIREBASE_JWKS"}
_MODE = "TOUCHMARK_MODE"
_PERCENT = "TOUCHMARK_PERCENT"
_SINGLE_USE = "TOUCHMARK_SINGLE_USE"
_REPLAY_FAILURE = "TOUCHMARK_REPLAY_FAILURE"
_SIGNATURE_NAMES = {
    "labels": "TOUCHMARK_SIGNATURES",
    "headers": "TOUCHMARK_SIGNATURE_HEADERS",
    "origin": "TOUCHMARK_SIGNATURE_ORIGIN",
    "age": "TOUCHMARK_SIGNATURE_AGE",
    "max_body": "TOUCHMARK_SIGNATURE_BODY",
    "single_use": "TOUCHMARK_SIGNATURE_NONCES",
    "account_keys": "TOUCHMARK_ACCOUNT_KEY",
}
_KNOWN = frozenset([
    *_SIGNATURE_NAMES.values(),
    *_NAMES.values(), *_APPROOV_NAMES.values(), *_FIREBASE_NAMES.values(), _MODE, _PERCENT,
    _SINGLE_USE, _REPLAY_FAILURE,
])  # fmt: skip
# What the command and the service read, and may well stand in the same environment.
_OTHERS = frozenset(
    f"TOUCHMARK_{name}"
    for name in ("BIN", "DATA", "HOME", "LISTEN", "PIN", "PROFILE", "PUBLIC_URL", "TOKEN", "URL")
)
_NO_SECRET = "is not set: an operator gets it with 'touchmark secret get --format env'"
# So few letters apart are a typing error, whatever was meant.
_TYPING_ERROR = 2
_log = logging.getLogger("touchmark")
# Python's float() would also take "1_0", "٣" and "nan".
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,3}")
_OF_URL = str.maketrans("-_", "+/")


class Mode(enum.Enum):
    """What happens to a request whose token is not valid."""

    ENFORCE = "enforce"
    """It is refused with 401."""
    REPORT = "report"
    """It is served; the log says that it would be refused."""
    OFF = "off"
    """Nobody looks at it."""


@dataclass(frozen=True)
class Settings:
    """- verifier: the check of Touchmark's tokens.
    - percent: the share of devices for which ENFORCE refuses; for the others it reports.
    - others: the checks of other makers' tokens (`approov_verifier`, `firebase_verifier`).
    - single_use: where spent tokens are kept; None for tokens that may be used again.
    - fail_open: whether a request is served while that place does not answer.
    - signatures: the check of the requests' signatures; None where none is asked for.
    """

    verifier: TokenVerifier
    mode: Mode = Mode.ENFORCE
    percent: int = 100
    others: tuple[TokenVerifier, ...] = ()
    single_use: ReplayStore | None = None
    fail_open: bool = False
    signatures: SignatureVerifier | None = None

    def __post_init__(self) -> None:
        """Raises SettingsError: a text as mode would be none of the three."""
        if not isinstance(self.mode, Mode):
            raise SettingsError(
                "mode", f"is {shown(self.mode)}: use Mode.ENFORCE, Mode.REPORT or Mode.OFF"
            )
        if not isinstance(self.verifier, TokenVerifier):
            raise SettingsError("verifier", f"must be a TokenVerifier, not {kind(self.verifier)}")
        arguments.percent("percent", self.percent)
        if not all(isinstance(one, TokenVerifier) for one in self.others):
            raise SettingsError("others", "must be a tuple of TokenVerifiers")

    @staticmethod
    def read(source: Mapping[str, Any], *, clock: Callable[[], float] = time.time) -> Settings:
        """Reads the TOUCHMARK_ settings of a mapping such as os.environ; README.md lists them.
        `clock`: seconds since the epoch.

        Raises SettingsError. A setting that is there and empty is refused: empty text most often
        comes from a variable that was meant to be set, and would turn a check off. A name that is a
        letter or two from a setting's is refused, too, and every other unknown name that begins
        with TOUCHMARK_ gets a warning in the log (logger "touchmark").
        """
        _refuse_typing_errors(source)
        mode = _choice(source, _MODE, {one.value: one for one in Mode}, Mode.ENFORCE)
        leeway = _leeway(source)
        verifier = _verifier(source, mode, leeway=leeway, clock=clock)
        return Settings(
            verifier,
            mode,
            _percent(source),
            _others(source, leeway=leeway, clock=clock),
            _single_use(source),
            _choice(source, _REPLAY_FAILURE, {"closed": False, "open": True}, False),
            _signatures(source, leeway=leeway, clock=clock),
        )


def _verifier(source: Mapping[str, Any], mode: Mode, **options: Any) -> TokenVerifier:
    with _named(_NAMES):
        secrets = _secrets(source)
        decoys = _given(source, _NAMES["decoy_secret"])
        jwks = _given(source, _NAMES["jwks"])
        given: dict[str, Any] = {
            "header": _given(source, _NAMES["header"], DEFAULT_HEADER),
            "prefix": _given(source, _NAMES["prefix"], ""),
            "audience": _given(source, _NAMES["audience"]),
            "issuer": _given(source, _NAMES["issuer"]),
            "level": _given(source, _NAMES["level"]),
            "binding_headers": _listed(source, _NAMES["binding_headers"]),
            "decoy_secret": None if decoys is None else _decoded(decoys, _NAMES["decoy_secret"]),
        }
        make: type[TokenVerifier] = TokenVerifier
        if not secrets and jwks is None:
            if mode is not Mode.OFF:
                raise SettingsError(_NAMES["secrets"], _NO_SECRET)
            make = KeylessVerifier
        source_of_keys = None if jwks is None else JwksSource(jwks)
        return make(secrets, jwks=source_of_keys, **given, **options)


def _others(source: Mapping[str, Any], **options: Any) -> tuple[TokenVerifier, ...]:
    found: list[TokenVerifier] = []
    name = _APPROOV_NAMES["secrets"]
    secrets = _given(source, name)
    headers = _listed(source, _APPROOV_NAMES["binding_headers"])
    if secrets is None and headers:
        raise SettingsError(
            _APPROOV_NAMES["binding_headers"], f"is set, and {name} is not: set both, or neither"
        )
    if secrets is not None:
        with _named(_APPROOV_NAMES):
            keys = [_decode_either(one, name) for one in _words(secrets)]
            found.append(approov_verifier(keys, binding_headers=headers, **options))
    name = _FIREBASE_NAMES["project"]
    project = _given(source, name)
    jwks = _given(source, _FIREBASE_NAMES["jwks"])
    if project is None and jwks is not None:
        raise SettingsError(
            _FIREBASE_NAMES["jwks"], f"is set, and {name} is not: set both, or neither"
        )
    if project is not None:
        with _named(_FIREBASE_NAMES):
            keys_of = JwksSource(FIREBASE_JWKS if jwks is None else jwks)
            found.append(firebase_verifier(project, keys_of, **options))
    return tuple(found)


def _single_use(source: Mapping[str, Any]) -> ReplayStore | None:
    value = _given(source, _SINGLE_USE)
    with _named({"single_use": _SINGLE_USE}):
        return None if value is None else replay.store(value)


def _signatures(source: Mapping[str, Any], **options: Any) -> SignatureVerifier | None:
    labels = _listed(source, _SIGNATURE_NAMES["labels"])
    given = [name for name in _SIGNATURE_NAMES.values() if _given(source, name) is not None]
    if not labels and given:
        raise SettingsError(given[0], "is set, and TOUCHMARK_SIGNATURES is not: set both")
    if not labels:
        return None
    keys = _given(source, _SIGNATURE_NAMES["account_keys"])
    nonces = _given(source, _SIGNATURE_NAMES["single_use"])
    numbers: dict[str, Any] = {}
    for argument in ("age", "max_body"):
        name = _SIGNATURE_NAMES[argument]
        text = _given(source, name)
        if text is not None:
            digits = text.strip(WHITESPACE)
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 10
            numbers[argument] = int(digits) if is_number else text
    with _named(_SIGNATURE_NAMES):
        return SignatureVerifier(
            labels,
            headers=_listed(source, _SIGNATURE_NAMES["headers"]),
            origin=_given(source, _SIGNATURE_NAMES["origin"]),
            account_keys=() if keys is None else _decoded(keys, _SIGNATURE_NAMES["account_keys"]),
            nonces=None if nonces is None else replay.store(nonces),
            **numbers,
            **options,
        )


@contextlib.contextmanager
def _named(names: Mapping[str, str]) -> Iterator[None]:
    """What an argument's error says, said of the setting that it comes from."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(names.get(error.setting, error.setting), error.problem) from None


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


def _given(source: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """The text of a setting, or `default` when there is none: a framework's None is none."""
    value = source.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise SettingsError(name, f"must be text, not {kind(value)}")
    if not value.strip():
        raise SettingsError(name, "is empty: leave it out, or give it a value")
    return value


def _listed(source: Mapping[str, Any], name: str) -> list[str]:
    value = _given(source, name)
    return [] if value is None else _words(value)


def _words(text: str) -> list[str]:
    """The words between commas. An empty one stays, and is refused as what it should be."""
    return [word.strip(WHITESPACE) for word in text.split(",")]


def _secrets(source: Mapping[str, Any]) -> list[Secret]:
    name = _NAMES["secrets"]
    value = source.get(name)
    if isinstance(value, str) and not value.strip():
        raise SettingsError(name, _NO_SECRET)
    text = _given(source, name)
    return [] if text is None else _decoded(text, name)


def _decoded(text: str, name: str) -> list[Secret]:
    found = []
    for word in _words(text):
        kid, colon, rest = word.strip().rpartition(":")
        found.append(Secret(_decode(rest, name), kid if colon else None))
    return found


def _decode(text: str, name: str) -> bytes:
    """Padded standard base64 (RFC 4648, section 4), in the one spelling that an encoder writes. A
    line's end around it comes with secrets that stand in files."""
    text = text.strip()
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


def _decode_either(text: str, name: str) -> bytes:
    """Base64 or base64url, with its padding or without."""
    bare = text.strip().rstrip("=")
    of_url = bare.replace("+", "?").replace("/", "?").translate(_OF_URL)
    for standard in (bare, of_url):
        padded = standard + "=" * (-len(standard) % 4)
        if len(text.strip()) in (len(bare), len(padded)) and bare:
            with contextlib.suppress(SettingsError):
                return _decode(padded, name)
    raise SettingsError(name, "is neither base64 nor base64url: copy it whole")


def _leeway(source: Mapping[str, Any]) -> Any:
    """A number as it stands (TokenVerifier judges it), or the number that a text is."""
    name = _NAMES["leeway"]
    value = source.get(name)
    if value is None:
        return 0
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip(WHITESPACE)):
        value = float(value)
    return arguments.leeway(name, value)


def _percent(source: Mapping[str, Any]) -> int:
    value = source.get(_PERCENT)
    if value is None:
        return 100
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip(WHITESPACE)):
        value = int(value)
    return arguments.percent(_PERCENT, value)


def _choice(source: Mapping[str, Any], name: str, choices: Mapping[str, Any], default: Any) -> Any:
    value = source.get(name)
    if value is None:
        return default
    for word, meaning in choices.items():
        if value == word or (value is meaning and isinstance(meaning, Mode)):
            return meaning
    # A typing error must not turn the check off.
    *others, last = (f"'{one}'" for one in choices)
    raise SettingsError(name, f"is {shown(value)}: use {', '.join(others)} or {last}")
