"""The package for Swift, as the service hands it out."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.command import Command
from kit.service import ROOT, Service

BUILT = ROOT / "build/release/share/touchmark"
NAME = "touchmark-swift-0.1.0.zip"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Has served 0.0.8, without the package, and 0.0.9; and serves what was built."""
    folder = tmp_path_factory.mktemp("with-swift")
    sdk = folder / "sdk"
    started = Service(folder / "data", ["--sdk-dir", str(sdk)])
    for version in ("0.0.8", "0.0.9"):
        sdk.mkdir()
        with zipfile.ZipFile(sdk / "touchmark_sdk.aar", "w") as aar:
            aar.writestr("assets/touchmark-sdk.json", json.dumps({"version": version}))
        if version == "0.0.9":
            (sdk / "touchmark-swift-0.0.9.zip").write_text("the package of then")
        started.start()
        started.stop()
        shutil.rmtree(sdk)
    sdk.mkdir()
    for name in (NAME, "touchmark_sdk.aar"):
        shutil.copy(BUILT / name, sdk)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def command(service: Service, tmp_path: Path) -> Command:
    made = Command(tmp_path / "home")
    made.init(service)
    return made


def test_the_service_says_which_there_are(command: Command) -> None:
    rows = {row["version"]: row["swift"] for row in command.json("sdk", "list")["versions"]}
    assert rows == {
        "0.1.0": {"file": NAME, "bytes": (BUILT / NAME).stat().st_size},
        "0.0.9": {"file": "touchmark-swift-0.0.9.zip", "bytes": len("the package of then")},
        "0.0.8": None,
    }
    shown = [line.split() for line in command.ok("sdk", "list").splitlines()[1:]]
    assert ["Swift" in line for line in shown] == [True, True, False]
    assert "none" in shown[2]


def test_it_is_that_of_the_build(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new/packages"
    shown = command.ok("sdk", "swift", folder)
    assert shown.startswith(f"wrote {folder / NAME} (")
    assert shown.rstrip().endswith("): Touchmark 0.1.0 for Swift")
    content = (folder / NAME).read_bytes()
    assert content == (BUILT / NAME).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert f"{NAME.removesuffix('.zip')}/Package.swift" in archive.namelist()
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_an_older_version_is_there_as_it_was(command: Command, tmp_path: Path) -> None:
    made = command.json("sdk", "swift", tmp_path, "--version", "0.0.9")
    file = tmp_path / "touchmark-swift-0.0.9.zip"
    assert made == {"file": str(file), "bytes": 19, "version": "0.0.9"}
    assert file.read_text() == "the package of then"


def test_what_is_not_there_is_said(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    for version, says in (("0.0.8", "without a package for Swift"), ("0.0.7", "sdk list")):
        done = command.run("sdk", "swift", folder, "--version", version)
        assert done.returncode == 8 and says in done.stderr, done
    done = command.run("sdk", "swift", folder, "--version", "")
    assert done.returncode == 2 and "names no version" in done.stderr
    assert command.run("sdk", "swift").returncode == 2
    assert not folder.exists()


def test_a_build_machine_may_fetch_it_and_the_helpdesk_not(
    command: Command, service: Service, tmp_path: Path
) -> None:
    for role, apps in (("ci", ["--app", "com.example.app"]), ("helpdesk", [])):
        file = tmp_path / f"{role}.json"
        command.ok("operator", "add", role, "--role", role, *apps, "--credentials-file", file)
        profile = {
            "TOUCHMARK_TOKEN": json.loads(file.read_text())["token"],
            "TOUCHMARK_URL": service.url,
            "TOUCHMARK_PIN": service.credentials()["pin"],
        }
        other = Command(tmp_path / role, profile)
        done = other.run("sdk", "swift", tmp_path / f"{role}-packages")
        assert (done.returncode == 0) is (role == "ci"), done.stderr
