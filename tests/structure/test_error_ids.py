"""tools/check-error-ids passes on this tree, and sees each kind of fault."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HEADER = """
enum class DoorError {
  kLocked,  // needs a key
  kStuck,
};
std::string_view error_id(DoorError error);
"""
TABLE = """
std::string_view error_id(DoorError error) {{
  using enum DoorError;
  static constexpr auto kIds = error_table<DoorError>({{
      {rows}
  }});
  return kIds[error];
}}
"""
BOTH = '{kLocked, "door.locked"},\n      {kStuck, "door.stuck"},'


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools/check-error-ids", "--root", root],
        check=False,
        capture_output=True,
        text=True,
    )


def test_every_failure_of_the_tree_has_one_id() -> None:
    done = check(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "door.h").write_text(HEADER)
    (tmp_path / "door.cc").write_text(TABLE.format(rows=BOTH))
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def test_a_sound_table_passes(tree: Path) -> None:
    done = check(tree)
    assert done.returncode == 0, done.stdout
    assert "2 ids" in done.stdout


def test_an_enumerator_without_a_row_fails(tree: Path) -> None:
    (tree / "door.cc").write_text(TABLE.format(rows='{kLocked, "door.locked"},'))
    assert check(tree).returncode == 1


def test_an_id_that_stands_twice_fails(tree: Path) -> None:
    (tree / "gate.h").write_text(HEADER.replace("Door", "Gate"))
    (tree / "gate.cc").write_text(TABLE.format(rows=BOTH).replace("Door", "Gate"))
    done = check(tree)
    assert done.returncode == 1
    assert "door.locked stands in 2 tables" in done.stdout


def test_an_id_of_another_form_fails(tree: Path) -> None:
    (tree / "door.cc").write_text(TABLE.format(rows=BOTH.replace("door.stuck", "Stuck")))
    done = check(tree)
    assert done.returncode == 1
    assert "'Stuck' is not of the form" in done.stdout
