"""make ios-check finds what an iPhone's library would lack, although it links nothing."""

from __future__ import annotations

import subprocess
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from kit.service import ROOT


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The program attester/ios/check, over two folders of a core that is made here."""
    loader = SourceFileLoader("ios_check", str(ROOT / "attester/ios/check"))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "SOURCES", ["client", "formats/zip"])
    return module


def put(check: ModuleType, folder: str, text: str) -> None:
    subprocess.run(
        ["clang++-16", "--target=arm64-apple-ios14.0", "-x", "c++", "-c", "-", "-o",
         check.object_of(folder)],
        input=text, text=True, check=True, timeout=60,
    )  # fmt: skip


def test_a_function_that_nothing_has_is_named(check: ModuleType) -> None:
    uses = "namespace touchmark { void read(int); } void use() { touchmark::read(1); }"
    put(check, "client", uses + 'extern "C" int gettimeofday(void*, void*);'
        "int now() { return gettimeofday(nullptr, nullptr); }")  # fmt: skip
    put(check, "formats/zip", "namespace touchmark { void read(long) {} }")
    assert check.missing_symbols() == ["touchmark::read(int)"]
    put(check, "formats/zip", "namespace touchmark { void read(int) {} }")
    assert check.missing_symbols() == []
