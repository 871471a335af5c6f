"""The attacker's packages: nothing changed, pinning taken out, the SDK taken out."""

from __future__ import annotations

import dataclasses

from touchmark_lab import tools
from touchmark_lab.lab import Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.packages import UNCHANGED, WITHOUT_PINNING, WITHOUT_SDK
from touchmark_lab.rows.forging import forge
from touchmark_lab.table import row

_CHAPTER = "Unpacked, tampered with, repackaged"
_NOT_REGISTERED = frozenset({"app.not-registered"})


def _prepare(lab: Lab, variant: str) -> None:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    for done in lab.attacker.commands(variant):
        lab.show(done)


@row(
    "repackaged-unchanged",
    chapter=_CHAPTER,
    attack="unpacked and repackaged with nothing changed",
    tool=tools.both(tools.apktool, tools.apksigner),
    expected=Expected(401, attested=False, findings=_NOT_REGISTERED, got="^401"),
)
def repackaged_unchanged(lab: Lab) -> Observed:
    _prepare(lab, UNCHANGED)
    return lab.convert(lab.device(UNCHANGED))


@row(
    "pinning-removed-v1",
    chapter=_CHAPTER,
    attack="setHostnameVerifier removed, repackaged, behind mitmproxy: the API without protection",
    tool=tools.both(tools.apktool, tools.mitmproxy),
    expected=Expected(200, got="^€1.12$"),
)
def pinning_removed_v1(lab: Lab) -> Observed:
    _prepare(lab, WITHOUT_PINNING)
    lab.console.say(
        "The tampering works: the app takes mitmproxy's certificate, and V1, which does not ask "
        "for a token, answers through the man in the middle."
    )
    device = lab.device(WITHOUT_PINNING)
    lab.mitm.tail.lines()
    return _through_mitm(lab, lab.convert(device, api=1), "/currency/convert/")


@row(
    "pinning-removed-v2",
    chapter=_CHAPTER,
    attack="setHostnameVerifier removed, repackaged, behind mitmproxy: the protected API",
    tool=tools.both(tools.apktool, tools.mitmproxy),
    expected=Expected(401, attested=False, findings=_NOT_REGISTERED, got="^401"),
)
def pinning_removed_v2(lab: Lab) -> Observed:
    if not lab.has_device(WITHOUT_PINNING):
        _prepare(lab, WITHOUT_PINNING)
    lab.register()
    lab.console.say("V2 asks for one. The app was measured, and is not the one registered.")
    device = lab.device(WITHOUT_PINNING)
    lab.mitm.tail.lines()
    return _through_mitm(lab, lab.convert(device), "/v2/currency/convert/")


def _through_mitm(lab: Lab, seen: Observed, path: str) -> Observed:
    """Requires that mitmproxy's own flow log has the request."""
    flows = lab.mitm.flows(path)
    lab.console.output("mitmproxy's flow log:\n" + "\n".join(flows))
    if not flows:
        return dataclasses.replace(seen, problems=("mitmproxy saw no such request",))
    return seen


@row(
    "failed-token-checked",
    chapter=_CHAPTER,
    attack="the tampered app's token, checked with the command line",
    tool=tools.touchmark,
    expected=Expected(401, attested=False, findings=_NOT_REGISTERED),
)
def failed_token_checked(lab: Lab) -> Observed:
    """The CLI tells a token of a failed attestation from a forged one; the API refuses both."""
    if not lab.has_device(WITHOUT_PINNING):
        _prepare(lab, WITHOUT_PINNING)
    lab.register()
    device = lab.device(WITHOUT_PINNING)
    seen = lab.convert(device)
    token = device.tokens()[-1]
    lab.console.say("The log of the phone shows the token that the tampered app was given:")
    lab.console.output(device.token_line())
    problems = []
    checked = lab.touchmark("token", "-check", token, expect=None)
    if checked.status != 1 or not checked.output.startswith('invalid: {"did":"'):
        problems.append("the CLI does not call the token invalid")
    lab.console.say("A token that somebody made up is another thing:")
    forged = lab.touchmark("token", "-check", forge(token), expect=None)
    if forged.status != 1 or not forged.output.startswith("forged: "):
        problems.append("the CLI does not call a forged token forged")
    return dataclasses.replace(seen, got="invalid; a forgery: forged", problems=tuple(problems))


@row(
    "sdk-removed",
    chapter=_CHAPTER,
    attack="the SDK taken out of the app, repackaged",
    tool=tools.both(tools.apktool, tools.apksigner),
    expected=Expected(401, got="^401"),
)
def sdk_removed(lab: Lab) -> Observed:
    _prepare(lab, WITHOUT_SDK)
    return lab.convert(lab.device(WITHOUT_SDK))
