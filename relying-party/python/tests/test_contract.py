"""The contract (protocol/token-check.md): every request of protocol/vectors/token-check over HTTP,
against every adapter."""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from servers import ADAPTERS, SERVED, serving
from touchmark_attestation import Decision, Guard, Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "protocol/vectors/token-check"
VECTORS = json.loads((FOLDER / "requests.json").read_text())
GROUPS: list[dict[str, Any]] = VECTORS["groups"]
SIGNED = json.loads((FOLDER / "signed-requests.json").read_text())
assert SIGNED["now"] == VECTORS["now"]
GROUPS += SIGNED["groups"]
PATHS = {"django-async-decorator": "/later"}
REFUSAL = {
    "content-type": "application/json", "www-authenticate": "Touchmark",
    "cache-control": "no-store", "content-length": "2",
}  # fmt: skip
CASES = sum(len(group["cases"]) for group in GROUPS)
done: dict[str, int] = {}  # conftest.py prints it


def ask(connection: http.client.HTTPConnection, path: str, case: dict[str, Any]) -> Any:
    connection.putrequest(case["method"], case.get("target", path), skip_accept_encoding=True)
    for name, value in case["headers"]:
        connection.putheader(name, value.encode("latin-1"))
    body = case.get("body", "").encode()
    if body or case["method"] in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    answer = connection.getresponse()
    return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("group", GROUPS, ids=[group["name"] for group in GROUPS])
def test_every_request_gets_what_the_contract_says(
    adapter: str, group: dict[str, Any], tmp_path: Path
) -> None:
    if "lowest" in sys.prefix and adapter in ("guard", "wsgi", "asgi"):
        pytest.skip("stands on nothing that has a lowest version")
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(group.get("jwks", {})))
    settings = {n: v.replace("${jwks}", str(keys)) for n, v in group["settings"].items()}
    seen: list[Decision] = []
    read = Settings.read(settings, clock=lambda: float(VECTORS["now"]))
    with serving(adapter, Guard(read, observer=seen.append)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for case in group["cases"]:
            status, body, headers = ask(connection, PATHS.get(adapter, "/"), case)
            decision = seen.pop()
            result = decision.result
            assert (status, result.status.value, result.reason.value) == (
                case["http"], case["status"], case["reason"],
            ), (case["name"], result.detail)  # fmt: skip
            assert result.maker == case.get("maker", "touchmark"), case["name"]
            assert seen == [], "one request, one decision"
            is_preflight = case["status"] == "preflight"
            assert body == (b"{}" if status == 401 else b"" if is_preflight else SERVED)
            if status == 401:
                assert REFUSAL.items() <= headers.items()
        connection.close()
    done[adapter] = done.get(adapter, 0) + len(group["cases"])
