"""TLS sessions that go on: with OpenSSL's own client, and with the SDK's library, against the real
service."""

from __future__ import annotations

import contextlib
import ctypes
import selectors
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.test_reload import eventually, new_key, pair_options, shown, write_pair
from kit.certificate import pin_of
from kit.flood import address_of
from kit.registered_app import touchmark
from kit.service import ROOT, Service

LIBRARY = ROOT / "build/release/lib/libtouchmark.so"
NEXT_KEY = new_key()
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def s_client(service: Service, *options: str) -> str:
    """What OpenSSL's client says of a connection over which it asked once."""
    host, port = address_of(service)
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        killer = threading.Timer(10, client.kill)
        killer.start()
        text = b""
        client.stdin.write(REQUEST)
        client.stdin.flush()
        # Until the answer is there, and with it the tickets of TLS 1.3.
        while b'{"status":"ok"}' not in text:
            piece = client.stdout.readline()
            if not piece:
                break
            text += piece
            if b"Content-Length" in piece:
                text += client.stdout.read(2 + len('{"status":"ok"}'))
        client.stdin.close()
        text += client.stdout.read()
        killer.cancel()
    return text.decode(errors="replace")


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[Service]:
    """A service with a certificate that can be replaced."""
    write_pair(tmp_path, new_key())
    announced = ["--service-pin", pin_of(NEXT_KEY)]
    service = Service(tmp_path / "data", [*pair_options(tmp_path), *announced]).start()
    yield service
    assert service.stop() == 0


@pytest.mark.parametrize("version", ["tls1_3", "tls1_2"])
def test_a_session_resumes(certified: Service, tmp_path: Path, version: str) -> None:
    session, later = str(tmp_path / "session.pem"), str(tmp_path / "later.pem")
    first = s_client(certified, f"-{version}", "-sess_out", session)
    assert "New, TLSv1" in first
    again = s_client(certified, f"-{version}", "-sess_in", session, "-sess_out", later)
    assert "Reused, TLSv1" in again
    if version == "tls1_3":
        assert "Reused, TLSv1.3" in s_client(certified, "-tls1_3", "-sess_in", later)


def test_no_early_data(certified: Service, tmp_path: Path) -> None:
    session, early = str(tmp_path / "session.pem"), tmp_path / "early"
    early.write_bytes(REQUEST)
    text = s_client(certified, "-tls1_3", "-sess_out", session)
    assert "Max Early Data: 0" in text
    text = s_client(certified, "-tls1_3", "-sess_in", session, "-early_data", str(early))
    assert "Early data was not sent" in text or "Early data was rejected" in text


def test_keys_are_exchanged_again(certified: Service, tmp_path: Path) -> None:
    """Whoever gets at a ticket's secret later reads nothing that was recorded."""
    session = str(tmp_path / "session.pem")
    s_client(certified, "-tls1_3", "-sess_out", session)
    text = s_client(certified, "-tls1_3", "-sess_in", session, "-allow_no_dhe_kex")
    assert "Reused, TLSv1.3" in text
    assert "Server Temp Key: X25519" in text


def test_a_session_ends_with_its_certificate_and_its_process(
    certified: Service, tmp_path: Path
) -> None:
    session = str(tmp_path / "session.pem")
    before = shown(certified)
    s_client(certified, "-tls1_3", "-sess_out", session)
    assert certified.process is not None

    # The same files again, as when a log is rotated.
    certified.process.send_signal(signal.SIGHUP)
    eventually(lambda: any(e["event"] == "tls.reloaded" for e in certified.events()))
    assert "Reused" in s_client(certified, "-tls1_3", "-sess_in", session)

    second = write_pair(tmp_path, NEXT_KEY)
    certified.process.send_signal(signal.SIGHUP)
    eventually(lambda: shown(certified) != before)
    text = s_client(certified, "-tls1_3", "-sess_in", session)
    assert "New, TLSv1.3" in text
    shown_now = text[text.index("-----BEGIN") : text.index("-----END CERTIFICATE-----") + 26]
    assert ssl.PEM_cert_to_DER_cert(shown_now.strip()) == second

    s_client(certified, "-tls1_3", "-sess_out", session)
    certified.stop()
    certified.start()
    assert "New, TLSv1.3" in s_client(certified, "-tls1_3", "-sess_in", session)


# --- The SDK --------------------------------------------------------------------------------------


def extensions_of_hello(record: bytes) -> set[int]:
    """The extensions of a ClientHello or ServerHello (RFC 8446 section 4.1) in its first record."""
    is_client = record[5] == 1
    at = 5 + 4 + 2 + 32
    at += 1 + record[at]  # session id
    at += 2 + int.from_bytes(record[at : at + 2]) if is_client else 2  # cipher suites
    at += 1 + record[at] if is_client else 1  # compression
    end = at + 2 + int.from_bytes(record[at : at + 2])
    at += 2
    found = set()
    while at < end:
        found.add(int.from_bytes(record[at : at + 2]))
        at += 4 + int.from_bytes(record[at + 2 : at + 4])
    return found


