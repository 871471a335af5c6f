"""Operators of the real service: who may do what, until when, and who the audit log says it was."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import sqlite3
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit import apk
from kit.command import CLEAN, Command
from kit.earlier import make_earlier, version_before
from kit.routes import ROLES, ROOT, documented_permissions, permissions, routes
from kit.service import BINARY, Service
from kit.terminal import Terminal

NO, USAGE, UNAUTHORIZED, NOT_FOUND, STORE = 1, 2, 5, 8, 9
WALLET = "com.example.wallet"
NEVER_SEEN = "AAAAAAAAAAAAAAAAAAAAAA=="


class Connection:
    """One connection to a service, kept open, as one of its operators."""

    def __init__(self, service: Service, token: str | None = None):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        host, port = service.listen.rsplit(":", 1)
        self.connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=context)
        self.head = {} if token is None else {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        self.connection.request(method, path, body, self.head)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def json(self, method: str, path: str, body: Any = None) -> Any:
        status, content = self.call(
            method, path, b"" if body is None else json.dumps(body).encode()
        )
        assert status < 300, content
        return json.loads(content)


@dataclass
class Staff:
    """A service with an operator of each role, and their tokens."""

    service: Service
    tokens: dict[str, str]
    folder: Path

    def command(self, role: str) -> Command:
        command = Command(self.folder / f"home-{role}")
        if not command.home.exists():
            pin = self.service.credentials()["pin"]
            command.ok("init", self.service.url, "--token-file", "-", "--pin", pin,
                       stdin=self.tokens[role])  # fmt: skip
        return command

    def add(self, name: str, role: str, *more: str) -> str:
        """Makes an operator; the token."""
        file = self.folder / f"{name}.json"
        self.command("admin").ok(
            "operator", "add", name, "--role", role, "--credentials-file", file, *more
        )
        token: str = json.loads(file.read_text())["token"]
        file.unlink()
        return token


def staff_of(service: Service, folder: Path) -> Staff:
    staff = Staff(service, {"admin": service.credentials()["admin_token"]}, folder)
    for role in ROLES[1:]:
        app = ["--app", WALLET] if role == "ci" else []
        staff.tokens[role] = staff.add(f"some-{role}", role, *app)
    return staff


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    folder = tmp_path_factory.mktemp("staff")
    service = Service(folder / "data").start()
    yield staff_of(service, folder)
    service.stop()


def package(path: Path, name: str, key: apk.SigningKey | None = None) -> Path:
    manifest = apk.compile_manifest(name, "An App")
    files = {"classes.dex": b"dex\n035\0" + os.urandom(100)}
    path.write_bytes(apk.build(manifest, key or apk.SigningKey.generate(), files))
    return path


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr
    assert "tmk_" not in done.stdout + done.stderr


# --- Who may do what ------------------------------------------------------------------------------


def asked(row: dict[str, str]) -> str:
    path = row["path"].replace("*", "00")
    return path + "?did=latest" if row["path"] == "/admin/v1/device" else path


def test_every_route_is_for_the_roles_that_the_documents_name(staff: Staff) -> None:
    documented = documented_permissions()
    names = permissions()
    connections = {role: Connection(staff.service, token) for role, token in staff.tokens.items()}
    nobody = Connection(staff.service)
    seen: set[str] = set()
    for row in routes():
        status, _ = nobody.call(row["method"], asked(row))
        if row["permission"] == "Public":
            assert status not in (401, 403), row
            continue
        assert status == 401, row
        assert row["permission"] in names, "a route without a permission"
        permission = names[row["permission"]][0]
        seen.add(permission)
        for role in ROLES:
            status, body = connections[role].call(row["method"], asked(row))
            assert status != 401, (row, role)
            assert (status != 403) == bool(documented[permission][role]), (row, role, body)
            if row["method"] == "GET":
                head, _ = connections[role].call("HEAD", asked(row))
                assert head == status, (row, role)
    # Of a token that opens doors, the body says it.
    for role, connection in connections.items():
        status, _ = connection.call("POST", "/admin/v1/token/example", b'{"valid":true}')
        assert (status == 200) == bool(documented["tokens.make-valid"][role]), role
        status, _ = connection.call("POST", "/admin/v1/token/example", b'{"valid":false}')
        assert (status == 200) == bool(documented["tokens.make-invalid"][role]), role
    assert seen | {"tokens.make-valid"} == set(documented)
    refusals = [e for e in staff.service.events() if e.get("event") == "admin.refused"]
    assert any("some-helpdesk" in e.get("detail", "") for e in refusals), "the log names them"


def test_a_build_machine_and_a_developer_open_no_door(staff: Staff) -> None:
    for role in ("developer", "ci"):
        command = staff.command(role)
        refused(command.run("token", "example"), UNAUTHORIZED, "admin", f"some-{role}")
        refused(command.run("token", "example", "--type", "valid"), UNAUTHORIZED, "admin")
        refused(command.run("device", "force-pass", NEVER_SEEN), UNAUTHORIZED, "helpdesk")
        refused(command.run("secret", "get"), UNAUTHORIZED, "admin")
        refused(command.run("operator", "list"), UNAUTHORIZED, "auditor")
    developer = staff.command("developer")
    token = developer.ok("token", "example", "--type", "invalid").strip()
    assert developer.run("token", "check", token).stdout.startswith("invalid: ")
    refused(developer.run("token", "example", "--invalid", "--type", "valid"), USAGE, "--invalid")
    assert developer.ok("token", "example", "--invalid")
    refused(developer.run("api", "remove", "a.example"), UNAUTHORIZED, "apis.change")
    admin = staff.command("admin")
    valid = admin.ok("token", "example", "--type", "valid").strip()
    assert admin.ok("token", "check", valid).startswith("valid: ")


def test_an_auditor_reads_everything_but_secrets(staff: Staff) -> None:
    auditor = staff.command("auditor")
    for line in (
        "status", "whoami", "registration list", "api list", "policy show", "device list",
        "operator list", "audit list",
    ):  # fmt: skip
        auditor.ok(*line.split())
    refused(auditor.run("secret", "get"), UNAUTHORIZED)
    refused(auditor.run("operator", "revoke", "some-ci"), UNAUTHORIZED)
    refused(auditor.run("device", "force-pass", NEVER_SEEN), UNAUTHORIZED)


def test_a_help_desk_forces_a_device_that_was_never_seen_and_everybody_sees_it(
    staff: Staff,
) -> None:
    helpdesk = staff.command("helpdesk")
    assert helpdesk.json("device", "list")["devices"] == []
    refused(helpdesk.run("device", "show", NEVER_SEEN), NOT_FOUND, "never seen")
    assert "will pass" in helpdesk.ok("device", "force-pass", NEVER_SEEN)
    (listed,) = staff.command("auditor").json("device", "list")["devices"]
    assert listed["did"] == NEVER_SEEN
    assert (listed["force"], listed["forced_by"]) == ("pass", "some-helpdesk")
    assert listed["last_seen"] is None and listed["passed"] is None
    shown = helpdesk.ok("device", "list")
    assert re.search(rf"{NEVER_SEEN}\s+never\s+pass", shown)
    shown = helpdesk.ok("device", "show", NEVER_SEEN)
    assert re.search(r"seen +never\n", shown)
    assert re.search(r"forced +pass, by some-helpdesk at 20", shown)
    assert helpdesk.json("device", "show", NEVER_SEEN)["appraisal"] is None
    # Under any limit, since it is what an operator said.
    assert len(helpdesk.json("device", "list", "--limit", "1")["devices"]) == 1
    entry = staff.command("auditor").json("audit", "list", "--limit", "1")["entries"][0]
    assert entry["actor"] == "some-helpdesk" and entry["action"] == "device.force"
    helpdesk.ok("device", "clear", NEVER_SEEN)
    assert helpdesk.json("device", "list")["devices"] == []
    code = base64.b32encode(bytes([1, 1, 30, 32])).decode().rstrip("=")
    explained = helpdesk.ok("arc", "explain", code)
    assert "now: reject" in explained, "with what the policy makes of it"


def test_whoami(staff: Staff) -> None:
    for role in ROLES:
        command = staff.command(role)
        who = command.json("whoami")
        assert who == command.json("operator", "whoami")
        name = "admin" if role == "admin" else f"some-{role}"
        assert (who["name"], who["role"]) == (name, role)
        assert who["apps"] == ([WALLET] if role == "ci" else [])
        assert who["url"] == staff.service.url and who["profile"] == "default"
        assert set(who["permissions"]) == {
            permission for permission, cells in documented_permissions().items() if cells[role]
        }
        assert "token" not in who
        shown = command.ok("whoami")
        assert re.search(rf"^name +{name}$", shown, re.MULTILINE)
        assert re.search(r"^expires +never$", shown, re.MULTILINE)
    refused(Command(staff.folder / "nobody").run("whoami"), 3)


# --- A build machine ------------------------------------------------------------------------------


def test_a_build_machine_registers_its_app_and_no_other(staff: Staff, tmp_path: Path) -> None:
    ci, admin = staff.command("ci"), staff.command("admin")
    added = ci.json("registration", "add", package(tmp_path / "a.apk", WALLET))
    assert added["package"] == WALLET
    others = [
        package(tmp_path / f"{number}.apk", name)
        for number, name in enumerate(
            ["com.example.other", WALLET + ".debug", "com.example", "com.example.Wallet"]
        )
    ]
    # What a file is called says nothing of what is in it.
    (tmp_path / "wallets").mkdir()
    others.append(package(tmp_path / "wallets" / f"{WALLET}.apk", "com.example.evil"))
    before = admin.json("registration", "list")["registrations"]
    for other in others:
        refused(ci.run("registration", "add", other), UNAUTHORIZED, WALLET, "some-ci")
    # The command here measures first; the service looks for itself.
    connection = Connection(staff.service, staff.tokens["ci"])
    for other in others:
        status, body = connection.call("POST", "/admin/v1/registrations", other.read_bytes())
        assert status == 403, body
        assert json.loads(body)["type"] == "urn:touchmark:error:http.forbidden"
    assert admin.json("registration", "list")["registrations"] == before
    # It sees its own alone.
    hidden = admin.json("registration", "add", others[0])
    listed = ci.json("registration", "list")["registrations"]
    assert [(r["package"], r["created_by"]) for r in listed] == [(WALLET, "some-ci")]
    assert connection.call("GET", f"/admin/v1/registrations/{added['id']}")[0] == 200
    status, body = connection.call("GET", f"/admin/v1/registrations/{hidden['id']}")
    assert status == 404 and b"com.example.other" not in body
    refused(ci.run("registration", "remove", added["id"]), UNAUTHORIZED)
    refused(ci.run("registration", "expire", added["id"], "--never"), UNAUTHORIZED)
    ci.ok("sdk", "config", tmp_path / "touchmark-initial.config", "--allow-local")
    ci.ok("sdk", "library", tmp_path / "sdk.aar")
    refused(ci.run("status"), UNAUTHORIZED)
    for registration in (added, hidden):
        admin.ok("registration", "remove", registration["id"])


def test_a_build_machine_sees_the_certificates_of_its_app_alone(staff: Staff) -> None:
    admin = Connection(staff.service, staff.tokens["admin"])
    der = apk.SigningKey.generate().certificate
    ids = [
        admin.json(
            "POST",
            "/admin/v1/certificates",
            {"certificate": base64.b64encode(der).decode(), **({"package": p} if p else {})},
        )["id"]
        for p in (WALLET, "com.example.other", None)
    ]
    ci = Connection(staff.service, staff.tokens["ci"])
    listed = ci.json("GET", "/admin/v1/certificates")["certificates"]
    assert [certificate["id"] for certificate in listed] == ids[:1]
    for one in ids:
        assert admin.call("DELETE", f"/admin/v1/certificates/{one}")[0] == 204


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_token_goes_to_a_person_or_into_a_file_of_theirs(staff: Staff, tmp_path: Path) -> None:
    admin = staff.command("admin")
    for json_too in ([], ["--json"]):
        done = admin.run("operator", "add", "piped", "--role", "auditor", *json_too)
        refused(done, USAGE, "--credentials-file")
    file = tmp_path / "ann.json"
    done = admin.run(
        "operator", "add", "ann", "--role", "auditor", "--expire-after", "90d",
        "--credentials-file", file, "--json", umask=0,
    )  # fmt: skip
    assert done.returncode == 0 and "tmk_" not in done.stdout + done.stderr
    made = json.loads(done.stdout)
    assert (made["name"], made["role"]) == ("ann", "auditor")
    assert made["expires"] == made["created"] + 90 * 86400
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # It names all that init needs.
    ann = Command(tmp_path / "ann-home")
    ann.ok("init", staff.service.url, "--credentials", file)
    assert ann.json("whoami")["name"] == "ann"
    refused(
        admin.run("operator", "add", "b", "--role", "auditor", "--credentials-file", file), USAGE,
        str(file),
    )  # fmt: skip
    names = [operator["name"] for operator in admin.json("operator", "list")["operators"]]
    assert "piped" not in names and "b" not in names
    # A person sees it.
    terminal = Terminal(admin.home, "operator", "add", "carol", "--role", "helpdesk")
    assert terminal.end() == 0
    token = re.search(r"tmk_helpdesk_[A-Za-z0-9_-]{43}", terminal.shown)
    assert token
    assert Connection(staff.service, token[0]).json("GET", "/admin/v1/whoami")["name"] == "carol"
    database = sqlite3.connect(f"file:{staff.service.data / 'touchmark.db'}?mode=ro", uri=True)
    ((stored,),) = database.execute("SELECT sha256 FROM operator_token WHERE name = 'carol'")
    database.close()
    assert stored == hashlib.sha256(token[0].encode()).digest()
    log = staff.service.log.read_text()
    assert '"operator.add"' in log and "tmk_" not in log
    for name in ("ann", "carol"):
        assert admin.ok("operator", "revoke", name) == f"{name} is no operator any longer\n"


def test_operators_are_listed(staff: Staff) -> None:
    admin = staff.command("admin")
    shown = admin.ok("operator", "list")
    assert shown.splitlines()[0].split() == ["NAME", "ROLE", "APPS", "ADDED", "BY", "EXPIRES"]
    assert re.search(
        rf"^some-ci +ci +{WALLET} +20.*[+-]\d\d:\d\d +admin +never$", shown, re.MULTILINE
    )
    listed = {o["name"]: o for o in admin.json("operator", "list")["operators"]}
    assert set(listed) >= {"admin", "developer", *(f"some-{role}" for role in ROLES[1:])}
    assert listed["admin"]["created_by"] == "touchmark serve"
    assert not any("token" in operator or "sha256" in operator for operator in listed.values())


def test_wrong_operators_are_refused_and_leave_nothing(staff: Staff, tmp_path: Path) -> None:
    admin = staff.command("admin")
    before = admin.json("operator", "list")
    file = tmp_path / "new.json"

    def add(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = admin.run("operator", "add", *arguments, "--credentials-file", file)
        assert not file.exists()
        return done

    refused(add("x"), USAGE, "--role")
    refused(add("x", "--role", "root"), USAGE)
    refused(add("x", "--role", "ci"), USAGE, "package")
    refused(add("x", "--role", "auditor", "--app", WALLET), USAGE, "ci")
    refused(add("x", "--role", "ci", "--app", "com.*"), USAGE, "com.example.app")
    for name in ("two words", "-x", "a/b", "\x1b[2J", "a" * 65, "touchmark", "Touchmark-x", "ä"):
        refused(add("--role", "auditor", "--", name), USAGE)
    refused(add("some-ci", "--role", "auditor"), NO, "operator revoke some-ci")
    refused(add("SOME-CI", "--role", "auditor"), NO, "some-ci")
    for expiry in ("0s", "soon", "-1d"):
        refused(add("x", "--role", "auditor", f"--expire-after={expiry}"), USAGE)
    refused(admin.run("operator", "revoke", "nobody"), NOT_FOUND, "nobody")
    assert admin.json("operator", "list") == before


def test_a_token_ends_when_its_time_is_over(staff: Staff) -> None:
    token = staff.add("short", "auditor", "--expire-after", "2s")
    began = time.time()
    connection = Connection(staff.service, token)
    assert connection.call("GET", "/admin/v1/whoami")[0] == 200
    while time.time() < began + 10:
        status, body = connection.call("GET", "/admin/v1/whoami")
        if status == 401:
            break
        time.sleep(0.1)
    assert status == 401, "on a connection that was open all the while"
    assert time.time() >= began + 1
    assert b"short" in body and b"expired" in body
    admin = staff.command("admin")
    assert "(expired)" in admin.ok("operator", "list")
    late = Command(staff.folder / "late")
    late.environment = {
        "TOUCHMARK_URL": staff.service.url,
        "TOUCHMARK_TOKEN": token,
        "TOUCHMARK_PIN": staff.service.credentials()["pin"],
    }
    refused(late.run("registration", "list"), UNAUTHORIZED, "expired", "operator add")
    # Its name is free again.
    staff.add("short", "auditor")
    assert connection.call("GET", "/admin/v1/whoami")[0] == 401
    admin.ok("operator", "revoke", "short")


def test_a_token_that_is_revoked_ends_at_once(staff: Staff) -> None:
    connection = Connection(staff.service, staff.add("leaver", "admin"))
    assert connection.call("GET", "/admin/v1/secret")[0] == 200
    staff.command("admin").ok("operator", "revoke", "leaver")
    assert connection.call("GET", "/admin/v1/secret")[0] == 401
    assert Connection(staff.service, "tmk_admin_x").call("GET", "/admin/v1/status")[0] == 401


def test_the_audit_log_names_the_person(staff: Staff) -> None:
    token = staff.add("dora@example.com", "developer")
    pin = staff.service.credentials()["pin"]
    dora = Command(staff.folder / "dora")
    dora.ok("init", staff.service.url, "--token-file", "-", "--pin", pin, stdin=token)
    app = package(staff.folder / "dora.apk", "com.example.dora")
    added = dora.json("registration", "add", app)
    dora.ok("registration", "remove", added["id"])
    staff.command("admin").ok("operator", "revoke", "dora@example.com")
    entries = staff.command("auditor").json("audit", "list", "--limit", "4")["entries"]
    assert [(e["actor"], e["action"]) for e in entries] == [
        ("admin", "operator.revoke"),
        ("dora@example.com", "registration.remove"),
        ("dora@example.com", "registration.add"),
        ("admin", "operator.add"),
    ]
    assert entries[3]["detail"] == "dora@example.com, role developer"


# --- The last admin, and the way back in ----------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Staff]:
    """The same with a service that a test may do anything to."""
    service = Service(tmp_path / "data").start()
    yield staff_of(service, tmp_path)
    service.stop()


def test_the_last_admin_stays(own: Staff) -> None:
    admin = own.command("admin")
    ways_out = ("operator add NAME --role admin", "reset-operator")
    refused(admin.run("operator", "revoke", "admin"), NO, *ways_out)
    own.add("passing", "admin", "--expire-after", "1h")
    refused(admin.run("operator", "revoke", "admin"), NO, "does not expire", *ways_out)
    second = Connection(own.service, own.add("second", "admin"))
    admin.ok("operator", "revoke", "admin")
    assert admin.run("operator", "list").returncode == UNAUTHORIZED
    assert second.call("DELETE", "/admin/v1/operators/second")[0] == 409
    assert second.call("DELETE", "/admin/v1/operators/passing")[0] == 204
    assert second.call("DELETE", "/admin/v1/operators/developer")[0] == 204


def reset(data: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BINARY, "serve", "reset-operator", "--data", data, *arguments],
        env=CLEAN, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_lost_admin_comes_back_with_the_data_folder(own: Staff, tmp_path: Path) -> None:
    service = own.service
    stolen = own.add("second", "admin")
    refused(reset(service.data), STORE, "in use")
    assert Connection(service, stolen).call("GET", "/admin/v1/secret")[0] == 200
    service.stop()
    file = tmp_path / "way-back.json"
    done = reset(service.data, "--credentials-file", file)
    assert done.returncode == 0, done.stderr
    assert "tmk_" not in done.stdout + done.stderr and str(file) in done.stdout
    assert "admin second" in done.stdout, "it says whose tokens ended"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    refused(reset(service.data, "--credentials-file", file), USAGE, str(file))
    service.start()
    back = Command(tmp_path / "back")
    back.ok("init", service.url, "--credentials", file, "--pin", service.credentials()["pin"])
    assert back.json("whoami")["name"] == "admin"
    for token in (stolen, own.tokens["admin"]):
        assert Connection(service, token).call("GET", "/admin/v1/whoami")[0] == 401
    for role in ROLES[1:]:
        who = Connection(service, own.tokens[role]).json("GET", "/admin/v1/whoami")
        assert who["role"] == role, "theirs were not lost"
    audit = back.json("audit", "list")
    assert audit["intact"] is True
    assert audit["entries"][0]["action"] == "operator.reset"
    assert audit["entries"][0]["actor"] == "touchmark serve reset-operator"
    assert audit["entries"][0]["detail"] == "admin, role admin; ended: admin, second"
    events = [event["event"] for event in service.events()]
    assert events.count("first_start") == 1, "a reset is no first start"


def test_one_admin_comes_back_without_the_others(own: Staff, tmp_path: Path) -> None:
    lost = own.add("ann", "admin")
    own.service.stop()
    refused(reset(own.service.data, "developer"), USAGE, "developer")
    refused(reset(own.service.data, "two words"), USAGE)
    terminal = Terminal(tmp_path, "serve", "reset-operator", "ann", "--data", str(own.service.data))
    assert terminal.end() == 0
    token = re.search(r"tmk_admin_[A-Za-z0-9_-]{43}", terminal.shown)
    assert token
    own.service.start()
    assert Connection(own.service, lost).call("GET", "/admin/v1/whoami")[0] == 401
    assert Connection(own.service, token[0]).json("GET", "/admin/v1/whoami")["name"] == "ann"
    assert Connection(own.service, own.tokens["admin"]).call("GET", "/admin/v1/secret")[0] == 200


def test_a_reset_answers_with_json(own: Staff, tmp_path: Path) -> None:
    def error(done: subprocess.CompletedProcess[str], status: int) -> dict[str, str]:
        assert (done.returncode, done.stdout) == (status, "")
        answer = json.loads(done.stderr)
        assert answer["exit_code"] == status
        assert answer["error"]["message"] and answer["error"]["hint"]
        found: dict[str, str] = answer["error"]
        return found

    own.add("ann", "admin")
    data = own.service.data
    assert "in use" in error(reset(data, "--json"), STORE)["message"]
    own.service.stop()
    assert error(reset(data, "two words", "--json"), USAGE)
    assert "log-level" in error(reset(data, "--json", "--log-level", "loud"), USAGE)["message"]
    terminal = Terminal(tmp_path, "serve", "reset-operator", "ann", "--json", "--data", str(data))
    assert terminal.end() == 0
    shown = json.loads(terminal.shown)
    assert (shown["name"], shown["file"]) == ("ann", None)
    assert shown["token"].startswith("tmk_admin_")
    file = tmp_path / "new.json"
    done = reset(data, "--json", "--credentials-file", file)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    token = json.loads(file.read_text())["token"]
    assert token not in done.stdout, "a token goes to a terminal or into its file"
    assert {name: answer[name] for name in ("name", "role", "token", "file")} == {
        "name": "admin", "role": "admin", "token": None, "file": str(file)
    }  # fmt: skip
    assert "admin" in answer["ended"]
    assert error(reset(data, "--json", "--credentials-file", file), USAGE)


def test_a_reset_needs_a_data_folder_and_its_key(own: Staff, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    refused(reset(absent), STORE, str(absent), "--data")
    assert not absent.exists()
    (tmp_path / "mine").mkdir()
    refused(reset(tmp_path / "mine"), STORE, "touchmark.db")
    assert list((tmp_path / "mine").iterdir()) == []
    own.service.stop()
    key = own.service.data / "master.key"
    key.rename(tmp_path / "master.key")
    refused(reset(own.service.data), STORE, "master.key")
    done = reset(own.service.data, "--master-key", tmp_path / "master.key")
    assert done.returncode == 0, done.stderr
    file = own.service.data / "operator-tokens.json"
    assert json.loads(file.read_text())["role"] == "admin"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_older_spelling_says_that_it_is_one(own: Staff) -> None:
    service = own.service
    service.stop()
    before = service.credentials()
    service.credentials_file.unlink()
    seen = service.log.stat().st_size
    service.options.append("--reset-operator-tokens")
    service.start()
    service.options.clear()
    after = service.credentials()
    log = service.log.read_bytes()[seen:].decode()
    assert "touchmark serve reset-operator" in log
    events = {event["event"]: event for event in service.events(seen)}
    assert "first_start" not in events
    assert events["operators.reset"]["ended"] == ["admin"]
    for name in ("admin_token", "developer_token"):
        assert Connection(service, before[name]).call("GET", "/admin/v1/whoami")[0] == 401
        assert Connection(service, after[name]).call("GET", "/admin/v1/whoami")[0] == 200
    assert Connection(service, own.tokens["helpdesk"]).call("GET", "/admin/v1/whoami")[0] == 200
    audit = Connection(service, after["admin_token"]).json("GET", "/admin/v1/audit")
    assert "operator.reset" in [entry["action"] for entry in audit["entries"]]


def test_serve_still_says_what_is_wrong_with_its_own_options(tmp_path: Path) -> None:
    def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BINARY, "serve", "--data", tmp_path / "data", *arguments],
            env=CLEAN, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    refused(serve("--threads", "many"), USAGE, "--threads")
    refused(serve("--thread", "1"), USAGE, "did you mean '--threads'?")
    refused(serve("reset-operators"), USAGE, "did you mean 'reset-operator'?")
    refused(serve("reset-operator", "a", "b"), USAGE, "unexpected argument 'b'")
    assert not (tmp_path / "data").exists()


# --- Before there were names ----------------------------------------------------------------------


def test_a_data_folder_of_before_goes_on(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    credentials = service.credentials()
    old = Command(tmp_path / "old-home")
    old.init(service, "developer")
    old.ok("registration", "add", package(tmp_path / "old.apk", "com.example.old"))
    service.stop()
    make_earlier(service.data, version_before("ALTER TABLE operator_token ADD COLUMN"))
    columns = sqlite3.connect(service.data / "touchmark.db").execute(
        "PRAGMA table_info(operator_token)"
    )
    assert [row[1] for row in columns] == ["name", "role", "sha256"]

    service.start()
    try:
        admin = Connection(service, credentials["admin_token"])
        developer = Connection(service, credentials["developer_token"])
        listed = {o["name"]: o for o in admin.json("GET", "/admin/v1/operators")["operators"]}
        assert set(listed) == {"admin", "developer"}
        for operator in listed.values():
            assert operator["expires"] is None and operator["created_by"] == "touchmark serve"
            assert abs(operator["created"] - time.time()) < 600, "as the audit log says"
        assert admin.json("GET", "/admin/v1/whoami")["role"] == "admin"
        assert developer.json("GET", "/admin/v1/whoami")["role"] == "developer"
        assert [e["event"] for e in service.events()].count("first_start") == 1
        # The developer's token does what it did, except what opens doors.
        assert developer.call("GET", "/admin/v1/registrations")[0] == 200
        assert developer.call("POST", "/admin/v1/token/example", b'{"valid":true}')[0] == 403
        assert developer.call("POST", "/admin/v1/token/example", b'{"valid":false}')[0] == 200
        force = json.dumps({"did": NEVER_SEEN, "force": "pass"}).encode()
        assert developer.call("PUT", "/admin/v1/device", force)[0] == 403
        audit = admin.json("GET", "/admin/v1/audit")
        assert audit["intact"] is True
        actors = {(e["actor"], e["action"]) for e in audit["entries"]}
        assert ("developer", "registration.add") in actors
        assert ("touchmark serve", "operator-token.make") in actors
        # Names go on from there.
        made = admin.json("POST", "/admin/v1/operators", {"name": "ann", "role": "helpdesk"})
        assert Connection(service, made["token"]).call("PUT", "/admin/v1/device", force)[0] == 200
        assert admin.call("DELETE", "/admin/v1/operators/admin")[0] == 409
        assert admin.call("DELETE", "/admin/v1/operators/developer")[0] == 204
        assert developer.call("GET", "/admin/v1/status")[0] == 401
    finally:
        service.stop()


# --- Tokens, secrets and the shell's history ------------------------------------------------------


def test_the_first_admin_types_no_token_into_a_command(tmp_path: Path) -> None:
    server = Terminal(tmp_path, "serve", "--data", str(tmp_path / "data"), "--revocation", "off",
                      "--listen", "127.0.0.1:0")  # fmt: skip
    try:
        server.until("listening")
        shown = server.shown.replace("\r", "")
        lines = re.findall(r"^ *touchmark init (.*)$", shown, re.MULTILINE)
        assert len(lines) == 1 and "tmk_" not in lines[0]
        token = re.search(r"admin +(tmk_admin_\S+)", shown)
        assert token
        home = tmp_path / "home"
        person = Terminal(home, "init", *lines[0].split())
        person.until("operator token:")
        time.sleep(0.2)  # until the echo is off
        person.type(token[1] + "\n")
        assert person.end() == 0
        assert token[1] not in person.shown
        assert Command(home).json("whoami")["role"] == "admin"
    finally:
        assert server.terminate() == 0
    help_text = Command(tmp_path).ok("--help") + Command(tmp_path).ok("init", "--help")
    assert not re.search(r"touchmark init \S+ --token [^-]", help_text)
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "demo/README.md"):
        assert not re.search(r"touchmark init[^\n]*--token (?!-)", page.read_text()), page


def test_a_new_pin_keeps_the_token(staff: Staff, tmp_path: Path) -> None:
    command = Command(tmp_path / "home")
    pin = staff.service.credentials()["pin"]
    token_file = tmp_path / "token"
    token_file.write_text(staff.tokens["auditor"] + "\n")
    command.ok("init", staff.service.url, "--token-file", token_file, "--pin", pin)
    other = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    refused(command.run("init", staff.service.url, "--pin", other), 4)
    assert command.json("whoami")["name"] == "some-auditor", "what does not work is not stored"
    profile = command.home / "profiles/default.json"
    stored = json.loads(profile.read_text())
    profile.write_text(json.dumps({**stored, "pins": [other]}))  # the service's key was changed
    refused(command.run("whoami"), 4)
    command.ok("init", staff.service.url, "--pin", pin)
    assert command.json("whoami")["name"] == "some-auditor"
    # Without a word about trust, nothing is reused in silence.
    refused(command.run("init", staff.service.url), USAGE, "--token-file")


def test_secrets_in_files_are_their_owners(staff: Staff, tmp_path: Path) -> None:
    admin = staff.command("admin")
    secret = admin.ok("secret", "get").strip()
    for format_, content in (
        ("base64", secret + "\n"),
        ("env", f"TOUCHMARK_SECRET={secret}\n"),
        ("json", None),
    ):
        file = tmp_path / f"secret.{format_}"
        file.write_text("older")
        file.chmod(0o644)
        done = admin.run("secret", "get", "--format", format_, "--output", file, umask=0)
        assert done.returncode == 0 and secret not in done.stdout + done.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert content is None or file.read_text() == content
        token = admin.ok("token", "example").strip()
        assert admin.ok("token", "check", token, "--secret-file", file).startswith("valid: ")
    assert json.loads((tmp_path / "secret.json").read_text())["secret"] == secret
    assert admin.json("secret", "get", "--output", tmp_path / "x") == {"file": str(tmp_path / "x")}
    assert " > " not in admin.ok("secret", "get", "--help")
    refused(staff.command("developer").run("secret", "get", "--output", tmp_path / "no"), 5)
    assert not (tmp_path / "no").exists()


def test_help_completion_and_manual_know_operators(nobody: Command, tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = nobody.ok("completion", shell)
        for word in ("operator", "whoami", "revoke", "expire-after", "reset-operator"):
            assert word in script
    usage = nobody.ok("serve", "reset-operator", "--help")
    assert "Usage: touchmark serve reset-operator [NAME] [OPTIONS]" in usage
    assert "--data" in usage and "--master-key" in usage
    nobody.ok("man", "--to", tmp_path)
    page = (tmp_path / "touchmark-operator.1").read_text()
    assert "\\-\\-expire\\-after DURATION" in page and "auditor" in page
    assert "reset\\-operator" in (tmp_path / "touchmark-serve.1").read_text()
