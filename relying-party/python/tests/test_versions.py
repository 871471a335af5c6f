"""The tests run with the lowest and the newest versions that the package allows: what tools/setup
installs from versions/, in environments of its own."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VERSIONS = ("lowest", "newest")


def pins(name: str) -> dict[str, str]:
    lines = (HERE / f"versions/{name}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def number(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        del parts[-1]
    return tuple(parts)


def test_the_lowest_versions_are_those_that_the_package_declares() -> None:
    text = (HERE.parent / "pyproject.toml").read_text()
    declared = dict(re.findall(r'"([A-Za-z_-]+)>=([0-9.]+),<[0-9.]+"', text))
    # Every dependency has a floor and a ceiling, or it would not be found here.
    sections = re.findall(r"^([a-z]+) = \[.*\]$", text, re.MULTILINE)
    extras = set(sections) - {"requires", "all", "where", "testpaths"}
    assert len(declared) == len(extras) == 9
    every = re.search(r'^all = \["touchmark-attestation\[(.*)\]"\]$', text, re.MULTILINE)
    assert every and {*every[1].split(","), "dependencies"} == extras
    for name, floor in declared.items():
        assert number(pins("lowest")[name]) == number(floor), name
        assert number(pins("newest")[name]) > number(floor), name
    assert pins("lowest").keys() == pins("newest").keys()


@pytest.mark.parametrize("name", VERSIONS)
def test_an_environment_has_the_versions_of_its_name(name: str) -> None:
    if Path(sys.prefix).parts[-2:] != ("relying-party", name):
        pytest.skip(f"runs in build/relying-party/{name}")
    for package, version in pins(name).items():
        assert importlib.metadata.version(package) == version, package
