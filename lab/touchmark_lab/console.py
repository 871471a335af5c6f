"""What the lab prints: a story of commands and their output."""

from __future__ import annotations

import os
import sys
import textwrap
import time

_WIDTH = 100
_BOLD, _DIM, _GREEN, _RED, _END = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


class Console:
    """Prints to standard output, a line at a time, so that progress shows at once."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._start = time.monotonic()

    def chapter(self, title: str) -> None:
        seconds = time.monotonic() - self._start
        self._line()
        self._line(self._paint(_BOLD, f"== {title}") + self._paint(_DIM, f"  [{seconds:.1f} s]"))

    def say(self, text: str) -> None:
        for line in textwrap.wrap(text, _WIDTH):
            self._line(line)

    def command(self, shown: str) -> None:
        self._line("  " + self._paint(_BOLD, f"$ {shown}"))

    def output(self, text: str, limit: int = 30) -> None:
        """A command's output, its middle left out (and said so) when it is long."""
        lines = text.rstrip("\n").splitlines()
        if len(lines) > limit:
            head, tail = lines[: limit // 2], lines[-(limit - limit // 2) :]
            lines = [*head, f"... {len(lines) - limit} lines left out ...", *tail]
        for line in lines:
            self._line("  " + line)

    def verdict(self, passed: bool, text: str) -> None:
        mark = self._paint(_GREEN, "pass") if passed else self._paint(_RED, "FAIL")
        self._line(f"  -> {mark}  {text}")

    def plain(self, text: str = "") -> None:
        self._line(text)

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{_END}" if self._colour else text

    @staticmethod
    def _line(text: str = "") -> None:
        print(text, flush=True)
