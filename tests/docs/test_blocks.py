"""Every block of every page names its language, and each language has a test."""

from __future__ import annotations

import pytest

from docs.blocks import ROOT, blocks, of, pages

# Which test takes the blocks of a language.
LANGUAGES = {
    "sh": "test_shell.py",
    "console": "test_shell.py",
    "text": "test_shell.py",
    "python": "test_python.py",
    "go": "test_go.py",
    "java": "test_java.py",
    "kotlin": "test_kotlin.py",
    "gradle": "test_gradle.py",
    "js": "../../relying-party/node/test/readme.test.ts",
    "ts": "test_typescript.py",
    "tsx": "test_typescript.py",
    "objc": "test_objc.py",
    "swift": "test_swift.py",
    "cpp": "test_cpp.py",
    "c": "test_cpp.py",
    "toml": "test_data.py",
    "json": "test_data.py",
    "xml": "test_data.py",
    "yaml": "test_data.py",
    "ini": "test_data.py",
}


def test_every_block_has_a_language_that_a_test_takes() -> None:
    found = {str(block): block.language for block in blocks() if block.language not in LANGUAGES}
    assert found == {}, f"name one of {', '.join(LANGUAGES)} behind the three backticks"


def test_every_language_has_its_test() -> None:
    for test in LANGUAGES.values():
        assert (ROOT / "tests/docs" / test).is_file()


def test_the_pages_are_all_read() -> None:
    found = pages()
    for page in ("README.md", "relying-party/python/README.md", "docs/integrate-android.md"):
        assert page in found
    assert len(found) > 40 and len(blocks()) > 50


def test_blocks_are_read_as_they_are_shown() -> None:
    text = (
        "a\n```sh\nb\n```\n1. c\n\n   ```python\n   # d.py\n     e\n   ```\n````text\n```\n````\n"
    )
    first, second, third = of("page.md", text)
    assert (first.language, first.text, first.line, first.file) == ("sh", "b\n", 2, "")
    assert (second.language, second.text, second.file) == ("python", "# d.py\n  e\n", "d.py")
    assert (third.language, third.text) == ("text", "```\n")
    with pytest.raises(AssertionError, match=r"page\.md:1: this block has no end"):
        of("page.md", "```sh\nb\n")


def test_what_is_installed_from_the_tree_is_there() -> None:
    installs = [
        line
        for block in blocks("sh", "console")
        for line in block.text.splitlines()
        if "relying-party/python[" in line and "install" in line
    ]
    assert installs
    project = (ROOT / "relying-party/python/pyproject.toml").read_text()
    assert 'name = "touchmark-attestation"' in project and "\nflask = [" in project
