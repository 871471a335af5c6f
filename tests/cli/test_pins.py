"""Pins: what a file or a server has, and how an API comes by other ones without losing any."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kit.certificate import pem, pin_of, self_signed
from kit.command import Command
from kit.soft_attester import b64url_decode

DOMAIN = "pins.example.com"


def pin(number: int) -> str:
    return base64.b64encode(bytes([number] * 32)).decode()


A, B, C, D = map(pin, range(1, 5))


@pytest.fixture(autouse=True)
def no_apis_left(touchmark: Command) -> Iterator[None]:
    yield
    for api in touchmark.json("api", "list")["apis"]:
        touchmark.ok("api", "remove", api["domain"])


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_pin_of_every_kind_of_file(touchmark: Command, tmp_path: Path, kind: str) -> None:
    algorithm = {
        "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "ed25519": ["-algorithm", "ED25519"],
    }[kind]
    tmp_path /= "files"  # the command's home is beside it
    tmp_path.mkdir()
    key = tmp_path / "key.pem"
    openssl("genpkey", *algorithm, "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", tmp_path / "public.pem")
    openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", tmp_path / "public.der")
    openssl("pkey", "-in", key, "-outform", "DER", "-out", tmp_path / "key.der")
    openssl(
        "pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER", "-out", tmp_path / "key.p8"
    )
    openssl("req", "-new", "-key", key, "-subj", "/CN=a.example", "-out", tmp_path / "a.csr")
    openssl("req", "-in", tmp_path / "a.csr", "-outform", "DER", "-out", tmp_path / "csr.der")
    openssl("req", "-x509", "-key", key, "-subj", "/CN=a.example", "-out", tmp_path / "cert.pem")
    openssl("x509", "-in", tmp_path / "cert.pem", "-outform", "DER", "-out", tmp_path / "cert.der")
    (tmp_path / "both.pem").write_bytes(key.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-binary", tmp_path / "public.der"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    expected = base64.b64encode(digest).decode()
    for file in sorted(tmp_path.iterdir()):
        done = touchmark.run("pin", file)
        assert (done.returncode, done.stdout) == (0, expected + "\n"), (file, done.stderr)
        has_subject = "cert" in file.name or "csr" in file.name or file.name == "both.pem"
        assert ("CN=a.example" in done.stderr) == has_subject, file
    told = touchmark.json("pin", tmp_path / "csr.der")
    assert told["pin"] == expected
    assert told["from"] == "file"


def test_pin_of_a_server(touchmark: Command) -> None:
    status = json.loads((touchmark.home / "profiles/default.json").read_text())
    host = status["url"].removeprefix("https://")
    assert touchmark.json("pin", host)["pin"] == status["pins"][0]
    done = touchmark.run("pin", host)
    assert done.stdout == status["pins"][0] + "\n"
    assert "would not trust" in done.stderr


def test_pin_of_what_has_none(touchmark: Command, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing\n")
    (tmp_path / "empty").write_text("")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256",
            "-pass", "pass:x", "-out", tmp_path / "locked.pem")  # fmt: skip
    for name in ("text", "empty", "locked.pem"):
        done = touchmark.run("pin", tmp_path / name)
        assert done.returncode == 2 and not done.stdout, name
        assert "holds no certificate" in done.stderr
    assert touchmark.run("pin", tmp_path / "none.pem").returncode == 2
    assert touchmark.run("pin", "localhost:1").returncode == 4
    assert touchmark.run("pin").returncode == 2


def pins_of(touchmark: Command) -> list[str]:
    (api,) = touchmark.json("api", "list")["apis"]
    pins: list[str] = api["pins"]
    return pins


def configured(touchmark: Command, folder: Path) -> tuple[int, list[str]]:
    """The version of the signed configuration, and the pins that apps are told."""
    touchmark.ok("sdk", "config", folder / "config")
    payload = json.loads(b64url_decode((folder / "config").read_text().split(".")[1]))
    pins: list[str] = next((a["pins"] for a in payload["api"] if a["domain"] == DOMAIN), [])
    return payload["version"], pins


def test_a_known_domain_keeps_its_backup_pin(touchmark: Command) -> None:
    touchmark.ok("api", "add", DOMAIN, "--pin", A, "--backup-pin", B)
    again = touchmark.run("api", "add", DOMAIN, "--pin", A)
    assert again.returncode == 0, again.stderr
    assert pins_of(touchmark) == [A, B]
    # The backup has taken the place of the first: nothing is lost either.
    touchmark.ok("api", "add", DOMAIN, "--pin", B)
    assert pins_of(touchmark) == [B, A]


def test_a_pin_is_not_dropped_unasked(touchmark: Command) -> None:
    touchmark.ok("api", "add", DOMAIN, "--pin", A, "--backup-pin", B)
    for options in (["--pin", C], ["--pin", A, "--backup-pin", C]):
        refused = touchmark.run("api", "add", DOMAIN, *options)
        lost = A if options == ["--pin", C] else B
        assert refused.returncode == 1
        assert f"would lose the pin {lost}" in refused.stderr
        assert "--overlap" in refused.stderr and "--yes" in refused.stderr
        assert pins_of(touchmark) == [A, B], "nothing was changed"
    done = touchmark.run("api", "add", DOMAIN, "--pin", C, "--yes")
    assert done.returncode == 0
    assert f"gains  {C}" in done.stderr
    assert f"keeps  {B}" in done.stderr
    assert f"loses  {A}" in done.stderr
    assert pins_of(touchmark) == [C, B]
    touchmark.ok("api", "add", DOMAIN, "--pin", D, "--replace")
    assert pins_of(touchmark) == [D]


def test_old_pins_stay_for_a_time(touchmark: Command, tmp_path: Path) -> None:
    touchmark.ok("api", "add", DOMAIN, "--pin", A, "--backup-pin", B)
    before = time.time()
    done = touchmark.run("api", "add", DOMAIN, "--pin", C, "--overlap", "30d")
    assert done.returncode == 0 and f"loses  {A} (after 30d)" in done.stderr
    (api,) = touchmark.json("api", "list")["apis"]
    assert api["pins"] == [C, B]
    (retiring,) = api["retiring"]
    assert retiring["pin"] == A
    assert before + 30 * 86400 - 5 < retiring["until"] < time.time() + 30 * 86400 + 5
    assert A in touchmark.ok("api", "list")
    assert configured(touchmark, tmp_path)[1] == [C, B, A]
    # Another change does not end it, and one that is named again stays for good.
    touchmark.ok("api", "add", DOMAIN, "--pin", C, "--pin", D)
    (api,) = touchmark.json("api", "list")["apis"]
    assert api["retiring"] == [retiring]
    touchmark.ok("api", "add", DOMAIN, "--pin", A, "--pin", C)
    (api,) = touchmark.json("api", "list")["apis"]
    assert "retiring" not in api and A in api["pins"]


def test_old_pins_go_when_their_time_is_over(touchmark: Command, tmp_path: Path) -> None:
    touchmark.ok("api", "add", DOMAIN, "--pin", A)
    touchmark.ok("api", "add", DOMAIN, "--pin", B, "--overlap", "2s")
    version, pins = configured(touchmark, tmp_path)
    assert pins == [B, A]
    deadline = time.monotonic() + 20
    while configured(touchmark, tmp_path)[1] != [B]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert configured(touchmark, tmp_path)[0] == version + 1
    assert "retiring" not in touchmark.json("api", "list")["apis"][0]
    log = touchmark.json("audit", "list")["entries"]
    assert any(e["action"] == "api.retire-pins" and e["detail"] == DOMAIN for e in log)


def test_replace_ends_an_overlap(touchmark: Command, tmp_path: Path) -> None:
    touchmark.ok("api", "add", DOMAIN, "--pin", A)
    touchmark.ok("api", "add", DOMAIN, "--pin", B, "--overlap", "30d")
    touchmark.ok("api", "add", DOMAIN, "--pin", B, "--replace")
    assert configured(touchmark, tmp_path)[1] == [B]
    assert touchmark.run("api", "add", DOMAIN, "--pin", B, "--overlap", "soon").returncode == 2


def test_a_file_in_any_form_is_taken(touchmark: Command, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(pem(key))
    (tmp_path / "cert.pem").write_bytes(self_signed(key, DOMAIN))
    openssl("req", "-new", "-key", tmp_path / "key.pem", "-subj", "/CN=x", "-outform", "DER",
            "-out", tmp_path / "x.csr")  # fmt: skip
    for file in ("key.pem", "cert.pem", "x.csr"):
        touchmark.ok("api", "add", DOMAIN, "--from-file", tmp_path / file)
        assert pins_of(touchmark) == [pin_of(key)]
