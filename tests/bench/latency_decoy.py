"""Prints the latency of valid and decoy answers side by side. Asserts nothing:
machines are noisy."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.registered_app import RegisteredApp
from kit.soft_attester import SoftAttester, TlsConnection

EACH = 1000
FAILURE = {"findings": [{"id": "hook.text-modified", "detail": "libc.so"}]}


def sample(app: RegisteredApp) -> tuple[list[float], list[float]]:
    """Microseconds from the request's last byte to the answer's, valid and
    decoy in random order."""
    attester = SoftAttester(TlsConnection(app.url), app.account, app.app)
    valid: list[float] = []
    decoy: list[float] = []
    order = [True, False] * EACH
    random.shuffle(order)
    for good in order:
        claims = attester.claims(attester.challenge())
        evidence = attester.sign(claims if good else {**claims, **FAILURE})
        start = time.perf_counter()
        attester.send(evidence)
        (valid if good else decoy).append((time.perf_counter() - start) * 1e6)
    attester.connection.close()
    return valid, decoy


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


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = RegisteredApp.start(Path(folder), policy="development")
        try:
            sample(app)  # warm up
            valid, decoy = sample(app)
            again, _ = sample(app)
        finally:
            app.service.stop()
    print(f"attest latency in microseconds, {EACH} each, one connection")
    print(f"{'':8}{'p10':>9}{'p50':>9}{'p90':>9}{'p99':>9}")
    for name, values in (("valid", valid), ("decoy", decoy)):
        cuts = statistics.quantiles(values, n=100)
        print(f"{name:8}{cuts[9]:9.0f}{cuts[49]:9.0f}{cuts[89]:9.0f}{cuts[98]:9.0f}")
    # The 1 % critical value of the two-sample test: a distance below it says
    # "cannot be told apart".
    critical = 1.628 * (2 / EACH) ** 0.5
    print(f"KS distance valid/decoy {ks_distance(valid, decoy):.3f}, valid/valid again "
          f"{ks_distance(valid, again):.3f}, 1 % critical value {critical:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
