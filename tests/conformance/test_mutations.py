"""Packages with one byte changed: Touchmark never accepts what AOSP's verifier refuses,
and never ends in another way than with a verdict. The other direction is printed: where
Touchmark refuses more."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from conformance.verifiers import VECTORS, Aosp, Levels, touchmark

COUNT = int(os.environ.get("TOUCHMARK_MUTATIONS", "2000"))
SEED = int(os.environ.get("TOUCHMARK_MUTATION_SEED", "1"))

# What is mutated, for which API levels it is judged, and its share of the mutations.
BASES = [
    ("golden-aligned-out.apk", Levels(), 4),  # v1, v2 and v3
    ("golden-aligned-out.apk", Levels(max_sdk=23), 2),  # v1 alone decides
    ("v1-only-two-signers.apk", Levels(), 2),
    ("v1-only-with-signed-attrs-wrong-order.apk", Levels(), 1),
    ("v1-only-with-ecdsa-sha256-1.2.840.10045.2.1-p256.apk", Levels(min_sdk=24), 1),
    ("v2-only-with-ecdsa-sha512-p384.apk", Levels(min_sdk=24), 2),
    ("v3-only-with-rsa-pkcs1-sha256-2048.apk", Levels(min_sdk=28), 1),
    ("golden-aligned-v1v2v3-lineage-out.apk", Levels(), 3),  # proof of rotation
]

# Debian's version of AOSP's verifier loses what is wrong with a block as a whole, and goes on as if
# the scheme were not there. Newer versions refuse the package.
LOST_BY_AOSP = {
    "signature.v2.malformed-signers",
    "signature.v2.no-signers",
    "signature.v3.malformed-signers",
    "signature.v3.no-signers",
    "signature.v3.inconsistent-sdk-versions",
    "signature.v3.missing-sdk-versions",
}


def interesting_offsets(package: bytes) -> range:
    """From the signing block (or what stands before the central directory) to the end."""
    end = package.rfind(b"PK\5\6")
    (directory,) = struct.unpack_from("<I", package, end + 16)
    return range(max(0, directory - 6000), len(package))


def mutate(package: bytes, rng: random.Random) -> tuple[bytes, str]:
    """One changed byte, at any place or (every second time) near the signatures."""
    places = interesting_offsets(package) if rng.random() < 0.5 else range(len(package))
    at = rng.choice(places)
    value = package[at] ^ rng.randrange(1, 256)
    return package[:at] + bytes([value]) + package[at + 1 :], f"byte {at} is {value:#04x}"


@pytest.mark.parametrize("base", range(len(BASES)))
def test_one_changed_byte(base: int, tmp_path: Path) -> None:
    name, levels, share = BASES[base]
    count = COUNT * share // sum(share for _, _, share in BASES)
    rng = random.Random(f"{SEED} {base}")
    original = (VECTORS / name).read_bytes()
    packages: list[Path] = []
    changes: list[str] = []
    for number in range(count):
        mutated, change = mutate(original, rng)
        packages.append(tmp_path / f"{number}.apk")
        packages[-1].write_bytes(mutated)
        changes.append(change)

    with Aosp() as aosp:
        assert aosp.verdict(VECTORS / name, levels).verified
        theirs = [aosp.verdict(package, levels) for package in packages]
    ours = touchmark(packages, levels)

    accepted = [
        f"{name}: {change}: AOSP says {their.reason}"
        for change, our, their in zip(changes, ours, theirs, strict=True)
        if our.verified and not their.verified
    ]
    assert not accepted, "\n".join(accepted)
    stricter = Counter(
        o.reason for o, t in zip(ours, theirs, strict=True) if t.verified > o.verified
    )
    both = sum(o.verified == t.verified for o, t in zip(ours, theirs, strict=True))
    print(
        f"\n{name} {levels}: {both} of {count} agree; refused by Touchmark alone: {dict(stricter)}"
    )
    # The container reader refuses what readers could see differently. The signatures themselves
    # must be judged as AOSP judges them.
    unexplained = {r for r in stricter if r.startswith("signature.")} - LOST_BY_AOSP
    assert not unexplained, stricter


def change_signature_file(package: Path, rng: random.Random) -> tuple[bytes, str]:
    """One byte changed, taken out or doubled in a file of the v1 signature, in an archive written
    again: there no checksum gives the change away before it is read."""
    with zipfile.ZipFile(package) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    names = [name for name in files if name.startswith("META-INF/") and files[name]]
    blocks = [name for name in names if name.endswith((".RSA", ".DSA", ".EC"))]
    name = rng.choice(names + 3 * blocks)
    content = bytearray(files[name])
    at = rng.randrange(len(content))
    kind = rng.choice(["bit", "zero", "ones", "more", "less", "gone", "twice"])
    old = content[at]
    if kind == "gone":
        del content[at]
    elif kind == "twice":
        content.insert(at, old)
    else:
        values = {
            "bit": old ^ 1 << rng.randrange(8),
            "zero": 0,
            "ones": 255,
            "more": old + 1,
            "less": old - 1,
        }
        content[at] = values[kind] & 255
    files[name] = bytes(content)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for other, unchanged in files.items():
            archive.writestr(zipfile.ZipInfo(other, (1981, 1, 1, 1, 1, 2)), unchanged)
    return out.getvalue(), f"{package.name}: {name} byte {at} {kind}"


@pytest.mark.parametrize(
    "levels", [Levels(max_sdk=29), Levels(min_sdk=9, max_sdk=17), Levels(min_sdk=24)]
)
def test_one_changed_byte_of_a_signature_file(levels: Levels, tmp_path: Path) -> None:
    rng = random.Random(f"{SEED} {levels}")
    # The large ones are of large keys, which only cost time.
    sources = [
        p
        for p in sorted(VECTORS.glob("v1-*.apk"))
        if p.stat().st_size < 40_000 and "11-signers" not in p.name
    ]
    packages: list[Path] = []
    changes: list[str] = []
    for number in range(COUNT // 10):
        mutated, change = change_signature_file(rng.choice(sources), rng)
        packages.append(tmp_path / f"{number}.apk")
        packages[-1].write_bytes(mutated)
        changes.append(change)
    with Aosp() as aosp:
        theirs = [aosp.verdict(package, levels) for package in packages]
    ours = touchmark(packages, levels)
    verdicts = list(zip(changes, ours, theirs, strict=True))
    assert any(our.verified for our in ours)
    accepted = [
        f"{change}: AOSP says {their.reason}"
        for change, our, their in verdicts
        if our.verified > their.verified
    ]
    assert not accepted, "\n".join(accepted)
    # Java reads some certificates that OpenSSL (and with it this verifier) does not.
    stricter = {our.reason for _, our, their in verdicts if their.verified > our.verified}
    assert stricter <= {"signature.v1.malformed-certificate"}, stricter
