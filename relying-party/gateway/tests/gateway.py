"""The real `touchmark gateway` as a process, HTTP in bytes as they stand, and upstreams that a test
plays."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
COMMAND = Path(os.environ.get("TOUCHMARK_BIN", ROOT / "build/release/bin/touchmark"))
SECRET = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="
TIME = 20.0


class Gateway:
    """Listens on free ports of the loopback; its log is read line by line."""

    def __init__(
        self, *options: str, settings: dict[str, str] | None = None, clock: str | None = None
    ) -> None:
        environment = {"PATH": os.environ["PATH"]} | (
            {"TOUCHMARK_SECRET": SECRET} if settings is None else settings
        )
        if clock is not None:
            environment |= {"LD_PRELOAD": clock.split("@")[0], "CLOCK_AT": clock.split("@")[1]}
        self.process = subprocess.Popen(
            [COMMAND, "gateway", "--log-format", "json", "--log-level", "debug", *options],
            env=environment, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.others: list[str] = []  # lines that are no events
        self.addresses: dict[str, str] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            try:
                self.events.put(json.loads(line))
            except ValueError:
                self.others.append(line)
        self.events.put({"event": "ended"})

    def wait_for(self, *listeners: str) -> Gateway:
        """Until it listens for each of "proxy", "decisions" and "metrics"."""
        while not set(listeners) <= set(self.addresses):
            event = self.event("listening")
            self.addresses[event["what"]] = event["address"]
        return self

    def event(self, begins_with: str) -> dict[str, Any]:
        """The next event of that name; passes over others."""
        while True:
            event = self.events.get(timeout=TIME)
            if event["event"].startswith(begins_with):
                return event
            assert event["event"] != "ended", self.others

    def decision(self) -> dict[str, Any]:
        return self.event("decision.")

    def connect(self, what: str) -> socket.socket:
        return connect(self.addresses[what])

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=TIME)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def connect(address: str) -> socket.socket:
    if address.startswith("unix:"):
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(TIME)
        local.connect(address.removeprefix("unix:"))
        return local
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=TIME)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""


def head(method: str, target: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Client:
    """One connection; requests go out as they are written."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.file = connected.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_head(self) -> Answer | None:
        """None when the connection was closed."""
        line = self.file.readline()
        if not line:
            return None
        headers: dict[str, str] = {}
        while (field := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Answer(int(line.split()[1]), headers)

    def read(self, *, to_head: bool = False) -> Answer:
        answer = self.read_head()
        assert answer is not None, "the connection was closed"
        if to_head or answer.status in (204, 304):
            return answer
        if answer.headers.get("transfer-encoding") == "chunked":
            while size := int(self.file.readline(), 16):
                answer.body += self.file.read(size)
                assert self.file.readline() == b"\r\n"
            assert self.file.readline() == b"\r\n"
        elif "content-length" in answer.headers:
            answer.body = self.file.read(int(answer.headers["content-length"]))
        else:
            answer.body = self.file.read()
        return answer

    def ask(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        self.send(head(method, target, headers) + body)
        return self.read(to_head=method == "HEAD")

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextlib.contextmanager
def client_of(gateway: Gateway, what: str = "proxy") -> Iterator[Client]:
    client = Client(gateway.connect(what))
    try:
        yield client
    finally:
        client.close()


@dataclass
class Seen:
    """A request as it came to an upstream."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.headers if other.lower() == name.lower()]


@dataclass
class Upstream:
    """An API that a test plays: keeps what comes, and answers by `respond`."""

    respond: Callable[[Seen, Any], None]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    @contextlib.contextmanager
    def serve(self, path: Path | None = None) -> Iterator[str]:
        upstream = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = TIME

            def handle(self) -> None:
                upstream.connections += 1
                with contextlib.suppress(OSError):
                    while request := read_request(self.rfile):
                        upstream.seen.append(request)
                        upstream.respond(request, self)

        kind: Any = (
            socketserver.ThreadingTCPServer
            if path is None
            else socketserver.ThreadingUnixStreamServer
        )
        kind.daemon_threads = True
        kind.allow_reuse_address = True
        server = kind(("127.0.0.1", 0) if path is None else str(path), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}" if path is None else f"unix:{path}"
        finally:
            server.shutdown()
            server.server_close()


def read_request(file: Any) -> Seen | None:
    line = file.readline()
    if not line:
        return None
    seen = Seen(line.decode("latin-1").rstrip(), [])
    while (text := file.readline()) not in (b"\r\n", b""):
        name, _, value = text.decode("latin-1").partition(":")
        seen.headers.append((name, value.strip()))
    if seen.all("Transfer-Encoding"):
        while size := int(file.readline().split(b";")[0], 16):
            seen.body += file.read(size)
            file.readline()
        file.readline()
    elif seen.all("Content-Length"):
        seen.body = file.read(int(seen.all("Content-Length")[0]))
    return seen


def say(text: str, *fields: str) -> Callable[[Seen, Any], None]:
    """An answer with a length."""

    def respond(seen: Seen, handler: Any) -> None:
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(text)}", *fields]
        body = "" if seen.line.startswith("HEAD ") else text
        handler.wfile.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    return respond
