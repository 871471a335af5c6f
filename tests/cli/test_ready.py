"""touchmark ready: what a health check runs, with no profile and no token."""

from __future__ import annotations

import json
from pathlib import Path

from kit.command import Command
from kit.service import Service


def test_a_sound_service_is_ready(tmp_path: Path, nobody: Command) -> None:
    service = Service(tmp_path / "data").start()
    try:
        assert nobody.ok("ready", service.url) == "ready\n"
        assert nobody.json("ready", service.url) == {"status": "ok"}
        nobody.init(service)
        assert nobody.ok("ready") == "ready\n"
    finally:
        service.stop()


def test_one_that_is_not_there_is_not(tmp_path: Path, nobody: Command) -> None:
    service = Service(tmp_path / "data").start()
    service.stop()
    done = nobody.run("ready", service.url)
    assert done.returncode not in (0, 1, 2) and "cannot reach" in done.stderr
    done = nobody.run("ready", service.url, "--json")
    assert json.loads(done.stderr)["error"]


def test_only_an_address_is_asked(nobody: Command) -> None:
    done = nobody.run("ready", "localhost:8443/x?y")
    assert done.returncode == 2
    done = nobody.run("ready")
    assert done.returncode != 0 and "init" in done.stderr
