"""What the repeated attacks count as found. The attacks themselves are `lab/run detection`."""

from __future__ import annotations

import pytest

import touchmark_lab.rows  # noqa: F401  (fills ROWS)
from touchmark_lab.detection import ATTACKS, Detection, is_as_expected
from touchmark_lab.model import Expected
from touchmark_lab.servers import Verdict
from touchmark_lab.table import ROWS

HOOKED = Expected(401, attested=False, findings=frozenset({"a"}), any_of=frozenset({"b", "c"}))
GENUINE = Expected(200, attested=True)


def verdict(*findings: str, passed: bool = False) -> Verdict:
    return Verdict(passed=passed, did="x", findings=findings)


@pytest.mark.parametrize(
    ("expected", "seen", "holds"),
    [
        (HOOKED, verdict("a", "b"), True),
        (HOOKED, verdict("a", "c", "d"), True),
        (HOOKED, verdict("b"), False),
        (HOOKED, verdict("a"), False),
        (HOOKED, verdict("a", "b", passed=True), False),
        (GENUINE, verdict(passed=True), True),
        (GENUINE, verdict("root.mounts", passed=True), False),
        (GENUINE, verdict("a"), False),
    ],
)
def test_a_run_is_as_expected(expected: Expected, seen: Verdict, holds: bool) -> None:
    assert is_as_expected(expected, seen) is holds


def test_each_attack_repeats_a_row() -> None:
    rows = {row.name: row for row in ROWS}
    for attack in ATTACKS:
        assert rows[attack.row].expected.attested is (attack.row == "registered")


def test_a_missed_run_and_what_stays_behind_are_faults() -> None:
    detection = Detection(ATTACKS[1], HOOKED)
    for seen in (verdict("a", "b"), verdict("a", "c"), verdict(passed=True)):
        detection.add(seen, 10)
    detection.add_after(verdict(passed=True))
    assert detection.problems == ["1 of 3 runs not as expected"]
    assert detection.cells() == ["frida-attached", "2/3", "10", "10", "a 2, b 1, c 1"]
    detection.add_after(verdict("hook.framework"))
    assert detection.problems[1] == "found when the intruder had gone: {'hook.framework': 1}"
