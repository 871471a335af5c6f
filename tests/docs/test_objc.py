"""The iOS guide's blocks are type-checked as the binding is: by clang, with stub headers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from docs.blocks import ROOT, Block, blocks

IOS = ROOT / "attester/ios"
STUBS = ROOT / "tests/docs/stubs"
# What the guide says is the app's own.
_VARIABLES = "NSString *config, NSError *error, NSURL *url, NSMutableURLRequest *request"


def check(block: Block, file: Path) -> str:
    lines = block.text.splitlines()
    imports = [line for line in lines if line.startswith("#import")]
    rest = "\n".join(line for line in lines if line not in imports)
    is_method = rest.lstrip().startswith("- (")
    whole = (
        f"@interface Delegate : NSObject\n@end\n@implementation Delegate\n{rest}\n@end\n"
        if is_method
        else f"void example({_VARIABLES});\nvoid example({_VARIABLES}) {{\n{rest}\n}}\n"
    )
    file.write_text("\n".join(['#import "url_session.h"', *imports, whole]))
    clang = shutil.which("clang-16") or shutil.which("clang")
    assert clang, "no clang: run tools/setup --tests"
    done = subprocess.run(
        [clang, "-fsyntax-only", "-x", "objective-c", "-std=gnu11",
         "--target=arm64-apple-ios14.0", "-ffreestanding", "-fobjc-arc", "-fblocks", "-Wall",
         "-Werror", "-I", IOS / "include", "-I", STUBS, "-isystem", IOS / "test/stubs", file],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("block", blocks("objc"), ids=str)
def test_a_block_type_checks(block: Block, tmp_path: Path) -> None:
    assert check(block, tmp_path / "block.m") == ""


def test_a_block_with_a_wrong_name_is_found(tmp_path: Path) -> None:
    block = Block("x.md", 1, "objc", '#import "Touchmark.h"\n[request setToken:nil];\n')
    assert "setToken" in check(block, tmp_path / "block.m")
