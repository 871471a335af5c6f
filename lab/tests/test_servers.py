"""What the lab reads in the servers' logs."""

from pathlib import Path

from touchmark_lab.process import Tail
from touchmark_lab.servers import ApiCall, Verdict, api_calls, verdicts

_REFUSED = (
    "2026-11-24 20:44:01,123 WARNING touchmark: refused GET"
    " '/v2/currency/convert/1/from/GBP/to/EUR' from 127.0.0.1: missing token (no header)"
)
_CALL = (
    "2026-11-24 20:44:01,124 INFO api: 127.0.0.1 GET"
    " /v2/currency/convert/1/from/GBP/to/EUR 401 0.4ms"
)


def test_a_call_has_the_lines_of_its_check() -> None:
    assert api_calls([_REFUSED, _CALL, "something else"]) == [
        ApiCall("/v2/currency/convert/1/from/GBP/to/EUR", 401, (_REFUSED,))
    ]


def test_a_check_belongs_to_the_call_that_follows_it() -> None:
    first, second = api_calls([_CALL, _REFUSED, _CALL])
    assert first.check == ()
    assert second.check == (_REFUSED,)


def test_what_the_check_says_of_itself_belongs_to_no_call() -> None:
    start = "2026-11-24 20:44:00,000 INFO touchmark: enforce mode: requests without a valid token"
    counted = "2026-11-24 20:44:01,200 WARNING touchmark: report mode: of 1 request 0 had a valid"
    (call,) = api_calls([start, counted, _REFUSED, _CALL])
    assert call.check == (_REFUSED,)


def test_verdicts_are_the_attest_events() -> None:
    lines = [
        "not JSON",
        '{"time":"2026-11-24T20:28:28.123Z","level":"info","event":"started"}',
        '{"event":"attest","passed":false,"did":"abc","findings":["app.not-registered"]}',
        '{"event":"attest","passed":true,"did":"abc","findings":[]}',
    ]
    assert verdicts(lines) == [
        Verdict(False, "abc", ("app.not-registered",)),
        Verdict(True, "abc", ()),
    ]


def test_tail_gives_whole_lines_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    tail = Tail(log)
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert tail.lines() == ["one"]
        file.write("o\n")
    assert tail.lines() == ["two"]
    assert tail.lines() == []


def test_tail_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "later")
    assert tail.lines() == []
    (tmp_path / "later").write_text("now\n")
    assert tail.lines() == ["now"]


def test_why_shows_each_kind_of_finding_before_more_of_one() -> None:
    verdict = Verdict(
        False,
        "abc",
        ("app.range-proof", "hook.text-modified", "debug.attached"),
        ("hook.text-modified: a", "hook.text-modified: b", "debug.attached: by 7"),
    )
    assert verdict.why(limit=3) == [
        "app.range-proof",
        "hook.text-modified: a",
        "debug.attached: by 7",
        "and 1 more",
    ]
    assert verdict.why(limit=4)[3] == "hook.text-modified: b"
