"""The packages that the tests of this folder install: two versions of the same program."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


def run_checked(*command: str | Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs a command in the top folder; one that fails fails the test, and shows its output."""
    return run_checked


@pytest.fixture(scope="session")
def build() -> Callable[[str], Path]:
    """Builds the package of a version."""

    def build_version(version: str) -> Path:
        listed = run_checked("tools/package", "--version", version).stdout.splitlines()
        (package,) = [ROOT / line for line in listed if line.startswith("build/touchmark_")]
        return package

    return build_version


@pytest.fixture(scope="session")
def packages(build: Callable[[str], Path]) -> Iterator[tuple[Path, Path]]:
    made = (build("1.0"), build("1.1"))
    yield made
    for package in made:
        for file in package.parent.glob(package.name.replace("touchmark_", "touchmark*_")):
            file.unlink()


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skips where no bare Debian can be made."""
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False).returncode:
        pytest.skip("no namespaces can be made here")
