"""A person at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from pathlib import Path

from kit.command import CLEAN
from kit.service import BINARY


class Terminal:
    """Runs the command on a terminal of its own, and types."""

    def __init__(self, home: Path, *arguments: str):
        self.shown = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            environment = {**CLEAN, "TOUCHMARK_HOME": str(home), "TERM": "xterm"}
            os.execve(BINARY, [str(BINARY), *arguments], environment)

    def until(self, text: str, timeout: float = 20) -> None:
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0 and self._read(left), f"no {text!r} in {self.shown!r}"

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def terminate(self) -> int:
        os.kill(self.pid, signal.SIGTERM)
        return self.end()

    def end(self) -> int:
        while self._read(20):
            pass
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, timeout: float) -> bool:
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # Linux: the other side has ended
            return False
        self.shown += piece.decode()
        return bool(piece)
