"""A played iPhone (attester/testing/played_iphone_main.cc): the SDK's own core over images that
are mapped as dyld maps them, with a software Secure Enclave and App Attest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from kit.service import BINARY

PROGRAM = BINARY.parent / "touchmark_played_iphone"


class PlayedIphone:
    """One program for all phones of a test: they have one maker, whose roots the service knows."""

    def __init__(self, program: Path = PROGRAM) -> None:
        self.process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> PlayedIphone:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

    def ask(self, what: str, **arguments: object) -> Any:
        """What it answers; fails with what it says is wrong."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["ok"]

    def write_roots(self, path: Path) -> Path:
        path.write_text(self.ask("roots")["pem"])
        return path