PRE_SHARED_KEY, EARLY_DATA = 41, 42


class Relay:
    """Passes bytes on, as a network does, and keeps the hellos of each connection."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.hellos: list[tuple[bytes, bytes]] = []
        self.open: list[socket.socket] = []
        self.target = ("127.0.0.1", 0)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.open.append(client)
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self.target, 5) as server:
            seen = {client: b"", server: b""}
            with selectors.DefaultSelector() as poll:
                poll.register(client, selectors.EVENT_READ, server)
                poll.register(server, selectors.EVENT_READ, client)
                while True:
                    for key, _ in poll.select():
                        end = key.fileobj
                        assert isinstance(end, socket.socket)
                        piece = end.recv(65536)
                        if not piece:
                            return
                        if not seen[end]:
                            seen[end] = piece
                            if end is server:
                                self.hellos.append((seen[client], piece))
                        key.data.sendall(piece)

    def break_connections(self) -> None:
        """Without a goodbye, as when a phone changes its network."""
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open.clear()

    def resumed(self) -> list[bool]:
        """Of each connection so far, in order: the service took the client's ticket."""
        return [PRE_SHARED_KEY in extensions_of_hello(server) for _, server in self.hellos]

    def end(self) -> None:
        self.listener.close()
        self.break_connections()


class Options(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_size_t),
        ("config", ctypes.c_char_p),
        ("storage_dir", ctypes.c_char_p),
        ("package_path", ctypes.c_char_p),
        ("package_name", ctypes.c_char_p),
        ("platform_json", ctypes.c_char_p),
        ("sdk_platform", ctypes.c_char_p),
        ("key_provider", ctypes.c_void_p),
    )


class Token(ctypes.Structure):
    _fields_ = (
        ("status", ctypes.c_int),
        ("token", ctypes.c_char_p),
        ("header", ctypes.c_char_p),
        ("prefix", ctypes.c_char_p),
        ("arc", ctypes.c_char_p),
        ("message", ctypes.c_char_p),
        ("config_changed", ctypes.c_int),
        ("expires_in", ctypes.c_int64),
    )


class Sdk:
    """The library as an app loads it."""

    def __init__(self, config: Path, storage: Path) -> None:
        self.library = ctypes.CDLL(str(LIBRARY))
        self.client = ctypes.c_void_p()
        message = ctypes.c_char_p()
        storage.mkdir()
        options = Options(
            size=ctypes.sizeof(Options),
            config=config.read_bytes(),
            storage_dir=str(storage).encode(),
        )
        status = self.library.touchmark_open(
            ctypes.byref(options), ctypes.byref(self.client), ctypes.byref(message)
        )
        assert status == 0, message.value

    def attest(self) -> str:
        self.library.touchmark_discard_tokens(self.client)
        result = Token()
        status = self.library.touchmark_fetch_token(
            self.client, b"https://api.example.com/", None, ctypes.byref(result)
        )
        assert status == 0, result.message
        token = result.token.decode()
        self.library.touchmark_result_free(ctypes.byref(result))
        return str(token)

    def close(self) -> None:
        self.library.touchmark_close(self.client)


def test_the_sdk_goes_on_with_its_session(tmp_path: Path) -> None:
    relay = Relay()
    service = Service(
        tmp_path / "data", ["--public-url", f"https://localhost:{relay.port}"]
    ).start()
    relay.target = address_of(service)
    sdk: Sdk | None = None
    try:
        pin = "sha256/" + "A" * 43 + "="
        touchmark(service, "api", "add", "api.example.com", "--pin", pin)
        touchmark(service, "sdk", "config", str(tmp_path / "initial.config"), "--allow-local")
        sdk = Sdk(tmp_path / "initial.config", tmp_path / "storage")
        for _ in range(4):
            assert sdk.attest()
            relay.break_connections()
        assert relay.resumed() == [False, True, True, True]
        tickets = [client for client, _ in relay.hellos[1:]]
        assert all(EARLY_DATA not in extensions_of_hello(hello) for hello in tickets)
        # The service judged each as the connection that it was.
        findings = [e["findings"] for e in service.events() if e["event"] == "attest"]
        assert len(findings) == 4
        assert all("network.mitm" not in each for each in findings)

        # A service that began again knows no tickets, and the SDK goes on without.
        service.stop()
        service.start()
        assert sdk.attest()
        relay.break_connections()
        assert sdk.attest()
        assert relay.resumed()[4:] == [False, True]
    finally:
        if sdk is not None:
            sdk.close()
        relay.end()
        service.stop()
