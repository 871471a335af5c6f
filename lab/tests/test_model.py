"""A row passes for what it expects and for nothing else."""

import dataclasses
from typing import Any

import pytest

from touchmark_lab.model import NO_REQUEST, Expected, Observed

_EXPECTED = Expected(
    401,
    attested=False,
    findings=frozenset({"app.not-registered"}),
    any_of=frozenset({"hook.framework", "hook.preload"}),
    got="^401",
)
_SEEN = Observed(
    got="401: refused", status=401, findings=("app.not-registered", "hook.preload"), attested=False
)


def test_the_expected_passes() -> None:
    assert _EXPECTED.problems_with(_SEEN) == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": 200},
        {"status": NO_REQUEST},
        {"attested": True},
        {"attested": None},
        {"findings": ("hook.preload",)},
        {"findings": ("app.not-registered",)},
        {"got": "€1.12"},
        {"problems": ("mitmproxy saw no such request",)},
    ],
)
def test_each_difference_is_a_problem(change: dict[str, Any]) -> None:
    assert len(_EXPECTED.problems_with(dataclasses.replace(_SEEN, **change))) == 1


def test_no_verdict_is_not_a_failed_one() -> None:
    expected = Expected(200, got="1.12")
    assert expected.problems_with(Observed(got="€1.12", status=200)) == []
    assert expected.problems_with(Observed(got="€1.12", status=200, attested=False))
