"""An iOS app on the lab's iPhone, and its attackers."""

from __future__ import annotations

import dataclasses

from touchmark_lab import tools
from touchmark_lab.iphone import BUNDLE, OTHER_TEAM, TEAM
from touchmark_lab.lab import Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.table import row

_CHAPTER = "An iPhone"
_NOT_OUR_APP = frozenset({"hardware.assurance", "hardware.other-app"})


def _refused(*findings: str) -> Expected:
    return Expected(401, attested=False, findings=frozenset(findings), got=r"^\{\}$")


@row(
    "iphone-genuine",
    chapter=_CHAPTER,
    attack="none: the iOS app as the App Store gives it out, encrypted and signed by the store",
    tool=tools.curl,
    expected=Expected(200, attested=True, assurance="secure-chip", got="1.12"),
    in_demo=False,
)
def genuine(lab: Lab) -> Observed:
    lab.prepare_iphone()
    lab.console.say(
        "The IPA that was registered is not what a phone gets: the store encrypts the code and "
        "signs it again. In memory it is plain, and that is what is measured."
    )
    lab.install_on_iphone("store", encrypted=True)
    return lab.call_from_iphone()


@row(
    "iphone-other-app",
    chapter=_CHAPTER,
    attack="the release's measurement under another app's App Attest key",
    tool=tools.curl,
    expected=_refused(*_NOT_OUR_APP),
    in_demo=False,
)
def other_app(lab: Lab) -> Observed:
    """Apple vouches for the key, of another team's app or of another app of the same team."""
    lab.prepare_iphone()
    lab.install_on_iphone("released", app_id=f"{TEAM}.org.example.other")
    same_team = lab.call_from_iphone()
    lab.install_on_iphone("released", app_id=f"{OTHER_TEAM}.{BUNDLE}")
    seen = lab.call_from_iphone()
    if set(same_team.findings) != _NOT_OUR_APP:
        problem = f"another app of the team: {same_team.status}, {', '.join(same_team.findings)}"
        return dataclasses.replace(seen, problems=(problem,))
    return seen


@row(
    "iphone-replayed-assertion",
    chapter=_CHAPTER,
    attack="App Attest's last assertion sent again, with a new challenge",
    tool=tools.curl,
    expected=_refused("hardware.refused"),
    in_demo=False,
)
def replayed_assertion(lab: Lab) -> Observed:
    lab.prepare_iphone()
    lab.install_on_iphone("released")
    before = [lab.call_from_iphone(), lab.call_from_iphone()]
    lab.iphone.ask("change", replays=True)
    seen = lab.call_from_iphone()
    if [one.status for one in before] != [200, 200]:
        return dataclasses.replace(seen, problems=("the phone is refused before it replays",))
    return seen


@row(
    "iphone-injected-image",
    chapter=_CHAPTER,
    attack="a library injected into the genuine app: Frida's agent, and the same renamed",
    tool=tools.curl,
    expected=_refused("hook.framework"),
    in_demo=False,
)
def injected_image(lab: Lab) -> Observed:
    lab.prepare_iphone()
    lab.install_on_iphone("released")
    lab.iphone.ask("load", path="/private/var/tmp/x.dylib")
    renamed = lab.call_from_iphone()
    lab.install_on_iphone("released")
    lab.iphone.ask("load", path="/usr/lib/frida/frida-agent.dylib")
    seen = lab.call_from_iphone()
    found = ", ".join(renamed.findings)
    problems = () if found == "hook.unknown-code" else (f"renamed: {renamed.status}, {found}",)
    return dataclasses.replace(seen, notes=(f"renamed: {found}",), problems=problems)


@row(
    "iphone-changed-text",
    chapter=_CHAPTER,
    attack="one byte of the running app's instructions changed",
    tool=tools.curl,
    expected=_refused("app.not-registered", "hook.text-modified"),
    in_demo=False,
)
def changed_text(lab: Lab) -> Observed:
    lab.prepare_iphone()
    lab.install_on_iphone("released")
    address = lab.iphone.text_address()
    lab.iphone.ask("flip", address=address)
    seen = lab.call_from_iphone()
    lab.iphone.ask("flip", address=address)
    restored = lab.call_from_iphone()
    if restored.status != 200:
        return dataclasses.replace(seen, problems=("the phone is refused when it is undone",))
    return seen


@row(
    "iphone-re-signed",
    chapter=_CHAPTER,
    attack="the IPA re-signed by another team, whose App Attest is genuine: unchanged, and changed",
    tool=tools.curl,
    expected=_refused("app.not-registered", *_NOT_OUR_APP),
    in_demo=False,
)
def re_signed(lab: Lab) -> Observed:
    """Also where no hardware is asked for: the team is part of what is registered."""
    lab.prepare_iphone()
    app_id = f"{OTHER_TEAM}.{BUNDLE}"
    lab.install_on_iphone("re-signed", signer="other", app_id=app_id)
    lab.set_policy("development")
    try:
        software = lab.call_from_iphone()
    finally:
        lab.set_policy("strict")
    unchanged = lab.call_from_iphone()
    lab.install_on_iphone("changed", signer="other", seed=9, app_id=app_id)
    seen = lab.call_from_iphone()
    problems = []
    if "app.not-registered" not in software.findings:
        problems.append(f"unchanged, software policy: {software.status}, {software.findings}")
    if set(unchanged.findings) != {"app.not-registered", *_NOT_OUR_APP}:
        problems.append(f"unchanged: {unchanged.status}, {', '.join(unchanged.findings)}")
    return dataclasses.replace(seen, problems=tuple(problems))
