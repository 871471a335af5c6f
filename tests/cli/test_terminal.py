"""What a person at a terminal sees and is asked."""

from __future__ import annotations

import time
from pathlib import Path

from kit import apk
from kit.command import Command
from kit.registered_app import RegisteredApp
from kit.service import Service
from kit.soft_attester import SoftAttester
from kit.terminal import Terminal


def test_pin_is_shown_and_confirmed(nobody: Command, service: Service) -> None:
    credentials = service.credentials()
    terminal = Terminal(nobody.home, "init", service.url, "--token", credentials["admin_token"])
    terminal.until("Is this the same pin?")
    assert credentials["pin"] in terminal.shown
    terminal.type("y\n")
    assert terminal.end() == 0
    assert nobody.json("status")["role"] == "admin"


def test_pin_is_not_taken_by_default(nobody: Command, service: Service) -> None:
    terminal = Terminal(nobody.home, "init", service.url, "--token", "tmk_x")
    terminal.until("Is this the same pin?")
    terminal.type("\n")
    assert terminal.end() == 4
    assert not (nobody.home / "profiles").exists()


def test_token_is_asked_for_and_not_shown(nobody: Command, service: Service) -> None:
    credentials = service.credentials()
    terminal = Terminal(nobody.home, "init", service.url, "--pin", credentials["pin"])
    terminal.until("operator token:")
    time.sleep(0.2)  # what is typed before the echo is off would show, as with every such prompt
    terminal.type(credentials["developer_token"] + "\n")
    assert terminal.end() == 0
    assert credentials["developer_token"] not in terminal.shown
    assert nobody.json("status")["role"] == "developer"


def test_interrupt_at_the_prompt_sets_nothing_up(nobody: Command, service: Service) -> None:
    terminal = Terminal(nobody.home, "init", service.url, "--pin", service.credentials()["pin"])
    terminal.until("operator token:")
    time.sleep(0.2)
    terminal.type("tmk_\x03")
    assert terminal.end() != 0
    assert not (nobody.home / "profiles").exists()


def test_upload_shows_how_far_it_is(
    touchmark: Command, not_registered: None, release: Path
) -> None:
    terminal = Terminal(touchmark.home, "registration", "add", str(release))
    assert terminal.end() == 0
    assert "uploading [" in terminal.shown
    # The bar is wiped before the lines that stay.
    assert terminal.shown.rindex("\r\x1b[K") > terminal.shown.rindex("uploading [")
    assert "\r\nregistration successful\r\n" in terminal.shown


def test_label_cannot_drive_the_terminal(touchmark: Command, tmp_path: Path) -> None:
    manifest = apk.compile_manifest("com.example.evil", "Nice\u202eApp")
    package = tmp_path / "evil.apk"
    files = {"classes.dex": b"dex\n035\0"}
    package.write_bytes(apk.build(manifest, apk.SigningKey.generate(), files))
    assert touchmark.ok("registration", "add", package).splitlines()[0] == (
        "registering app Nice\\u{202e}App"
    )


def device_of(app: RegisteredApp) -> SoftAttester:
    return app.attester()


def test_the_device_that_was_shown_is_the_one_that_is_forced(
    nobody: Command, tmp_path: Path
) -> None:
    app = RegisteredApp.start(tmp_path)
    try:
        nobody.init(app.service)
        mine, stranger = device_of(app), device_of(app)
        mine.attest(platform={"os": "android", "model": "Pixel 8", "manufacturer": "Google"})
        did = nobody.json("device", "show", "latest")["did"]
        terminal = Terminal(nobody.home, "device", "force-pass", "latest")
        terminal.until("[y/N]")
        for shown in (did, "Google Pixel 8", "com.example.app", "127.0.0.1"):
            assert shown in terminal.shown
        # A stranger's client attests while the operator reads.
        for _ in range(5):
            stranger.attest()
        terminal.type("y\n")
        assert terminal.end() == 0
        assert f"{did} will pass from now on" in terminal.shown
        forces = {d["did"]: d["force"] for d in nobody.json("device", "list")["devices"]}
        assert forces[did] == "pass"
        assert [force for other, force in forces.items() if other != did] == ["none"]
        # And whoever does not recognise it says no.
        terminal = Terminal(nobody.home, "device", "force-pass", "latest")
        terminal.until("[y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1
        forces = {d["did"]: d["force"] for d in nobody.json("device", "list")["devices"]}
        assert list(forces.values()).count("pass") == 1
    finally:
        app.service.stop()
