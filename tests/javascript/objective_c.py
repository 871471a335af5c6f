"""Objective-C++ against stubs of Apple's and the frameworks' headers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from javascript.java_layer import STUBS
from javascript.workspace import WORKSPACE
from kit.service import ROOT

PACKAGES = WORKSPACE / "packages"


def type_check(source: Path) -> str:
    clang = shutil.which("clang-16") or shutil.which("clang")
    assert clang, "no clang: run tools/setup --tests"
    own = (source.parent, PACKAGES / "native/ios", PACKAGES / "webview/ios")
    headers = [str(part) for folder in own for part in ("-I", folder)]
    done = subprocess.run(
        [clang, "-fsyntax-only", "-x", "objective-c++", "-std=c++17",
         "--target=arm64-apple-ios14.0", "-ffreestanding", "-nostdinc++", "-fobjc-arc", "-fblocks",
         "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-D_Bool=bool",
         "-include", STUBS / "ios/foundation.h", "-I", ROOT, "-I", STUBS / "ios", *headers,
         "-isystem", ROOT / "attester/ios/test/stubs", source],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stderr
