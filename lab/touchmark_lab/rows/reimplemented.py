"""No phone at all: a program that has the app's package and Touchmark's source code."""

from __future__ import annotations

import dataclasses

from touchmark_lab import tools
from touchmark_lab.lab import Lab
from touchmark_lab.model import REFUSED_WITHOUT_HARDWARE, Observed
from touchmark_lab.table import row


@row(
    "reimplemented-attester",
    chapter="A script with the app's package and this source code",
    attack="a script with the registered APK and the source; the default policy",
    tool=tools.both(tools.python, tools.curl),
    expected=REFUSED_WITHOUT_HARDWARE,
)
def reimplemented_attester(lab: Lab) -> Observed:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    lab.console.say(
        "The protocol is public, and so is the app. A program of 150 lines answers every challenge "
        "out of the package and signs with a key of its own. First, what it gets where software "
        "evidence passes:"
    )
    lab.set_policy("development")
    try:
        lax = lab.mint("soft-attester", str(lab.release))
    finally:
        lab.set_policy("strict")
    lab.console.say("And under the policy that every new service starts with:")
    seen = lab.mint("soft-attester", str(lab.release))
    if lax.status != 200 or lax.attested is not True:
        problem = f"the attack does not work where software evidence passes: {lax.status}"
        return dataclasses.replace(seen, problems=(problem,))
    return seen
