"""The two verifiers that the conformance tests compare: Touchmark's and AOSP's
(Debian's apksig)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kit.service import BINARY

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VECTORS = ROOT / "tests/vectors/apksig"
APKSIG = Path("/usr/share/java/apksig.jar")
BATCH = 200


@dataclass(frozen=True)
class Levels:
    """The API levels that a verdict is asked for; None is the default."""

    min_sdk: int | None = None
    max_sdk: int | None = None


@dataclass(frozen=True)
class Verdict:
    verified: bool
    reason: str  # Touchmark's reason id, or AOSP's verdict and first issue; empty when verified


class Aosp:
    """One Java process that answers for all packages. A context manager."""

    def __enter__(self) -> Aosp:
        self.process = subprocess.Popen(
            ["java", "-Xmx1g", "-cp", str(APKSIG), str(HERE / "ApksigOracle.java")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdin and self.process.stdout
        self._questions, self._answers = self.process.stdin, self.process.stdout
        return self

    def __exit__(self, *_: object) -> None:
        self._questions.close()
        self._answers.close()
        self.process.wait(timeout=30)

    def verdict(
        self, package: Path, levels: Levels = Levels(), v4_file: Path | None = None
    ) -> Verdict:
        fields = [levels.min_sdk or "", levels.max_sdk or "", v4_file or "", package]
        print(*fields, sep="\t", file=self._questions, flush=True)
        answer = self._answers.readline().rstrip("\n")
        assert answer, "AOSP's verifier ended"
        return Verdict(
            answer == "verified", answer.replace("\t", " ") if answer != "verified" else ""
        )


def touchmark(
    packages: list[Path], levels: Levels = Levels(), v4_file: Path | None = None
) -> list[Verdict]:
    """Verdicts in the packages' order. An exit status that is no verdict,
    such as a crash, fails."""
    options = ["--json"]
    if levels.min_sdk:
        options += ["--min-sdk", str(levels.min_sdk)]
    if levels.max_sdk:
        options += ["--max-sdk", str(levels.max_sdk)]
    if v4_file:
        options += ["--v4-signature-file", str(v4_file)]
    verdicts: list[Verdict] = []
    for start in range(0, len(packages), BATCH):
        batch = packages[start : start + BATCH]
        done = subprocess.run(
            [str(BINARY), "package", "verify", *options, *map(str, batch)],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode in (0, 1), f"exit status {done.returncode}: {done.stderr[-2000:]}"
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [answer["file"] for answer in answers] == list(map(str, batch))
        verdicts += [Verdict(a["verified"], a["reason"] or "") for a in answers]
    return verdicts
