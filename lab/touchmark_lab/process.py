"""Child processes that always end: commands with a time limit, and servers
that are stopped by pid."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class LabError(Exception):
    """The lab itself cannot go on. A row's unexpected outcome is no such error."""


@dataclass(frozen=True)
class Finished:
    """A command that ran to its end; standard error is in the output, where it came."""

    shown: str
    output: str
    status: int


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    shown: str | None = None,
    timeout: float = 120,
    expect: Sequence[int] | None = (0,),
) -> Finished:
    """Runs a command. `expect` are the exit statuses to go on with; None takes any."""
    shown = shown or shlex.join(argv)
    try:
        done = subprocess.run(
            argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} not found: run `make build` first ({error})") from None
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{shown}` did not end within {timeout:.0f} s: {error.output}") from None
    if expect is not None and done.returncode not in expect:
        raise LabError(f"`{shown}` ended with status {done.returncode}:\n{done.stdout}")
    return Finished(shown, done.stdout, done.returncode)


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, ready: Callable[[], bool], timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {timeout:.0f} s")
        time.sleep(0.03)


class Daemon:
    """A process that runs beside the lab until it is stopped.

    Its output goes to the log file; with `pipe`, only its standard error does, and
    standard output is the caller's to read.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        pipe: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                argv, cwd=cwd, env=dict(env), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if pipe else out, stderr=out, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for_port(self, port: int, timeout: float = 30) -> None:
        def listening() -> bool:
            self.check_alive()
            with socket.socket() as probe:
                probe.settimeout(1)
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(f"{self.name} listens on port {port}", listening, timeout)

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise LabError(f"{self.name} ended with status {self.process.returncode}:\n{tail}")

    def release(self, timeout: float = 20) -> None:
        """Closes the process's standard input, and waits until it has ended by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()

    def stop(self, grace: float = 5) -> None:
        """Asks the process's own group to end, then makes it end."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        for sign, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            try:
                self.process.wait(wait)
                return
            except subprocess.TimeoutExpired:
                continue


class Tail:
    """What has been added to a growing file since the last look, in whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def lines(self) -> list[str]:
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode(errors="replace").splitlines()
