"""touchmark doctor finds each fault that is planted in a real service, and none in a sound one."""

from __future__ import annotations

import datetime
import http.client
import http.server
import json
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kit import apk
from kit.certificate import Key, pem, pin_of
from kit.command import Command
from kit.service import ROOT, Service

NO, NOT_CONFIGURED, USAGE = 1, 3, 2
HOST = "attest.example.com"
ELSEWHERE = "127.0.0.2"  # another machine, as it were
DAY = 86400


def certificate(key: Key, name: str, days_left: float = 60, days_old: float = 30) -> bytes:
    """PEM of a self-signed one."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=days_old))
        .not_valid_after(now + datetime.timedelta(days=days_left))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


class TlsServer:
    """Answers every request with what `answer` gives, or with nothing much."""

    def __init__(self, folder: Path, key: Key, address: tuple[str, int] = ("127.0.0.1", 0)):
        self.folder, self.key = folder, key
        self.answer: Callable[[str, str], bytes] = lambda _path, _token: b"{}"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = outer.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(address, Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.show(certificate(key, "localhost"))
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def show(self, chain: bytes, key: Key | None = None) -> None:
        file = self.folder / f"server-{time.monotonic_ns()}.pem"
        file.write_bytes(pem(key or self.key) + chain)
        self.context.load_cert_chain(file)

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Place:
    """A service that lacks nothing: known by a public name, with a backup, an app and an API."""

    folder: Path
    service: Service
    admin: Command
    port: int
    servers: list[TlsServer] = field(default_factory=list)
    resolve: str = "127.0.0.1"

    @property
    def api(self) -> TlsServer:
        return self.servers[0]

    def doctor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.admin.run(
            "doctor", "--resolve", f"{HOST}={self.resolve}", *arguments, timeout=90
        )

    def found(self, *arguments: str) -> dict[str, str]:
        """The status by id of what is found; whatever can be judged is."""
        done = self.doctor("--json", *arguments)
        assert done.stderr == "", done.stderr
        answer = json.loads(done.stdout)
        rows = [row for row in answer["checks"] if row["status"] != "ok"]
        for row in rows:
            assert row["message"], row
            assert bool(row["advice"]) == (row["status"] != "skip"), row
        found = {row["id"]: row["status"] for row in rows if row["status"] != "skip"}
        assert answer["status"] == worst(found)
        assert done.returncode == (NO if "fail" in found.values() else 0)
        return found

    def serve(self, ready: bool = True) -> None:
        self.service.start()
        if ready:
            self.set_up()

    def set_up(self) -> None:
        """All that a sound service has, by the commands that an operator would use."""
        self.admin.init(self.service)
        self.service.credentials_file.unlink()
        self.admin.ok("registration", "add", self.package("com.example.app"))
        spare = pin_of(new_key())
        self.admin.ok("api", "add", f"localhost:{self.api.port}", "--backup-pin", spare)
        self.admin.ok("backup", self.folder / "first.backup")

    def package(self, name: str, sdk: str | None = "0.1.0") -> Path:
        path = self.folder / f"{name}.apk"
        files = {"classes.dex": b"dex\n035\0" + bytes(1000)}
        if sdk is not None:
            files["assets/touchmark-sdk.json"] = json.dumps({"version": sdk}).encode()
        path.write_bytes(apk.build(apk.compile_manifest(name), apk.SigningKey.generate(), files))
        return path

    def restart(self, *options: str) -> None:
        self.service.stop()
        self.service.options.extend(options)
        self.service.start()

    def change(self, *statements: str) -> None:
        """The database, behind the service's back."""
        self.service.stop()
        with sqlite3.connect(self.service.data / "touchmark.db") as database:
            for statement in statements:
                database.execute(statement)
        database.close()
        self.service.start()

    def policy(self, *changes: tuple[str, str], canary: bool = False) -> None:
        text = self.admin.ok("policy", "presets", "strict")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (self.folder / "policy.toml").write_text(text)
        more = ["--canary", "10"] if canary else []
        self.admin.ok("policy", "set", self.folder / "policy.toml", *more)

    def stand_in(self) -> TlsServer:
        """Another server where the public name leads to."""
        server = TlsServer(self.folder, new_key(), (ELSEWHERE, self.port))
        self.servers.append(server)
        self.resolve = ELSEWHERE
        return server


