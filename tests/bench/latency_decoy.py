"""Prints the latency of valid and decoy answers side by side. Asserts nothing: machines are noisy.

Each row compares evidence that passes with evidence that does not, in random order over one
connection. The first rows are of one shape: all that differs is the verdict. In the others the
evidence itself differs, so that there is more to read, compare or write down.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.flood import post
from kit.registered_app import RegisteredApp, touchmark
from kit.soft_attester import SoftAttester

EACH = 2000
# One finding that passes and one that does not, with names of one length.
NOTED, REJECTED = "debug.attached", "hook.framework"
POLICY = f"""version = 1
[findings]
"{NOTED}" = "annotate"
[assurance]
android = "software"
"""


@dataclass
class Side:
    attester: SoftAttester
    changed: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {}

    def request(self) -> bytes:
        claims = self.attester.claims(self.attester.challenge())
        evidence = self.attester.sign({**claims, **self.changed(claims)})
        return post("/v1/attest", json.dumps({"evidence": evidence}).encode())


def sample(valid: Side, decoy: Side, each: int = EACH) -> tuple[list[float], list[float]]:
    """Microseconds from before the request is sent until its answer is there."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    order = [True, False] * each
    random.shuffle(order)
    for good in order:
        side = valid if good else decoy
        request = side.request()
        start = time.perf_counter()
        side.attester.connection.exchange(request)
        taken[good].append((time.perf_counter() - start) * 1e6)
    return taken[True], taken[False]


def ks_distance(a: list[float], b: list[float]) -> float:
    """Kolmogorov-Smirnov: the largest gap between the two distribution functions."""
    a, b = sorted(a), sorted(b)
    gap, i, j = 0.0, 0, 0
    for x in sorted(a + b):
        while i < len(a) and a[i] <= x:
            i += 1
        while j < len(b) and b[j] <= x:
            j += 1
        gap = max(gap, abs(i / len(a) - j / len(b)))
    return gap


def finding(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda _: {"findings": [{"id": name, "detail": "libc.so"}]}


def rows(app: RegisteredApp) -> dict[str, tuple[Side, Side]]:
    first = app.attester()
    second, third = (SoftAttester(first.connection, app.account, app.app) for _ in range(2))
    app.judge(third)
    seen = [event for event in app.service.events() if event.get("event") == "attest"]
    touchmark(app.service, "device", "force-fail", seen[-1]["did"])
    zeros = "A" * 43
    return {
        "the same: two devices that pass": (Side(first), Side(second)),
        "the same: a device is forced to fail": (Side(first), Side(third)),
        "the same: a finding is rejected": (
            Side(first, finding(NOTED)),
            Side(first, finding(REJECTED)),
        ),
        "a finding more": (Side(first), Side(first, finding(REJECTED))),
        "a wrong range proof": (Side(first), Side(first, lambda _: {"range_proof": zeros})),
        "another measurement": (
            Side(first),
            Side(first, lambda claims: {"app": {**claims["app"], "measurement": zeros}}),
        ),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = RegisteredApp.start(Path(folder), policy=POLICY)
        try:
            compared = rows(app)
            sample(*compared["a finding more"], each=300)  # warm up
            # The 1 % critical value of the two-sample test: a distance below it says "cannot be
            # told apart".
            critical = 1.628 * (2 / EACH) ** 0.5
            print(
                f"attest latency in microseconds, {EACH} valid and {EACH} decoys a row, one "
                f"connection; KS distances below {critical:.3f} are those of chance (1 %)"
            )
            print(f"{'':38}{'p10':>13}{'p50':>13}{'p90':>13}{'KS':>8}")
            for name, (valid, decoy) in compared.items():
                times = sample(valid, decoy)
                cuts = [statistics.quantiles(one, n=10) for one in times]
                shown = "".join(f"{cuts[0][i]:6.0f} {cuts[1][i]:6.0f}" for i in (0, 4, 8))
                print(f"{name:38}{shown}{ks_distance(*times):8.3f}", flush=True)
        finally:
            app.service.stop()


if __name__ == "__main__":
    main()
