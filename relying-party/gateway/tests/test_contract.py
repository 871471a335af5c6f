"""Every request of the contract, over HTTP to the real gateway: as a reverse proxy, and as what
another proxy asks. Status and reason are those of its log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gateway import ROOT, Answer, Client, Gateway, Upstream, client_of, say

CONTRACT = json.loads((ROOT / "protocol/vectors/token-check/requests.json").read_text())
REFUSAL = {
    "content-type": "application/json",
    "www-authenticate": "Touchmark",
    "cache-control": "no-store",
    "content-length": "2",
}


def start(group: dict[str, Any], folder: Path, clock: Path, *options: str) -> Gateway:
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps(group.get("jwks", {})))
    settings = {n: v.replace("${jwks}", str(jwks)) for n, v in group["settings"].items()}
    return Gateway(*options, settings=settings, clock=f"{clock}@{CONTRACT['now']}")


def compare(gateway: Gateway, answer: Answer, case: dict[str, Any]) -> None:
    found = gateway.decision()
    wanted = (case["status"], case["reason"], case["http"], case.get("maker", "touchmark"))
    got = (found["status"], found["reason"], answer.status, found["maker"])
    assert got == wanted, case["name"]
    if case["http"] == 401:
        assert (answer.headers, answer.body) == (REFUSAL, b"{}"), case["name"]


@pytest.mark.parametrize("group", CONTRACT["groups"], ids=lambda group: group["name"])
def test_as_a_reverse_proxy(group: dict[str, Any], tmp_path: Path, fixed_clock: Path) -> None:
    with (
        Upstream(say("served")).serve() as upstream,
        start(
            group, tmp_path, fixed_clock, "--listen", "127.0.0.1:0", "--upstream", upstream
        ).wait_for("proxy") as gateway,
        client_of(gateway) as client,
    ):
        for case in group["cases"]:
            headers = [("Host", "api.example"), *map(tuple, case["headers"])]
            answer = client.ask(case["method"], "/v1/rates", headers)
            compare(gateway, answer, case)
            if case["http"] == 200:
                assert answer.body == (b"" if case["status"] == "preflight" else b"served")


@pytest.mark.parametrize("group", CONTRACT["groups"], ids=lambda group: group["name"])
def test_as_what_another_proxy_asks(
    group: dict[str, Any], tmp_path: Path, fixed_clock: Path
) -> None:
    with (
        start(group, tmp_path, fixed_clock, "--decision-listen", "127.0.0.1:0").wait_for(
            "decisions"
        ) as gateway,
        client_of(gateway, "decisions") as client,
    ):
        for case in group["cases"]:
            own = [("Host", "gateway"), ("X-Original-Method", case["method"])]
            own += [("X-Original-URI", "/v1/rates"), ("X-Forwarded-For", case.get("client", "::1"))]
            answer = client.ask("GET", "/auth", [*own, *map(tuple, case["headers"])])
            compare(gateway, answer, case)
            if case["http"] == 200:
                assert answer.headers["x-touchmark-reason"] == case["reason"]


def test_the_runner_finds_what_is_wrong(tmp_path: Path, fixed_clock: Path) -> None:
    group = CONTRACT["groups"][0]
    case = group["cases"][0] | {"reason": "expired"}
    with (
        start(group, tmp_path, fixed_clock, "--decision-listen", "127.0.0.1:0").wait_for(
            "decisions"
        ) as gateway,
        client_of(gateway, "decisions") as client,
        pytest.raises(AssertionError),
    ):
        headers = [("Host", "gateway"), *map(tuple, case["headers"])]
        compare(gateway, Client.ask(client, "GET", "/auth", headers), case)
