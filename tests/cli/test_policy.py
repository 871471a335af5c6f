"""Policies and devices: the real command, a real service, and an attester that says
what a test wants."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from kit.command import Command
from kit.registered_app import RegisteredApp

NO_OLD_PHONES = "version = 1\n[android]\nmin_os_version = 14\n"
HOOKED = [{"id": "hook.framework", "detail": "frida"}]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    started = RegisteredApp.start(tmp_path_factory.mktemp("policy"), policy="version = 1\n")
    yield started
    started.service.stop()


@pytest.fixture
def admin(app: RegisteredApp, tmp_path: Path) -> Iterator[Command]:
    """The administrator's command; afterwards the service has its first policy again."""
    command = Command(tmp_path / "home")
    command.init(app.service)
    first = tmp_path / "first.toml"
    first.write_text(command.ok("policy", "show", "--toml"))
    yield command
    command.ok("policy", "set", first)


class Phone:
    """One device: its key stays the same from one attestation to the next."""

    def __init__(self, app: RegisteredApp):
        self.app = app
        self.attester = app.attester()
        spki = self.attester.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.did = base64.b64encode(hashlib.sha256(spki).digest()[:16]).decode()

    def passes(self, admin: Command, os_version: str = "13", **changed: Any) -> bool:
        platform = {"os": "android", "os_version": os_version, "api_level": 33, "model": "Pixel 8"}
        token = self.attester.attest(platform=platform, **changed).json()["token"]
        done = admin.run("token", "check", token)
        return {0: True, 1: False}[done.returncode]


@pytest.fixture
def phone(app: RegisteredApp) -> Phone:
    return Phone(app)


