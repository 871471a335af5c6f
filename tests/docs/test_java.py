"""The Android guide's blocks compile as they stand, against the SDK and each OkHttp that it
supports."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.android import ANDROID, OKHTTP, compile_java, jars_of, java_files
from docs.blocks import ROOT, Block, blocks

SERVERS = "relying-party/java/README.md"  # test_jvm.py takes its blocks
SNIPPETS = [block for block in blocks("java") if block.page not in ("demo/README.md", SERVERS)]
EXCERPTS = [block for block in blocks("java") if block.page == "demo/README.md"]


@pytest.mark.parametrize("version", OKHTTP)
def test_the_guide_compiles_as_it_stands(
    version: str, stubs: Path, sdk: Path, tmp_path: Path
) -> None:
    assert len(SNIPPETS) >= 6
    sources = [put(block, tmp_path / "app") for block in SNIPPETS]
    assert compile_java(sources, tmp_path / "out", stubs, sdk, *jars_of(version)) == ""


def put(block: Block, folder: Path) -> Path:
    """A block as the file that it is."""
    package = re.search(r"^package ([\w.]+);$", block.text, re.MULTILINE)
    name = re.search(r"^(?:public )?(?:final )?class (\w+)", block.text, re.MULTILINE)
    assert package and name, f"{block}: is no file: begin with its package and imports"
    path = folder / package[1].replace(".", "/") / f"{name[1]}.java"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert not path.exists(), f"{block}: another block has the class {name[1]}"
    path.write_text(block.text)
    return path


def test_a_block_that_does_not_compile_is_found(stubs: Path, tmp_path: Path) -> None:
    block = Block("x.md", 1, "java", "package a;\n\nfinal class B {\n  Touchmark t;\n}\n")
    assert "cannot find symbol" in compile_java([put(block, tmp_path)], tmp_path / "out", stubs)


@pytest.mark.parametrize("block", EXCERPTS, ids=str)
def test_an_excerpt_is_in_the_source(block: Block) -> None:
    sources = java_files(ROOT / "demo/app/src/main/java")
    code = " ".join(" ".join(path.read_text() for path in sources).split())
    for line in block.text.splitlines():
        assert " ".join(line.split()) in code, f"{block}: {line}"


def test_the_aar_has_the_package_that_the_guide_imports() -> None:
    """The classes that make product packs, where it has."""
    aar = ROOT / "build/release/share/touchmark/touchmark_sdk.aar"
    with zipfile.ZipFile(aar) as outer:
        with outer.open("classes.jar") as inner, zipfile.ZipFile(inner) as jar:
            classes = set(jar.namelist())
        assert b'package="touchmark.sdk"' in outer.read("AndroidManifest.xml")
    for imported in {
        name
        for block in SNIPPETS
        for name in re.findall(r"^import (touchmark\S+);", block.text, re.M)
    }:
        assert imported.replace(".", "/") + ".class" in classes


def build_maven(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ANDROID / "build-maven", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def own_group() -> Iterator[str]:
    """A group that the user's cache of Maven has seen nothing of, and keeps nothing of."""
    name = f"example{secrets.token_hex(6)}"
    yield f"com.example.{name}"
    shutil.rmtree(Path.home() / ".m2/repository/com/example" / name, ignore_errors=True)


def test_the_library_is_published_in_the_group_of_whoever_publishes(
    own_group: str, tmp_path: Path
) -> None:
    build = ROOT / "build/release"
    repository = tmp_path / "repository"
    done = build_maven("--group", own_group, "--repository", repository, build)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{module}:0.1.0 is in {repository}"
        for module in (
            f"{own_group}:touchmark-attestation",
            f"{own_group}:touchmark-attestation-coroutines",
            "touchmark.sdk:touchmark-gradle-plugin",
        )
    ]
    (tmp_path / "pom.xml").write_text(
        f"""<project><modelVersion>4.0.0</modelVersion><groupId>com.example.app</groupId>
        <artifactId>app</artifactId><version>1</version><packaging>pom</packaging>
        <repositories><repository><id>ours</id><url>file://{repository}</url></repository></repositories>
        <dependencies><dependency><groupId>{own_group}</groupId>
        <artifactId>touchmark-attestation</artifactId><version>0.1.0</version><type>aar</type>
        </dependency></dependencies></project>"""
    )
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
    maven = subprocess.run(
        ["mvn", "-q", "-B", "-C", "-f", tmp_path / "pom.xml", plugin,
         f"-DoutputDirectory={tmp_path / 'out'}"],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert maven.returncode == 0, maven.stdout
    (fetched,) = (tmp_path / "out").iterdir()
    assert fetched.read_bytes() == (build / "share/touchmark/touchmark_sdk.aar").read_bytes()
    folder = repository / own_group.replace(".", "/") / "touchmark-attestation/0.1.0"
    module = json.loads((folder / "touchmark-attestation-0.1.0.module").read_text())
    assert module["component"]["group"] == own_group
    for variant in module["variants"]:
        (file,) = variant["files"]
        content = (folder / file["url"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(folder / "touchmark-attestation-0.1.0-sources.jar") as sources:
        assert "touchmark/sdk/Touchmark.java" in sources.namelist()


@pytest.mark.parametrize("group", [None, "", "touchmark", "Com.Example", "com..example", "a/b.c"])
def test_no_group_is_taken_for_granted(group: str | None, tmp_path: Path) -> None:
    chosen = [] if group is None else ["--group", group]
    done = build_maven(*chosen, "--repository", tmp_path / "repository")
    assert done.returncode == 1 and "such as com.example.mobile" in done.stderr
    assert not (tmp_path / "repository").exists()
