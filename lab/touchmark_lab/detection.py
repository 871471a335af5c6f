"""Each attack again and again: how often it is found, by what, and how long that takes."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from touchmark_lab.console import Console
from touchmark_lab.device import Device
from touchmark_lab.lab import PHONE, PRELOAD_PHONE, UNLOCKED_PHONE, Lab
from touchmark_lab.model import Expected
from touchmark_lab.packages import UNCHANGED, WITHOUT_PINNING
from touchmark_lab.process import LabError, Tail
from touchmark_lab.servers import Verdict, verdicts
from touchmark_lab.table import ROWS

_VERDICT_SECONDS = 2
_SHOWN_EVERY_SECONDS = 30


@dataclass(frozen=True)
class Attack:
    row: str
    """The row of the table that it repeats: says what is to be found."""
    device: str
    intruder: tuple[str, ...] = ()
    """A program of lab/attackers and its arguments. It attaches to the app again for each run."""


ATTACKS = (
    Attack("registered", PHONE),
    Attack("frida-attached", PHONE, ("frida-attach",)),
    Attack("frida-hook-v2", PHONE, ("frida-attach", "--script", "accept-any-pin.js")),
    Attack("debugger-attached", PHONE, ("gdb-attach",)),
    Attack("debugger-breakpoint", PHONE, ("gdb-attach", "--break", "touchmark_pin_allows")),
    Attack("preload", PRELOAD_PHONE),
    Attack("unlocked-phone", UNLOCKED_PHONE),
    Attack("repackaged-unchanged", UNCHANGED),
    Attack("pinning-removed-v2", WITHOUT_PINNING),
)


@dataclass
class Detection:
    """What came of the runs of one attack."""

    attack: Attack
    expected: Expected
    runs: int = 0
    as_expected: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    """In how many runs each was found."""
    millis: list[float] = field(default_factory=list)
    """Of each attestation, as the app sees it."""
    left_behind: Counter[str] = field(default_factory=Counter)
    """What the attestation after each run found, when the intruder had gone."""

    def add(self, verdict: Verdict, millis: float) -> None:
        self.runs += 1
        self.millis.append(millis)
        self.findings.update(set(verdict.findings))
        self.as_expected += is_as_expected(self.expected, verdict)

    def add_after(self, verdict: Verdict) -> None:
        if not verdict.passed:
            self.left_behind.update(set(verdict.findings))

    @property
    def problems(self) -> list[str]:
        out = []
        if self.as_expected < self.runs:
            out.append(f"{self.runs - self.as_expected} of {self.runs} runs not as expected")
        if self.left_behind:
            out.append(f"found when the intruder had gone: {dict(self.left_behind)}")
        return out

    def cells(self) -> list[str]:
        quantiles = statistics.quantiles(self.millis, n=100)
        found = ", ".join(f"{name} {count}" for name, count in self.findings.most_common())
        return [
            self.attack.row,
            f"{self.as_expected}/{self.runs}",
            f"{quantiles[49]:.0f}",
            f"{quantiles[98]:.0f}",
            found or "nothing",
        ]


def is_as_expected(expected: Expected, verdict: Verdict) -> bool:
    """By the verdict alone, since the runs call no API."""
    found = set(verdict.findings)
    return (
        verdict.passed == expected.attested
        and expected.findings <= found
        and (not expected.any_of or bool(expected.any_of & found))
        and not (expected.attested and found)
    )


def _attest(lab: Lab, device: Device, log: Tail) -> tuple[Verdict, float]:
    answer = device.ask("attest", url=lab.api.url, count=1)
    end = time.monotonic() + _VERDICT_SECONDS
    while time.monotonic() < end:
        if found := verdicts(log.lines()):
            return found[-1], answer["micros"][0] / 1000
        time.sleep(0.005)
    raise LabError(f"the service logged no verdict; the app's status: {answer['statuses']}")


def _run_once(lab: Lab, detection: Detection, log: Tail) -> None:
    attack = detection.attack
    device = lab.device(attack.device)
    if not attack.intruder:
        detection.add(*_attest(lab, device, log))
        return
    program, *arguments = attack.intruder
    with lab.attached(program, str(device.pid), *arguments):
        detection.add(*_attest(lab, device, log))
    detection.add_after(_attest(lab, device, log)[0])


def run(lab: Lab, runs: int, names: Sequence[str]) -> list[Detection]:
    """Of the attacks of these names; without any, of all."""
    lab.set_up()
    lab.register(24 * 3600)
    rows = {row.name: row for row in ROWS}
    log = Tail(lab.service.log)
    out = []
    for attack in ATTACKS:
        if names and attack.row not in names:
            continue
        lab.wait_for_fresh_attestation(lab.device(attack.device))
        lab.console.plain(f"{attack.row}: {runs} runs")
        detection = Detection(attack, rows[attack.row].expected)
        log.lines()
        shown = time.monotonic()
        while detection.runs < runs:
            _run_once(lab, detection, log)
            if time.monotonic() - shown > _SHOWN_EVERY_SECONDS:
                shown = time.monotonic()
                lab.console.plain(f"{detection.as_expected} of {detection.runs} as expected")
        out.append(detection)
    return out


def show(console: Console, detections: Sequence[Detection]) -> None:
    heads = ["Attack", "As expected", "ms", "ms, 99 %", "Found in runs"]
    table = [heads, *(detection.cells() for detection in detections)]
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        console.plain("  ".join(cells).rstrip())
    for detection in detections:
        for problem in detection.problems:
            console.plain(f"!! {detection.attack.row}: {problem}")


def write(folder: Path, detections: Sequence[Detection]) -> None:
    """detection.json."""
    entries = []
    for detection in detections:
        quantiles = statistics.quantiles(detection.millis, n=100)
        entries.append(
            {
                "attack": detection.attack.row,
                "intruder": " ".join(detection.attack.intruder) or None,
                "runs": detection.runs,
                "as_expected": detection.as_expected,
                "expected": str(dataclasses.replace(detection.expected, status=0)),
                "findings": dict(detection.findings),
                "milliseconds": {"median": quantiles[49], "p99": quantiles[98]},
                "problems": detection.problems,
            }
        )
    text = json.dumps({"attacks": entries}, indent=2)
    (folder / "detection.json").write_text(text + "\n")
