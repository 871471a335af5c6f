"""What tools/tidy and tools/check-locks share: a configuration of the product for clang, with its
precompiled header, so that neither reads the large libraries' headers for each source again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/clang"


def git(*arguments: str, may_fail: bool = False) -> str:
    done = subprocess.run(
        ["git", *arguments], check=False, cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        if may_fail:
            return ""
        sys.exit(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def compiled_sources() -> dict[Path, str]:
    """Source -> its compile command. Sources for a phone or a fuzzer are not among them."""
    for command in (
        ["cmake", "--log-level=WARNING", "-Wno-dev", "--preset", "clang"],
        ["cmake", "--build", str(BUILD), "--target", "touchmark_precompiled"],
    ):
        done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    return {Path(entry["file"]).resolve(): entry["command"] for entry in entries}
