"""What a new service asks for, what it says of it, and what a data folder from before keeps."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from kit.earlier import make_earlier
from kit.hardware import AndroidPhone, AppleDevice, b64, client_data_hash
from kit.registered_app import RegisteredApp, set_policy, touchmark, touchmark_json
from kit.service import Service
from kit.soft_attester import SoftAttester, b64url_decode

HARDWARE = "a key in the phone's hardware"
# So that no warning is about it.
PUBLIC_URL = ["--public-url", "https://attest.example.com"]


@pytest.fixture(scope="module")
def phone() -> AndroidPhone:
    return AndroidPhone()


@pytest.fixture(scope="module")
def iphone() -> AppleDevice:
    return AppleDevice("ABCDE12345.com.example.app")


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, phone: AndroidPhone, iphone: AppleDevice
) -> Iterator[RegisteredApp]:
    """A service of its defaults, which trusts the roots that the phones here have."""
    folder = tmp_path_factory.mktemp("default-service")
    roots = folder / "roots.pem"
    roots.write_text(
        phone.write_root(folder / "android.pem").read_text()
        + iphone.write_root(folder / "apple.pem").read_text()
    )
    options = ["--hardware-roots", str(roots), "--ios-app-id", iphone.app_id]
    started = RegisteredApp.start(folder, options)
    yield started
    started.service.stop()


@pytest.fixture
def attester(app: RegisteredApp) -> Iterator[SoftAttester]:
    made = app.attester()
    yield made
    made.connection.close()


def test_an_iphone_says_nothing_of_an_android_apps_key(
    app: RegisteredApp, attester: SoftAttester, iphone: AppleDevice
) -> None:
    """An Android app's software key, for which an iPhone that can be made to sign vouches: no
    level, and no way round the rules about Android's boot state."""
    for build in ("android", "ios"):
        challenge = attester.challenge()
        hash = client_data_hash(b64url_decode(challenge["nonce"]), attester.key)
        submods = {
            "app-attest": {"key_id": iphone.key_id, "attestation": b64(iphone.attest(hash))},
        }
        seen = app.service.log.stat().st_size
        claims = attester.claims(challenge)
        claims["sdk"]["build"] = build
        token = attester.send(attester.sign({**claims, "submods": submods})).json()["token"]
        jwt.decode(token, app.decoy_secret, algorithms=["HS256"])
        event = [e for e in app.service.events(seen) if e.get("event") == "attest"][-1]
        assert {"hardware.assurance", "hardware.refused"} <= set(event["findings"])
        assert event["assurance"] == "software"


def test_the_service_says_what_a_valid_token_takes(app: RegisteredApp) -> None:
    status = touchmark_json(app.service, "status")
    assert HARDWARE in status["valid_token_takes"]
    assert not any("SOFTWARE" in warning for warning in status["warnings"])
    assert HARDWARE in touchmark(app.service, "status")
    started = next(e for e in app.service.events() if e.get("event") == "policy")
    assert HARDWARE in started["valid_token_takes"]
    assert HARDWARE in app.service.log.read_text().split("operator tokens")[1]


def test_software_evidence_is_warned_of_wherever_somebody_looks(tmp_path: Path) -> None:
    app = RegisteredApp.start(tmp_path, PUBLIC_URL)
    try:
        set_policy(app.service, "development", tmp_path)
        attester = app.attester()
        assert app.judge(attester) == (True, [])
        status = touchmark_json(app.service, "status")
        assert any("SOFTWARE EVIDENCE PASSES" in warning for warning in status["warnings"])
        added = touchmark_json(app.service, "registration", "add", str(tmp_path / "app.apk"))
        assert "no hardware vouches" in added["valid_token_takes"]
        assert any("SOFTWARE EVIDENCE PASSES" in w["message"] for w in added["warnings"])
        app.service.stop()
        seen = app.service.log.stat().st_size
        app.service.start()
        lax = [e for e in app.service.events(seen) if e.get("event") == "policy.lax"]
        assert "SOFTWARE EVIDENCE PASSES" in lax[0]["warning"]
        set_policy(app.service, "strict", tmp_path)
        assert touchmark_json(app.service, "status")["warnings"] == []
    finally:
        app.service.stop()


