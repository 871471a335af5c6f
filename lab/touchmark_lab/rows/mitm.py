"""A man in the middle against the release as it is."""

from __future__ import annotations

import dataclasses

from touchmark_lab import tools
from touchmark_lab.lab import MITM_PHONE, Lab
from touchmark_lab.model import NO_REQUEST, Expected, Observed
from touchmark_lab.table import row


@row(
    "mitm-genuine",
    chapter="A man in the middle",
    attack="the release behind mitmproxy, whose CA the phone trusts",
    tool=tools.mitmproxy,
    expected=Expected(NO_REQUEST, attested=True, got="refused to connect"),
)
def mitm_genuine(lab: Lab) -> Observed:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    lab.console.say(
        "The attacker owns a phone, installs the CA of mitmproxy on it and sends its traffic "
        "through the proxy. The release pins the API server's key and hangs up."
    )
    lab.show_mitm()
    phone = lab.device(MITM_PHONE)
    lab.mitm.tail.lines()
    seen = lab.convert(phone)
    flows = [line for line in lab.mitm.tail.lines() if "GET https" in line]
    if flows:
        return dataclasses.replace(seen, problems=("a request went through the proxy",))
    return seen
