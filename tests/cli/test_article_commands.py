"""The commands of the article that Touchmark follows, letter for letter, and what they print."""

from __future__ import annotations

import base64
import datetime
import json
import re
import time
from pathlib import Path

import jwt
import pytest

from kit.command import Command
from kit.service import Service
from kit.soft_attester import App, SoftAttester, TlsConnection
from touchmark_attestation import TokenVerifier


def test_sdk_get_library(touchmark: Command, tmp_path: Path, service: Service) -> None:
    touchmark.ok("sdk", "-getLibrary", "touchmark_sdk.aar", cwd=tmp_path)
    served = service.data.parent / "sdk/touchmark_sdk.aar"
    assert (tmp_path / "touchmark_sdk.aar").read_bytes() == served.read_bytes()


def test_sdk_get_config(touchmark: Command, tmp_path: Path, service: Service) -> None:
    (tmp_path / "app/src/main/assets").mkdir(parents=True)
    touchmark.ok("sdk", "-getConfig", "app/src/main/assets/touchmark-initial.config", cwd=tmp_path)
    jws = (tmp_path / "app/src/main/assets/touchmark-initial.config").read_text()
    payload = json.loads(base64.urlsafe_b64decode(jws.split(".")[1] + "=="))
    assert payload["service"]["urls"]
    assert service.credentials()["pin"] in payload["service"]["pins"]


def test_registration_add_with_expiry(
    touchmark: Command, not_registered: None, release: Path
) -> None:
    before = int(time.time())
    shown = touchmark.ok("registration", "-add", release, "-expireAfter", "600s").splitlines()
    assert shown[0] == "registering app Currency Converter Demo"
    assert re.fullmatch(
        r"[A-Za-z0-9+/]{43}=com\.example\.currencyconverterdemo"
        r"-1\.0\[1\]-3 SDK:Android\(0\.1\.0\)",
        shown[1],
    )
    date = re.fullmatch(
        r"registration successful, expires (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d)",
        shown[2],
    )
    assert date
    expires = datetime.datetime.fromisoformat(date[1]).timestamp()
    assert before + 600 <= expires <= time.time() + 600
    assert len(shown) == 3


def test_registration_add_for_ever(touchmark: Command, not_registered: None, release: Path) -> None:
    assert (
        touchmark.ok("registration", "-add", release).splitlines()[2] == "registration successful"
    )


def test_modern_and_article_form_say_the_same(
    touchmark: Command, not_registered: None, release: Path
) -> None:
    touchmark.ok("registration", "-add", release)
    article = touchmark.ok("registration", "-add", release)
    assert touchmark.ok("registration", "add", release) == article


@pytest.fixture
def secret(touchmark: Command) -> bytes:
    return base64.b64decode(touchmark.ok("secret", "get"))


CLAIMS = {"did": "VpbvaHuFztxhsx472W4Vgg==", "exp": 1568719426, "ip": "80.229.113.220"}
SHOWN = '{"did":"VpbvaHuFztxhsx472W4Vgg==","exp":1568719426,"ip":"80.229.113.220"}'


def check(touchmark: Command, token: str, *options: str | Path) -> tuple[str, int]:
    done = touchmark.run("token", "-check", token, *options)
    assert done.stderr == ""
    return done.stdout, done.returncode


def test_token_check_valid(touchmark: Command) -> None:
    output, status = check(touchmark, touchmark.ok("token", "example").strip())
    assert re.fullmatch(r'valid: \{"did":"[^"]{22}==","exp":\d+,"ip":"[^"]+"\}\n', output)
    assert status == 0


def test_token_check_invalid_is_told_apart_from_forged(touchmark: Command) -> None:
    output, status = check(touchmark, touchmark.ok("token", "example", "--invalid").strip())
    assert re.fullmatch(r'invalid: \{"did":"[^"]{22}==","exp":\d+,"ip":"[^"]+"\}\n', output)
    assert status == 1
    forged = jwt.encode(CLAIMS, bytes(32), "HS256")
    assert check(touchmark, forged) == (f"forged: {SHOWN}\n", 1)


def test_token_check_expired(touchmark: Command, secret: bytes) -> None:
    token = jwt.encode(CLAIMS, secret, "HS256")
    assert check(touchmark, token) == (f"expired: {SHOWN}\n", 1)


def test_token_check_malformed(touchmark: Command) -> None:
    for token in ["x", "a.b.c", "eyJhbGciOiJIUzI1NiJ9..", "." * 300]:
        output, status = check(touchmark, token)
        assert output.startswith("malformed: ") and output.count("\n") == 1
        assert status == 1


