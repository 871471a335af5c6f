from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.registered_app import RegisteredApp


@pytest.fixture(scope="module")
def registered_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    """Software evidence passes: what its tests are about is everything else."""
    app = RegisteredApp.start(tmp_path_factory.mktemp("service"), policy="development")
    yield app
    app.service.stop()
