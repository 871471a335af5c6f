"""A plain program that attests, without a virtual machine beside it: nothing is found."""

from __future__ import annotations

import subprocess
import sys

from kit.service import ROOT


def test_nothing_is_found_in_one_attestation_after_the_other() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/arm/soak", "host", "--attestations", "25"],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "25 attestations in " in done.stdout and "findings: {}" in done.stdout
