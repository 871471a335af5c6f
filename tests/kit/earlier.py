"""Data folders as earlier versions left them: the tables of then, with what stays of today's
content."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[2] / "verifier/store/schema.cc"


def steps() -> list[str]:
    """The SQL of each step of the schema: step N makes version N + 1 of version N."""
    return re.findall(r'R"sql\((.*?)\)sql"', SCHEMA.read_text("utf-8"), re.DOTALL)


def version_before(text: str) -> int:
    """The version before the one step that has this text."""
    (index,) = [i for i, step in enumerate(steps()) if text in step]
    return index


def make_earlier(data: Path, version: int) -> None:
    """Writes the database of a stopped service as that version of the tables had it."""
    database = data / "touchmark.db"
    today = sqlite3.connect(database)
    application = today.execute("PRAGMA application_id").fetchone()[0]
    earlier_file = database.with_suffix(".earlier")
    earlier = sqlite3.connect(earlier_file)
    for step in steps()[:version]:
        earlier.executescript(step)
    tables = earlier.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for (table,) in tables:
        columns = ", ".join(row[1] for row in earlier.execute(f"PRAGMA table_info({table})"))
        rows = today.execute(f"SELECT {columns} FROM {table}").fetchall()
        earlier.execute(f"DELETE FROM {table}")
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            earlier.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
    earlier.execute(f"PRAGMA application_id = {application}")
    earlier.execute(f"PRAGMA user_version = {version}")
    earlier.commit()
    earlier.close()
    today.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
    earlier_file.rename(database)
