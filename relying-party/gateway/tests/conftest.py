from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from gateway import ROOT


@pytest.fixture(scope="session")
def fixed_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that lets the clock of a process stand at CLOCK_AT."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", library, ROOT / "tests/kit/clock_shift.c", "-ldl"],
        check=True,
    )
    return library
