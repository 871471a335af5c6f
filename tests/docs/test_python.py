"""Every Python block runs as it stands, with the secret and the tokens of a real service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.blocks import ROOT, Block, blocks
from kit.command import CLEAN, Command

# What the blocks are asked, by the file's name: the program prints a line for each answer.
_ASK_FLASK = """
import server
client = server.app.test_client()
for headers in HEADERS:
    answer = client.get("/v2/rates", headers=headers)
    print(answer.status_code, answer.get_data(as_text=True).strip())
"""
_ASK_WSGI = """
import io, wsgi
for headers in HEADERS:
    said = []
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/v2/rates",
               "wsgi.version": (1, 0), "wsgi.input": io.BytesIO()}
    environ.update({"HTTP_" + name.upper().replace("-", "_"): v for name, v in headers.items()})
    body = b"".join(wsgi.application(environ, lambda status, headers: said.append(status)))
    print(said[0][:3], body.decode())
"""
_ASK_ASGI = """
import asyncio, asgi
for headers in HEADERS:
    said = []
    async def send(message): said.append(message)
    async def receive(): return {"type": "http.request"}
    scope = {"type": "http", "method": "GET", "path": "/v2/rates", "client": ("192.0.2.7", 1),
             "query_string": b"",
             "headers": [(name.lower().encode(), v.encode()) for name, v in headers.items()]}
    asyncio.run(asgi.application(scope, receive, send))
    print(said[0]["status"], said[1]["body"].decode())
"""
_ASK_HANDLER = """
import types, handler
for headers in HEADERS:
    request = types.SimpleNamespace(method="GET", path="/v2/rates", remote_addr="192.0.2.7",
                                    headers={name.lower(): v for name, v in headers.items()})
    status, _, body = handler.handle(request)
    print(status, body.decode())
"""
_ASK_FASTAPI = _ASK_ASGI.replace("asyncio, asgi", "asyncio, api").replace(
    "asgi.application", "api.app"
)
_ASK_DJANGO = (
    _ASK_WSGI.replace("io, wsgi", "io, rates")
    .replace("wsgi.application", "rates.application")
    .replace("body.decode()", 'body.decode().replace(" ", "")')
)
# What these stand on is in the newest environment of the check's own tests.
NEWEST = ROOT / "build/relying-party/newest/bin/python"
ASKED = {
    "api.py": _ASK_FASTAPI,
    "rates.py": _ASK_DJANGO,
    "server.py": _ASK_FLASK,
    "wsgi.py": _ASK_WSGI,
    "asgi.py": _ASK_ASGI,
    "handler.py": _ASK_HANDLER,
}
# gunicorn reads it in the page's own commands: test_shell.py.
READ_BY_A_COMMAND = {"gunicorn.conf.py"}
BLOCKS = blocks("python")


@pytest.fixture
def answers(touchmark: Command, tmp_path: Path) -> Callable[[Block, str], list[str]]:
    """What a block answers to no token, a valid token, and a failed attestation's, in a mode."""
    tokens = [
        touchmark.ok("token", "example").strip(),
        touchmark.ok("token", "example", "--invalid").strip(),
    ]
    headers: list[dict[str, str]] = [{}, *({"Touchmark-Token": one} for one in tokens)]
    secret = touchmark.ok("secret", "get").strip()

    def ask(block: Block, mode: str) -> list[str]:
        (tmp_path / block.file).write_text(block.text)
        program = f"HEADERS = {headers!r}\n{ASKED[block.file]}"
        done = subprocess.run(
            [NEWEST if block.file in ("api.py", "rates.py") else sys.executable, "-c", program],
            cwd=tmp_path, timeout=60, text=True,
            env={**CLEAN, "TOUCHMARK_SECRET": secret, "TOUCHMARK_MODE": mode},
            check=False, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert ("would refuse GET" in done.stderr) is (mode == "report")
        return done.stdout.splitlines()

    return ask


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.file in ASKED], ids=str)
def test_a_block_answers_the_genuine_app_only(
    block: Block, answers: Callable[[Block, str], list[str]]
) -> None:
    assert answers(block, "enforce") == ["401 {}", '200 {"EUR":1}', "401 {}"]
    assert answers(block, "report") == ['200 {"EUR":1}'] * 3


def test_every_block_is_asked() -> None:
    found = [block for block in BLOCKS if block.file not in {*ASKED, *READ_BY_A_COMMAND}]
    assert [str(block) for block in found] == [], (
        "a Python block begins with its file's name (# server.py), and ASKED says what it is asked"
    )
    assert {block.file for block in BLOCKS} == {*ASKED, *READ_BY_A_COMMAND}