@pytest.mark.filterwarnings("ignore:The HMAC key is 32 bytes")
def test_offline_check_agrees_with_the_service(
    touchmark: Command, secret: bytes, nobody: Command, tmp_path: Path
) -> None:
    for secret_format in ["base64", "env", "json"]:
        file = tmp_path / f"secret.{secret_format}"
        file.write_text(touchmark.ok("secret", "get", "--format", secret_format))
        for token in [
            touchmark.ok("token", "example").strip(),
            touchmark.ok("token", "example", "--invalid").strip(),
            jwt.encode(CLAIMS, bytes(32), "HS256"),
            jwt.encode(CLAIMS, secret, "HS256"),
            jwt.encode(CLAIMS, secret, "HS512"),
            jwt.encode({"did": "x"}, secret, "HS256"),
        ]:
            assert check(nobody, token, "--secret-file", file) == check(touchmark, token)


@pytest.mark.parametrize(
    ("expiry", "verdict"),
    [
        ("{soon}.5", "valid"),
        ("1e10", "valid"),
        ("{past}.5", "expired"),
        ("1e3", "expired"),
        ("-1", "malformed"),
        ("9007199254740992", "malformed"),
        ("18446744073709551615", "malformed"),
        ('"{soon}"', "malformed"),
        ("true", "malformed"),
        ("null", "malformed"),
        ("NaN", "malformed"),
        ('{soon},"exp":{past}', "malformed"),
    ],
)
def test_an_expiry_means_the_same_to_command_service_and_api_server(
    touchmark: Command, secret: bytes, nobody: Command, tmp_path: Path, expiry: str, verdict: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(base64.b64encode(secret).decode())
    now = int(time.time())
    text = expiry.format(soon=now + 300, past=now - 300)
    payload = f'{{"did":"x","exp":{text}}}'.encode()
    token = jwt.PyJWS().encode(payload, secret, "HS256")
    shown, status = check(touchmark, token)
    assert (shown.split(":")[0], status) == (verdict, 0 if verdict == "valid" else 1)
    assert check(nobody, token, "--secret-file", file) == (shown, status)
    assert TokenVerifier([secret]).check(token).status.value == verdict


def test_the_closed_services_own_words_work(
    touchmark: Command, tmp_path: Path, not_registered: None, secret: bytes, release: Path
) -> None:
    assert base64.b64decode(touchmark.ok("secret", "-get", "base64")) == secret
    for kind, verdict in (("valid", "valid"), ("invalid", "invalid")):
        token = touchmark.ok("token", "-genExample", "api.example.com", "-type", kind).strip()
        assert check(touchmark, token)[0].split(":")[0] == verdict
    token = touchmark.ok("token", "-type", "invalid", "-genExample", "api.example.com").strip()
    assert check(touchmark, token)[0].split(":")[0] == "invalid"
    assert "revision" in touchmark.ok("policy", "-getAll")
    assert touchmark.ok("policy", "-get") == touchmark.ok("policy", "show")
    assert touchmark.ok("device", "-list") == touchmark.ok("device", "list")
    device = "AAAAAAAAAAAAAAAAAAAAAA=="
    touchmark.ok("device", "-forcePass", device)
    touchmark.ok("device", "-remove", device)
    assert "admin" in touchmark.ok("whoami")
    touchmark.ok("api", "-add", "api.example.com", "-pin", base64.b64encode(bytes(32)).decode())
    assert "api.example.com" in touchmark.ok("api", "-list")
    touchmark.ok("api", "-remove", "api.example.com")
    (added,) = json.loads(touchmark.ok("appsigncert", "-add", release, "--json"))["certificates"]
    assert added["id"] in touchmark.ok("appsigncert", "-list")
    touchmark.ok("appsigncert", "-remove", added["id"])


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("policy -setRejectionPolicy default", "touchmark policy set"),
        ("device -add AAAA always-pass", "touchmark device force-pass"),
        ("secret -set x", "touchmark secret get"),
        ("--profile default role .", "touchmark whoami"),
        ("forcepass -add x", "touchmark device force-pass"),
    ],
)
def test_what_the_closed_service_alone_has_is_said(
    touchmark: Command, line: str, word: str
) -> None:
    done = touchmark.run(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr and done.stderr.count("\n") == 1
    done = touchmark.run(*line.split(), "--json")
    assert word in json.loads(done.stderr)["error"]["message"]


def test_token_of_a_failed_attestation(touchmark: Command, service: Service, release: Path) -> None:
    """The article's story: the app is not registered, its token looks good and is not."""
    for registration in touchmark.json("registration", "list")["registrations"]:
        touchmark.ok("registration", "remove", registration["id"])
    app = App.of(release, touchmark.json("package", "measure", release))
    connection = TlsConnection(service.url)
    answer = SoftAttester(connection, touchmark.json("status")["account"], app).attest()
    connection.close()
    output, status = check(touchmark, answer.json()["token"])
    assert output.startswith("invalid: ")
    assert status == 1
