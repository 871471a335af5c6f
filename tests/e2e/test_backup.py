"""The drill: a backup, the machine lost, another one restored, and no app notices."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit import apk
from kit.command import Command
from kit.registered_app import RegisteredApp, set_policy, touchmark, touchmark_json
from kit.service import BINARY, Service
from kit.soft_attester import SoftAttester, TlsConnection, b64url_decode

KEY_FILES = ["tls-key.pem", "tls-cert.pem", "tls-backup.pin", "tls-backup-key.pem"]


def configured_pins(configuration: str) -> list[str]:
    payload = json.loads(b64url_decode(configuration.split(".")[1]))
    pins: list[str] = payload["service"]["pins"]
    return pins


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], check=False, capture_output=True, text=True, timeout=60
    )


def without_time(entries: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(e["actor"], e["action"], e["detail"], e["time"]) for e in entries]


@dataclass
class BackedUp:
    """A service that was backed up and is gone."""

    app: RegisteredApp
    file: Path
    master_key: Path
    pins: list[str]  # as the app has them
    seen: dict[str, object]  # what the service knew
    made: dict[str, object]


def known(service: Service) -> dict[str, object]:
    """What must survive: all that an operator can ask for."""
    return {
        "registrations": touchmark_json(service, "registration", "list"),
        "apis": touchmark_json(service, "api", "list"),
        "policy": touchmark_json(service, "policy", "show"),
        "secret": touchmark_json(service, "secret", "get"),
        "devices": touchmark_json(service, "device", "list"),
    }


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> BackedUp:
    folder = tmp_path_factory.mktemp("first-machine")
    kept = tmp_path_factory.mktemp("kept")
    app = RegisteredApp.start(folder, policy="development")
    service = app.service
    touchmark(
        service, "api", "add", "api.example.com", "--pin", base64.b64encode(bytes(32)).decode()
    )
    set_policy(
        service, touchmark(service, "policy", "presets", "development") + "\n# mine\n", folder
    )
    assert app.judge(app.attester())[0]
    time.sleep(6)  # until the device is written
    configuration = folder / "initial.config"
    touchmark(service, "sdk", "config", str(configuration), "--allow-local")
    pins = configured_pins(configuration.read_text())
    assert touchmark_json(service, "status")["last_backup"] is None
    file, master_key = kept / "touchmark.backup", kept / "master.key"
    made = touchmark_json(service, "backup", str(file))
    shutil.copy(service.data / "master.key", master_key)
    seen = known(service)
    assert touchmark_json(service, "status")["last_backup"] == made["made"]
    service.kill()
    shutil.rmtree(folder / "data")
    return BackedUp(app, file, master_key, pins, seen, made)


def test_nothing_is_lost_with_the_machine(backed_up: BackedUp, tmp_path: Path) -> None:
    data = tmp_path / "second-machine" / "data"
    done = run(
        "restore", backed_up.file, "--data", data, "--master-key", backed_up.master_key, "--json"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["account"] == backed_up.app.account
    assert told["made"] == backed_up.made["made"]
    assert told["pins"] == backed_up.pins
    assert not (data / "master.key").exists(), "it is kept apart"
    for path in data.iterdir():
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not list(data.glob(".*")), "nothing is left of the work"
    # The port may be another one: an app finds the service by its name.
    old = backed_up.app.service
    service = Service(data, ["--master-key", str(backed_up.master_key)], listen=old.listen)
    shutil.copy(old.credentials_file, service.credentials_file)  # operators' tokens go on
    service.start()
    try:
        assert known(service) == backed_up.seen
        assert service.credentials()["pin"] == backed_up.pins[0]
        # The app as it is in the field: its account, its pins, its configuration.
        connection = TlsConnection(service.url)
        assert base64.b64encode(connection.spki_sha256()).decode() in backed_up.pins
        moved = RegisteredApp(**{**vars(backed_up.app), "service": service, "url": service.url})
        valid, findings = moved.judge(SoftAttester(connection, moved.account, moved.app))
        assert valid, findings
        configuration = tmp_path / "config"
        touchmark(service, "sdk", "config", str(configuration), "--allow-local")
        assert configured_pins(configuration.read_text()) == backed_up.pins
        log = touchmark_json(service, "audit", "list", "--limit", "1000")
        assert log["intact"], log
        actions = [entry["action"] for entry in log["entries"]]
        assert "restore" in actions
        assert "backup.make" in actions
        assert "tls.serving-key" not in actions
    finally:
        service.stop()


def test_another_master_key_opens_nothing(backed_up: BackedUp, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text(base64.b64encode(bytes(32)).decode() + "\n")
    other.chmod(0o600)
    data = tmp_path / "data"
    done = run("restore", backed_up.file, "--data", data, "--master-key", other)
    assert done.returncode == 1
    assert "another master key" in done.stderr and "--master-key" in done.stderr
    assert not data.exists()
    done = run("restore", backed_up.file, "--data", data)
    assert done.returncode == 9
    assert "master.key is not there" in done.stderr
    assert not data.exists()


def test_a_changed_backup_restores_nothing(backed_up: BackedUp, tmp_path: Path) -> None:
    whole = backed_up.file.read_bytes()
    data = tmp_path / "data"
    changed = tmp_path / "changed"
    regions = {
        "magic": 0, "version": 8, "salt": 9, "check": 41, "first nonce": 57, "list": 80,
        "middle": len(whole) // 2, "tag": len(whole) - 1,
    }  # fmt: skip
    cases = {f"{name} changed": bytearray(whole) for name in regions}
    for name, at in regions.items():
        cases[f"{name} changed"][at] ^= 1
    chunk = (1 << 20) + 28
    for size in (0, 8, 56, 57, 84, 85, 57 + chunk, len(whole) - 1):
        if size < len(whole):
            cases[f"cut off at {size}"] = bytearray(whole[:size])
    cases["longer"] = bytearray(whole + b"\0")
    cases["twice"] = bytearray(whole + whole)
    for name, content in cases.items():
        changed.write_bytes(content)
        done = run("restore", changed, "--data", data, "--master-key", backed_up.master_key)
        assert done.returncode == 1, (name, done.stderr)
        assert done.stderr.count("\n") == 1 and "backup" in done.stderr, name
        assert not data.exists(), name


def test_a_folder_that_holds_something_is_left_alone(backed_up: BackedUp, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "mine").write_text("mine")
    done = run("restore", backed_up.file, "--data", data, "--master-key", backed_up.master_key)
    assert done.returncode == 9
    assert "is not empty (mine)" in done.stderr
    assert [path.name for path in data.iterdir()] == ["mine"]
    # The master key may be there before.
    (data / "mine").unlink()
    shutil.copy(backed_up.master_key, data / "master.key")
    done = run("restore", backed_up.file, "--data", data)
    assert done.returncode == 0, done.stderr
    assert backed_up.pins[0] in done.stdout and backed_up.app.account in done.stdout
    # It is a service's folder now.
    done = run("restore", backed_up.file, "--data", data)
    assert done.returncode == 9


def test_the_file_is_private_and_replaces_none(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    command = Command(tmp_path / "home")
    try:
        command.init(service)
        file = tmp_path / "touchmark.backup"
        command.ok("backup", file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        first = file.read_bytes()
        again = command.run("backup", file)
        assert again.returncode == 2 and "--force" in again.stderr
        assert file.read_bytes() == first
        command.ok("backup", file, "--force")
        assert file.read_bytes() != first
        assert len(list(tmp_path.glob("touchmark.backup*"))) == 1, "no draft is left"
        link = tmp_path / "link"
        link.symlink_to(tmp_path / "elsewhere")
        assert command.run("backup", link).returncode == 2
        assert command.run("backup", tmp_path / "no-folder" / "file").returncode == 2
        assert not list((service.data / "uploads").iterdir()), "nothing is left at the service"
        # Nothing of it can be read without the key.
        for secret in (b"PRIVATE KEY", b"SQLite format", b"registration"):
            assert secret not in first
        developer = command.run("backup", tmp_path / "other", "--profile", "developer")
        assert developer.returncode != 0
        command.init(service, "developer", "--profile", "developer")
        developer = command.run("backup", tmp_path / "other", "--profile", "developer")
        assert developer.returncode == 5
        assert not (tmp_path / "other").exists()
        running = command.run("backup", tmp_path / "other", "--data", service.data)
        assert running.returncode == 9 and "in use" in running.stderr
        text = command.ok("status")
        assert "last_backup" in text
    finally:
        service.stop()
    # Of the same service when it does not run.
    command.ok("backup", tmp_path / "offline", "--data", service.data)
    done = run(
        "restore", tmp_path / "offline", "--data", tmp_path / "restored",
        "--master-key", service.data / "master.key",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert run("backup", tmp_path / "x", "--data", tmp_path / "none").returncode == 9
    assert not (tmp_path / "none").exists()


def test_it_is_of_one_moment_while_releases_come(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    signer = apk.SigningKey.generate()
    manifest = apk.compile_manifest("com.example.busy")
    ended = threading.Event()
    registered: list[str] = []

    def register(thread: int) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            package = tmp_path / f"{thread}-{number}.apk"
            content = b"dex\n035\0" + f"{thread} {number} ".encode() * 20_000
            package.write_bytes(apk.build(manifest, signer, {"classes.dex": content}))
            registered.append(touchmark_json(service, "registration", "add", str(package))["id"])
            package.unlink()

    threads = [threading.Thread(target=register, args=(number,)) for number in range(2)]
    try:
        for thread in threads:
            thread.start()
        before_and_after = []
        for number in range(4):
            time.sleep(0.5)
            before = set(registered)
            touchmark(service, "backup", str(tmp_path / f"busy-{number}"))
            before_and_after.append((before, number))
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        service.stop()
    assert len(registered) > 4
    for before, number in before_and_after:
        data = tmp_path / f"restored-{number}"
        done = run(
            "restore", tmp_path / f"busy-{number}", "--data", data,
            "--master-key", service.data / "master.key",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with sqlite3.connect(data / "touchmark.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert not database.execute("PRAGMA foreign_key_check").fetchall()
            ids = {row[0] for row in database.execute("SELECT id FROM registration")}
            # What was acknowledged before is in it, each with its content.
            assert before <= ids
            parts = {row[0] for row in database.execute("SELECT sha256 FROM registration_part")}
            chunks = {row[0] for row in database.execute("SELECT DISTINCT sha256 FROM part_chunk")}
            assert parts <= chunks


def refused_start(service: Service) -> str:
    """What a service says that does not start."""
    with pytest.raises(RuntimeError) as refused:
        service.start()
    service.process = None
    return str(refused.value)


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Service]:
    """A service with an app, stopped."""
    app = RegisteredApp.start(tmp_path)
    app.service.stop()
    yield app.service
    app.service.kill()


@pytest.mark.parametrize(
    "lost", [["tls-key.pem"], ["tls-backup.pin", "tls-backup-key.pem"], KEY_FILES]
)
def test_no_key_is_made_beside_a_database(
    stopped: Service, lost: list[str], tmp_path: Path
) -> None:
    for name in lost:
        (stopped.data / name).unlink()
    before = sorted(path.name for path in stopped.data.iterdir())
    text = refused_start(stopped)
    assert str(stopped.data / lost[0]) in text
    assert "--give-up-pin " in text and "Restore" in text
    assert sorted(p.name for p in stopped.data.iterdir()) == before, "no file was made"
    # The way that the message names.
    if lost != KEY_FILES:
        pin = text.rsplit("--give-up-pin ", 1)[1].split(":")[0]
        stopped.options = ["--give-up-pin", pin]
        stopped.start()
        try:
            if lost[0] == "tls-key.pem":
                credentials = stopped.credentials()
                connection = TlsConnection(stopped.url)
                now = base64.b64encode(connection.spki_sha256()).decode()
                assert now != credentials["pin"]
                credentials["pin"] = now
                stopped.credentials_file.write_text(json.dumps(credentials))
            log = touchmark_json(stopped, "audit", "list")["entries"]
            assert any(e["action"].startswith("tls.") and pin in e["detail"] for e in log), log
        finally:
            stopped.stop()
        # A later loss is another key's: the option, left where it is, makes no new one.
        for name in lost:
            (stopped.data / name).unlink()
        refused_start(stopped)


def test_the_backup_key_takes_the_place_of_a_lost_one(stopped: Service) -> None:
    pins = (stopped.data / "tls-backup.pin").read_text().strip()
    (stopped.data / "tls-key.pem").unlink()
    shutil.copy(stopped.data / "tls-backup-key.pem", stopped.data / "tls-key.pem")
    stopped.start()
    try:
        served = base64.b64encode(TlsConnection(stopped.url).spki_sha256()).decode()
        assert served == pins
        assert any(e.get("event") == "tls.no_backup" for e in stopped.events())
    finally:
        stopped.stop()


def test_another_database_or_key_is_noticed(stopped: Service, tmp_path: Path) -> None:
    # The documented restore of once: the database alone, beside keys that were made meanwhile.
    other = Service(tmp_path / "other").start()
    other.stop()
    for name in ("touchmark.db", "master.key"):
        shutil.copy(stopped.data / name, other.data / name)
    for file in other.data.glob("touchmark.db-*"):
        file.unlink()
    text = refused_start(other)
    assert "no installed app knows" in text
    # The keys without their database.
    (stopped.data / "touchmark.db").unlink()
    for file in stopped.data.glob("touchmark.db-*"):
        file.unlink()
    text = refused_start(stopped)
    assert "touchmark.db is not there" in text
    assert not (stopped.data / "touchmark.db").exists()


def test_a_reload_makes_no_key(tmp_path: Path) -> None:
    app = RegisteredApp.start(tmp_path)
    try:
        (app.service.data / "tls-key.pem").unlink()
        assert app.service.process is not None
        seen = app.service.log.stat().st_size
        app.service.process.send_signal(1)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            events = [e["event"] for e in app.service.events(seen)]
            if "tls.reload_failed" in events or "tls.reloaded" in events:
                break
            time.sleep(0.05)
        assert "tls.reload_failed" in events
        assert not (app.service.data / "tls-key.pem").exists()
    finally:
        app.service.stop()
