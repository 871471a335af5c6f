"""Processes that the lab starts end, and commands are bounded."""

import os
import sys
from pathlib import Path

import pytest

from touchmark_lab.process import Daemon, LabError, run

_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stop_ends_a_process_that_ignores_the_request(tmp_path: Path) -> None:
    daemon = Daemon(
        "stubborn", [sys.executable, "-c", _STUBBORN], cwd=tmp_path, env=os.environ,
        log=tmp_path / "log",
    )  # fmt: skip
    while "up" not in (tmp_path / "log").read_text():
        daemon.check_alive()
    daemon.stop(grace=0.2)
    assert not _alive(daemon.pid)


def test_a_daemon_that_ended_says_what_it_printed(tmp_path: Path) -> None:
    daemon = Daemon(
        "short", [sys.executable, "-c", "print('no port'); raise SystemExit(3)"], cwd=tmp_path,
        env=os.environ, log=tmp_path / "log",
    )  # fmt: skip
    daemon.process.wait(20)
    with pytest.raises(LabError, match="short ended with status 3:\nno port"):
        daemon.check_alive()
    daemon.stop()


def test_run_wants_the_expected_status(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "print('said'); raise SystemExit(1)"]
    assert run(argv, cwd=tmp_path, env=os.environ, expect=None).output == "said\n"
    with pytest.raises(LabError, match="status 1"):
        run(argv, cwd=tmp_path, env=os.environ)


def test_run_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="did not end within"):
        run(
            [sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, env=os.environ,
            timeout=0.5,
        )  # fmt: skip
