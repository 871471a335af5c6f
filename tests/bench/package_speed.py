"""Prints how long Touchmark takes to verify a package beside apksigner, AOSP's own verifier, and beside
the raw SHA-256 speed of the same file, measured in the same run. Fails when it is too slow or needs too
much memory:

- a small package: at least 10 times apksigner's speed,
- a 100 MB package: at least 80 % of the SHA-256 speed of all cores, at most 64 MiB of memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kit.apk import compile_manifest  # noqa: E402

TOUCHMARK = ROOT / "build/release/bin/touchmark"
LARGE_MB = 100
ROUNDS = 5
CORES = len(os.sched_getaffinity(0))


def run(*command: str | Path) -> tuple[float, float]:
    """Seconds and MiB of memory that one run of a command takes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def best(*command: str | Path, rounds: int = ROUNDS) -> tuple[float, float]:
    """The fastest of several runs, the largest memory."""
    runs = [run(*command) for _ in range(rounds)]
    return min(seconds for seconds, _ in runs), max(memory for _, memory in runs)


def make_package(folder: Path, megabytes: int) -> Path:
    """A package with that much of incompressible assets, aligned and signed by the Android tools."""
    unsigned, aligned = folder / "unsigned.apk", folder / "aligned.apk"
    with zipfile.ZipFile(unsigned, "w") as archive:
        archive.writestr("AndroidManifest.xml", compile_manifest("org.touchmark.bench"))
        for part in range(max(megabytes, 1)):
            size = 1_000_000 if megabytes else 1000
            archive.writestr(f"assets/{part}.bin", os.urandom(size))
    subprocess.run(["zipalign", "-f", "4", unsigned, aligned], check=True)
    store = folder / "key.p12"
    if not store.exists():
        subprocess.run(
            ["keytool", "-genkeypair", "-keystore", store, "-storetype", "PKCS12", "-alias", "bench",
             "-storepass", "android", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=bench"],
            check=True, capture_output=True,
        )  # fmt: skip
    signed = folder / f"{megabytes}.apk"
    subprocess.run(
        ["apksigner", "sign", "--ks", store, "--ks-pass", "pass:android", "--out", signed, aligned],
        check=True,
    )
    return signed


def measure_small(package: Path) -> float:
    seconds, memory = best(TOUCHMARK, "package", "verify", package)
    theirs, their_memory = best("apksigner", "verify", package)
    ratio = theirs / seconds
    print(f"small package ({package.stat().st_size / 1024:.0f} KiB)")
    print(f"  touchmark package verify {seconds * 1000:8.1f} ms {memory:6.0f} MiB")
    print(f"  apksigner verify         {theirs * 1000:8.1f} ms {their_memory:6.0f} MiB")
    print(f"  touchmark is {ratio:.0f} times as fast (at least 10)")
    return ratio


def measure_large(package: Path) -> tuple[float, float]:
    megabytes = package.stat().st_size / 1e6
    start, _ = best(TOUCHMARK, "--version")
    seconds, memory = best(TOUCHMARK, "package", "verify", package)
    sha, _ = best("openssl", "dgst", "-sha256", package)
    measured, measure_memory = best(TOUCHMARK, "package", "measure", package)
    theirs, their_memory = best("apksigner", "verify", package, rounds=2)
    share = (sha / CORES) / seconds
    print(f"large package ({megabytes:.0f} MB), {CORES} cores")
    print(f"  touchmark package verify  {seconds * 1000:8.1f} ms {memory:6.0f} MiB")
    print(f"  touchmark package measure {measured * 1000:8.1f} ms {measure_memory:6.0f} MiB")
    print(f"  apksigner verify          {theirs * 1000:8.1f} ms {their_memory:6.0f} MiB")
    print(f"  openssl dgst -sha256      {sha * 1000:8.1f} ms (one core)")
    print(f"  a process start alone     {start * 1000:8.1f} ms")
    print(f"  verify reaches {share:.0%} of the cores' SHA-256 speed (at least 80 %)")
    return share, max(memory, measure_memory)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = measure_small(make_package(Path(folder), 0))
        share, memory = measure_large(make_package(Path(folder), LARGE_MB))
    if small < 10 or share < 0.8 or memory > 64:
        sys.exit("below the mark")


if __name__ == "__main__":
    main()
