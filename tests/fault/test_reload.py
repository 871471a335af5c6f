"""SIGHUP: the certificate and the log file as they are now, without a connection lost."""

from __future__ import annotations

import base64
import json
import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kit.certificate import pem, pin_of, self_signed
from kit.command import Command
from kit.flood import address_of
from kit.registered_app import touchmark
from kit.service import Service
from kit.soft_attester import App, SoftAttester, TlsConnection, b64url_decode


def write_pair(folder: Path, key: ec.EllipticCurvePrivateKey) -> bytes:
    """cert.pem and key.pem; the certificate's DER."""
    certificate = self_signed(key, "localhost")
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(pem(key))
    return ssl.PEM_cert_to_DER_cert(certificate.decode())


def shown(service: Service) -> bytes:
    pem = ssl.get_server_certificate(address_of(service), timeout=5)
    return ssl.PEM_cert_to_DER_cert(pem)


def eventually(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def hang_up(service: Service) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)


def events(service: Service, name: str) -> list[dict[str, object]]:
    return [event for event in service.events() if event.get("event") == name]


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pair_options(folder: Path) -> list[str]:
    return ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]


def test_the_certificate_is_read_again(tmp_path: Path) -> None:
    key = new_key()
    first = write_pair(tmp_path, key)
    service = Service(tmp_path / "data", pair_options(tmp_path)).start()
    try:
        assert shown(service) == first
        kept = TlsConnection(service.url)
        second = write_pair(tmp_path, key)
        assert shown(service) == first, "not before it is told to"
        hang_up(service)
        eventually(lambda: shown(service) == second)
        assert kept.post("/v1/challenge", b"{").status == 400, "what was open goes on"

        # A pair that is none keeps what there is.
        (tmp_path / "cert.pem").write_text("nonsense")
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 1)
        write_pair(tmp_path, new_key())
        (tmp_path / "key.pem").unlink()
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 2)
        assert shown(service) == second
    finally:
        assert service.stop() == 0


class PinningApp:
    """What a phone remembers of the service: the newest configuration. As the SDK does, it goes on
    only with a service whose key is pinned there."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        touchmark(service, "sdk", "config", str(folder / "initial.config"), "--allow-local")
        self.configuration = (folder / "initial.config").read_text().strip()

    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(b64url_decode(self.configuration.split(".")[1]))
        return payload

    def attest(self) -> None:
        connection = TlsConnection(self.service.url)
        try:
            key = base64.b64encode(connection.spki_sha256()).decode()
            payload = self.payload()
            assert key in payload["service"]["pins"], "the app refuses the service"
            attester = SoftAttester(
                connection, payload["account"], App(MEASUREMENT, {}),
                config_version=payload["version"],
            )  # fmt: skip
            self.configuration = attester.attest().json().get("config", self.configuration)
        finally:
            connection.close()


MEASUREMENT = {
    "digest": base64.b64encode(bytes(32)).decode(),
    "package": "com.example.app",
    "version_name": "1",
    "version_code": 1,
    "signers": [],
}


def test_a_key_that_was_announced_is_served_and_pinned_first(tmp_path: Path) -> None:
    """An operator rotates the key: no app is lost on the way, and a restart changes no more."""
    old, new, later = new_key(), new_key(), new_key()
    first = write_pair(tmp_path, old)
    service = Service(tmp_path / "data", pair_options(tmp_path)).start()
    try:
        app = PinningApp(service, tmp_path)
        backup = app.payload()["service"]["pins"][1]
        service.stop()
        service.options += ["--service-pin", pin_of(new), "--service-pin", pin_of(later)]
        service.start()
        app.attest()

        second = write_pair(tmp_path, new)
        hang_up(service)
        eventually(lambda: shown(service) == second)
        assert second != first
        assert events(service, "tls.reloaded")[-1]["pin"] == pin_of(new)
        app.attest()
        reloaded = app.payload()
        assert reloaded["service"]["pins"] == [pin_of(new), backup, pin_of(later)]
        app.attest()
        assert app.payload() == reloaded

        service.stop()
        service.start()
        app.attest()
        assert app.payload() == reloaded, "what a start with that key says"
        assert not events(service, "tls.key_not_pinned")

        # Back again: the old key is announced no longer.
        write_pair(tmp_path, old)
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 1)
        app.attest()
    finally:
        assert service.stop() == 0


def test_a_key_that_no_app_pins_is_not_served_at_a_signal(tmp_path: Path) -> None:
    """As when a certificate is renewed with a new key, unattended."""
    first = write_pair(tmp_path, new_key())
    service = Service(tmp_path / "data", pair_options(tmp_path)).start()
    try:
        app = PinningApp(service, tmp_path)
        before = app.configuration
        unknown = new_key()
        write_pair(tmp_path, unknown)
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 1)
        (failed,) = events(service, "tls.reload_failed")
        assert "reload.key-not-pinned" in str(failed["error"])
        assert pin_of(unknown) in str(failed["error"])
        assert "touchmark service key next" in str(failed["advice"])
        assert shown(service) == first
        app.attest()
        assert app.configuration == before
        # It goes on listening for signals.
        write_pair(tmp_path, unknown)
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 2)

        # A start has no old certificate to go on with. It says what became of the apps.
        service.stop()
        service.start()
        (warned,) = events(service, "tls.key_not_pinned")
        assert warned["pin"] == pin_of(unknown)
        assert "touchmark service key next" in str(warned["warning"])
        with pytest.raises(AssertionError, match="the app refuses the service"):
            app.attest()
        service.stop()
        service.start()
        assert len(events(service, "tls.key_not_pinned")) == 1, "from now on it is the known key"
    finally:
        assert service.stop() == 0


def test_the_log_file_is_opened_again(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    service = Service(tmp_path / "data", ["--log-file", str(log), "--log-format", "json"])
    # The kit reads stderr for its start.
    service.options = ["--log-file", str(log)]
    try:
        start_with_log_file(service, log)
        moved = tmp_path / "service.log.1"
        log.rename(moved)
        hang_up(service)
        eventually(log.exists)
        size = moved.stat().st_size
        eventually(lambda: "tls.reloaded" in log.read_text())
        assert moved.stat().st_size == size
        assert "listening" in moved.read_text()

        # Where it cannot be opened, the old one goes on.
        log.rename(tmp_path / "service.log.2")
        log.mkdir()
        hang_up(service)
        eventually(lambda: "log.reopen_failed" in (tmp_path / "service.log.2").read_text())
        log.rmdir()
        hang_up(service)
        eventually(lambda: log.is_file() and "tls.reloaded" in log.read_text())
    finally:
        assert service.stop() == 0


def start_with_log_file(service: Service, log: Path) -> None:
    """start(), which reads the events of the log file instead of those of stderr."""
    read = service.events
    service.events = lambda since=0: (  # type: ignore[method-assign]
        [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    )
    service.start()
    service.events = read  # type: ignore[method-assign]


def test_an_admin_port_keeps_operators_apart(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", ["--admin-listen", "127.0.0.1:0"]).start()
    try:
        listening = events(service, "listening")[0]
        assert listening["admin_port"] != listening["port"]
        admin_url = f"https://localhost:{listening['admin_port']}"
        assert service.credentials()["url"] == admin_url
        operator = Command(tmp_path / "home")
        credentials = service.credentials()
        login = ["--token", credentials["admin_token"], "--pin", credentials["pin"]]
        assert operator.run("init", service.url, *login).returncode != 0
        operator.ok("init", admin_url, *login)
        assert operator.json("status")["role"] == "admin"
    finally:
        assert service.stop() == 0
