"""Prints how long Touchmark takes to verify a package beside apksigner, AOSP's own
verifier, and beside the raw SHA-256 speed of the same file, measured in the same run.
Fails when it is too slow or needs too much memory:

- a small package: at least 10 times apksigner's speed,
- a 100 MB package: at least 80 % of the SHA-256 speed of all cores, at most 64 MiB of memory.

How to read it: the cores' raw speed is that of as many `openssl dgst` processes as there are cores,
each over its share of the same file, in turn with the command that is measured. So both had the
same machine, and others' load, which lengthens every time alike, does not decide. The processor
time beside it is what the work itself costs: when it is that of openssl, nothing but hashing is
left. Measuring costs twice that, since the signature's digest is over chunks of the whole file and
the parts' digests are over their content.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kit.apk import compile_manifest  # noqa: E402

TOUCHMARK = ROOT / "build/release/bin/touchmark"
LARGE_MB = 100
ROUNDS = 5
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Cost:
    seconds: float  # on the clock
    cpu: float  # seconds of processor time
    memory: float  # MiB, the largest of its processes

    @staticmethod
    def best(costs: list[Cost]) -> Cost:
        return Cost(
            min(one.seconds for one in costs),
            min(one.cpu for one in costs),
            max(one.memory for one in costs),
        )


def run(*commands: Sequence[str | Path]) -> Cost:
    """What it costs to run some commands at the same time."""
    start = time.perf_counter()
    processes = [
        subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    cpu, memory = 0.0, 0.0
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        cpu += usage.ru_utime + usage.ru_stime
        memory = max(memory, usage.ru_maxrss / 1024)
    return Cost(time.perf_counter() - start, cpu, memory)


def best(*command: str | Path, rounds: int = ROUNDS) -> Cost:
    return Cost.best([run(command) for _ in range(rounds)])


def make_package(folder: Path, megabytes: int) -> Path:
    """A package with that much of incompressible assets, aligned and signed
    by the Android tools."""
    unsigned, aligned = folder / "unsigned.apk", folder / "aligned.apk"
    with zipfile.ZipFile(unsigned, "w") as archive:
        archive.writestr("AndroidManifest.xml", compile_manifest("com.example.bench"))
        for part in range(max(megabytes, 1)):
            size = 1_000_000 if megabytes else 1000
            archive.writestr(f"assets/{part}.bin", os.urandom(size))
    subprocess.run(["zipalign", "-f", "4", unsigned, aligned], check=True)
    store = folder / "key.p12"
    if not store.exists():
        subprocess.run(
            ["keytool", "-genkeypair", "-keystore", store, "-storetype", "PKCS12",
             "-alias", "bench", "-storepass", "android",
             "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=bench"],
            check=True, capture_output=True,
        )  # fmt: skip
    signed = folder / f"{megabytes}.apk"
    subprocess.run(
        ["apksigner", "sign", "--ks", store, "--ks-pass", "pass:android", "--out", signed, aligned],
        check=True,
    )
    return signed


def pieces(package: Path) -> list[Path]:
    """The file in as many pieces as there are cores. By a process of its own: what this one has
    ever held would count as memory of those that it starts."""
    prefix = package.with_suffix(".piece-")
    subprocess.run(["split", "-n", str(CORES), package, prefix], check=True)
    return sorted(package.parent.glob(prefix.name + "*"))


def show(name: str, cost: Cost, note: str = "") -> None:
    print(
        f"  {name:26}{cost.seconds * 1000:8.1f} ms {cost.cpu * 1000:8.1f} ms processor"
        f" {cost.memory:5.0f} MiB {note}"
    )


def measure_small(package: Path) -> float:
    ours = best(TOUCHMARK, "package", "verify", package)
    theirs = best("apksigner", "verify", package)
    ratio = theirs.seconds / ours.seconds
    print(f"small package ({package.stat().st_size / 1024:.0f} KiB)")
    show("touchmark package verify", ours)
    show("apksigner verify", theirs)
    print(f"  touchmark is {ratio:.0f} times as fast (at least 10)")
    return ratio


def measure_large(package: Path) -> tuple[float, float]:
    hashes = [("openssl", "dgst", "-sha256", piece) for piece in pieces(package)]
    verify = (TOUCHMARK, "package", "verify", package)
    rounds = [(run(verify), run(*hashes)) for _ in range(ROUNDS * 2)]
    ours, raw = (Cost.best(list(costs)) for costs in zip(*rounds, strict=True))
    measured = best(TOUCHMARK, "package", "measure", package)
    theirs = best("apksigner", "verify", package, rounds=2)
    share = raw.seconds / ours.seconds
    print(f"large package ({package.stat().st_size / 1e6:.0f} MB), {CORES} cores")
    show("touchmark package verify", ours)
    show("openssl dgst -sha256", raw, f"({CORES} at once, each over its share)")
    show("openssl dgst -sha256", best("openssl", "dgst", "-sha256", package), "(one, the whole)")
    show("touchmark package measure", measured)
    show("apksigner verify", theirs)
    print(f"  verify reaches {share:.0%} of the cores' SHA-256 speed (at least 80 %)")
    return share, max(ours.memory, measured.memory)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = measure_small(make_package(Path(folder), 0))
        share, memory = measure_large(make_package(Path(folder), LARGE_MB))
    if small < 10 or share < 0.8 or memory > 64:
        sys.exit("below the mark")


if __name__ == "__main__":
    main()
