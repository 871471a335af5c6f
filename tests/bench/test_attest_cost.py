"""The data folders that attest_cost.py fills by itself are ones that today's service serves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench import attest_cost
from kit.registered_app import touchmark_json


def test_a_service_serves_what_it_fills(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    first = attest_cost.first_store(tmp_path / "1")
    store = attest_cost.copy_of(first, tmp_path / "many", "many")
    registrations = 2 * attest_cost.RELEASES_IN_USE
    attest_cost.add_registrations(store, registrations)
    attest_cost.add_devices(store, 50)
    shutil.copy(first.service.credentials_file, store.service.credentials_file)
    store.start()
    try:
        listed = touchmark_json(store.service, "registration", "list")["registrations"]
        assert len(listed) == registrations
        devices = touchmark_json(store.service, "device", "list")["devices"]
        assert len(devices) == 50
        # What the load is told of the apps that attest.
        spec = json.loads(attest_cost.write_spec(store, tmp_path).read_text())
        assert len(spec["apps"]) == attest_cost.RELEASES_IN_USE
        assert all(Path(content).is_file() for content in spec["contents"].values())
    finally:
        store.service.stop()
