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
from kit.soft_attester import SoftAttester, TlsConnection, b64url_decode


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


def known_to(command: Command, expected: tuple[int, int]) -> bool:
    """What was seen is written within seconds."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        devices = command.json("service", "key", "status")["devices"]
        if (devices["know_it"], devices["seen"]) == expected:
            return True
        time.sleep(0.1)
    return False


def version_of(answer: dict[str, object]) -> int:
    payload = str(answer["config"]).split(".")[1]
    return int(json.loads(b64url_decode(payload))["version"])


def test_the_service_makes_its_next_key_and_serves_it_once_apps_know_it(tmp_path: Path) -> None:
    app = RegisteredApp.start(tmp_path, policy="development")
    service = app.service
    command = Command(tmp_path / "home")
    profile = command.home / "profiles/default.json"
    try:
        command.init(service)
        first, backup = command.json("status")["service_pins"]
        old = app.attester()
        old.config_version = 1
        assert app.judge(old)[0]

        refused = command.run("service", "key", "promote")
        assert refused.returncode == 1 and "service-keys.no-next" in refused.stderr
        told = command.json("service", "key", "next")
        new = told["next"]["pin"]
        assert told["pins"] == [first, backup, new] and told["next"]["kept_here"]
        assert told["next"]["announced_by"] == "admin"
        assert command.json("service", "key", "next")["next"] == told["next"], "once is enough"
        assert json.loads(profile.read_text())["pins"] == [first, backup, new]
        refused = command.run("service", "key", "next", backup)
        assert refused.returncode == 1 and "service-keys.has-next" in refused.stderr

        # The app has not shown that it knows it, and is not locked out in haste.
        assert known_to(command, (0, 1))
        refused = command.run("service", "key", "promote")
        assert refused.returncode == 1 and "service-keys.not-known-yet" in refused.stderr
        assert "1 of the 1 devices" in refused.stderr
        assert "0 of 1 devices" in command.ok("service", "key", "status")

        # It is given the configuration with its token, and shows it with the next.
        answer = old.attest().json()
        old.config_version = version_of(answer)
        assert old.config_version >= told["next"]["config_version"]
        assert app.judge(old)[0]
        assert known_to(command, (1, 1))

        # It survives a restart before it is served.
        service.stop()
        service.start()
        assert command.json("service", "key", "status")["next"] == told["next"]

        assert command.json("service", "key", "promote")["pins"] == [new, backup]
        assert attests(app, [new])
        assert command.json("service", "key", "status")["next"] is None
        assert json.loads(profile.read_text())["pins"] == [new, backup]
        assert command.json("pin", service.data / "tls-old-key.pem")["pin"] == first
        assert not (service.data / "tls-next-key.pem").exists()
        actions = {
            (e["actor"], e["action"]): e["detail"] for e in command.json("audit", "list")["entries"]
        }
        assert actions["touchmark serve", "tls.serving-key"] == f"{first} -> {new}"
        assert actions["admin", "service-key.promote"] == f"{new}, known to 1 of 1 devices"
        assert actions["admin", "service-key.next"] == new

        service.stop()
        service.start()
        assert attests(app, [new])
        command.ok("status")
    finally:
        service.kill()


def test_a_key_that_is_given_is_promoted_when_its_certificate_is_there(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    (tmp_path / "live").mkdir()
    live = Live(authority, tmp_path / "live")
    first, second = authority.key("first"), authority.key("second")
    live.put("first")
    app = RegisteredApp.start(tmp_path, live.options(), policy="development")
    service = app.service
    command = Command(tmp_path / "home")
    try:
        command.init(service)
        pin_of = {path: command.json("pin", path)["pin"] for path in (first, second)}
        refused = command.run("service", "key", "next")
        assert refused.returncode == 2 and "service-keys.no-pin" in refused.stderr
        refused = command.run("service", "key", "next", first)
        assert refused.returncode == 2 and "service-keys.bad-pin" in refused.stderr
        # A request, as it goes to an ACME client, a pin or a key.
        authority.issue("second")
        told = command.json("service", "key", "next", authority.folder / "second.csr")
        assert told["next"]["pin"] == pin_of[second] and not told["next"]["kept_here"]
        command.ok("service", "key", "cancel")
        assert pin_of[second] not in command.json("status")["service_pins"]
        command.ok("service", "key", "next", pin_of[second])
        installed = command.json("status")["service_pins"]
        assert pin_of[second] in installed

        # Nobody was seen yet. The first key's certificate is still there.
        refused = command.run("service", "key", "promote")
        assert refused.returncode == 1 and "service-keys.not-served" in refused.stderr
        assert attests(app, [pin_of[first]])

        live.put("second")
        command.ok("service", "key", "promote", "--anyway")
        assert attests(app, [pin_of[second]])
        assert pin_of[first] not in command.json("status")["service_pins"]
        service.stop()
        service.start()
        assert attests(app, [pin_of[second]])
    finally:
        service.kill()


def test_behind_a_proxy_the_next_key_is_announced_and_the_proxy_serves_it(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    command = Command(tmp_path / "home")
    first, second = (
        command.json("pin", authority.key(name))["pin"] for name in ("first", "second")
    )
    options = ["--tls-terminated-by-proxy", "--public-url", "https://attest.example.com"]
    service = Service(tmp_path / "data", [*options, "--service-pin", first]).start()
    try:
        # An operator is beside the service, where its own key is met.
        own = command.json("pin", service.data / "tls-key.pem")["pin"]
        token = service.credentials()["admin_token"]
        command.ok("init", service.url, "--token", token, "--pin", own)
        assert command.run("service", "key", "next").returncode == 2
        told = command.json("service", "key", "next", second)
        assert told["pins"] == [first, second] and told["behind_proxy"]
        refused = command.run("service", "key", "promote", "--anyway")
        assert refused.returncode == 1 and f"--service-pin {second}" in refused.stderr
        service.stop()
        service.options = [*options, "--service-pin", second]
        service.start()
        state = command.json("service", "key", "status")
        assert state["next"] is None and state["pins"] == [second]
    finally:
        service.kill()