def worst(found: dict[str, str]) -> str:
    return next((one for one in ("fail", "warn") if one in found.values()), "ok")


def without(options: list[str], name: str) -> list[str]:
    at = options.index(name)
    return options[:at] + options[at + 2 :]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    revocation = tmp_path / "revoked.json"
    revocation.write_text('{"entries": {}}')
    port = free_port()
    options = [
        "--public-url", f"https://{HOST}:{port}",
        "--master-key", str(tmp_path / "master.key"),
        "--revocation", str(revocation),
    ]  # fmt: skip
    service = Service(tmp_path / "data", options, listen=f"127.0.0.1:{port}")
    made = Place(tmp_path, service, Command(tmp_path / "home"), port)
    made.servers.append(TlsServer(tmp_path, new_key()))
    yield made
    for server in made.servers:
        server.stop()
    if service.process is not None:
        service.stop()


def test_finds_nothing_in_a_sound_service(place: Place) -> None:
    place.serve()
    done = place.doctor("--strict")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok    ") for line in lines[:-1]), done.stdout
    assert lines[-1] == f"{len(lines) - 1} checks: {len(lines) - 1} ok, 0 warn, 0 fail"
    assert f"answered from 127.0.0.1:{place.port}" in lines[0]
    answer = json.loads(place.doctor("--json").stdout)
    assert {row["status"] for row in answer["checks"]} == {"ok"}
    assert (answer["status"], answer["profile"]) == ("ok", "default")
    assert answer["counts"] == {"ok": len(answer["checks"]), "skip": 0, "warn": 0, "fail": 0}
    assert answer["service_version"] == answer["command_version"]
    # An auditor may ask all of it.
    credentials = place.folder / "auditor.json"
    place.admin.ok("operator", "add", "eve", "--role", "auditor", "--credentials-file", credentials)
    auditor = Command(place.folder / "auditor-home")
    auditor.ok("init", place.service.url, "--credentials", credentials)
    done = auditor.run("doctor", "--strict", "--resolve", f"{HOST}=127.0.0.1")
    assert done.returncode == 0, done.stdout


@dataclass
class Fault:
    finds: dict[str, str]
    plant: Callable[[Place], None]
    arguments: list[str] = field(default_factory=list)


FAULTS: dict[str, Fault] = {}


def fault(
    *arguments: str, **finds: str
) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
    """`finds`: what is found, and nothing else; in a name `__` stands for a dot, `_` for a dash."""

    def note(plant: Callable[[Place], None]) -> Callable[[Place], None]:
        ids = {name.replace("__", ".").replace("_", "-"): how for name, how in finds.items()}
        FAULTS[plant.__name__] = Fault(ids, plant, list(arguments))
        return plant

    return note


# Where it is met.


@fault(service__operator="fail")
def a_token_that_was_revoked(place: Place) -> None:
    place.serve()
    file = place.folder / "second.json"
    place.admin.ok("operator", "add", "two", "--role", "admin", "--credentials-file", file)
    place.admin.ok("init", place.service.url, "--credentials", file, "--profile", "second")
    place.admin.ok("operator", "revoke", "two")
    place.admin.environment["TOUCHMARK_PROFILE"] = "second"


@fault(service__clock="fail")
def a_wrong_clock(place: Place) -> None:
    library = place.folder / "clock_shift.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", library, ROOT / "tests/kit/clock_shift.c", "-ldl"],
        check=True, timeout=60,
    )  # fmt: skip
    place.service.prefix = ["env", f"LD_PRELOAD={library}", "CLOCK_SHIFT=1800"]
    place.serve()


