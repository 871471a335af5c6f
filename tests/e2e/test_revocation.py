"""The revocation list in a running service: from a file and over HTTPS, fresh,
stale and missing."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from e2e.test_hardware import Attempt
from kit.command import Command
from kit.hardware import AndroidPhone, android_key
from kit.registered_app import RegisteredApp


def serials(chain: list[bytes]) -> list[str]:
    return [f"{x509.load_der_x509_certificate(der).serial_number:x}" for der in chain]


def revoking(*listed: str, status: str = "REVOKED") -> str:
    return json.dumps({"entries": {serial: {"status": status} for serial in listed}})


def start(folder: Path, phone: AndroidPhone, *options: str) -> RegisteredApp:
    root = phone.write_root(folder / "root.pem")
    options = ("--hardware-roots", str(root), *options, "--claims", "lvl")
    return RegisteredApp.start(folder, list(options), policy="version = 1\n")


def eventually(check: Callable[[], bool], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.2)


class Mirror:
    """A loopback double of the list's server, with an ETag for each state."""

    def __init__(self, folder: Path):
        self.content = revoking()
        self.status = 200
        self.answers: list[int] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                etag = f'"{hash(mirror.content)}"'
                same = self.headers.get("If-None-Match") == etag
                status = 304 if mirror.status == 200 and same else mirror.status
                mirror.answers.append(status)
                body = b"" if status == 304 else mirror.content.encode()
                self.send_response(status)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mirror")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                False,
            )
            .sign(key, hashes.SHA256())
        )
        self.ca = folder / "mirror.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = folder / "mirror.key"
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, private)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/status"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_a_file_is_followed(tmp_path: Path) -> None:
    phone = AndroidPhone()
    listed = tmp_path / "status.json"
    listed.write_text(revoking())
    app = start(tmp_path, phone, "--revocation", str(listed), "--revocation-max-age", "4s")
    try:
        attempt = Attempt(app, phone)
        chain = attempt.chain()
        assert attempt.send(android_key(chain))[0]
        for status in ("REVOKED", "SUSPENDED"):
            listed.write_text(revoking(serials(chain)[1], status=status))
            eventually(lambda: not attempt.send(android_key(chain))[0])
            attempt.refused(android_key(chain), "hardware.revoked")
            listed.write_text(revoking())
            eventually(lambda: attempt.send(android_key(chain))[0])
    finally:
        app.service.stop()


def test_options_that_cannot_be_meant_stop_the_start(nobody: Command, tmp_path: Path) -> None:
    for options in (
        ["--revocation", "https://127.0.0.1/", "--revocation-max-age", "soon"],
        ["--revocation", "off", "--revocation-required"],
    ):
        done = nobody.run("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", *options)
        assert done.returncode == 2, (options, done.stderr)


def test_a_list_over_https_is_fetched_confirmed_and_required(tmp_path: Path) -> None:
    phone = AndroidPhone()
    mirror = Mirror(tmp_path)
    mirror.status = 500
    app = start(
        tmp_path, phone, "--revocation", mirror.url, "--revocation-ca", str(mirror.ca),
        "--revocation-max-age", "5s", "--revocation-required",
    )  # fmt: skip
    try:
        attempt = Attempt(app, phone)
        chain = attempt.chain()
        attempt.refused(android_key(chain), "hardware.revocation-unknown")
        mirror.status = 200
        eventually(lambda: attempt.send(android_key(chain))[0])
        eventually(lambda: 304 in mirror.answers)
        mirror.content = revoking(serials(chain)[2])
        eventually(lambda: "hardware.revoked" in attempt.send(android_key(chain))[2])
        mirror.status = 503
        eventually(lambda: "hardware.revocation-unknown" in attempt.send(android_key(chain))[2])
        assert any(e.get("event") == "revocation.refresh_failed" for e in app.service.events(0))
    finally:
        app.service.stop()
        mirror.stop()
