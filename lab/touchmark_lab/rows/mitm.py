"""A man in the middle against the release as it is."""

from __future__ import annotations

import dataclasses

from touchmark_lab import pki, tools
from touchmark_lab.lab import CHAIN_PHONE, CHAIN_UNPINNED, MITM_PHONE, PHONE, Lab
from touchmark_lab.model import NO_REQUEST, Expected, Observed
from touchmark_lab.table import row

_CHAPTER = "A man in the middle"


@row(
    "mitm-genuine",
    chapter=_CHAPTER,
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
    lab.show_mitm(lab.mitm)
    phone = lab.device(MITM_PHONE)
    lab.mitm.tail.lines()
    seen = lab.convert(phone)
    flows = [line for line in lab.mitm.tail.lines() if "GET https" in line]
    if flows:
        return dataclasses.replace(seen, problems=("a request went through the proxy",))
    return seen


@row(
    "mitm-forged-chain",
    chapter=_CHAPTER,
    attack="the API's CA is pinned; mitmproxy sends that CA's genuine certificates above its own",
    tool=tools.mitmproxy,
    expected=Expected(NO_REQUEST, attested=True, got="refused to connect"),
    in_demo=False,
)
def mitm_forged_chain(lab: Lab) -> Observed:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    lab.console.say(
        "The operator pins the key of the API's CA. The attacker is a customer of that CA, and "
        "installs a CA on the phone that has name and key of the certificate they bought. "
        "Whoever follows names and signatures alone gets from the attacker's certificate over "
        "the bought one, which may not issue, to the pinned CA."
    )
    lab.touchmark("api", "add", lab.api.domain, "--pin", pki.pin_of(lab.ca), "--replace")
    lab.show_mitm(lab.chain_mitm)
    try:
        problems = _chain_works(lab)
        phone = lab.device(CHAIN_PHONE)
        lab.convert(phone)  # from now on it has the new pin
        lab.wait_for_fresh_attestation(phone)
        lab.chain_mitm.tail.lines()
        seen = lab.convert(phone)
        if lab.chain_mitm.flows("/currency/convert/"):
            problems.append("a request went through the proxy")
        return dataclasses.replace(seen, problems=tuple(problems))
    finally:
        lab.touchmark("api", "add", lab.api.domain, "--replace")


def _chain_works(lab: Lab) -> list[str]:
    """What does not hold of this: the pin lets the API itself pass, and without pins the phone
    takes the attacker's chain."""
    problems = []
    genuine = lab.device(PHONE)
    lab.wait_for_fresh_attestation(genuine)
    if lab.convert(genuine).status != 200:
        problems.append("the pinned CA does not let the API itself pass")
    lab.console.say("The attack works where nothing is pinned:")
    unpinned = lab.device(CHAIN_UNPINNED)
    lab.chain_mitm.tail.lines()
    passed = lab.convert(unpinned, api=1)
    if passed.status != 200 or not lab.chain_mitm.flows("/currency/convert/"):
        problems.append("the chain does not pass the phone's own validation")
    return problems
