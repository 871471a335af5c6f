"""The genuine app on no phone: an emulator of native libraries runs its code."""

from __future__ import annotations

import dataclasses

from touchmark_lab import tools
from touchmark_lab.lab import Lab
from touchmark_lab.model import REFUSED_WITHOUT_HARDWARE, Observed, Skipped
from touchmark_lab.sdk import ARM64
from touchmark_lab.table import row

_MARKS = {"device.kernel", "device.memory", "device.processor", "device.timing"}
_FORGED = ("--hide", "--forge", "kernel,memory,processor,timing")


@row(
    "off-device-unidbg",
    chapter="The app's own library on no phone",
    attack="tokens minted off the device by unidbg from the registered APK; the default policy",
    tool=tools.both(tools.unidbg, tools.curl),
    expected=REFUSED_WITHOUT_HARDWARE,
    in_demo=False,
)
def off_device(lab: Lab) -> Observed:
    lab.set_up()
    if ARM64 not in lab.phone_abis:
        raise Skipped(
            "arm64's library was not built: `make android-check`, or `make android` with an NDK"
        )
    lab.register()
    lab.set_api_mode("enforce")
    lab.console.say(
        "The package holds the library and its configuration. A program around unidbg, from Maven "
        "Central, loads it on Android's own C library and has it attest: the code is the genuine "
        "code, and answers every challenge truthfully. First where software evidence passes, with "
        "unidbg as it comes:"
    )
    lab.set_policy("development")
    try:
        plain = _attack(lab)
        lab.console.say(
            "Its loader, kernel, memory and processor are none of a phone's, and the library's own "
            "checks say so. But the emulator is the attacker's. With some 400 lines more it shows "
            "the checks what a phone would show:"
        )
        forged = _attack(lab, *_FORGED)
    finally:
        lab.set_policy("strict")
    lab.console.say("And under the policy that every new service starts with:")
    seen = _attack(lab, *_FORGED)
    return dataclasses.replace(
        seen,
        notes=(
            f"software policy, unidbg as it comes: {plain.status}, {', '.join(plain.findings)}",
            f"software policy, all of it forged: {forged.status}, "
            + (", ".join(forged.findings) or "no finding"),
        ),
        problems=tuple(_problems(plain, forged)),
    )


def _problems(plain: Observed, forged: Observed) -> list[str]:
    out = []
    if plain.status != 401 or not set(plain.findings) >= _MARKS:
        out.append(f"unidbg as it comes got {plain.status}, {', '.join(plain.findings)}")
    if forged.status != 200 or forged.attested is not True:
        out.append(
            "the attack does not work where software evidence passes: "
            f"{forged.status}, {', '.join(forged.findings)}"
        )
    return out


def _attack(lab: Lab, *options: str) -> Observed:
    phone = str(lab.out / "unidbg")
    seen = lab.mint("off-device", *options, phone, str(lab.release), lab.api.url)
    if not seen.problems:
        lab.console.output("; ".join(seen.findings) or "no finding")
    return seen
