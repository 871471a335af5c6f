"""A phone of the lab with one app on it: a process of lab/host/run that is spoken to in JSON."""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchmark_lab.process import Daemon, LabError

_START_SECONDS = 120.0
_ANSWER_SECONDS = 40.0
_TOKEN = re.compile(r"TOUCHMARK TOKEN: (\S+)")


class Device:
    """Starts at once, without waiting; `wait_ready` waits. Commands go one at a time."""

    def __init__(
        self,
        root: Path,
        name: str,
        apk: Path,
        *,
        folder: Path,
        env: Mapping[str, str],
        trusted: Sequence[Path],
        keybox: Path,
        boot: str = "verified",
        proxy: str | None = None,
    ) -> None:
        """`keybox` and `boot` are those of the phone's secure hardware (lab/README.md)."""
        self.name = name
        self.apk = apk
        self.logcat = folder / name / "logcat.txt"
        self.logcat.unlink(missing_ok=True)
        argv = [str(root / "lab/host/run"), str(apk), "--device", str(folder / name)]
        argv += ["--keybox", str(keybox), "--boot", boot]
        for ca in trusted:
            argv += ["--trust-ca", str(ca)]
        if proxy:
            argv += ["--proxy", proxy]
        self.argv = argv
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._daemon = Daemon(
            f"device {name}", argv, cwd=root, env=env, log=folder / name / "host.log", pipe=True
        )
        self._ready: dict[str, Any] | None = None
        self._ready_lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._daemon.process.stdout is not None
        try:
            for line in self._daemon.process.stdout:
                self._answers.put(line.decode(errors="replace"))
        finally:
            self._answers.put(None)  # whoever waits for an answer learns that none comes

    def _next(self, timeout: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise LabError(f"{self._daemon.name} gave no answer in {timeout:.0f} s") from None
        if line is None:
            self._answers.put(None)  # whoever asks next learns it too
            self._daemon.process.wait(10)
            self._daemon.check_alive()
            raise LabError(f"{self._daemon.name} closed its output")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def wait_ready(self) -> dict[str, Any]:
        """What the host says of the installed app: package, pid, paths."""
        with self._ready_lock:
            if self._ready is None:
                self._ready = self._next(_START_SECONDS)
            return self._ready

    @property
    def pid(self) -> int:
        return int(self.wait_ready()["pid"])

    def ask(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """One command, and its answer; raises LabError when the device says no."""
        self.wait_ready()
        assert self._daemon.process.stdin is not None
        line = json.dumps({"cmd": cmd, **arguments}) + "\n"
        self._daemon.process.stdin.write(line.encode())
        self._daemon.process.stdin.flush()
        answer = self._next(_ANSWER_SECONDS)
        if not answer.get("ok"):
            raise LabError(f"{self._daemon.name}: {cmd} {arguments}: {answer.get('error')}")
        return answer

    def convert(self, *, api: int, value: str, source: str, target: str) -> str:
        """Fills the screen's fields in, touches Convert, and gives the text that
        the app then shows."""
        self.ask("type", id="value", text=value)
        self.ask("select", id="from", text=source)
        self.ask("select", id="to", text=target)
        self.ask("click", id=f"api_v{api}")
        self.ask("click", id="convert")
        # The button is enabled again when the conversion is over.
        return str(self.ask("wait", id="result", enabled="convert", timeout_ms=30_000)["text"])

    def screenshot(self, path: Path) -> None:
        self.ask("screenshot", path=str(path))

    def tokens(self) -> list[str]:
        """The tokens that the app wrote to the log, oldest first."""
        if not self.logcat.exists():
            return []
        return _TOKEN.findall(self.logcat.read_text(errors="replace"))

    def token_line(self) -> str:
        """The log's last line that shows a token."""
        return [
            line
            for line in self.logcat.read_text(errors="replace").splitlines()
            if _TOKEN.search(line)
        ][-1]

    def stop(self) -> None:
        self._daemon.stop(grace=2)


def token_claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims
