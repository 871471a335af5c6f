"""The command against services that answer something else than Touchmark's protocol."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kit.certificate import pem, pin_of, self_signed
from kit.command import Command

SERVICE_FAILED = 10
OK_STATUS = (200, "application/json", b'{"role":"admin","version":"0"}')


@dataclass
class StrangeService:
    url: str
    pin: str
    answers: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    authorizations: list[str] = field(default_factory=list)


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[StrangeService]:
    """Answers each path as the test says, behind a key that the command has pinned."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "strange.pem").write_bytes(pem(key) + self_signed(key, "localhost"))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service.authorizations.append(self.headers.get("Authorization", ""))
            path = self.path.split("?")[0]
            status, kind, body = service.answers.get(
                path, (404, "text/html", b"<html>nothing here")
            )
            self.send_response(status)
            if status // 100 == 3:
                self.send_header("Location", f"{service.url}/elsewhere")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "strange.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    service = StrangeService(f"https://localhost:{server.server_port}", pin_of(key))
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def command(nobody: Command, strange: StrangeService) -> Command:
    nobody.environment.update(
        TOUCHMARK_URL=strange.url, TOUCHMARK_TOKEN="tmk_x", TOUCHMARK_PIN=strange.pin
    )
    return nobody


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<html>welcome"),
        (200, "application/json", b""),
        (200, "application/json", b"[1]"),
        (200, "application/json", b'{"a":1,"a":2}'),
        (200, "application/json", b'{"a":' * 100 + b"1" + b"}" * 100),
        (200, "application/json", b" " * (9 << 20)),
        (404, "text/html", b"<html>nothing"),
        (302, "text/html", b""),
        (503, "text/html", b"<html>busy"),
    ],
)
def test_answers_that_are_not_the_protocol(
    command: Command, strange: StrangeService, answer: tuple[int, str, bytes]
) -> None:
    strange.answers["/admin/v1/status"] = answer
    done = command.run("status")
    assert done.returncode == SERVICE_FAILED
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "check that the address is that of a Touchmark service" in done.stderr


def test_token_does_not_follow_a_redirect(command: Command, strange: StrangeService) -> None:
    strange.answers["/admin/v1/status"] = (307, "text/html", b"")
    strange.answers["/elsewhere"] = OK_STATUS
    assert command.run("status").returncode == SERVICE_FAILED
    assert strange.authorizations == ["Bearer tmk_x"]


def test_token_is_not_sent_to_another_key(command: Command, strange: StrangeService) -> None:
    command.environment["TOUCHMARK_PIN"] = pin_of(ec.generate_private_key(ec.SECP256R1()))
    assert command.run("status").returncode == 4
    assert strange.authorizations == []


def test_another_measurement_than_the_one_here(
    command: Command, strange: StrangeService, release: Path
) -> None:
    line = command.ok("package", "measure", release).strip()
    answer = {"line": "A" + line[1:], "expires": None}
    strange.answers["/admin/v1/registrations"] = (
        201,
        "application/json",
        json.dumps(answer).encode(),
    )
    done = command.run("registration", "add", release)
    assert done.returncode == SERVICE_FAILED
    assert "registration successful" not in done.stdout
    assert line in done.stderr


def test_words_of_the_service_cannot_drive_the_terminal(
    command: Command, strange: StrangeService
) -> None:
    detail = json.dumps(
        {"detail": "no\x1b[2J\nspace", "type": "urn:touchmark:error:store.no-space"}
    )
    strange.answers["/admin/v1/status"] = (507, "application/problem+json", detail.encode())
    done = command.run("status")
    assert done.returncode == 6
    assert done.stderr.startswith(
        "touchmark: the service refused: no\\x1b[2J space (store.no-space); "
    )
    assert done.stderr.count("\n") == 1
