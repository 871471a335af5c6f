"""SIGHUP: the certificate and the log file as they are now, without a connection lost."""

from __future__ import annotations

import json
import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from kit.certificate import pem, self_signed
from kit.command import Command
from kit.flood import address_of
from kit.service import Service
from kit.soft_attester import TlsConnection


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


def test_the_certificate_is_read_again(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    first = write_pair(tmp_path, key)
    pair = ["--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem")]
    service = Service(tmp_path / "data", pair).start()
    try:
        assert shown(service) == first
        kept = TlsConnection(service.url)
        second = write_pair(tmp_path, key)
        assert shown(service) == first, "not before it is told to"
        hang_up(service)
        eventually(lambda: shown(service) == second)
        assert "warning" not in events(service, "tls.reloaded")[0], "the key is the pinned one"
        assert kept.post("/v1/challenge", b"{").status == 400, "what was open goes on"

        # A pair that is none keeps what there is.
        (tmp_path / "cert.pem").write_text("nonsense")
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 1)
        write_pair(tmp_path, ec.generate_private_key(ec.SECP256R1()))
        (tmp_path / "key.pem").unlink()
        hang_up(service)
        eventually(lambda: len(events(service, "tls.reload_failed")) == 2)
        assert shown(service) == second

        # A key that apps do not pin is served, and loudly.
        third = write_pair(tmp_path, ec.generate_private_key(ec.SECP256R1()))
        hang_up(service)
        eventually(lambda: shown(service) == third)
        assert "--service-pin" in str(events(service, "tls.reloaded")[1]["warning"])
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
