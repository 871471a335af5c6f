"""The table: on the terminal, as Markdown, and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

from touchmark_lab.console import Console
from touchmark_lab.model import NO_REQUEST, Observed
from touchmark_lab.table import Result

_HEADINGS = ("Attack", "Tool", "What it got", "Status", "Verdict", "Expected", "Result")
_WIDTHS = (38, 20, 24, 6, 26, 26, 6)


def _verdict(seen: Observed) -> str:
    if seen.attested is None:
        return "not asked"
    return "passed" if seen.attested else ", ".join(seen.findings) or "failed"


def _cells(result: Result) -> tuple[str, ...]:
    seen = result.seen
    notes = "".join(f"; {note}" for note in seen.notes)
    return (
        result.row.attack,
        result.tool,
        f"not tried: {result.skipped}" if result.skipped else seen.got + notes,
        "-" if seen.status == NO_REQUEST else str(seen.status),
        _verdict(seen),
        str(result.row.expected),
        result.outcome,
    )


def print_table(console: Console, results: Sequence[Result]) -> None:
    rule = "+".join("-" * (width + 2) for width in _WIDTHS)
    console.plain(rule)
    _print_line(console, _HEADINGS)
    console.plain(rule.replace("-", "="))
    for result in results:
        _print_line(console, _cells(result))
        console.plain(rule)


def _print_line(console: Console, cells: Sequence[str]) -> None:
    columns = [
        textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, _WIDTHS, strict=True)
    ]
    for number in range(max(map(len, columns))):
        parts = [
            (column[number] if number < len(column) else "").ljust(width)
            for column, width in zip(columns, _WIDTHS, strict=True)
        ]
        console.plain((" " + " | ".join(parts)).rstrip())


def write(folder: Path, results: Sequence[Result]) -> None:
    """report.md and report.json."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["| " + " | ".join(_HEADINGS) + " |", "|" + " --- |" * len(_HEADINGS)]
    for result in results:
        cells = (cell.replace("|", "\\|").replace("\n", " ") for cell in _cells(result))
        lines.append("| " + " | ".join(cells) + " |")
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    entries = [
        {
            "name": result.row.name,
            "attack": result.row.attack,
            "tool": result.tool,
            "got": result.seen.got,
            "status": result.seen.status or None,
            "attested": result.seen.attested,
            "findings": list(result.seen.findings),
            "expected": str(result.row.expected),
            "notes": list(result.seen.notes),
            "passed": result.passed,
            "skipped": result.skipped or None,
            "problems": result.problems,
            "seconds": round(result.seconds, 2),
        }
        for result in results
    ]
    text = json.dumps({"rows": entries}, indent=2, ensure_ascii=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