@fault(service__version="warn", app__sdk="warn")
def a_newer_service(place: Place) -> None:
    """The genuine one, behind a server that changes the version: apps have an older SDK, too."""
    place.serve()
    genuine = place.service.url
    front = TlsServer(place.folder, new_key())
    place.servers.append(front)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def answer(path: str, token: str) -> bytes:
        host, port = genuine.removeprefix("https://").split(":")
        connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=context)
        connection.request("GET", path, headers={"Authorization": token})
        content: bytes = connection.getresponse().read()
        connection.close()
        if path == "/admin/v1/status":
            return content.replace(b'"version":"0.1.0"', b'"version":"9.0.0"')
        return content

    front.answer = answer
    place.admin.environment["TOUCHMARK_URL"] = f"https://localhost:{front.port}"
    profile = json.loads((place.admin.home / "profiles/default.json").read_text())
    place.admin.environment["TOUCHMARK_TOKEN"] = profile["token"]
    place.admin.environment["TOUCHMARK_PIN"] = pin_of(front.key)


def serve_with_certificate(place: Place, **days: float) -> None:
    key = new_key()
    (place.folder / "tls.key").write_bytes(pem(key))
    (place.folder / "tls.pem").write_bytes(certificate(key, HOST, **days))
    place.service.options += ["--cert", str(place.folder / "tls.pem")]
    place.service.options += ["--key", str(place.folder / "tls.key")]
    place.serve()


@fault(service__certificate="fail")
def a_certificate_that_ended(place: Place) -> None:
    serve_with_certificate(place, days_left=-1)


@fault(service__certificate="warn")
def a_certificate_that_soon_ends(place: Place) -> None:
    serve_with_certificate(place, days_left=5)


@fault(service__pins="fail")
def another_key_behind_the_public_url(place: Place) -> None:
    place.serve()
    place.stand_in()


@fault(service__pins="warn")
def a_proxy_without_a_spare_key(place: Place) -> None:
    proxy = place.stand_in()
    place.service.options += ["--tls-terminated-by-proxy", "--service-pin", pin_of(proxy.key)]
    place.service.start()
    # The operator comes by another way, to the service's own key.
    file = place.service.credentials()
    shown = place.admin.ok("pin", f"localhost:{place.port}").split()[0]
    place.admin.ok("init", place.service.url, "--token", file["admin_token"], "--pin", shown)
    file["pin"] = shown
    place.service.credentials_file.write_text(json.dumps(file))
    place.set_up()


@fault(service__public_url="warn")
def a_local_public_url(place: Place) -> None:
    place.service.options = without(place.service.options, "--public-url")
    place.service.options += ["--public-url", f"https://localhost:{place.port}"]
    place.serve()


@fault("--resolve", "10.1.2.3=127.0.0.1", service__public_url="warn")
def a_private_public_url(place: Place) -> None:
    place.service.options = without(place.service.options, "--public-url")
    place.service.options += ["--public-url", f"https://10.1.2.3:{place.port}"]
    place.serve()


@fault(service__public_url="warn")
def no_public_url(place: Place) -> None:
    place.service.options = without(place.service.options, "--public-url")
    place.serve()


@fault(service__public_url="warn")
def a_public_url_that_leads_nowhere(place: Place) -> None:
    place.serve()
    place.resolve = ELSEWHERE


# The policy, and what stands beside it.


@fault(policy__assurance="fail")
def software_evidence(place: Place) -> None:
    place.serve()
    place.policy(('android = "tee"', 'android = "software"'))


@fault(policy__assurance="fail", policy__findings="warn", policy__development="warn")
def the_development_policy(place: Place) -> None:
    place.serve()
    text = place.admin.ok("policy", "presets", "development")
    (place.folder / "policy.toml").write_text(text)
    place.admin.ok("policy", "set", place.folder / "policy.toml")