def write(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def test_set_and_show(admin: Command, phone: Phone, tmp_path: Path) -> None:
    assert phone.passes(admin)
    assert "policy in force, revision" in admin.ok("policy", "set", write(tmp_path, NO_OLD_PHONES))
    assert not phone.passes(admin)
    assert phone.passes(admin, "14")
    assert admin.ok("policy", "show", "--toml") == NO_OLD_PHONES
    shown = admin.ok("policy", "show")
    assert "set " in shown.splitlines()[0] and "by admin" in shown.splitlines()[0]
    assert "channel_binding: tls" in shown
    assert admin.json("audit", "list", "--limit", "1")["entries"][0]["action"] == "policy.set"


def test_a_bad_policy_stays_out(admin: Command, phone: Phone, tmp_path: Path) -> None:
    admin.ok("policy", "set", write(tmp_path, NO_OLD_PHONES))
    before = admin.json("policy", "show")
    bad = write(tmp_path, 'version = 1\n[findings]\n"root.sudo" = "rejct"\n[andriod]\n')
    done = admin.run("policy", "set", bad)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines == [
        (
            f'{bad}:3:1: findings."root.sudo": is no finding and no group of findings;'
            " did you mean root.su?"
        ),
        f"{bad}:4:2: andriod: unknown key; did you mean android?",
    ]
    assert "the one in force stays" in done.stderr
    assert admin.json("policy", "show") == before
    assert not phone.passes(admin)
    # The service refuses it by itself, whoever asks.
    checked = admin.run("policy", "check", bad, "--json")
    assert checked.returncode == 1
    problems = json.loads(checked.stdout)["problems"]
    assert [(p["line"], p["column"], p["suggestion"]) for p in problems] == [
        (3, 1, "root.su"),
        (4, 2, "android"),
    ]


def test_presets_are_documents_to_start_from(admin: Command, phone: Phone, tmp_path: Path) -> None:
    listed = admin.json("policy", "presets")["presets"]
    assert [preset["name"] for preset in listed] == ["strict", "compatible", "development"]
    shown = admin.ok("policy", "presets")
    for preset in listed:
        assert f"{preset['name']} " in shown and preset["summary"] in shown
        text = admin.ok("policy", "presets", preset["name"])
        assert text.startswith(f"# {preset['name']}: ")
        assert admin.json("policy", "presets", preset["name"])["text"] == text
        admin.ok("policy", "check", write(tmp_path, text))
        admin.ok("policy", "set", write(tmp_path, text))
        assert admin.ok("policy", "show", "--toml") == text
        assert phone.passes(admin) is (preset["name"] == "development")
    unknown = admin.run("policy", "presets", "lax")
    assert unknown.returncode == 2
    assert "strict, compatible, development" in unknown.stderr


def test_presets_need_no_service(nobody: Command) -> None:
    assert "strict" in nobody.ok("policy", "presets")


def test_a_lax_policy_is_warned_of_when_it_is_set(admin: Command, tmp_path: Path) -> None:
    lax = write(tmp_path, admin.ok("policy", "presets", "development"))
    for command in ("set", "check"):
        done = admin.run("policy", command, lax)
        assert done.returncode == 0
        assert "SOFTWARE EVIDENCE PASSES (Android, iOS)" in done.stderr
    done = admin.run("policy", "set", write(tmp_path, admin.ok("policy", "presets", "strict")))
    assert "a key in the phone's hardware" in done.stderr
    assert "SOFTWARE" not in done.stderr


def test_a_property_that_is_gone(nobody: Command, tmp_path: Path) -> None:
    gone = write(tmp_path, 'version = 1\n[[filters]]\neffect = "refuse"\nrisk_metric = ">20"\n')
    done = nobody.run("policy", "check", gone)
    assert done.returncode == 1
    assert "risk_metric: unknown key" in done.stdout


def test_check_needs_no_service(nobody: Command, tmp_path: Path) -> None:
    good = write(tmp_path, NO_OLD_PHONES)
    assert nobody.ok("policy", "check", good) == f"{good} is valid\n"
    missing = nobody.run("policy", "check", tmp_path / "none.toml")
    assert missing.returncode == 2
    risky = write(tmp_path, 'version = 1\nfindings."network.mitm" = "ignore"\n')
    done = nobody.run("policy", "check", risky)
    assert done.returncode == 0
    assert "anybody can get valid tokens" in done.stderr


def test_two_admins(admin: Command, tmp_path: Path) -> None:
    revision = admin.json("policy", "show")["revision"]
    path = write(tmp_path, NO_OLD_PHONES)
    admin.ok("policy", "set", path, "--revision", str(revision))
    late = admin.run("policy", "set", path, "--revision", str(revision))
    assert late.returncode == 1
    assert "policy.conflict" in late.stderr


def test_a_developer_only_looks(admin: Command, app: RegisteredApp, tmp_path: Path) -> None:
    developer = Command(tmp_path / "developer")
    developer.init(app.service, "developer")
    path = write(tmp_path, NO_OLD_PHONES)
    assert developer.run("policy", "set", path).returncode == 5
    assert developer.run("policy", "canary", "abort").returncode == 5
    developer.ok("policy", "show")
    developer.ok("policy", "replay", path)


def test_canary(admin: Command, app: RegisteredApp, tmp_path: Path) -> None:
    phones = [Phone(app) for _ in range(40)]
    path = write(tmp_path, NO_OLD_PHONES)
    assert "no candidate" in admin.ok("policy", "canary", "status")
    admin.ok("policy", "set", path, "--canary", "50")
    failed = [not phone.passes(admin) for phone in phones]
    assert 3 < sum(failed) < 37  # binomial: outside once in ten million runs
    assert failed == [not phone.passes(admin) for phone in phones], "a device stays where it is"
    status = admin.json("policy", "canary", "status")["canary"]
    assert (status["percent"], status["newly_failing"]) == (50, 2 * sum(failed))
    assert "50 % of the devices" in admin.ok("policy", "canary", "status")
    admin.ok("policy", "canary", "abort")
    assert all(phone.passes(admin) for phone in phones)
    admin.ok("policy", "set", path, "--canary", "1")
    admin.ok("policy", "canary", "promote")
    assert not any(phone.passes(admin) for phone in phones)
    assert admin.run("policy", "canary", "promote").returncode == 1


def test_replay(admin: Command, app: RegisteredApp, tmp_path: Path) -> None:
    old, new = Phone(app), Phone(app)
    assert old.passes(admin, "13") and new.passes(admin, "14")
    path = write(tmp_path, NO_OLD_PHONES)
    replayed = admin.json("policy", "replay", path, "--last", "2")
    assert replayed["newly_failing"] == {"appraisals": 1, "devices": 1}
    assert replayed["newly_passing"] == {"appraisals": 0, "devices": 0}
    assert [(d["did"], d["reasons"]) for d in replayed["devices"]] == [
        (old.did, ["device.os-version"])
    ]
    shown = admin.ok("policy", "replay", path, "--last", "2")
    assert "newly failing: 1 appraisals of 1 devices" in shown
    assert old.did in shown and "Pixel 8" in shown
    assert old.passes(admin, "13"), "it only looks"


def test_forced_devices(admin: Command, app: RegisteredApp) -> None:
    mine, other = Phone(app), Phone(app)
    assert not mine.passes(admin, findings=HOOKED)
    # Without a person at a terminal there is no latest: anybody may be it by now.
    refused = admin.run("device", "force-pass", "latest")
    assert refused.returncode == 2
    assert "touchmark device show latest" in refused.stderr
    shown = admin.json("device", "show", "latest")
    assert (shown["did"], shown["address"]) == (mine.did, "127.0.0.1")
    assert other.passes(admin)
    assert admin.ok("device", "force-pass", mine.did) == f"{mine.did} will pass from now on\n"
    assert mine.passes(admin, findings=HOOKED)
    assert not other.passes(admin, findings=HOOKED)
    assert not mine.passes(admin, tls={"exporter": "AA", "spki": "AA"}), "a relay does not pass"
    admin.ok("device", "force-fail", mine.did)
    assert not mine.passes(admin)
    listed = {d["did"]: d["force"] for d in admin.json("device", "list")["devices"]}
    assert (listed[mine.did], listed[other.did]) == ("fail", "none")
    assert "device.forced-fail" in admin.ok("device", "show", mine.did)
    admin.ok("device", "clear", mine.did)
    assert mine.passes(admin)
    assert admin.run("device", "clear", mine.did).returncode == 8
    assert admin.run("device", "show", "nonsense").returncode == 2


def test_show_explains_the_verdict(admin: Command, phone: Phone, tmp_path: Path) -> None:
    admin.ok("policy", "set", write(tmp_path, NO_OLD_PHONES))
    assert not phone.passes(admin)
    shown = admin.ok("device", "show", "latest")
    assert "reject device.os-version: Android 13; by findings (default)" in shown
    assert "as asked by android.min_os_version (line 3)" in shown
    assert "would have passed: Android 14 or later" in shown
    arc = admin.json("device", "show", phone.did)["arc"]
    explained = admin.ok("arc", "explain", arc).splitlines()
    assert explained[0].startswith("device.os-version: ")
    assert explained[1] == "  now: reject, by findings (default)"
    assert explained[2] == "  would pass: Android 14 or later"


def test_test_judges_facts(nobody: Command, tmp_path: Path) -> None:
    policy = write(tmp_path, NO_OLD_PHONES)
    facts = {"platform": "android", "os_version": "14"}
    (tmp_path / "good.json").write_text(json.dumps(facts))
    (tmp_path / "bad.json").write_text(
        json.dumps({"facts": {**facts, "os_version": "9"}, "findings": [{"id": "root.su"}]})
    )
    good = nobody.ok("policy", "test", policy, tmp_path / "good.json")
    assert good == f"pass: {tmp_path / 'good.json'}\n"
    both = nobody.run(
        "policy", "test", policy, tmp_path / "good.json", tmp_path / "bad.json", "--json"
    )
    assert both.returncode == 1
    results = json.loads(both.stdout)["results"]
    assert [r["passed"] for r in results] == [True, False]
    assert [f["id"] for f in results[1]["findings"]] == ["root.su", "device.os-version"]
    (tmp_path / "typo.json").write_text('{"plaform":"android"}')
    typo = nobody.run("policy", "test", policy, tmp_path / "typo.json")
    assert typo.returncode == 2
    assert "plaform is no fact" in typo.stderr
