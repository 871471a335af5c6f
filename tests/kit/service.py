"""Starts, stops and kills a real `touchmark serve` on a free loopback port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TOUCHMARK_BIN", ROOT / "build/release/bin/touchmark"))


@dataclass
class Service:
    """`data` is the data folder. Options are those of `touchmark serve`; the port is chosen once,
    so that a restarted service is found where it was."""

    data: Path
    options: list[str] = field(default_factory=list)
    prefix: list[str] = field(default_factory=list)  # put before the command, such as a namespace
    listen: str = "127.0.0.1:0"
    socket: socket.socket | None = None  # handed over as systemd does, in place of `listen`
    url: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    @property
    def credentials_file(self) -> Path:
        return self.data.parent / f"{self.data.name}.credentials.json"

    def credentials(self) -> dict[str, str]:
        credentials: dict[str, str] = json.loads(self.credentials_file.read_text())
        return credentials

    def start(self, timeout: float = 20.0) -> Service:
        assert self.process is None
        seen = self.log.stat().st_size if self.log.exists() else 0
        # The list is Google's by default, and tests stay on this machine.
        revocation = [] if "--revocation" in self.options else ["--revocation", "off"]
        handed = [] if self.socket is None else [self.socket.fileno()]
        hand_over = [
            "bash", "-c", f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{handed[0]}', "-",
        ] if handed else []  # fmt: skip
        command = [
            *self.prefix, *hand_over, str(BINARY), "serve",
            "--data", str(self.data), "--listen", self.listen,
            "--credentials-file", str(self.credentials_file), "--log-format", "json", *revocation,
            *self.options,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, pass_fds=handed)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for event in self.events(seen):
                if event.get("event") == "listening":
                    port = event["port"]
                    self.listen = f"127.0.0.1:{port}"
                    self.url = f"https://localhost:{port}"
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise RuntimeError(f"the service did not start:\n{self.log.read_text()[-2000:]}")

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """The log's JSON lines from byte `since` on."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")
        return [json.loads(line) for line in lines[:-1] if line.startswith(b"{")]

    def stop(self, timeout: float = 15.0) -> int:
        """Asks it to end, and gives its exit status."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self) -> None:
        self._end(signal.SIGKILL, 15.0)

    def _end(self, how: int, timeout: float) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
