"""The JavaScript guide's blocks are type-checked as they stand, against the built packages."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.blocks import ROOT, Block, blocks

WORKSPACE = ROOT / "build/javascript/workspace/node_modules"
PACKAGES = ROOT / "build/javascript/stage"
# Its blocks are run, with its own libraries: relying-party/node/test/readme.test.ts.
OF_SERVERS = "relying-party/node/README.md"
# React Native declares the names that a browser's library would.
LIBRARIES = {True: ["ES2020"], False: ["ES2020", "DOM", "DOM.Iterable"]}


def check(found: list[Block], folder: Path) -> str:
    """What the compiler says, strictly."""
    said = ""
    subprocess.run([ROOT / "attester/javascript/install", "--all"], check=True, timeout=900)
    for is_native, libraries in LIBRARIES.items():
        target = folder / str(is_native)
        target.mkdir(parents=True)
        files = []
        for block in found:
            if ("react-native" in block.text) is is_native:
                name = f"{block.page.replace('/', '-')}-{block.line}.{block.language}"
                (target / name).write_text(block.text)
                files.append(name)
        if not files:
            continue
        options = {
            "target": "ES2020", "module": "ESNext", "moduleResolution": "Node10",
            "jsx": "react-jsx", "esModuleInterop": True, "strict": True,
            "exactOptionalPropertyTypes": True,
            "noUncheckedIndexedAccess": True, "noUnusedLocals": True, "noUnusedParameters": True,
            "noImplicitReturns": True, "skipLibCheck": True, "noEmit": True, "types": [],
            "lib": libraries, "baseUrl": str(WORKSPACE),
            "paths": {
                "@touchmark/*": [f"{PACKAGES}/*"],
                "*": ["*", "@types/*"],
            },
        }  # fmt: skip
        config = {"compilerOptions": options, "files": files}
        (target / "tsconfig.json").write_text(json.dumps(config))
        done = subprocess.run(
            [WORKSPACE / ".bin/tsc", "-p", target],
            check=False, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        said += done.stdout + done.stderr
    return said


@pytest.fixture
def folder() -> Path:
    """Below the tree, so that what a message names is short."""
    made = ROOT / "build/javascript/blocks"
    shutil.rmtree(made, ignore_errors=True)
    return made


def test_the_guide_compiles_as_it_stands(folder: Path) -> None:
    found = [block for block in blocks("ts", "tsx") if block.page != OF_SERVERS]
    assert len(found) >= 7
    assert check(found, folder) == ""


@pytest.mark.parametrize(
    "text, says",
    [
        ('import { openTouchmarks } from "@touchmark/react-native";\n', "openTouchmarks"),
        (
            'import { createFetch as c } from "@touchmark/cordova"; export const a: string = c;',
            "not assignable",
        ),
    ],
)
def test_a_block_that_does_not_compile_is_found(text: str, says: str, folder: Path) -> None:
    assert says in check([Block("x.md", 1, "ts", text)], folder)
