"""AOSP's own test packages, judged for many ranges of API levels, against AOSP's verifier
as Debian has it. It is older than the one that gave the packages' recorded verdicts, so
what came later is listed."""

from __future__ import annotations

from conformance.verifiers import VECTORS, Aosp, Levels, touchmark

LEVELS = [
    Levels(),
    Levels(min_sdk=1),
    Levels(max_sdk=8, min_sdk=1),
    Levels(min_sdk=9, max_sdk=17),
    Levels(min_sdk=18),
    Levels(min_sdk=18, max_sdk=20),
    Levels(min_sdk=21, max_sdk=21),
    Levels(min_sdk=21, max_sdk=23),
    Levels(min_sdk=22),
    Levels(min_sdk=24),
    Levels(min_sdk=24, max_sdk=27),
    Levels(min_sdk=28),
    Levels(min_sdk=28, max_sdk=32),
]
# What Debian's version does not know yet: a limit of ten signers, v3.1 (and v4.1), and RSA-PSS
# (Java's name for it differs from Android's).
NEWER = ("11-signers", "v31-", "v41-", "rsa-pss", "-tgt-", "v3-rsa-2048_2-tgt")


def test_same_verdict_at_every_level() -> None:
    packages = [
        p for p in sorted(VECTORS.glob("*.apk")) if not any(part in p.name for part in NEWER)
    ]
    assert len(packages) > 160
    differences: list[str] = []
    with Aosp() as aosp:
        for levels in LEVELS:
            for package, our in zip(packages, touchmark(packages, levels), strict=True):
                their = aosp.verdict(package, levels)
                if our.verified != their.verified:
                    differences.append(f"{package.name} {levels}: {our} and {their}")
    assert not differences, "\n".join(differences)
