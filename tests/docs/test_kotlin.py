"""The Android guide's Kotlin compiles as it stands, against each OkHttp that the SDK supports."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docs.android import ANDROID, OKHTTP, jars_of, libraries
from docs.blocks import ROOT, Block, blocks


def compile_kotlin(snippets: list[Block], folder: Path, *class_path: Path) -> str:
    """What kotlinc says, without a warning or an error that it passes over."""
    compiler = libraries(ROOT / "tests/docs/kotlin")
    (standard,) = compiler.glob("kotlin-stdlib-[0-9]*.jar")
    (coroutines,) = libraries(ANDROID / "coroutines").glob("kotlinx-coroutines-core-jvm-*.jar")
    beside = [
        standard,
        coroutines,
        ROOT / "build/release/share/touchmark/touchmark_sdk-coroutines.jar",
    ]
    sources = []
    for number, block in enumerate(snippets):
        sources.append(folder / f"Block{number}.kt")
        sources[-1].write_text(block.text)
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{compiler}/*",
         "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-Werror",
         "-jvm-target", "1.8", "-cp", ":".join(map(str, [*beside, *class_path])),
         "-d", folder / "out", *sources],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("version", OKHTTP)
def test_the_guide_compiles_as_it_stands(version: str, sdk: Path, tmp_path: Path) -> None:
    snippets = [block for block in blocks("kotlin") if not block.page.startswith("relying-party/")]
    assert len(snippets) >= 3
    for block in snippets:
        assert block.first.startswith("package "), f"{block}: begin with its package and imports"
    assert compile_kotlin(snippets, tmp_path, sdk, *jars_of(version)) == ""


def test_a_block_that_does_not_compile_is_found(sdk: Path, tmp_path: Path) -> None:
    block = Block("x.md", 1, "kotlin", "package a\n\nval t: Touchmark? = null\n")
    assert "unresolved reference" in compile_kotlin([block], tmp_path, sdk)