def make_older(data: Path, *, with_policy: bool = False) -> None:
    """Makes a data folder that of a service from before the policy asked for hardware: of version
    4, without what later ones added."""
    make_earlier(data, 4)
    if with_policy:
        return
    with sqlite3.connect(data / "touchmark.db") as database:
        database.execute("DELETE FROM setting WHERE name = 'policy'")
    database.close()


def test_an_older_data_folder_keeps_its_own_policy(tmp_path: Path) -> None:
    app = RegisteredApp.start(tmp_path)
    try:
        app.service.stop()
        make_older(app.service.data)
        app.service.start()
        attester = app.attester()
        assert app.judge(attester) == (True, [])
        status = touchmark_json(app.service, "status")
        assert any("SOFTWARE EVIDENCE PASSES" in warning for warning in status["warnings"])
        shown = touchmark_json(app.service, "policy", "show")
        assert shown["revision"] == 1
        assert 'android = "software"' in shown["text"]
        checked = tmp_path / "old.toml"
        checked.write_text(shown["text"])
        touchmark(app.service, "policy", "check", str(checked))
        # It is the operator's from now on, and every start after this one finds it.
        app.service.stop()
        app.service.start()
        assert touchmark_json(app.service, "policy", "show")["text"] == shown["text"]
    finally:
        app.service.stop()


def test_an_older_folder_with_a_policy_of_its_own_keeps_that(tmp_path: Path) -> None:
    app = RegisteredApp.start(tmp_path, policy='version = 1\n[assurance]\nandroid = "platform"\n')
    try:
        text = touchmark_json(app.service, "policy", "show")["text"]
        app.service.stop()
        make_older(app.service.data, with_policy=True)
        app.service.start()
        assert touchmark_json(app.service, "policy", "show")["text"] == text
    finally:
        app.service.stop()


@pytest.mark.parametrize("build, valid", [("host", True), ("whatever", False), ("", False)])
def test_host_builds_are_allowed_by_that_name_only(tmp_path: Path, build: str, valid: bool) -> None:
    app = RegisteredApp.start(tmp_path, ["--allow-host-builds"])
    try:
        set_policy(
            app.service,
            'version = 1\n[assurance]\nandroid = "tee"\nios = "secure-chip"\n',
            tmp_path,
        )
        attester = app.attester()
        sdk = {"platform": "Linux", "version": "0.1.0", "build": build}
        passed, findings = app.judge(attester, sdk=sdk)
        assert passed is valid, findings
        assert ("device.host-build" in findings) is not valid
    finally:
        app.service.stop()


def test_host_builds_are_warned_of(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", ["--allow-host-builds"]).start()
    try:
        lax = [e for e in service.events() if e.get("event") == "policy.lax"]
        assert any("--allow-host-builds" in e["warning"] for e in lax)
        warnings = touchmark_json(service, "status")["warnings"]
        assert any("--allow-host-builds" in warning for warning in warnings)
        file = tmp_path / "policy.toml"
        file.write_text(touchmark(service, "policy", "presets", "strict"))
        answered = touchmark_json(service, "policy", "set", str(file))
        assert any("--allow-host-builds" in w["message"] for w in answered["warnings"])
    finally:
        service.stop()


def test_a_missing_revocation_list_warns_and_stops_nobody(tmp_path: Path) -> None:
    listed = tmp_path / "status.json"
    options = ["--revocation", str(listed), "--revocation-max-age", "8s", *PUBLIC_URL]
    service = Service(tmp_path / "data", options).start()
    try:
        assert any(e.get("event") == "revocation.refresh_failed" for e in service.events())
        status = touchmark_json(service, "status")
        assert status["revocation"]["source"] == str(listed)
        assert status["revocation"]["problem"]
        assert any("revocation list" in warning for warning in status["warnings"])
        listed.write_text(json.dumps({"entries": {}}))
        service.stop()
        service.start()
        status = touchmark_json(service, "status")
        assert status["revocation"]["fresh"] is True
        assert status["warnings"] == []
    finally:
        service.stop()


def test_revocation_can_be_switched_off(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", ["--revocation", "off"]).start()
    try:
        assert touchmark_json(service, "status")["revocation"] is None
        assert "off" in touchmark(service, "status")
        assert any(e.get("event") == "revocation.off" for e in service.events())
    finally:
        service.stop()
