"""The tests in TypeScript: attestations through the Node-API addon of the real core."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from kit.service import ROOT

# How many attestations soak.test.ts makes, where more than a few are wanted.
SOAK = int(os.environ.get("TOUCHMARK_SOAK", "0"))
TESTS = sorted((ROOT / "tests/javascript").glob("*.test.ts"))


@pytest.fixture(scope="session")
def report(compiled: Path, node_environment: dict[str, str]) -> str:
    """What Node says of all tests, as TAP: one file after the other, for they share a port."""
    said = ""
    patience = 120 + SOAK
    for source in TESTS:
        # A test that fails may leave a server behind, with which Node goes on.
        done = subprocess.run(
            ["timeout", str(patience), "node", "--test-reporter=tap",
             compiled / source.with_suffix(".js").name],
            env=node_environment, check=False, capture_output=True, text=True,
            timeout=patience + 180,
        )  # fmt: skip
        said += done.stdout
        assert "# tests " in done.stdout, done.stdout + done.stderr
    return said


def names() -> list[str]:
    """The tests by their sources, so that one that does not run is missed."""
    found = [
        name for source in TESTS for name in re.findall(r'\btest\("([^"]+)"', source.read_text())
    ]
    of_both = [
        name
        for source in TESTS
        for name in re.findall(r"\btest\(`\$\{name\}([^`]+)`", source.read_text())
    ]
    found += [platform + name for platform in ("Cordova", "Capacitor") for name in of_both]
    assert len(found) == len(set(found)) >= 30
    return found


@pytest.mark.parametrize("name", names())
def test_in_typescript(name: str, report: str) -> None:
    head = re.search(rf"^( *)(not )?ok \d+ - {re.escape(name)}(?: #.*)?$", report, re.MULTILINE)
    assert head, f"it did not run:\n{report[-3000:]}"
    details = report[head.start() :].split("\n" + head[1] + "ok ")[0][:4000]
    assert not head[2] and "# SKIP" not in head[0], details
