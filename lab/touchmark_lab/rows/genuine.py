"""The genuine app: before its registration, and after."""

from __future__ import annotations

import dataclasses

from touchmark_lab import tools
from touchmark_lab.lab import PHONE, Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.process import Tail
from touchmark_lab.table import row

_CHAPTER = "The release, before and after its registration"


@row(
    "report-only",
    chapter=_CHAPTER,
    attack="the release, not registered; API server in report-only mode",
    tool=tools.none,
    expected=Expected(
        200, attested=False, findings=frozenset({"app.not-registered"}), got="^€1.12$"
    ),
)
def report_only(lab: Lab) -> Observed:
    lab.set_up()
    lab.unregister()
    lab.set_api_mode("report")
    lab.console.say(
        "The API server starts in report-only mode: it serves everybody, and its log says whom it "
        "would refuse. Nobody registered the release yet."
    )
    log = Tail(lab.api.log)
    seen = lab.convert(lab.device(PHONE))
    said = [line for line in log.lines() if "would refuse" in line]
    lab.console.output("\n".join(said))
    if not said:
        return dataclasses.replace(seen, problems=("the API server's log names no refusal",))
    return seen


@row(
    "not-registered",
    chapter=_CHAPTER,
    attack="the release, not registered",
    tool=tools.none,
    expected=Expected(401, attested=False, findings=frozenset({"app.not-registered"}), got="^401"),
)
def not_registered(lab: Lab) -> Observed:
    lab.set_up()
    lab.unregister()
    lab.set_api_mode("enforce")
    lab.console.say("The same app, with the API server enforcing.")
    phone = lab.device(PHONE)
    lab.wait_for_fresh_attestation(phone)
    seen = lab.convert(phone)
    lab.screenshot(phone, "screen-401.png")
    return seen


@row(
    "registered",
    chapter=_CHAPTER,
    attack="the release, registered; neither app nor server restarted",
    tool=tools.none,
    expected=Expected(200, attested=True, assurance="tee", got="^€1.12$"),
)
def registered(lab: Lab) -> Observed:
    lab.set_up()
    lab.set_api_mode("enforce")
    phone = lab.device(PHONE)
    lab.console.say("Now the release is registered, for ten minutes. The app keeps running.")
    lab.register()
    seen = lab.convert(phone)
    lab.screenshot(phone, "screen-200.png")
    return seen
