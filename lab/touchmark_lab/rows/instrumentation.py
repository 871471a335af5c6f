"""The release itself, with an attacker's tool in its process."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from touchmark_lab import tools
from touchmark_lab.lab import MITM_PHONE, PHONE, PRELOAD_PHONE, Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.table import row

_CHAPTER = "Beyond repackaging: tools in the running app"


def _prepare(lab: Lab) -> None:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")


@row(
    "frida-attached",
    chapter=_CHAPTER,
    attack="Frida attached to the running release, no hook",
    tool=tools.frida,
    expected=Expected(
        401,
        attested=False,
        any_of=frozenset({"hook.framework", "hook.text-modified", "hook.unknown-code"}),
        got="^401",
    ),
)
def frida_attached(lab: Lab) -> Observed:
    _prepare(lab)
    phone = lab.device(PHONE)
    lab.wait_for_fresh_attestation(phone)
    with lab.intruder("frida-attach", str(phone.pid)):
        return lab.convert(phone)


@row(
    "frida-hook-v1",
    chapter=_CHAPTER,
    attack="Frida hook on the SDK's pin check, behind mitmproxy: the API without protection",
    tool=tools.both(tools.frida, tools.mitmproxy),
    expected=Expected(200, got="^€1.12$"),
)
def frida_hook_v1(lab: Lab) -> Observed:
    lab.console.say(
        "Pinning falls without repackaging: the hook lets mitmproxy's certificate pass."
    )
    return _hooked(lab, api=1)


@row(
    "frida-hook-v2",
    chapter=_CHAPTER,
    attack="Frida hook on the SDK's pin check, behind mitmproxy: the protected API",
    tool=tools.both(tools.frida, tools.mitmproxy),
    expected=Expected(401, attested=False, findings=frozenset({"hook.text-modified"}), got="^401"),
)
def frida_hook_v2(lab: Lab) -> Observed:
    return _hooked(lab, api=2)


def _hooked(lab: Lab, api: int) -> Observed:
    _prepare(lab)
    phone = lab.device(MITM_PHONE)
    lab.wait_for_fresh_attestation(phone)
    lab.mitm.tail.lines()
    lab.settle_intruder("frida-attach", str(phone.pid), "--script", "accept-any-pin.js")
    seen = lab.convert(phone, api=api)
    flows = lab.mitm.flows("/currency/convert/")
    lab.console.output("mitmproxy's flow log:\n" + "\n".join(flows))
    if not flows:
        return dataclasses.replace(seen, problems=("mitmproxy saw no such request",))
    return seen


def _debugged(lab: Lab, arguments: Sequence[str]) -> Observed:
    _prepare(lab)
    phone = lab.device(PHONE)
    lab.wait_for_fresh_attestation(phone)
    with lab.intruder("gdb-attach", str(phone.pid), *arguments):
        return lab.convert(phone)


@row(
    "debugger-attached",
    chapter=_CHAPTER,
    attack="gdb attached to the running release",
    tool=tools.gdb,
    expected=Expected(401, attested=False, findings=frozenset({"debug.attached"}), got="^401"),
)
def debugger_attached(lab: Lab) -> Observed:
    return _debugged(lab, [])


@row(
    "debugger-breakpoint",
    chapter=_CHAPTER,
    attack="gdb with a breakpoint on the SDK's pin check",
    tool=tools.gdb,
    expected=Expected(
        401, attested=False, findings=frozenset({"debug.attached"}),
        any_of=frozenset({"debug.breakpoint", "hook.text-modified"}), got="^401",
    ),
)  # fmt: skip
def debugger_breakpoint(lab: Lab) -> Observed:
    return _debugged(lab, ["--break", "touchmark_pin_allows"])


@row(
    "preload",
    chapter=_CHAPTER,
    attack="a library in LD_PRELOAD that intercepts connect()",
    tool=tools.gcc,
    expected=Expected(401, attested=False, findings=frozenset({"hook.preload"}), got="^401"),
)
def preload(lab: Lab) -> Observed:
    _prepare(lab)
    return lab.convert(lab.device(PRELOAD_PHONE))


@row(
    "recovered",
    chapter=_CHAPTER,
    attack="none: the same process, when Frida and gdb have left it",
    tool=tools.none,
    expected=Expected(200, attested=True, got="^€1.12$"),
)
def recovered(lab: Lab) -> Observed:
    _prepare(lab)
    phone = lab.device(PHONE)
    lab.wait_for_fresh_attestation(phone)
    return lab.convert(phone)
