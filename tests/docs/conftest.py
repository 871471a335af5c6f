from __future__ import annotations

from pathlib import Path

import pytest

from docs.android import ANDROID, compile_java, java_files, libraries
from docs.blocks import ROOT


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Google's library for Play Integrity is in no registry but Google's own, so its place is taken
    by the few declarations that the guide uses (stubs/)."""
    out = tmp_path_factory.mktemp("stubs")
    android = libraries(ANDROID)
    sources = java_files(ROOT / "tests/docs/stubs", ANDROID / "platform")
    assert compile_java(sources, out, f"{android}/*") == ""
    return out


@pytest.fixture(scope="session")
def sdk(stubs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK's classes, compiled as the AAR has them: against the oldest OkHttp."""
    out = tmp_path_factory.mktemp("sdk")
    oldest = f"{libraries(ANDROID)}/*"
    assert compile_java(java_files(ANDROID / "java"), out, stubs, oldest) == ""
    return out
