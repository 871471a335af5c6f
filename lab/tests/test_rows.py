"""The table holds what the folder of rows holds."""

from __future__ import annotations

from pathlib import Path

from touchmark_lab import rows
from touchmark_lab.table import ROWS


def test_every_row_is_in_the_table() -> None:
    written = {
        f"{rows.__name__}.{file.stem}": file.read_text().count("\n@row(")
        for file in Path(rows.__file__).parent.glob("*.py")
    }
    listed = {row.run.__module__: 0 for row in ROWS}
    for row in ROWS:
        listed[row.run.__module__] += 1
    assert listed == {module: count for module, count in written.items() if count}


def test_the_story_begins_with_the_strongest_script() -> None:
    """A row makes its own preconditions, but phones that were attacked stay so: order counts."""
    modules = list(dict.fromkeys(row.run.__module__.rsplit(".", 1)[1] for row in ROWS))
    assert modules == [
        "reimplemented", "off_device", "genuine", "mitm", "configuration", "repackaged",
        "scripts", "instrumentation", "hardware", "iphone", "expiry",
    ]  # fmt: skip