@fault(policy__findings="fail", policy__assurance="fail", policy__development="warn")
def a_policy_that_only_reports(place: Place) -> None:
    place.serve()
    place.policy(('"*" = "reject"', '"*" = "annotate"'))


@fault(policy__findings="warn")
def hooks_that_pass(place: Place) -> None:
    place.serve()
    place.policy(('"*" = "reject"', '"*" = "reject"\n"hook.*" = "ignore"'))


@fault(policy__candidate="fail")
def a_lax_candidate(place: Place) -> None:
    place.serve()
    place.policy(('ios = "secure-chip"', 'ios = "software"'), canary=True)


@fault(policy__development="warn")
def development_builds(place: Place) -> None:
    place.serve()
    place.policy(("development_keys = false", "development_keys = true"))


@fault(policy__host_builds="warn")
def host_builds(place: Place) -> None:
    place.service.options.append("--allow-host-builds")
    place.serve()


@fault(policy__hardware_roots="fail")
def the_labs_roots(place: Place) -> None:
    (place.folder / "roots.pem").write_bytes(certificate(new_key(), "a root"))
    place.service.options += ["--hardware-roots", str(place.folder / "roots.pem")]
    place.serve()


@fault(policy__reasons="warn")
def told_reasons(place: Place) -> None:
    place.service.options.append("--reveal-reasons")
    place.serve()


@fault(policy__revocation="warn")
def no_revocation_list(place: Place) -> None:
    place.service.options = without(place.service.options, "--revocation")
    place.serve()


@fault(policy__revocation="fail")
def an_old_revocation_list(place: Place) -> None:
    old = time.time() - 3 * DAY
    os.utime(place.folder / "revoked.json", (old, old))
    place.serve()


@fault(policy__revocation="fail")
def a_revocation_list_that_is_missing(place: Place) -> None:
    (place.folder / "revoked.json").unlink()
    place.serve()


# Its data, and its process.


@fault(data__backup="warn")
def no_backup(place: Place) -> None:
    place.serve()
    place.change("DELETE FROM setting WHERE name = 'backup.last'")


@fault(data__backup="warn")
def an_old_backup(place: Place) -> None:
    place.serve()
    last = f"CAST('{int(time.time()) - 8 * DAY}' AS BLOB)"
    place.change(f"UPDATE setting SET value = {last} WHERE name = 'backup.last'")


@fault("--backup-age", "30m", data__backup="warn")
def a_backup_that_is_older_than_wanted(place: Place) -> None:
    place.serve()
    last = f"CAST('{int(time.time()) - 3600}' AS BLOB)"
    place.change(f"UPDATE setting SET value = {last} WHERE name = 'backup.last'")


@fault(data__master_key="warn")
def the_master_key_with_the_data(place: Place) -> None:
    place.service.options = without(place.service.options, "--master-key")
    place.serve()


@fault(data__token_file="warn")
def tokens_that_were_left(place: Place) -> None:
    place.serve()
    place.service.credentials_file.write_text("{}")


def on_small_disk(place: Place, size: str) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    place.service.data.mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "{place.service.data}" && exec "$@"'
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    place.service.prefix = ["unshare", "--mount", *root, "sh", "-c", mount, "sh"]


@fault(data__disk="warn")
def a_small_disk(place: Place) -> None:
    on_small_disk(place, "300m")
    place.serve()


@fault("--least-free", str(1 << 30), data__disk="fail")
def less_room_than_wanted(place: Place) -> None:
    place.serve()


