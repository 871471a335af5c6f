"""The everyday commands against a real service."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kit.certificate import pem, pin_of, self_signed
from kit.command import Command
from kit.service import Service


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[str, ec.EllipticCurvePrivateKey]]:
    """A TLS server on loopback that only shakes hands; gives its domain and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "server.pem").write_bytes(pem(key) + self_signed(key, "localhost"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"localhost:{listener.getsockname()[1]}", key
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture(autouse=True)
def no_apis_left(touchmark: Command) -> Iterator[None]:
    yield
    for api in touchmark.json("api", "list")["apis"]:
        touchmark.ok("api", "remove", api["domain"])


def test_registration_list_and_remove(
    touchmark: Command, not_registered: None, developer: Command, release: Path
) -> None:
    added = developer.json("registration", "add", release, "--expire-after", "1h")
    listed = {r["id"]: r for r in touchmark.json("registration", "list")["registrations"]}
    registration = listed[added["id"]]
    assert registration["created_by"] == "developer"
    assert registration["expires"] == registration["created"] + 3600
    assert registration["expired"] is False

    shown = touchmark.ok("registration", "list")
    heading = ["ID", "APP", "RELEASE", "DIGEST", "PLATFORM", "FORM", "ADDED", "BY", "EXPIRES"]
    assert shown.splitlines()[0].split() == heading
    assert "com.example.currencyconverterdemo-1.0[1]" in shown

    assert touchmark.ok("registration", "remove", added["id"]) == f"removed {added['id']}\n"
    left = touchmark.json("registration", "list")["registrations"]
    assert added["id"] not in [r["id"] for r in left]


def test_api_add_reads_the_live_certificate(
    touchmark: Command, tls_server: tuple[str, ec.EllipticCurvePrivateKey]
) -> None:
    domain, key = tls_server
    done = touchmark.run("api", "add", domain)
    assert done.returncode == 0, done.stderr
    assert "CN" in done.stderr and "localhost" in done.stderr
    assert "no backup pin" in done.stderr
    assert f"pin {pin_of(key)}" in done.stdout
    assert touchmark.json("api", "list")["apis"] == [{"domain": domain, "pins": [pin_of(key)]}]


def test_api_add_of_a_server_that_is_not_there(touchmark: Command) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        domain = f"127.0.0.1:{free.getsockname()[1]}"
    done = touchmark.run("api", "add", domain)
    assert done.returncode == 4
    assert done.stderr.startswith(f"touchmark: cannot read the certificate of {domain}: ")
    assert "--from-file" in done.stderr
    assert touchmark.json("api", "list")["apis"] == []


def test_api_add_from_files(touchmark: Command, tmp_path: Path) -> None:
    leaf = rsa.generate_private_key(65537, 2048)
    issuer = ec.generate_private_key(ec.SECP384R1())
    spare = ec.generate_private_key(ec.SECP256R1())
    chain = tmp_path / "chain.pem"
    chain.write_bytes(self_signed(leaf, "api.example.com") + self_signed(issuer, "ca"))
    (tmp_path / "spare.key").write_bytes(pem(spare))
    done = touchmark.run(
        "api", "add", "api.example.com", "--from-file", chain, "--from-file", tmp_path / "spare.key"
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert touchmark.json("api", "list")["apis"] == [
        {"domain": "api.example.com", "pins": [pin_of(leaf), pin_of(spare)]}
    ]


@pytest.mark.parametrize("verb", ["check", "-check"])
def test_api_check_compares_pins_with_what_the_server_shows(
    touchmark: Command, tls_server: tuple[str, ec.EllipticCurvePrivateKey], verb: str
) -> None:
    domain, key = tls_server
    spare, other = (pin_of(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))
    touchmark.ok("api", "add", domain, "--backup-pin", spare)
    for arguments in ([], [domain]):
        shown = touchmark.ok("api", verb, *arguments)
        assert "ok    api.pins" in shown
        assert "0 fail" in shown.splitlines()[-1]
    answer = touchmark.json("api", verb, domain)
    (api,) = answer["apis"]
    assert (api["domain"], api["pins"], api["problem"]) == (domain, [pin_of(key), spare], None)
    assert api["shown"]["pin"] == pin_of(key)
    assert api["shown"]["certificate_end_rfc3339"].endswith("Z")
    assert {row["id"] for row in answer["checks"]} == {"api.answer", "api.pins", "api.certificate"}

    # Apps pin other keys than the server shows.
    touchmark.ok("api", "add", domain, "--pin", other, "--backup-pin", spare, "--yes")
    done = touchmark.run("api", verb, domain)
    assert done.returncode == 1
    assert pin_of(key) in done.stdout and "do not pin" in done.stdout
    done = touchmark.run("api", verb, domain, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "fail"
    # Only the one that was asked for counts.
    touchmark.ok("api", "add", "silent.invalid", "--pin", other, "--backup-pin", spare)
    done = touchmark.run("api", verb, "silent.invalid", "--resolve", "silent.invalid=127.0.0.1")
    assert done.returncode == 1
    assert "fail  api.answer" in done.stdout and domain not in done.stdout
    done = touchmark.run("api", verb, "nowhere.example.com")
    assert done.returncode == 8
    assert "touchmark api list" in done.stderr and done.stderr.count("\n") == 1
    for wrong in ("https://", "a b"):
        assert touchmark.run("api", verb, wrong).returncode == 2


def test_api_check_warns_of_one_key_alone(
    touchmark: Command, tls_server: tuple[str, ec.EllipticCurvePrivateKey]
) -> None:
    assert "no API is protected" in touchmark.ok("api", "check")
    domain, _ = tls_server
    touchmark.ok("api", "add", domain)
    assert "warn  api.pins" in touchmark.ok("api", "check")
    assert touchmark.run("api", "check", "--strict").returncode == 1
    assert touchmark.run("api", "check", "--resolve", "x").returncode == 2


def test_api_changes_make_a_new_configuration(touchmark: Command) -> None:
    pin = pin_of(ec.generate_private_key(ec.SECP256R1()))
    before = touchmark.json("status")["config_version"]
    answer = touchmark.json("api", "add", "a.example", "--pin", pin)
    assert answer["config_version"] > before
    assert touchmark.ok("api", "remove", "A.Example") == "removed a.example\n"
    assert touchmark.json("status")["config_version"] > answer["config_version"]


def test_status_policy_audit(touchmark: Command, developer: Command, service: Service) -> None:
    status = touchmark.json("status")
    assert status["role"] == "admin"
    assert developer.json("status")["role"] == "developer"
    shown = dict(line.split(None, 1) for line in touchmark.ok("status").splitlines())
    assert shown["version"] == status["version"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", shown["first_start"])
    assert shown["address"].startswith("https://")
    assert shown["public_urls"].startswith("https://")
    assert shown["profile"] == "default"
    assert "android=tee" in shown["assurance"]
    assert int(shown["policy_revision"]) == touchmark.json("policy", "show")["revision"]
    assert re.match(r"\d{4}-", shown["certificate_end"])
    assert status["certificate_end"] > status["time"]
    assert touchmark.json("policy", "show")["settings"]["channel_binding"] == "tls"
    pin = pin_of(ec.generate_private_key(ec.SECP256R1()))
    touchmark.ok("api", "add", "audited.example", "--pin", pin)
    audit = touchmark.ok("audit", "list", "--limit", "5")
    assert audit.splitlines()[0].split() == ["TIME", "WHO", "WHAT", "DETAIL"]
    assert "audited.example" in audit
    assert len(touchmark.json("audit", "list", "--limit", "2")["entries"]) == 2


def test_token_inspect_needs_no_service(nobody: Command) -> None:
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJkaWQiOiJWcGJ2YUh1Rnp0eGhzeDQ3Mlc0VmdnPT0iLCJleHAiOjE1"
        "Njg3MTk0MjYsImlwIjoiODAuMjI5LjExMy4yMjAifQ.xS-iNbfVlveTiZ_H8E2ZT2GF8suKvziauUoD79pYpoM"
    )
    shown = nobody.ok("token", "inspect", "-", stdin=token + "\n").splitlines()
    assert shown[0] == 'header {"alg":"HS256","typ":"JWT"}'
    assert (
        shown[1]
        == 'claims {"did":"VpbvaHuFztxhsx472W4Vgg==","exp":1568719426,"ip":"80.229.113.220"}'
    )
    assert shown[2].startswith("exp    2019-09-17 11:23:46+00:00, ")
    assert nobody.json("token", "inspect", token)["claims"]["ip"] == "80.229.113.220"


def test_arc_explain(touchmark: Command, tmp_path: Path) -> None:
    code = base64.b32encode(bytes([1, 1, 30, 32])).decode().rstrip("=")
    without_service = Command(tmp_path / "elsewhere")
    shown = without_service.ok("arc", "explain", code.lower()).splitlines()
    assert [line.split(":")[0] for line in shown] == ["app.not-registered", "hook.text-modified"]
    assert [f["number"] for f in without_service.json("arc", "explain", code)["findings"]] == [
        1,
        30,
    ]
    # With one, also what the policy in force makes of them.
    shown = touchmark.ok("arc", "explain", code).splitlines()
    assert len(shown) == 6
    assert shown[1].startswith("  now: reject, by ")
    assert shown[2] == "  would pass: a registered release: `touchmark registration add`"
    assert [f["action"] for f in touchmark.json("arc", "explain", code)["findings"]] == [
        "reject"
    ] * 2


def test_profile_is_for_its_owner_only(touchmark: Command) -> None:
    profile = touchmark.home / "profiles/default.json"
    assert profile.stat().st_mode & 0o777 == 0o600
    assert profile.parent.stat().st_mode & 0o777 == 0o700


def test_profiles_and_environment(nobody: Command, service: Service) -> None:
    nobody.init(service, "admin", "--profile", "one")
    nobody.init(service, "developer", "--profile", "two")
    assert nobody.json("status", "--profile", "one")["role"] == "admin"
    nobody.environment["TOUCHMARK_PROFILE"] = "two"
    assert nobody.json("status")["role"] == "developer"
    nobody.environment["TOUCHMARK_TOKEN"] = service.credentials()["admin_token"]
    assert nobody.json("status")["role"] == "admin"


def test_init_takes_the_token_from_standard_input(nobody: Command, service: Service) -> None:
    credentials = service.credentials()
    shown = nobody.ok(
        "init", service.url, "--token", "-", "--pin", credentials["pin"],
        stdin=credentials["developer_token"] + "\n",
    )  # fmt: skip
    assert "role developer" in shown


def test_init_with_the_services_certificate_as_authority(
    nobody: Command, service: Service, tmp_path: Path
) -> None:
    certificate = subprocess.run(
        ["openssl", "s_client", "-connect", service.listen, "-servername", "localhost"],
        input="", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    begin = certificate.index("-----BEGIN CERTIFICATE-----")
    (tmp_path / "ca.pem").write_text(certificate[begin : certificate.index("-----END") + 26])
    token = service.credentials()["admin_token"]
    nobody.ok("init", service.url, "--token", token, "--ca", tmp_path / "ca.pem")
    (tmp_path / "ca.pem").unlink()  # the profile has its own copy
    assert nobody.json("status")["role"] == "admin"
