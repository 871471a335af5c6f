"""`touchmark log`: the appraisals as they happen."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.command import CLEAN, Command
from kit.registered_app import RegisteredApp
from kit.service import BINARY, Service

SOFTWARE = """version = 1
[findings]
"*" = "reject"
[assurance]
android = "software"
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    started = RegisteredApp.start(tmp_path_factory.mktemp("log"), policy=SOFTWARE)
    yield started
    started.service.stop()


@pytest.fixture
def operator(tmp_path: Path, app: RegisteredApp) -> Command:
    command = Command(tmp_path / "home")
    command.init(app.service, "developer")
    return command


class Following:
    """A `touchmark log --follow` with its lines as they come."""

    def __init__(self, operator: Command, *options: str) -> None:
        self.process = subprocess.Popen(
            [str(BINARY), "log", "--follow", *options],
            env={**CLEAN, "TOUCHMARK_HOME": str(operator.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def line(self) -> str:
        return self._lines.get(timeout=15)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=10)


def test_it_shows_who_passed_and_who_was_refused_and_why(
    operator: Command, app: RegisteredApp
) -> None:
    following = Following(operator, "--json")
    try:
        passing = app.attester()
        assert app.judge(passing)[0]
        seen = json.loads(following.line())
        assert (seen["passed"], seen["package"]) == (True, "com.example.app")
        assert seen["findings"] == []
        passed, findings = app.judge(app.attester(), account="other")
        seen = json.loads(following.line())
        assert seen["passed"] is passed is False
        assert {one["id"] for one in seen["findings"] if one["rejected"]} == set(findings)
        assert following.stop() == 0
        assert following.process.stderr is not None
        assert following.process.stderr.read() == ""
    finally:
        following.process.kill()


def test_the_past_is_told_in_words(operator: Command, app: RegisteredApp) -> None:
    app.judge(app.attester())
    _, findings = app.judge(app.attester(), account="other")
    shown = operator.ok("log", "--last", "2").splitlines()
    assert "  passed   " in shown[0]
    assert "  REFUSED  " in shown[1]
    assert f"    refused for {findings[0]}" in "\n".join(shown[2:])
    listed = [json.loads(line) for line in operator.ok("log", "--last", "2", "--json").splitlines()]
    assert [row["passed"] for row in listed] == [True, False]
    assert listed[0]["number"] + 1 == listed[1]["number"]


def test_nothing_was_appraised_yet(nobody: Command, tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    try:
        nobody.init(service)
        done = nobody.run("log")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "nothing was appraised yet\n"
    finally:
        service.stop()
