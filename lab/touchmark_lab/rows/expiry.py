"""A registration that is over."""

from __future__ import annotations

import time

from touchmark_lab import tools
from touchmark_lab.lab import PHONE, Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.table import row

_SECONDS = 3


@row(
    "registration-expired",
    chapter="The registration ends",
    attack="the release, after its registration's end",
    tool=tools.none,
    expected=Expected(
        401, attested=False, findings=frozenset({"app.registration-expired"}), got="^401"
    ),
)
def registration_expired(lab: Lab) -> Observed:
    lab.set_up()
    lab.set_api_mode("enforce")
    lab.console.say(f"The release is registered again, for {_SECONDS} seconds.")
    lab.register(_SECONDS)
    ready = time.monotonic() + _SECONDS + 1
    phone = lab.device(PHONE)
    lab.wait_for_fresh_attestation(phone)
    time.sleep(max(0.0, ready - time.monotonic()))
    return lab.convert(phone)
