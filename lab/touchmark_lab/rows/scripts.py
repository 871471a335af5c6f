"""No app at all: scripts that call the API."""

from __future__ import annotations

import dataclasses
import time

from touchmark_lab import tools
from touchmark_lab.device import token_claims
from touchmark_lab.lab import PHONE, Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.rows.forging import forge
from touchmark_lab.table import row

_CHAPTER = "No app at all: a script"
_REFUSED = Expected(401, got=r"^\{\}$")


def _prepare(lab: Lab) -> None:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")


def _genuine_token(lab: Lab) -> str:
    """A token that the genuine app was given, as an attacker reads it in the phone's log."""
    phone = lab.device(PHONE)
    if not phone.tokens():
        lab.convert(phone)
    return phone.tokens()[-1]


@row(
    "script-no-token",
    chapter=_CHAPTER,
    attack="a script without a token",
    tool=tools.curl,
    expected=_REFUSED,
)
def no_token(lab: Lab) -> Observed:
    _prepare(lab)
    return lab.curl()


@row(
    "forged-token",
    chapter=_CHAPTER,
    attack="a script with a forged token",
    tool=tools.both(tools.curl, tools.pyjwt),
    expected=_REFUSED,
)
def forged_token(lab: Lab) -> Observed:
    _prepare(lab)
    return _curl_with(lab, forge(_genuine_token(lab)), "$FORGED_TOKEN")


@row(
    "expired-token",
    chapter=_CHAPTER,
    attack="a script with a genuine token, after its end",
    tool=tools.curl,
    expected=_REFUSED,
)
def expired_token(lab: Lab) -> Observed:
    _prepare(lab)
    phone = lab.device(PHONE)
    lab.console.say("A genuine token, which the script first uses while it is good:")
    lab.wait_for_fresh_attestation(
        phone
    )  # the rest of an older token's life may be too short for that
    lab.convert(phone)
    token = phone.tokens()[-1]
    before = _curl_with(lab, token, "$TOKEN")
    seconds = max(0.0, token_claims(token)["exp"] - time.time())
    lab.console.say(f"... and again when its {seconds:.0f} s are over:")
    time.sleep(seconds + 0.2)
    seen = _curl_with(lab, token, "$TOKEN")
    checked = lab.touchmark("token", "-check", token, expect=None)
    problems = []
    if before.status != 200:
        problems.append(f"the token gave {before.status} while it was good")
    if not checked.output.startswith("expired: "):
        problems.append("the CLI does not call the token expired")
    return dataclasses.replace(seen, problems=tuple(problems))


def _curl_with(lab: Lab, token: str, shown: str) -> Observed:
    return lab.curl(f"Touchmark-Token: {token}", shown_headers=[f"Touchmark-Token: {shown}"])
