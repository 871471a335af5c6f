"""--json everywhere: each command of the tree answers with JSON, or says that it has none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from kit import apk
from kit.command import Command
from kit.service import Service

PIN = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
DEVICE = "AAAAAAAAAAAAAAAAAAAAAA=="
# What is no JSON, and says so.
WITHOUT = {"help", "completion", "serve config example"}
# An object per line, and so nothing where there is nothing to tell.
LINES = {"log"}
# In an order in which each can do its work; in {} a file of the fixture. Commands that are not
# here are run as they are.
ARGUMENTS = {
    "status": "",
    "api add": "api.example.com --pin " + PIN,
    "api list": "",
    "api check": "--resolve api.example.com=127.0.0.1",
    "api remove": "api.example.com",
    "arc explain": "ABCDEFGH",
    "backup": "{folder}/backup",
    "completion": "bash",
    "device show": DEVICE,
    "device force-pass": DEVICE,
    "device force-fail": DEVICE,
    "device list": "",
    "device clear": DEVICE,
    "evidence inspect": "{text}",
    "evidence verify": "--play {text}",
    "help": "status",
    "init": "{url} --pin {pin} --token-file {token}",
    "operator add": "ann --role auditor --credentials-file {folder}/ann.json",
    "operator list": "",
    "operator revoke": "ann",
    "package diff": "{app} {app}",
    "package measure": "{app}",
    "package show": "{app}",
    "package verify": "{app}",
    "pin": "{certificate}",
    "policy check": "{policy}",
    "policy set": "{policy}",
    "policy test": "{policy} {text}",
    "policy replay": "{policy}",
    "ready": "{url}",
    "registration add": "{app}",
    "registration list": "",
    "registration show": "{app}",
    "registration expire": "{app} --after 1h",
    "registration remove": "{app}",
    "registration add-certificate": "{certificate}",
    "restore": "{folder}/backup --data {folder}/restored --master-key {folder}/data/master.key",
    "sdk config": "{folder}/initial.config --allow-local",
    "sdk library": "{folder}/sdk.aar",
    "secret get": "",
    "service key next": "",
    "service key status": "",
    "service key promote": "--anyway",
    "service key cancel": "",
    "token check": "x.y.z",
    "token inspect": "x.y.z",
    "serve reset-operator": "--data {folder}/nowhere",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Command, dict[str, str]]]:
    """A service of its own, for everything is done to it, its admin, and the files to name."""
    folder = tmp_path_factory.mktemp("json")
    service = Service(folder / "data").start()
    admin = Command(folder / "home")
    admin.init(service)
    key = apk.SigningKey.generate()
    files = {
        "text": b"no evidence",
        "app": apk.build(apk.compile_manifest("com.example.json"), key, {"classes.dex": b"1"}),
        "certificate": key.certificate,
        "policy": admin.ok("policy", "presets", "compatible").encode(),
        "token": service.credentials()["admin_token"].encode(),
    }
    words = {"folder": str(folder), "url": service.url, "pin": service.credentials()["pin"]}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        words[name] = str(folder / name)
    yield admin, words
    service.stop()


def is_json(text: str) -> bool:
    """Each line of it is an object, as commands about several files have it."""
    try:
        return bool(text) and all(isinstance(json.loads(line), dict) for line in text.splitlines())
    except ValueError:
        return False


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The one line of an error: what is noted before it is for people."""
    answer = json.loads(done.stderr.splitlines()[-1])
    assert answer["exit_code"] == done.returncode
    error: dict[str, str] = answer["error"]
    assert error["id"] and error["message"]
    return error


def test_every_command_answers_with_json_or_says_that_it_has_none(
    place: tuple[Command, dict[str, str]],
) -> None:
    admin, words = place
    tree = [" ".join(path) for path, _ in admin.every_help()]
    leaves = [name for name in tree if not any(other.startswith(name + " ") for other in tree)]
    leaves = [name for name in leaves if name]
    assert set(ARGUMENTS) <= set(leaves), set(ARGUMENTS) - set(leaves)
    order = list(ARGUMENTS)
    leaves.sort(key=lambda name: order.index(name) if name in order else -1)
    wrong = []
    answered = set()
    for name in leaves:
        arguments = ARGUMENTS.get(name, "").format(**words).split()
        done = admin.run(*name.split(), *arguments, "--json", timeout=60)
        if is_json(done.stdout) or (name in LINES and (done.stdout, done.returncode) == ("", 0)):
            answered.add(name)
        elif done.stdout or done.returncode == 0:
            wrong.append((name, done.returncode, done.stdout[:200], done.stderr[:200]))
        else:
            error = error_of(done)
            if (name in WITHOUT) is not ("no JSON" in error["message"]):
                wrong.append((name, done.returncode, error["id"], error["message"]))
    assert wrong == []
    # Most did what they are for; an error as JSON is the answer of the others.
    assert len(answered) > len(leaves) * 2 / 3, sorted(set(leaves) - answered)
    assert answered.isdisjoint(WITHOUT)
    assert {"registration add", "api check", "service key next", "operator add"} <= answered


@pytest.mark.parametrize("line", ["serve --json", "--json serve", "--timeout 5 --json serve"])
def test_the_service_itself_says_where_its_json_is(nobody: Command, line: str) -> None:
    done = nobody.run(*line.split(), "--data", nobody.home / "data", timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--log-format json" in error_of(done)["message"]
    assert not (nobody.home / "data").exists()


def test_a_manual_page_is_no_json(nobody: Command) -> None:
    done = nobody.run("man", "status", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no JSON" in error_of(done)["message"]


def test_what_is_malformed_is_json_too(nobody: Command) -> None:
    for command in ("check", "inspect"):
        done = nobody.run("token", command, "no-token", "--json")
        assert (done.returncode, done.stderr) == (1, "")
        assert json.loads(done.stdout)["status"] == "malformed"
