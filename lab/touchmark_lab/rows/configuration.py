"""Configuration over the air: what changes at the service reaches the app that runs."""

from __future__ import annotations

from touchmark_lab import pki, tools
from touchmark_lab.lab import PHONE, Lab
from touchmark_lab.model import NO_REQUEST, Expected, Observed
from touchmark_lab.table import row

_CHAPTER = "Configuration over the air"


@row(
    "pin-changed",
    chapter=_CHAPTER,
    attack="none: the service gives the API another pin, the same app runs on",
    tool=tools.none,
    expected=Expected(NO_REQUEST, attested=True, got="refused to connect"),
)
def pin_changed(lab: Lab) -> Observed:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    phone = lab.device(PHONE)
    lab.console.say(
        "The operator pins a key that the API server does not have. At its next attestation the "
        "running app gets the new configuration, and refuses the server."
    )
    lab.touchmark("api", "add", lab.api.domain, "--pin", pki.random_pin(), "--replace")
    lab.wait_for_fresh_attestation(phone)
    return lab.convert(phone)


@row(
    "pin-restored",
    chapter=_CHAPTER,
    attack="none: the service gives the API its right pin back",
    tool=tools.none,
    expected=Expected(200, attested=True, got="^€1.12$"),
)
def pin_restored(lab: Lab) -> Observed:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    phone = lab.device(PHONE)
    lab.touchmark("api", "add", lab.api.domain, "--replace")
    lab.wait_for_fresh_attestation(phone)
    return lab.convert(phone)
