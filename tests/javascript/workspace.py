"""The npm workspace: its tools, and the tests in TypeScript compiled by them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kit.service import ROOT

WORKSPACE = ROOT / "attester/javascript"
OUT = ROOT / "build/javascript"
NODE_MODULES = OUT / "workspace/node_modules"


def install() -> None:
    subprocess.run([WORKSPACE / "install", "--all"], check=True, timeout=900)


def tsc(*arguments: str | Path) -> str:
    """What the compiler finds; empty when nothing is wrong."""
    install()
    done = subprocess.run(
        [NODE_MODULES / ".bin/tsc", *arguments],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 or done.stdout, done.stderr
    return done.stdout


def compile_tests() -> Path:
    found = tsc("-p", "tests/javascript")
    assert found == "", found
    return OUT / "tests/tests/javascript"


def npm_install(folder: Path, *packages: Path) -> None:
    """Installs packages as an app does, and nothing that they ask for beside them."""
    (folder / "package.json").write_text('{"name": "app", "private": true}')
    done = subprocess.run(
        ["npm", "install", "--offline", "--legacy-peer-deps", "--ignore-scripts", "--no-audit",
         "--no-fund", *(f"file:{package}" for package in packages)],
        cwd=folder, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
