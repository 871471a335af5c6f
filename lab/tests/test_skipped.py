"""A row that cannot be tried says so, and fails nothing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from touchmark_lab import __main__ as lab_main
from touchmark_lab import report
from touchmark_lab.console import Console
from touchmark_lab.lab import Lab
from touchmark_lab.model import Observed, Skipped
from touchmark_lab.rows.off_device import off_device
from touchmark_lab.table import ROWS, Result


class QuietConsole(Console):
    def plain(self, *_arguments: Any, **_options: Any) -> None: ...

    def output(self, *_arguments: Any, **_options: Any) -> None: ...


def lab_without_arm64() -> Lab:
    root = Path(__file__).resolve().parents[2]
    return cast(
        Lab,
        SimpleNamespace(
            root=root, phone_abis=[], set_up=lambda: None, console=QuietConsole(),
            env={"PATH": "/usr/bin:/bin"},
        ),
    )  # fmt: skip


def result() -> Result:
    (row,) = [row for row in ROWS if row.name == "off-device-unidbg"]
    return lab_main._run_row(lab_without_arm64(), row)


def test_without_arm64s_library_the_row_is_not_tried(tmp_path: Path) -> None:
    with pytest.raises(Skipped, match="make android-check"):
        off_device(lab_without_arm64())
    seen = result()
    assert seen.passed and seen.outcome == "skip" and "unidbg" in seen.tool
    report.write(tmp_path, [seen])
    table = (tmp_path / "report.md").read_text()
    assert "not tried: arm64's library was not built" in table and "| skip |" in table
    (entry,) = json.loads((tmp_path / "report.json").read_text())["rows"]
    assert "arm64" in entry["skipped"]


def test_both_outcomes_stand_in_the_report(tmp_path: Path) -> None:
    seen = Observed("{}", 401, ("hardware.assurance",), False, notes=("software policy: 200",))
    (row,) = [row for row in ROWS if row.name == "off-device-unidbg"]
    report.write(tmp_path, [Result(row, "unidbg 1", seen, 1.0)])
    assert "{}; software policy: 200" in (tmp_path / "report.md").read_text()
    (entry,) = json.loads((tmp_path / "report.json").read_text())["rows"]
    assert entry["notes"] == ["software policy: 200"] and entry["skipped"] is None
