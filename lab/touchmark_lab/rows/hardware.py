"""The phone's own hardware speaks: what software evidence cannot know."""

from __future__ import annotations

from touchmark_lab import tools
from touchmark_lab.lab import UNLOCKED_PHONE, Lab
from touchmark_lab.model import Expected, Observed
from touchmark_lab.table import row


@row(
    "unlocked-phone",
    chapter="A phone whose owner can change the system",
    attack="the release, untouched, on a phone with an unlocked boot loader",
    tool=tools.none,
    expected=Expected(
        401, attested=False, findings=frozenset({"boot.unlocked"}), assurance="tee", got="^401"
    ),
    in_demo=False,
)
def unlocked_phone(lab: Lab) -> Observed:
    lab.set_up()
    lab.register()
    lab.set_api_mode("enforce")
    lab.console.say(
        "Nothing in the app or its process gives it away. The Keystore's attestation does: the "
        "secure hardware says what the boot loader let start."
    )
    return lab.convert(lab.device(UNLOCKED_PHONE))
