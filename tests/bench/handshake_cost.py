"""Prints what a TLS connection costs the service: processor time of a full and of a resumed
handshake, and memory of a connection that waits, beside nginx (Debian's, on Debian's OpenSSL) with
the same key and certificate, in the same run. Asserts nothing: machines are noisy.

How to read it: the time is the servers' own (their processes' user and system time), so what the
client costs does not count. Handshakes are made in turns of a hundred, so that both servers had the
same machine, and the median of the turns counts. A connection is opened, asks for one small answer
and ends; what the same request costs over a connection that stays open is subtracted. What is left
is the handshake and what the kernel does for a connection. Memory is the growth of the proportional
set size by connections of which each had asked for one answer.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kit.flood import Address, address_of, tls_context  # noqa: E402
from kit.service import Service  # noqa: E402

NGINX = ROOT / "build/bench/nginx/usr/sbin/nginx"  # tools/setup --bench
ROUNDS = 12
HANDSHAKES = 100  # a round
IDLE = 2000  # connections
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
KIB = 1024


@dataclass
class Server:
    name: str
    pid: int
    address: Address

    def processor_seconds(self) -> float:
        # The clock that clock_getcpuclockid(3) gives, in nanoseconds: proc(5) counts in ticks.
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self) -> int:
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * KIB
        raise RuntimeError("no Pss in smaps_rollup")


def pair(folder: Path) -> tuple[Path, Path]:
    """A P-256 key and a certificate of its own; both servers show it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def nginx(folder: Path, certificate: Path, key: Path) -> Iterator[Server | None]:
    """One worker in one process: what it costs is its own time."""
    binary = str(NGINX) if NGINX.is_file() else shutil.which("nginx")
    if binary is None:
        yield None
        return
    port = free_port()
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log stderr;
        events {{ worker_connections {2 * IDLE}; }}
        http {{
          access_log off; keepalive_timeout 600s; keepalive_requests 1000000; {temporary}
          server {{
            listen 127.0.0.1:{port} ssl backlog=1024;
            ssl_certificate {certificate}; ssl_certificate_key {key};
            ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_ecdh_curve X25519:prime256v1;
            location / {{ return 200 '{{"status":"ok"}}'; }}
          }}
        }}"""
    )
    process = subprocess.Popen(
        [binary, "-p", str(folder), "-c", str(configuration), "-e", "stderr"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        address = ("127.0.0.1", port)
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(address, 1):
                break
            if time.monotonic() > deadline:
                raise RuntimeError("nginx did not start")
            time.sleep(0.02)
        yield Server("nginx", process.pid, address)
    finally:
        process.terminate()
        process.wait(10)


class Client:
    """It offers one key share, X25519, as libcurl does."""

    def __init__(self, address: Address, version: ssl.TLSVersion) -> None:
        self.address = address
        self.context = tls_context()
        self.context.minimum_version = self.context.maximum_version = version
        self.session: ssl.SSLSession | None = None

    def connect(self, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        raw = socket.create_connection(self.address, 10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as libcurl
        connection = self.context.wrap_socket(raw, session=session)
        if connection.session_reused != (session is not None):
            raise RuntimeError("the session was not resumed")
        return connection

    @staticmethod
    def ask(connection: ssl.SSLSocket) -> None:
        connection.sendall(REQUEST)
        got = b""
        while b'"ok"}' not in got:
            piece = connection.recv(4096)
            if not piece:
                raise RuntimeError("the server closed the connection")
            got += piece


def per_connection(server: Server, version: ssl.TLSVersion, *, resumed: bool) -> float:
    """Processor seconds of one connection with one request."""
    client = Client(server.address, version)
    with client.connect() as first:
        client.ask(first)
        session = first.session if resumed else None
    before = server.processor_seconds()
    for _ in range(HANDSHAKES):
        with client.connect(session) as connection:
            client.ask(connection)
    return (server.processor_seconds() - before) / HANDSHAKES


def per_request(server: Server, version: ssl.TLSVersion) -> float:
    client = Client(server.address, version)
    count = 10 * HANDSHAKES
    with client.connect() as connection:
        before = server.processor_seconds()
        for _ in range(count):
            client.ask(connection)
        return (server.processor_seconds() - before) / count


def per_idle_connection(server: Server) -> float:
    """Bytes."""
    client = Client(server.address, ssl.TLSVersion.TLSv1_3)
    with contextlib.ExitStack() as kept:
        # The first ones warm up what there is once.
        for _ in range(100):
            client.ask(kept.enter_context(client.connect()))
        before = server.memory()
        for _ in range(IDLE):
            client.ask(kept.enter_context(client.connect()))
        time.sleep(0.5)
        return (server.memory() - before) / IDLE


def print_handshakes(servers: list[Server]) -> None:
    print("processor time of the server for one handshake, microseconds")
    print(f"{'':28}" + "".join(f"{server.name:>12}" for server in servers))
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        label = version.name.replace("_", ".").replace("v", " ")
        request = {server.name: per_request(server, version) for server in servers}
        rows = [("one more request", request)]
        for resumed in (False, True):
            taken: dict[str, list[float]] = {server.name: [] for server in servers}
            for _ in range(ROUNDS):
                for server in servers:
                    taken[server.name].append(per_connection(server, version, resumed=resumed))
            rows.append((
                "resumed handshake" if resumed else "full handshake",
                {name: statistics.median(each) - request[name] for name, each in taken.items()},
            ))  # fmt: skip
        for name, values in rows:
            cells = "".join(f"{values[server.name] * 1e6:12.0f}" for server in servers)
            ratio = ""
            if len(servers) == 2:
                ours, nginxs = (values[server.name] for server in servers)
                ratio = f"   {ours / max(nginxs, 1e-9):.2f} of nginx"
            print(f"{label + ', ' + name:28}{cells}{ratio}")


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * IDLE)), hard))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificate, key = pair(folder)
        service = Service(folder / "data", ["--cert", str(certificate), "--key", str(key)]).start()
        try:
            assert service.process is not None
            with nginx(folder, certificate, key) as other:
                ours = Server("touchmark", service.process.pid, address_of(service))
                servers = [ours] if other is None else [ours, other]
                if other is None:
                    print("nginx is not there: tools/setup --bench")
                print_handshakes(servers)
                for server in servers:
                    print(f"memory of an idle connection, {server.name}: "
                          f"{per_idle_connection(server) / KIB:.1f} KiB")  # fmt: skip
        finally:
            service.stop()


if __name__ == "__main__":
    main()
