"""The packages for JavaScript, as the service hands them out."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.command import Command
from kit.service import ROOT, Service

BUILT = ROOT / "build/release/share/touchmark"
PACKAGES = ("capacitor", "cordova", "react-native")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Has served 0.0.8, without packages, and 0.0.9; and serves what was built."""
    folder = tmp_path_factory.mktemp("with-packages")
    sdk = folder / "sdk"
    started = Service(folder / "data", ["--sdk-dir", str(sdk)])
    for version, packages in (("0.0.8", ()), ("0.0.9", PACKAGES)):
        (sdk / "npm").mkdir(parents=True)
        with zipfile.ZipFile(sdk / "touchmark_sdk.aar", "w") as aar:
            aar.writestr("assets/touchmark-sdk.json", json.dumps({"version": version}))
        for package in packages:
            (sdk / f"npm/touchmark-{package}-{version}.tgz").write_text(f"{package} of then")
        started.start()
        started.stop()
        shutil.rmtree(sdk)
    shutil.copytree(BUILT / "npm", sdk / "npm")
    shutil.copy(BUILT / "touchmark_sdk.aar", sdk)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def command(service: Service, tmp_path: Path) -> Command:
    made = Command(tmp_path / "home")
    made.init(service)
    return made


def names(version: str) -> list[str]:
    return [f"touchmark-{package}-{version}.tgz" for package in PACKAGES]


def test_the_service_says_which_there_are(command: Command) -> None:
    rows = {row["version"]: row["npm"] for row in command.json("sdk", "list")["versions"]}
    assert [package["name"] for package in rows["0.1.0"]] == [
        f"@touchmark/{package}" for package in PACKAGES
    ]
    assert {package["file"]: package["bytes"] for package in rows["0.1.0"]} == {
        name: (BUILT / "npm" / name).stat().st_size for name in names("0.1.0")
    }
    assert [package["file"] for package in rows["0.0.9"]] == names("0.0.9")
    assert rows["0.0.8"] == []


def test_they_are_those_of_the_build(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new/packages"
    shown = command.ok("sdk", "npm", folder).splitlines()
    assert len(shown) == 3
    for line, name, package in zip(shown, names("0.1.0"), PACKAGES, strict=True):
        assert line.startswith(f"wrote {folder / name} (")
        assert line.endswith(f"): @touchmark/{package} 0.1.0")
        assert (folder / name).read_bytes() == (BUILT / "npm" / name).read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == names("0.1.0")


def test_an_older_version_is_there_as_it_was(command: Command, tmp_path: Path) -> None:
    made = command.json("sdk", "npm", tmp_path, "--version", "0.0.9")
    assert made == {
        "folder": str(tmp_path),
        "version": "0.0.9",
        "files": [
            {
                "name": f"@touchmark/{package}",
                "file": str(tmp_path / name),
                "bytes": len(f"{package} of then"),
            }
            for package, name in zip(PACKAGES, names("0.0.9"), strict=True)
        ],
    }
    assert (tmp_path / names("0.0.9")[1]).read_text() == "cordova of then"


def test_what_is_not_there_is_said(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    for version, says in (("0.0.8", "without packages for JavaScript"), ("0.0.7", "sdk list")):
        done = command.run("sdk", "npm", folder, "--version", version)
        assert done.returncode == 8 and says in done.stderr, done
    done = command.run("sdk", "npm", folder, "--version", "")
    assert done.returncode == 2 and "names no version" in done.stderr
    assert command.run("sdk", "npm").returncode == 2
    assert not folder.exists()
    (tmp_path / "file").write_text("no folder")
    done = command.run("sdk", "npm", tmp_path / "file")
    assert done.returncode != 0 and str(tmp_path / "file") in done.stderr


def test_a_build_machine_may_fetch_them_and_the_helpdesk_not(
    command: Command, service: Service, tmp_path: Path
) -> None:
    for role, apps in (("ci", ["--app", "com.example.app"]), ("helpdesk", [])):
        file = tmp_path / f"{role}.json"
        command.ok("operator", "add", role, "--role", role, *apps, "--credentials-file", file)
        token = json.loads(file.read_text())["token"]
        profile = {
            "TOUCHMARK_TOKEN": token,
            "TOUCHMARK_URL": service.url,
            "TOUCHMARK_PIN": service.credentials()["pin"],
        }
        other = Command(tmp_path / role, profile)
        done = other.run("sdk", "npm", tmp_path / f"{role}-packages")
        assert (done.returncode == 0) is (role == "ci"), done.stderr


def test_npm_installs_what_was_fetched(command: Command, tmp_path: Path) -> None:
    command.ok("sdk", "npm", tmp_path / "packages")
    app = tmp_path / "app"
    app.mkdir()
    (app / "package.json").write_text('{"name": "app", "private": true}')
    done = subprocess.run(
        ["npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund",
         "file:../packages/touchmark-cordova-0.1.0.tgz"],
        cwd=app, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    installed = json.loads((app / "node_modules/@touchmark/cordova/package.json").read_text())
    assert installed["version"] == "0.1.0"
