from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kit.android_build import ANDROID, StandIn


@pytest.fixture(scope="session")
def stand_in() -> StandIn:
    """Headers and tools of every ABI, and nothing to link a whole library with."""
    done = subprocess.run(
        [ANDROID / "make-stand-in"], stdout=subprocess.PIPE, text=True, check=True
    )
    return StandIn(Path(done.stdout.strip()))
