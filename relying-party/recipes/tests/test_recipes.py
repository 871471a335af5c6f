"""The recipes for PHP and Ruby against the contract's requests, over HTTP, as far as they go."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
VECTORS = json.loads((ROOT / "protocol/vectors/token-check/requests.json").read_text())
COMMANDS = {
    "php": [
        "php",
        "-d",
        "display_errors=stderr",
        "-S",
        "127.0.0.1:{port}",
        str(HERE / "serve.php"),
    ],
    "ruby": ["ruby", "-W0", str(HERE / "serve.rb"), "{port}"],
}
# The settings that a recipe takes; groups with others are beyond it.
TAKEN = {
    f"TOUCHMARK_{name}"
    for name in (
        "SECRET", "MODE", "TOKEN_HEADER", "BINDING_HEADERS", "AUDIENCE", "ISSUER", "LEVEL",
        "LEEWAY",
    )
}  # fmt: skip
GROUPS = [group for group in VECTORS["groups"] if group["settings"].keys() <= TAKEN]
# Where a language's reader of JSON is not as strict as the contract, and what comes of it. All are
# tokens that the service itself would have to sign, so that nobody gains by them.
BEYOND = {
    "php": {
        "exp 1e400": "malformed no-exp",
        "exp -1e400": "malformed no-exp",
        "exp of 400 digits": "malformed no-exp",
        "exp twice, fresh and expired": "expired expired",
        "exp twice, expired and fresh": "valid ok",
        "exp twice, once escaped": "valid ok",
        "another claim twice": "valid ok",
        "a name twice in a claim": "valid ok",
        "iat 1e400": "valid ok",
        "a number that is too large": "valid ok",
        "an integer that is too large": "valid ok",
        "decoy, exp twice": "invalid decoy",
        "alg twice": "valid ok",
    },
    "ruby": {
        "exp of 400 digits": "malformed no-exp",
        "an integer that is too large": "valid ok",
    },
}
ANSWER = {"content-type": "application/json", "www-authenticate": "Touchmark"}


@contextmanager
def serving(language: str, settings: dict[str, str]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    command = [part.format(port=port) for part in COMMANDS[language]]
    environment = {"PATH": os.environ["PATH"], "TEST_NOW": str(VECTORS["now"]), **settings}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, command
                time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def ask(port: int, case: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(case["method"], "/", skip_accept_encoding=True)
    for name, value in case["headers"]:
        connection.putheader(name, value.encode("latin-1"))
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    return answer.status, found, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("language", COMMANDS)
@pytest.mark.parametrize("group", GROUPS, ids=[group["name"] for group in GROUPS])
def test_a_recipe_does_what_the_contract_says(language: str, group: dict[str, Any]) -> None:
    wrong = []
    with serving(language, group["settings"]) as port:
        for case in group["cases"]:
            status, body, headers = ask(port, case)
            expected = case["http"], f"{case['status']} {case['reason']}"
            if case["name"] in BEYOND[language]:
                said = BEYOND[language][case["name"]]
                expected = (200 if said == "valid ok" else 401), said
            if (status, headers.get("x-status")) != expected:
                wrong.append((case["name"], status, headers.get("x-status"), *expected))
            if status == 401:
                assert body == b"{}" and ANSWER.items() <= headers.items(), case["name"]
    assert wrong == []


def test_the_recipes_go_far() -> None:
    cases = [case["name"] for group in GROUPS for case in group["cases"]]
    assert len(GROUPS) >= 20 and len(cases) >= 300
    for language in COMMANDS:
        assert BEYOND[language].keys() <= set(cases)


@pytest.mark.parametrize("language", COMMANDS)
@pytest.mark.parametrize(
    "setting", ["MODE=Report", "MODE=", "LEEWAY=301", "LEVEL=gold", "SECRET=short", "JWKS=x"]
)
def test_a_setting_that_is_none_of_a_recipe_s_stops_it(language: str, setting: str) -> None:
    name, value = setting.split("=")
    secret = VECTORS["groups"][0]["settings"]["TOUCHMARK_SECRET"]
    settings = {"TOUCHMARK_SECRET": secret, f"TOUCHMARK_{name}": value}
    code = {
        "php": ["php", "-r", "require 'php/touchmark.php'; new Touchmark(getenv());"],
        "ruby": ["ruby", "-e", "require './ruby/touchmark'; Touchmark.new(nil)"],
    }[language]
    done = subprocess.run(
        code, cwd=HERE.parent, env={"PATH": os.environ["PATH"], **settings}, timeout=60,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0 and f"TOUCHMARK_{name}" in done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted(HERE.parent.glob("*/touchmark.*")), ids=lambda p: p.name)
def test_a_recipe_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 120
