"""The `touchmark` command as a user has it: a home folder of its own, and what a run printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.service import BINARY, Service

# What another user's shell may have set must not reach the tests.
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("TOUCHMARK_")}


@dataclass
class Command:
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        *arguments: str | Path,
        prefix: list[str] | None = None,
        stdin: str = "",
        timeout: float = 60,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """`prefix` is put before the command; the options are those of subprocess.run()."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run(
            [*(prefix or []), str(BINARY), *map(str, arguments)],
            env={**CLEAN, "TOUCHMARK_HOME": str(self.home), **self.environment},
            input=stdin,
            text=True,
            timeout=timeout,
            check=False,
            **options,
        )

    def ok(self, *arguments: str | Path, **options: Any) -> str:
        """What a run that must succeed printed."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def every_help(self) -> Iterator[tuple[list[str], str]]:
        """Every command of the tree and its help, by following the help."""
        queue: list[list[str]] = [[]]
        while queue:
            path = queue.pop()
            shown = self.ok(*path, "--help")
            yield path, shown
            section = re.search(r"^Commands:\n((?:  .*\n)+)", shown, re.MULTILINE)
            if section:
                names = re.findall(r"^  (\S+)", section[1], re.MULTILINE)
                queue += [[*path, name] for name in names]

    def init(self, service: Service, role: str = "admin", *more: str) -> str:
        """Sets up a profile for a service that the kit started."""
        credentials = service.credentials()
        token = credentials[f"{role}_token"]
        return self.ok("init", service.url, "--token", token, "--pin", credentials["pin"], *more)
