"""The settings of an API server's check, from environment variables or a
framework's configuration."""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touchmark.verifier import DEFAULT_HEADER, TokenVerifier


class SettingsError(ValueError):
    """A setting is missing or cannot be read. The message names it, and shows no secret."""


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

    @staticmethod
    def read(source: Mapping[str, Any]) -> Settings:
        """Reads the TOUCHMARK_ settings of a mapping such as os.environ; README.md lists them."""
        secrets = [
            _secret("TOUCHMARK_SECRET", text) for text in _words(_text(source, "TOUCHMARK_SECRET"))
        ]
        if not secrets:
            raise SettingsError(
                "TOUCHMARK_SECRET is not set: an operator gets it with "
                "'touchmark secret get --format env'"
            )
        decoy = _text(source, "TOUCHMARK_DECOY_SECRET")
        try:
            verifier = TokenVerifier(
                secrets,
                _secret("TOUCHMARK_DECOY_SECRET", decoy) if decoy else None,
                header=_text(source, "TOUCHMARK_TOKEN_HEADER").strip() or DEFAULT_HEADER,
                prefix=_text(source, "TOUCHMARK_TOKEN_PREFIX"),
                binding_headers=_words(_text(source, "TOUCHMARK_BINDING_HEADERS")),
                audience=_text(source, "TOUCHMARK_AUDIENCE") or None,
                issuer=_text(source, "TOUCHMARK_ISSUER") or None,
                leeway=_seconds(source, "TOUCHMARK_LEEWAY"),
            )
        except SettingsError:
            raise
        except ValueError as error:
            raise SettingsError(f"the TOUCHMARK_ settings are refused: {error}") from None
        return Settings(verifier, _mode(source))


def _text(source: Mapping[str, Any], name: str) -> str:
    value = source.get(name)
    return "" if value is None else str(value)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _secret(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise SettingsError(f"{name} is not base64") from None


def _seconds(source: Mapping[str, Any], name: str) -> float:
    text = _text(source, name) or "0"
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{name} is not a number of seconds: {text!r}") from None


def _mode(source: Mapping[str, Any]) -> Mode:
    text = _text(source, "TOUCHMARK_MODE") or Mode.ENFORCE.value
    try:
        return Mode(text)
    except ValueError:
        # A typing error must not turn the check off.
        raise SettingsError(f"TOUCHMARK_MODE is {text!r}: use 'enforce' or 'report'") from None
