"""The Debian package: what is in it, and its life in a bare Debian that systemd has booted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from install.conftest import ROOT, Run


@pytest.fixture(scope="module")
def unpacked(
    run: Run, packages: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("package")
    run("dpkg-deb", "-x", packages[0], folder)
    return folder


def test_what_is_in_it(unpacked: Path) -> None:
    files = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    assert {
        "usr/bin/touchmark",
        "usr/share/touchmark/npm/touchmark-capacitor-0.1.0.tgz",
        "usr/share/touchmark/npm/touchmark-cordova-0.1.0.tgz",
        "usr/share/touchmark/npm/touchmark-react-native-0.1.0.tgz",
        "usr/share/touchmark/touchmark-swift-0.1.0.zip",
        "usr/share/touchmark/touchmark_sdk.aar",
        "usr/share/touchmark/touchmark_sdk-sources.jar",
        "usr/share/touchmark/touchmark_sdk-javadoc.jar",
        "usr/share/touchmark/touchmark_sdk-coroutines.jar",
        "usr/share/touchmark/touchmark_sdk-coroutines-sources.jar",
        "usr/share/touchmark/touchmark_sdk-gradle-plugin.jar",
        "usr/share/touchmark/touchmark_sdk-gradle-plugin-sources.jar",
        "usr/share/touchmark/touchmark_sdk-gradle-plugin-javadoc.jar",
        "usr/share/man/man1/touchmark.1.gz",
        "usr/share/bash-completion/completions/touchmark",
        "usr/share/zsh/vendor-completions/_touchmark",
        "usr/share/fish/vendor_completions.d/touchmark.fish",
        "lib/systemd/system/touchmark.service",
        "lib/systemd/system/touchmark.socket",
        "usr/lib/sysusers.d/touchmark.conf",
        "usr/share/doc/touchmark/copyright",
    } <= files
    assert not any(name.startswith(("var/", "root/", "home/")) for name in files)


def test_the_program_is_stripped_and_needs_little(run: Run, unpacked: Path) -> None:
    program = unpacked / "usr/bin/touchmark"
    sections = run("readelf", "-S", "--wide", program).stdout
    assert ".debug_info" not in sections and ".symtab" not in sections
    assert program.stat().st_size < 8 << 20
    needed = re.findall(r"^\s*(\S+) =>", run("ldd", program).stdout, re.MULTILINE)
    assert len(needed) < 16, needed
    assert not [n for n in needed if re.match(r"lib(ldap|gssapi|krb5|curl|rtmp|ssh2)", n)]
    flags = run("readelf", "-d", "--wide", program).stdout
    assert "BIND_NOW" in flags and "PIE" in flags


def test_debug_symbols_are_apart(run: Run, packages: tuple[Path, Path]) -> None:
    (symbols,) = packages[0].parent.glob("touchmark-dbgsym_1.0_*.deb")
    assert ".debug" in run("dpkg-deb", "-c", symbols).stdout


def test_the_same_program_gives_the_same_package(
    build: Callable[[str], Path], packages: tuple[Path, Path]
) -> None:
    before = packages[0].read_bytes()
    assert build("1.0").read_bytes() == before


@pytest.mark.usefixtures("namespaces")
def test_its_life(run: Run, packages: tuple[Path, Path]) -> None:
    arguments: list[str | Path] = ["tools/fresh-root", "--boot"]
    for file in (*packages, ROOT / "tests/install/installed.sh"):
        arguments += ["--file", file]
    done = run(*arguments, "./installed.sh")
    print(done.stdout)
    assert "all held" in done.stdout
