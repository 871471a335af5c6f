"""The genuine app, attesting again and again: nothing may be found, and nothing may grow."""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from touchmark_lab.lab import PHONE, Lab
from touchmark_lab.process import Tail
from touchmark_lab.servers import verdicts

_AT_ONCE = 10
"""Few, so that a busy machine has answered in the time that a device has."""
_WARM_UP = 500
"""Attestations after which caches are full: growth is counted from there."""
_MOST_GROWTH = 64 * 1024
"""In KiB, of the service's memory. The phone's is a JVM's, which takes what it may."""


@dataclass(frozen=True)
class Process:
    memory: int
    """Resident, in KiB."""
    descriptors: int
    threads: int

    @staticmethod
    def look(pid: int) -> Process:
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        return Process(
            int(status["VmRSS"].split()[0]),
            len(list(Path(f"/proc/{pid}/fd").iterdir())),
            int(status["Threads"]),
        )


@dataclass
class Soak:
    done: int = 0
    passed: int = 0
    refused: int = 0
    seconds: float = 0
    statuses: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    millis: list[float] = field(default_factory=list)
    before: dict[str, Process] = field(default_factory=dict)
    after: dict[str, Process] = field(default_factory=dict)

    def problems(self) -> list[str]:
        out = []
        if self.statuses != Counter({"OK": self.done}):
            out.append(f"the SDK's statuses: {dict(self.statuses)}")
        if self.refused or self.passed < self.done:
            out.append(
                f"the service passed {self.passed} of {self.done}, and refused {self.refused}"
            )
        if self.findings:
            out.append(f"findings of a genuine app: {dict(self.findings)}")
        if self.before:
            growth = self.after["service"].memory - self.before["service"].memory
            if growth > _MOST_GROWTH:
                out.append(f"the service's memory grew by {growth} KiB")
            for name, before in self.before.items():
                more = self.after[name].descriptors - before.descriptors
                if more > 16:
                    out.append(f"{name} has {more} more descriptors open")
        return out

    def lines(self) -> list[str]:
        quantiles = statistics.quantiles(self.millis, n=100) if self.done > 1 else [0.0] * 99
        out = [
            f"{self.done} attestations in {self.seconds:.0f} s, {self.passed} passed",
            f"findings: {dict(self.findings) or 'none'}; statuses: {dict(self.statuses)}",
            f"a fetch took {quantiles[49]:.1f} ms at the median, 99 % at most {quantiles[98]:.1f}",
        ]
        for name, before in self.before.items():
            after = self.after[name]
            out.append(
                f"{name}: memory {before.memory} to {after.memory} KiB, descriptors "
                f"{before.descriptors} to {after.descriptors}, threads {before.threads} to "
                f"{after.threads}, from attestation {_WARM_UP} on"
            )
        return out


def run(lab: Lab, attestations: int, seconds: float) -> Soak:
    """Until both are reached."""
    lab.set_up()
    lab.register(int(seconds) + 24 * 3600)
    phone = lab.device(PHONE)
    lab.wait_for_fresh_attestation(phone)
    pids = {"service": lab.service.daemon.pid, "phone": phone.pid}
    log = Tail(lab.service.log)
    soak = Soak()
    start = shown = time.monotonic()
    while soak.done < attestations or soak.seconds < seconds:
        if soak.done >= _WARM_UP and not soak.before:
            soak.before = {name: Process.look(pid) for name, pid in pids.items()}
        count = _AT_ONCE if soak.seconds < seconds else min(_AT_ONCE, attestations - soak.done)
        answer = phone.ask("attest", url=lab.api.url, count=count)
        soak.done += count
        soak.statuses.update(answer["statuses"])
        soak.millis += [each / 1000 for each in answer["micros"]]
        for verdict in verdicts(log.lines()):
            soak.passed += verdict.passed
            soak.refused += not verdict.passed
            soak.findings.update(verdict.findings)
        soak.seconds = time.monotonic() - start
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            found = sum(soak.findings.values())
            lab.console.plain(f"{soak.done} attestations, {soak.passed} passed, {found} findings")
    soak.after = {name: Process.look(pid) for name, pid in pids.items()}
    return soak


def write(folder: Path, soak: Soak) -> None:
    document = {
        "attestations": soak.done,
        "passed": soak.passed,
        "seconds": round(soak.seconds),
        "findings": dict(soak.findings),
        "statuses": dict(soak.statuses),
        "problems": soak.problems(),
    }
    (folder / "soak.json").write_text(json.dumps(document, indent=1) + "\n")