@fault(data__disk="fail", data__folder="fail", data__store="fail")
def a_full_disk(place: Place) -> None:
    on_small_disk(place, "8m")
    place.serve()
    process = place.service.process
    assert process is not None
    filler = Path(f"/proc/{process.pid}/root{place.service.data}/filler")
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@fault(data__store="fail")
def a_database_that_somebody_holds(place: Place) -> None:
    place.serve()
    held = sqlite3.connect(place.service.data / "touchmark.db", check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    stop = place.service.stop

    def let_go(timeout: float = 15.0) -> int:
        held.close()
        return stop(timeout)

    place.service.stop = let_go  # type: ignore[method-assign]


@fault(data__store="fail", data__folder="fail")
def a_folder_that_was_moved(place: Place) -> None:
    place.serve()
    moved = place.service.data.rename(place.folder / "moved")
    stop = place.service.stop

    def move_back(timeout: float = 15.0) -> int:
        moved.rename(place.service.data)
        return stop(timeout)

    place.service.stop = move_back  # type: ignore[method-assign]


@fault(data__folder="fail")
def a_folder_that_is_open(place: Place) -> None:
    place.serve()
    place.service.data.chmod(0o755)


@fault(data__store="fail", app__registered="warn")
def a_row_that_cannot_be_read(place: Place) -> None:
    place.serve()
    place.change("UPDATE registration SET measurement = '{'")


@fault(data__audit="fail")
def a_shortened_audit_log(place: Place) -> None:
    place.serve()
    place.change("DELETE FROM audit WHERE number = 2")


@fault(process__descriptors="warn")
def few_descriptors(place: Place) -> None:
    place.service.prefix = ["prlimit", "--nofile=600:600"]
    place.serve()


# What operators registered.


@fault(api__answer="fail")
def a_dead_api(place: Place) -> None:
    place.serve()
    place.api.stop()
    place.servers.clear()


@fault(api__pins="fail")
def an_api_with_another_key(place: Place) -> None:
    place.serve()
    other = new_key()
    place.api.show(certificate(other, "localhost"), other)


@fault(api__pins="warn")
def an_api_without_a_spare_key(place: Place) -> None:
    place.serve()
    second = TlsServer(place.folder, new_key())
    place.servers.append(second)
    place.admin.ok("api", "add", f"localhost:{second.port}")


@fault(api__pins="fail")
def an_api_that_nobody_trusts(place: Place) -> None:
    place.serve()
    place.change("UPDATE api SET pins = '[]'")


@fault(api__certificate="fail")
def an_api_whose_certificate_ended(place: Place) -> None:
    place.serve()
    place.api.show(certificate(place.api.key, "localhost", days_left=-2))


@fault(api__certificate="warn")
def an_api_whose_certificate_soon_ends(place: Place) -> None:
    place.serve()
    place.api.show(certificate(place.api.key, "localhost", days_left=5))


@fault(api__answer="warn")
def no_api(place: Place) -> None:
    place.serve()
    place.admin.ok("api", "remove", f"localhost:{place.api.port}")


@fault(app__registered="warn")
def no_app(place: Place) -> None:
    place.serve()
    place.admin.ok("registration", "remove", "com.example.app")


@fault(app__sdk="warn")
def an_app_without_the_sdk(place: Place) -> None:
    place.serve()
    place.admin.ok("registration", "add", place.package("com.example.bare", sdk=None))


@fault(app__sdk="warn")
def an_app_with_an_old_sdk(place: Place) -> None:
    place.serve()
    place.admin.ok("registration", "add", place.package("com.example.old", sdk="0.0.9"))


@fault(app__end="warn")
def an_app_whose_time_is_over(place: Place) -> None:
    place.serve()
    package = place.package("com.example.brief")
    place.admin.ok("registration", "add", package, "--expire-after", "1s")
    time.sleep(2.1)


@fault(operator__end="warn")
def an_operator_whose_time_is_over(place: Place) -> None:
    place.serve()
    file = place.folder / "brief.json"
    place.admin.ok(
        "operator", "add", "brief", "--role", "helpdesk", "--expire-after", "1s",
        "--credentials-file", file,
    )  # fmt: skip
    time.sleep(2.1)


@fault(operator__end="warn")
def an_operator_whose_time_soon_is(place: Place) -> None:
    place.serve()
    file = place.folder / "bob.json"
    place.admin.ok(
        "operator", "add", "bob", "--role", "helpdesk", "--expire-after", "90d",
        "--credentials-file", file,
    )  # fmt: skip
    ahead = 85 * DAY
    place.change(
        f"UPDATE operator_token SET created = created - {ahead}, expires = expires - {ahead}"
        " WHERE name = 'bob'"
    )


@fault(signer__end="warn")
def a_signing_certificate_whose_time_is_over(place: Place) -> None:
    place.serve()
    file = place.folder / "signer.pem"
    file.write_bytes(certificate(new_key(), "a signer"))
    place.admin.ok("registration", "add-certificate", file, "--expire-after", "1s")
    time.sleep(2.1)


@pytest.mark.parametrize("name", list(FAULTS))
def test_finds_a_planted_fault(place: Place, name: str) -> None:
    FAULTS[name].plant(place)
    arguments = FAULTS[name].arguments
    assert place.found(*arguments) == FAULTS[name].finds
    found = place.doctor("--strict", *arguments)
    assert found.returncode == NO
    for identity, how in FAULTS[name].finds.items():
        assert f"\n{how}  {identity} " in f"\n{found.stdout}", found.stdout


def test_says_when_nothing_answers(place: Place) -> None:
    place.serve()
    place.service.stop()
    assert place.found() == {"service.reach": "fail"}
    done = place.doctor()
    lines = done.stdout.splitlines()
    assert lines[0].startswith("fail  service.reach"), done.stdout
    assert "`touchmark serve`" in lines[1]
    assert len([line for line in lines if line.startswith("skip  ")]) <= 2, "not a line for each"
    # Another key at its place is not talked to.
    place.service.options += [
        "--cert",
        str(place.folder / "t.pem"),
        "--key",
        str(place.folder / "t.key"),
    ]
    key = new_key()
    (place.folder / "t.key").write_bytes(pem(key))
    (place.folder / "t.pem").write_bytes(certificate(key, HOST))
    impostor = Service(
        place.folder / "impostor", place.service.options, listen=place.service.listen
    )
    impostor.options = without(without(impostor.options, "--master-key"), "--revocation")
    impostor.start()
    try:
        assert place.found() == {"service.reach": "fail"}
        assert (
            pin_of(key)
            not in json.loads((place.admin.home / "profiles/default.json").read_text())["pins"]
        )
    finally:
        impostor.stop()


def test_does_not_wait_for_each_silent_server_in_turn(place: Place) -> None:
    place.serve()
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(12)]
    try:
        for one in silent:
            port = one.getsockname()[1]
            pins = ["--pin", pin_of(new_key()), "--pin", pin_of(new_key())]
            place.admin.ok("api", "add", f"localhost:{port}", *pins)
        begin = time.monotonic()
        done = place.doctor("--json", "--timeout", "3")
        took = time.monotonic() - begin
    finally:
        for one in silent:
            one.close()
    rows = [row for row in json.loads(done.stdout)["checks"] if row["id"] == "api.answer"]
    assert len(rows) == len(silent) and {row["status"] for row in rows} == {"fail"}
    assert len({row["subject"] for row in rows}) == len(silent)
    assert took < 12, "a third of what it takes one after the other"


