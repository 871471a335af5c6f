"""Certificates of a real authority, renewed and changed while apps and operators go on."""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from kit.command import Command
from kit.flood import address_of
from kit.registered_app import RegisteredApp
from kit.service import Service
from kit.soft_attester import SoftAttester, TlsConnection


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@dataclass
class Authority:
    """A CA of openssl's own, with certificate requests as an ACME client makes them."""

    folder: Path

    @staticmethod
    def make(folder: Path) -> Authority:
        folder.mkdir()
        openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "30",
        )  # fmt: skip
        return Authority(folder)

    def key(self, name: str) -> Path:
        openssl(
            self.folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-out", f"{name}.key",
        )  # fmt: skip
        return self.folder / f"{name}.key"

    def issue(self, name: str) -> bytes:
        """A new chain for the key `name`."""
        openssl(self.folder, "req", "-new", "-key", f"{name}.key", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-out", f"{name}.csr")  # fmt: skip
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey",
                "ca.key", "-copy_extensions", "copy", "-days", "20",
                "-out", f"{name}.pem")  # fmt: skip
        return (self.folder / f"{name}.pem").read_bytes() + (self.folder / "ca.pem").read_bytes()


@dataclass
class Live:
    """Where --cert and --key point, as certbot's live folder."""

    authority: Authority
    folder: Path

    def put(self, name: str) -> None:
        chain = self.authority.issue(name)
        key = (self.authority.folder / f"{name}.key").read_bytes()
        for file, content in (("fullchain.pem", chain), ("privkey.pem", key)):
            (self.folder / f"{file}.new").write_bytes(content)
            (self.folder / f"{file}.new").replace(self.folder / file)

    def options(self) -> list[str]:
        return [
            "--cert",
            str(self.folder / "fullchain.pem"),
            "--key",
            str(self.folder / "privkey.pem"),
        ]


def shown(service: Service) -> str:
    return ssl.get_server_certificate(address_of(service), timeout=5)


def reload(service: Service) -> dict[str, object]:
    """What certbot's deploy hook does; what the service says of it."""
    seen = service.log.stat().st_size
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for event in service.events(seen):
            if str(event["event"]).startswith("tls.reload"):
                return event
        time.sleep(0.02)
    raise AssertionError("nothing was reloaded")


def attests(app: RegisteredApp, pins: list[str]) -> bool:
    """An installed app: it goes on when a key that it pins is shown."""
    connection = TlsConnection(app.url)
    if base64.b64encode(connection.spki_sha256()).decode() not in pins:
        return False
    return app.judge(SoftAttester(connection, app.account, app.app))[0]


def a_day_passes(profile: Path) -> None:
    then = time.time() - 100_000
    os.utime(profile, (then, then))


def test_a_key_is_changed_without_a_lockout(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    (tmp_path / "live").mkdir()
    live = Live(authority, tmp_path / "live")
    first, second = authority.key("first"), authority.key("second")
    command = Command(tmp_path / "home")
    pin_of = {path: command.json("pin", path)["pin"] for path in (first, second)}
    live.put("first")
    app = RegisteredApp.start(tmp_path, live.options(), policy="development")
    service = app.service
    profile = command.home / "profiles/default.json"
    try:
        assert service.credentials()["pin"] == pin_of[first]
        command.init(service)
        backup = command.json("status")["service_pins"][1]
        assert json.loads(profile.read_text())["pins"] == [pin_of[first], backup]
        installed = [pin_of[first], backup]
        assert attests(app, installed)

        # A renewal for the same key, with an open connection.
        before = shown(service)
        kept = app.attester()
        live.put("first")
        told = reload(service)
        assert told["event"] == "tls.reloaded" and "warning" not in told
        assert shown(service) != before
        assert attests(app, installed)
        assert app.judge(kept)[0], "an open connection goes on"
        command.ok("status")

        # The next key is announced, and what pins the service learns it over the old one.
        service.stop()
        service.options = [*live.options(), "--service-pin", pin_of[second]]
        service.start()
        a_day_passes(profile)
        command.ok("registration", "list")
        assert pin_of[second] in json.loads(profile.read_text())["pins"]
        installed = command.json("status")["service_pins"]
        assert set(installed) == {pin_of[first], backup, pin_of[second]}

        # It takes the place of the first without a restart.
        live.put("second")
        told = reload(service)
        assert told["event"] == "tls.reloaded" and "warning" not in told, told
        assert told["pin"] == pin_of[second]
        assert attests(app, installed)
        command.ok("status")  # without another init

        # And stays over a restart, where the old one may go.
        service.stop()
        service.options = live.options()
        service.start()
        assert attests(app, installed)
        a_day_passes(profile)
        command.ok("status")
        assert json.loads(profile.read_text())["pins"] == [pin_of[second], backup]
        log = command.json("audit", "list")["entries"]
        assert any(
            e["action"] == "tls.serving-key"
            and e["detail"] == f"{pin_of[first]} -> {pin_of[second]}"
            for e in log
        )

        # A key that nobody was told of does not start: every app would be locked out.
        service.stop()
        live.authority.key("third")
        live.put("third")
        try:
            service.start()
        except RuntimeError as refused:
            assert "no installed app knows" in str(refused)
            assert "--service-pin" in str(refused)
            service.process = None
        else:
            raise AssertionError("it serves a key that no app knows")
    finally:
        service.kill()


def test_a_pair_that_is_half_written_changes_nothing(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    (tmp_path / "live").mkdir()
    live = Live(authority, tmp_path / "live")
    authority.key("first")
    authority.key("second")
    live.put("first")
    service = Service(tmp_path / "data", live.options()).start()
    try:
        before = shown(service)
        (tmp_path / "live/fullchain.pem").write_bytes(authority.issue("second"))
        assert reload(service)["event"] == "tls.reload_failed"
        assert shown(service) == before
    finally:
        service.stop()
