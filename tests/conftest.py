from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import apk
from kit.command import Command
from kit.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that only use what it is for."""
    folder = tmp_path_factory.mktemp("shared-service")
    (folder / "sdk").mkdir()
    # An empty archive: the command only carries it.
    (folder / "sdk/touchmark_sdk.aar").write_bytes(b"PK\x05\x06" + bytes(18))
    options = ["--sdk-dir", str(folder / "sdk"), "--public-url", "https://attest.example.com"]
    started = Service(folder / "data", options).start()
    yield started
    started.stop()


@pytest.fixture
def nobody(tmp_path: Path) -> Command:
    """The command of a user who has set nothing up."""
    return Command(tmp_path / "home")


@pytest.fixture
def touchmark(nobody: Command, service: Service) -> Command:
    """The command of the service's administrator."""
    nobody.init(service)
    return nobody


@pytest.fixture
def developer(tmp_path: Path, service: Service) -> Command:
    command = Command(tmp_path / "developer-home")
    command.init(service, "developer")
    return command


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed package of some size."""
    path = tmp_path_factory.mktemp("release") / "app.apk"
    manifest = apk.compile_manifest("com.example.currencyconverterdemo", "Currency Converter Demo")
    dex = b"dex\n035\0" + bytes(range(256)) * 1000
    files = {"classes.dex": dex, "assets/touchmark-sdk.json": b'{"version":"0.1.0"}'}
    path.write_bytes(apk.build(manifest, apk.SigningKey.generate(), files))
    return path


@pytest.fixture
def not_registered(touchmark: Command) -> None:
    """The shared service knows no release: not one that lasts otherwise than the test wants."""
    for row in touchmark.json("registration", "list")["registrations"]:
        touchmark.ok("registration", "remove", row["id"])