def test_says_what_a_role_may_not(place: Place) -> None:
    place.service.start()
    place.admin.init(place.service, "developer")
    found = place.found()
    assert found["service.operator"] == "fail"
    guessed = [one for one in found if one.startswith(("data.", "operator."))]
    assert guessed == ["data.backup"], "what the status tells, and nothing else"
    done = place.doctor()
    assert "admin or an auditor" in done.stdout


def test_needs_a_service_to_ask(nobody: Command) -> None:
    done = nobody.run("doctor")
    assert done.returncode == NOT_CONFIGURED and "init" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "wrong",
    [
        ["--resolve", "a.example"],
        ["--resolve", "a.example=b c"],
        ["--resolve", "a.example:443=127.0.0.1"],
        ["--resolve", "=127.0.0.1"],
        ["--resolve", "a.example=other.example"],
        ["--backup-age", "soon"],
        ["--least-free", "0"],
        ["--least-free", "1G"],
        ["--fix"],
        ["all"],
    ],
)
def test_refuses_what_it_does_not_know(touchmark: Command, wrong: list[str]) -> None:
    done = touchmark.run("doctor", *wrong)
    assert done.returncode == USAGE
    assert done.stdout == "" and done.stderr.count("\n") == 1
    assert wrong[-1] in done.stderr


