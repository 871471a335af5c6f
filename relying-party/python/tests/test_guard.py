"""The check for any framework: mode, log and counts."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from tokens import SECRET, token
from touchmark_attestation import Guard, Mode, Settings, SettingsError, TokenStatus, TokenVerifier

SECRET_TEXT = base64.b64encode(SECRET).decode()


def guard(mode: str = "enforce", **options: Any) -> Guard:
    verifier = TokenVerifier([SECRET], clock=lambda: 1_790_000_000)
    return Guard(Settings(verifier, Mode(mode)), **options)


def test_enforce_mode_refuses_with_one_answer_whatever_is_wrong() -> None:
    check = guard().check
    allowed = check("GET", {"touchmark-token": token()}, "/v2", "192.0.2.7")
    assert (allowed.allowed, allowed.result.valid, allowed.preflight) == (True, True, False)
    for headers in ({}, {"touchmark-token": "x"}, {"touchmark-token": token(b"x" * 32)}):
        decision = check("GET", headers)
        assert not decision.allowed
        refusal = decision.refusal
        assert (refusal.status, refusal.body) == (401, b"{}")
        assert dict(refusal.headers)["WWW-Authenticate"] == "Touchmark"


def test_report_mode_allows_and_says_what_it_would_do(caplog: pytest.LogCaptureFixture) -> None:
    decision = guard("report").check("GET", {}, "/v2/rates", "203.0.113.7")
    assert decision.allowed and decision.result.status is TokenStatus.MISSING
    assert caplog.messages[-1] == (
        "would refuse GET '/v2/rates' from 203.0.113.7: missing token (no Touchmark-Token header)"
        " reason=no-token"
    )


def test_a_line_does_without_what_it_was_not_given(caplog: pytest.LogCaptureFixture) -> None:
    guard().check("GET", {})
    assert caplog.messages == [
        "refused GET: missing token (no Touchmark-Token header) reason=no-token"
    ]


def test_a_client_cannot_write_lines_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    guard().check("GE\nT", {"touchmark-token": "x\u2028\ud800"}, "/a\r\nb", "1.2\n.3.4")
    (line,) = caplog.messages
    assert line.isascii() and line.isprintable()


def test_a_preflight_is_allowed_in_both_modes() -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    for mode in ("enforce", "report"):
        decision = guard(mode).check("OPTIONS", headers)
        assert (decision.allowed, decision.preflight) == (True, True)


@pytest.mark.parametrize(
    ("mode", "level", "starts"),
    [("enforce", logging.INFO, "enforce mode: "), ("report", logging.WARNING, "report mode: ")],
)
def test_the_start_says_which_mode_is_on(
    mode: str, level: int, starts: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    guard(mode)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("touchmark", level)
    assert record.getMessage().startswith(starts) and "Touchmark-Token" in record.getMessage()


def test_both_modes_count_what_they_saw() -> None:
    for mode, said in (("enforce", "were"), ("report", "would be")):
        one = guard(mode)
        for text in (token(), token(), "x", token(b"x" * 32), token(exp=1)):
            one.check("GET", {"Touchmark-Token": text})
        one.check("GET", {})
        one.check("OPTIONS", {"Origin": "a", "Access-Control-Request-Method": "PUT"})
        assert one.counts() == {
            "valid": 2, "malformed": 1, "forged": 1, "expired": 1, "missing": 1, "preflight": 1,
        }  # fmt: skip
        assert one.summary() == (
            f"of 6 requests 2 had a valid token, and 4 {said} refused:"
            " 1 expired, 1 forged, 1 malformed, 1 missing"
        )


def test_report_mode_says_its_counts_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    one = guard("report", clock=lambda: now[0])
    for second in (1, 299, 300, 301, 599, 601):
        now[0] = second
        one.check("GET", {})
    assert [line for line in caplog.messages if line.startswith("report mode: of ")] == [
        "report mode: of 3 requests 0 had a valid token, and 3 would be refused: 3 missing",
        "report mode: of 6 requests 0 had a valid token, and 6 would be refused: 6 missing",
    ]


def test_report_mode_says_its_counts_when_the_process_ends() -> None:
    program = (
        "from touchmark_attestation import Guard\n"
        "guard = Guard()\n"
        "for _ in range(3): guard.check('GET', {}, '/v2')\n"
    )
    for mode, expected in (("report", True), ("enforce", False)):
        environment = {"TOUCHMARK_SECRET": SECRET_TEXT, "TOUCHMARK_MODE": mode}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, text=True, timeout=60,
            capture_output=True, check=True,
        )  # fmt: skip
        last = done.stderr.splitlines()[-1]
        assert (last == "report mode: of 3 requests 0 had a valid token, and 3 would be refused:"
                " 3 missing") is expected, done.stderr  # fmt: skip
        assert ("report mode" in done.stderr.splitlines()[0]) is expected


def test_threads_lose_no_count() -> None:
    one = guard("report")
    logging.getLogger("touchmark").setLevel(logging.ERROR)
    try:
        threads = [
            threading.Thread(target=lambda: [one.check("GET", {}) for _ in range(500)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        logging.getLogger("touchmark").setLevel(logging.NOTSET)
    assert one.counts() == {"missing": 4000}


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHMARK_SECRET", SECRET_TEXT)
    monkeypatch.setenv("TOUCHMARK_MODE", "report")
    one = Guard()
    assert one.settings.mode is Mode.REPORT
    assert one.check("GET", {"touchmark-token": token(exp=int(time.time()) + 60)}).result.valid
    monkeypatch.delenv("TOUCHMARK_SECRET")
    with pytest.raises(SettingsError, match=r"^TOUCHMARK_SECRET "):
        Guard()
    with pytest.raises(SettingsError, match=r"^settings must be"):
        Guard({"TOUCHMARK_SECRET": SECRET_TEXT})  # type: ignore[arg-type]
