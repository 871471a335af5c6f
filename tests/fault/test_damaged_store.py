"""A data folder that somebody has been at: what was cut off shows, what can be made again is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.command import Command
from kit.service import Service

PIN = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    started = Service(tmp_path / "data").start()
    yield started
    if started.process is not None:
        started.stop()


@pytest.fixture
def admin(service: Service, tmp_path: Path) -> Command:
    command = Command(tmp_path / "home")
    command.init(service)
    return command


def change(service: Service, *statements: str) -> None:
    """Behind the service's back."""
    service.stop()
    with sqlite3.connect(service.data / "touchmark.db") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["DELETE FROM audit WHERE number > 3"], "ends at entry 3"),
        (["DELETE FROM audit"], "ends at entry 0"),
        (
            ["DELETE FROM audit", "DELETE FROM setting WHERE name = 'audit.end'"],
            "missing or forged",
        ),
        (["DELETE FROM audit WHERE number = 3"], "audit entry 3"),
        (["UPDATE audit SET actor = 'nobody' WHERE number = 2"], "audit entry 2"),
    ],
)
def test_a_shortened_audit_log_shows(
    service: Service, admin: Command, statements: list[str], problem: str
) -> None:
    for n in range(4):
        admin.ok("api", "add", f"api{n}.example", "--pin", PIN)
    assert admin.json("audit", "list")["intact"] is True
    change(service, *statements)
    service.start()
    assert any(e["event"] == "audit.broken" for e in service.events())
    shown = admin.run("audit", "list")
    assert shown.returncode == 1
    assert problem in shown.stderr
    # More entries do not hide it, nor does a restart.
    admin.ok("api", "add", "later.example", "--pin", PIN)
    service.stop()
    service.start()
    assert admin.run("audit", "list").returncode == 1


def test_a_configuration_that_cannot_be_read_is_made_again(
    service: Service, admin: Command, tmp_path: Path
) -> None:
    admin.ok("api", "add", "api.example", "--pin", PIN)
    change(service, "UPDATE setting SET value = zeroblob(280799) WHERE name = 'configuration'")
    service.start()
    noted = [e for e in service.events() if e["event"] == "store.unreadable"]
    assert [e["what"] for e in noted] == ["configuration"]
    assert "api.example" in admin.ok("api", "list")
    admin.ok("sdk", "config", str(tmp_path / "initial.config"), "--allow-local")


def test_rows_that_cannot_be_read_are_named_and_left_out(
    service: Service, admin: Command, release: Path
) -> None:
    admin.ok("registration", "add", release)
    change(service, "UPDATE registration SET measurement = '{'")
    service.start()
    noted = [e for e in service.events() if e["event"] == "store.unreadable"]
    assert "register its package again" in noted[-1]["advice"]
    admin.ok("registration", "add", release)
    service.stop()
    seen = service.log.stat().st_size
    service.start()
    assert not [e for e in service.events(seen) if e["event"] == "store.unreadable"]


def test_a_policy_that_cannot_be_read_says_what_to_do(service: Service, admin: Command) -> None:
    admin.ok("policy", "show")
    change(service, "INSERT OR REPLACE INTO setting VALUES ('policy', CAST('{' AS BLOB))")
    with pytest.raises(RuntimeError, match="--reset-policy"):
        service.start()
    service.process = None
    assert str(service.data / "touchmark.db") in service.log.read_text()
    service.options.append("--reset-policy")
    service.start()
    service.options.pop()
    assert "policy.reset" in admin.ok("audit", "list")
    service.stop()
    service.start()
    admin.ok("policy", "show")
