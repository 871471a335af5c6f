"""Domains through the command and the service: one spelling, and no more than an app takes."""

from __future__ import annotations

import base64

import pytest

from kit.command import Command

USAGE = 2
PINS = [base64.b64encode(bytes([n]) * 32).decode() for n in range(17)]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("[0:0::1]:5001", "[::1]:5001"),
        ("https://API.example.com./", "api.example.com"),
        ("Bücher.example:8443", "xn--bcher-kva.example:8443"),
    ],
)
def test_a_domain_has_one_spelling(touchmark: Command, typed: str, stored: str) -> None:
    assert touchmark.json("api", "add", typed, "--pin", PINS[0])["domain"] == stored
    listed = touchmark.json("api", "list")["apis"]
    assert {"domain": stored, "pins": [PINS[0]]} in listed
    assert touchmark.ok("api", "remove", typed) == f"removed {stored}\n"
    assert touchmark.json("api", "list")["apis"] == [
        api for api in listed if api["domain"] != stored
    ]


def test_more_pins_than_an_app_takes_change_nothing(touchmark: Command) -> None:
    before = touchmark.json("status")["config_version"]
    done = touchmark.run("api", "add", "a.example", *(x for pin in PINS for x in ("--pin", pin)))
    assert done.returncode == USAGE, done.stderr
    assert "17 pins are too many" in done.stderr
    assert touchmark.json("status")["config_version"] == before
    assert "a.example" not in [api["domain"] for api in touchmark.json("api", "list")["apis"]]
