"""The Java API over the classes of Android itself. TOUCHMARK_ANDROID_LEVELS="23 28 34" names other
API levels; each but 34 is a download of 100 to 200 MB."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kit.android_build import ROOT

RUN = Path(__file__).resolve().parent / "robolectric/run"

pytestmark = pytest.mark.skipif(
    not (ROOT / "build/release/lib/libtouchmark.so").is_file(),
    reason="the SDK's library is not there: make build makes it",
)


def test_the_java_api_on_androids_own_classes() -> None:
    levels = os.environ.get("TOUCHMARK_ANDROID_LEVELS", "34").split()
    done = subprocess.run(
        [RUN, *levels], capture_output=True, text=True, check=False, timeout=300 * len(levels)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("OK (3 tests)") == len(levels), done.stdout


def test_a_level_that_is_not_there_is_said() -> None:
    done = subprocess.run([RUN, "99"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert "no API level 99" in done.stderr
