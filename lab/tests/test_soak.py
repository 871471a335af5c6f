"""What a soak calls a fault. The soak itself is `lab/run soak`."""

from __future__ import annotations

from collections import Counter

import pytest

from touchmark_lab.soak import Process, Soak


def clean() -> Soak:
    process = Process(memory=100_000, descriptors=30, threads=10)
    return Soak(
        done=1000, passed=1000, seconds=60, statuses=Counter(OK=1000), millis=[20.0] * 1000,
        before={"service": process, "phone": process},
        after={"service": process, "phone": process},
    )  # fmt: skip


def test_a_clean_soak_has_no_fault() -> None:
    assert clean().problems() == []
    assert clean().lines()[0] == "1000 attestations in 60 s, 1000 passed"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"passed": 999}, "passed 999 of 1000"),
        ({"refused": 1}, "refused 1"),
        ({"findings": Counter({"hook.text-modified": 1})}, "hook.text-modified"),
        ({"statuses": Counter(OK=999, NO_NETWORK=1)}, "NO_NETWORK"),
    ],
)
def test_each_attestation_counts(change: dict[str, object], fault: str) -> None:
    soak = clean()
    for name, value in change.items():
        setattr(soak, name, value)
    (problem,) = soak.problems()
    assert fault in problem


def test_growth_is_a_fault() -> None:
    soak = clean()
    soak.after = {
        "service": Process(memory=200_000, descriptors=30, threads=10),
        "phone": Process(memory=900_000, descriptors=60, threads=10),
    }
    assert soak.problems() == [
        "the service's memory grew by 100000 KiB",
        "phone has 30 more descriptors open",
    ]
