"""The table of exceptions, exceptions.toml, which says what each part is."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_TABLE = tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text())


def _by_page(part: str) -> dict[tuple[str, str], Any]:
    return {(page, line): v for page, lines in _TABLE[part].items() for line, v in lines.items()}


# Pages that another test plays, and which.
PLAYED: dict[str, str] = _TABLE["played"]
NOT_RUN: dict[tuple[str, str], str] = _by_page("not_run")
INLINE: dict[tuple[str, str], str] = _by_page("inline")
NOT_COMPARED: dict[tuple[str, str], str] = _by_page("not_compared")
FILLED: dict[str, str] = _TABLE["filled"]
BEFORE: dict[tuple[str, str], str] = _by_page("before")
ENDS_WITH: dict[tuple[str, str], tuple[int, str, str]] = {
    key: (status, part, why) for key, (status, part, why) in _by_page("ends_with").items()
}
