"""tools/check-layers passes on this tree, and fails when an arrow runs the wrong way."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools/check-layers", "--root", root], check=False, capture_output=True, text=True
    )


def test_the_tree_follows_its_layers() -> None:
    done = check(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with the real rules' form: b may include a, and nothing else is allowed."""
    for name in ("a", "b", "docs"):
        (tmp_path / name).mkdir()
    (tmp_path / "docs/layers.toml").write_text('[layers]\n"a" = []\n"b" = ["a"]\n')
    (tmp_path / "a/low.h").write_text("#pragma once\n")
    (tmp_path / "b/high.h").write_text('#include "a/low.h"\n')
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def test_an_allowed_include_passes(tree: Path) -> None:
    done = check(tree)
    assert done.returncode == 0, done.stdout


def test_an_include_against_the_arrows_fails(tree: Path) -> None:
    (tree / "a/low.cc").write_text('#include "a/low.h"\n#include "b/high.h"\n')
    done = check(tree)
    assert done.returncode == 1
    assert "a/low.cc:2: a may not include b/high.h (b)" in done.stdout


def test_a_circle_between_files_fails(tree: Path) -> None:
    (tree / "a/low.h").write_text('#include "a/other.h"\n')
    (tree / "a/other.h").write_text('#include "a/low.h"\n')
    done = check(tree)
    assert done.returncode == 1
    assert "in a circle: " in done.stdout


def test_a_circle_between_folders_fails(tree: Path) -> None:
    (tree / "docs/layers.toml").write_text('[layers]\n"a" = ["b"]\n"b" = ["a"]\n')
    done = check(tree)
    assert done.returncode == 1
    assert "the rules run in a circle" in done.stdout


def test_the_product_may_not_include_what_is_for_tests(tree: Path) -> None:
    (tree / "a/testing").mkdir()
    (tree / "a/testing/maker.h").write_text("#pragma once\n")
    (tree / "b/high.h").write_text('#include "a/testing/maker.h"\n')
    done = check(tree)
    assert done.returncode == 1
    assert "b/high.h:1: the product includes a/testing/maker.h" in done.stdout


def test_a_folder_without_a_rule_and_a_rule_without_a_folder_fail(tree: Path) -> None:
    (tree / "c").mkdir()
    (tree / "c/new.h").write_text("#pragma once\n")
    shutil.rmtree(tree / "b")
    done = check(tree)
    assert done.returncode == 1
    assert "c/new.h: its folder has no rule" in done.stdout
    assert "there is no folder b" in done.stdout
