from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from touchmark_lab import packages
from touchmark_lab.process import Finished


@pytest.mark.parametrize(
    "failure", [OSError("gone"), subprocess.TimeoutExpired("apktool", 1), KeyError("x")]
)
def test_whoever_waits_for_a_step_is_told_of_any_failure(
    failure: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> Finished:
        raise failure

    monkeypatch.setattr(packages, "run", fail)
    attacker = packages.Attacker(tmp_path, tmp_path, {})
    with pytest.raises(type(failure)):
        attacker.commands(packages.WITHOUT_SDK)