PATHS = [
    "status",
    "diagnosis",
    "policy",
    "apis",
    "registrations",
    "certificates",
    "operators",
    "audit",
]
JUNK: list[Any] = [
    None,
    True,
    -1,
    1e300,
    "x\x1b[2J",
    [],
    [None, 1, "a", [], {}],
    {},
    {"a": {"b": 1}},
]


def test_survives_answers_that_are_not_the_protocol(place: Place) -> None:
    """Each member of each answer of the genuine service in turn, as something else."""
    place.serve()
    token = json.loads((place.admin.home / "profiles/default.json").read_text())["token"]
    genuine = place.admin.environment.copy()
    answers: dict[str, bytes] = {}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for path in [*PATHS, "config"]:
        connection = http.client.HTTPSConnection(
            "localhost", place.port, timeout=20, context=context
        )
        connection.request(
            "GET",
            f"/admin/v1/{path}?allow_local=1&limit=1",
            headers={"Authorization": f"Bearer {token}"},
        )
        answers[path] = connection.getresponse().read()
        connection.close()
    front = TlsServer(place.folder, new_key())
    place.servers.append(front)
    place.admin.environment = {
        **genuine,
        "TOUCHMARK_URL": f"https://localhost:{front.port}",
        "TOUCHMARK_TOKEN": token,
        "TOUCHMARK_PIN": pin_of(front.key),
    }
    changed: dict[str, bytes] = {}

    def answer(path: str, _token: str) -> bytes:
        name = path.split("?")[0].rsplit("/", 1)[1]
        return changed.get(name, answers.get(name, b"{}"))

    front.answer = answer
    tried = 0
    for path in PATHS:
        whole = json.loads(answers[path])
        for number, member in enumerate(whole):
            junk = JUNK[(number + len(path)) % len(JUNK)]
            changed = {path: json.dumps({**whole, member: junk}).encode()}
            done = place.doctor("--json")
            assert done.returncode in (0, NO), (path, member, junk, done.stderr)
            assert len(json.loads(done.stdout)["checks"]) > 20, (path, member, junk)
            tried += 1
    whole = json.loads(answers["diagnosis"])
    for number, member in enumerate(whole["process"]):
        process = {**whole["process"], member: JUNK[number % len(JUNK)]}
        changed = {"diagnosis": json.dumps({**whole, "process": process}).encode()}
        done = place.doctor("--json")
        assert done.returncode in (0, NO) and json.loads(done.stdout), (member, done.stderr)
        tried += 1
    assert tried > 40
    for body in (b"", b"[]", b"null", b"<html>"):
        changed = dict.fromkeys(PATHS, body)
        assert place.found()["service.reach"] == "fail", body
    changed = {"config": b"a.b.c"}
    assert place.found()["service.pins"] == "fail"


def test_the_manual_and_the_pages_have_each_check(place: Place) -> None:
    place.serve()
    ids = [row["id"] for row in json.loads(place.doctor("--json").stdout)["checks"]]
    section = (ROOT / "docs/operations.md").read_text("utf-8").split("? touchmark doctor\n")[1]
    table = section.split("\n## ")[0]
    documented = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert documented == ids
    help_text = place.admin.ok("doctor", "--help")
    listed = help_text.split("Checks:\n")[1].split("\n\n")[0].splitlines()
    shown = [line.split()[0] for line in listed]
    assert shown == ids
