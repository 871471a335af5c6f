"""What a page shows of an output, compared with what was printed."""

from __future__ import annotations

import re


def like(sample: str) -> re.Pattern[str]:
    """What a line of a sample stands for: a time for any time, "rbF0…6Ck=" for any digest, a
    device or a documentation address (RFC 5737) for any, and "…" for anything."""
    masks = (
        (r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d-\d\d"),
        (r"\d\d:\d\d:\d\d(,\d{3})?", r"\d\d:\d\d:\d\d(,\d{3})?"),
        (r"[\w+/]+…[\w+/]+=", r"[\w+/]{43}="),  # a digest
        (r"[\w+/]{22}==", r"[\w+/]{22}=="),  # a device
        (r"203\.0\.113\.\d+", r"\d+\.\d+\.\d+\.\d+"),
        ("…", ".*"),
    )
    pattern, rest = "", sample.strip()
    while rest:
        for mask, stands_for in masks:
            found = re.match(mask, rest)
            if found:
                pattern, rest = pattern + stands_for, rest[found.end() :]
                break
        else:
            pattern, rest = pattern + re.escape(rest[0]), rest[1:]
    return re.compile(rf"^\s*{pattern}\s*$", re.MULTILINE)


def expect(samples: list[str], printed: str) -> None:
    """Every line of the sample, in its order; lines between them may be more."""
    at = 0
    for sample in samples:
        if not sample.strip():
            continue
        found = like(sample).search(printed, at)
        assert found, f"no such line (in this order): {sample}\nprinted was:\n{printed}"
        at = found.end()
