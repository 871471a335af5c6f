"""Attacks on the network side of a service, each from a process of its own, and what they cost it.

A flood runs until it is told to stop. It is a process, so that it takes no time of the test's own
client, and it dies with the test.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.service import Service

Address = tuple[str, int]
Flood = Callable[..., None]


def address_of(service: Service) -> Address:
    parts = urlsplit(service.url)
    return ("127.0.0.1", parts.port or 443)


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(address: Address, timeout: float = 5.0) -> ssl.SSLSocket:
    """A TLS connection that a flood makes: whoever it is made to may end it at any time."""
    raw = socket.create_connection(address, timeout)
    try:
        return tls_context().wrap_socket(raw)
    except BaseException:
        raw.close()
        raise


# --- Floods ---------------------------------------------------------------------------------------


def silent_sockets(address: Address, count: int) -> None:
    """Sockets that never send a byte; those that end are opened again."""
    poll = selectors.DefaultSelector()
    open_now = 0
    while True:
        while open_now < count:
            one = socket.socket()
            one.setblocking(False)
            with contextlib.suppress(OSError):
                one.connect_ex(address)
            poll.register(one, selectors.EVENT_READ)
            open_now += 1
        for key, _ in poll.select(0.05):
            poll.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
            open_now -= 1


def idle_connections(address: Address, count: int) -> None:
    """TLS connections over which nothing is asked; the oldest goes when there are enough."""
    held: list[ssl.SSLSocket] = []
    while True:
        try:
            held.append(connect(address))
        except OSError:
            continue
        if len(held) > count:
            held.pop(0).close()


def handshakes(address: Address) -> None:
    """One TLS handshake after the other."""
    while True:
        with contextlib.suppress(OSError):
            connect(address).close()


def client_hello() -> bytes:
    outgoing = ssl.MemoryBIO()
    client = tls_context().wrap_bio(ssl.MemoryBIO(), outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def half_handshakes(
    address: Address, count: int, part: int | None = None, source: str = "127.0.0.1"
) -> None:
    """A ClientHello, or its first `part` bytes, and no more."""
    hello = client_hello()[:part]
    held: list[socket.socket] = []
    while True:
        with contextlib.suppress(OSError):
            one = socket.create_connection(address, 5, (source, 0))
            one.sendall(hello)
            held.append(one)
        if len(held) > count:
            held.pop(0).close()


def dripping_requests(address: Address, count: int, begin: bytes) -> None:
    """Requests of which `begin` comes at once, and the rest a byte at a time."""
    held: list[ssl.SSLSocket] = []
    while True:
        if len(held) < count:
            with contextlib.suppress(OSError):
                one = connect(address)
                one.sendall(begin)
                held.append(one)
        else:
            time.sleep(0.05)
        for one in held[:]:
            try:
                one.sendall(b"a")
            except OSError:
                held.remove(one)
                one.close()


def deaf_clients(address: Address, count: int) -> None:
    """Requests without end whose answers nobody takes."""
    held: list[ssl.SSLSocket] = []
    while True:
        if len(held) < count:
            with contextlib.suppress(OSError):
                one = connect(address)
                one.settimeout(0.0)
                held.append(one)
        else:
            time.sleep(0.02)
        for one in held[:]:
            try:
                one.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            except OSError:
                held.remove(one)
                one.close()


def requests(address: Address, request: bytes, each: int) -> None:
    """The same request again and again, `each` times over a connection."""
    while True:
        with contextlib.suppress(OSError), connect(address) as one:
            for _ in range(each):
                one.sendall(request)
                if not one.recv(65536):
                    break


def post(path: str, body: bytes, fields: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@contextlib.contextmanager
def running(flood: Flood, *arguments: Any, processes: int = 1) -> Iterator[None]:
    """`flood` in processes of its own for as long as the context lasts."""
    spawn = multiprocessing.get_context("spawn")
    attackers = [spawn.Process(target=flood, args=arguments, daemon=True) for _ in range(processes)]
    for attacker in attackers:
        attacker.start()
    try:
        yield
        for attacker in attackers:
            assert attacker.is_alive(), "the flood ended by itself: nothing was proved"
    finally:
        for attacker in attackers:
            attacker.kill()
            attacker.join()


# --- What it costs --------------------------------------------------------------------------------


@dataclass
class Cost:
    """Of a service, in bytes and descriptors."""

    memory: int
    log: int
    database: int
    descriptors: int

    @staticmethod
    def of(service: Service) -> Cost:
        assert service.process is not None
        process = Path(f"/proc/{service.process.pid}")
        pages = int((process / "statm").read_text().split()[1])
        return Cost(
            memory=pages * os.sysconf("SC_PAGE_SIZE"),
            log=service.log.stat().st_size,
            database=sum(file.stat().st_size for file in service.data.glob("touchmark.db*")),
            descriptors=len(list((process / "fd").iterdir())),
        )

    def grown_since(self, before: Cost) -> str:
        mib = 1 << 20
        return (
            f"memory +{(self.memory - before.memory) / mib:.1f} MiB, "
            f"log +{(self.log - before.log) / mib:.1f} MiB, "
            f"database +{(self.database - before.database) / mib:.1f} MiB, "
            f"{self.descriptors} descriptors"
        )
