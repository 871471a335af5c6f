"""What the service has acknowledged is on disk: kill -9 at any moment loses none of it."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import apk
from kit.service import Service

KILLS = 200


def request(
    service: Service, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host = service.url.removeprefix("https://")
    connection = http.client.HTTPSConnection(host, context=context, timeout=10)
    token = service.credentials()["developer_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "data")
    yield service
    service.kill()


def test_no_acknowledged_registration_is_lost(service: Service) -> None:
    manifest = apk.compile_manifest("com.example.kill")
    signer = apk.SigningKey.generate()
    acknowledged: set[str] = set()
    number = 0

    def register_until_killed(stop: threading.Event, first: threading.Event) -> None:
        nonlocal number
        while not stop.is_set():
            number += 1
            package = apk.build(manifest, signer, {"classes.dex": b"dex\n035\0%d" % number})
            try:
                status, body = request(service, "POST", "/admin/v1/registrations", package)
            except (OSError, http.client.HTTPException):
                return  # killed in the middle: not acknowledged, either outcome is right
            assert status == 201, body
            acknowledged.add(json.loads(body)["id"])
            first.set()

    chance = random.Random(20261124)
    for _ in range(KILLS):
        service.start()
        stop, first = threading.Event(), threading.Event()
        client = threading.Thread(target=register_until_killed, args=(stop, first))
        client.start()
        # Half of the kills come after an acknowledged registration, however slow the machine is.
        if chance.random() < 0.5:
            first.wait(10)
        time.sleep(chance.uniform(0.0, 0.12))
        service.kill()
        stop.set()
        client.join()

    service.start()
    status, body = request(service, "GET", "/admin/v1/registrations")
    assert status == 200
    kept = {entry["id"] for entry in json.loads(body)["registrations"]}
    lost = acknowledged - kept
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(kept)} kept, {len(lost)} lost")
    assert len(acknowledged) >= KILLS / 4, "too few registrations were acknowledged to say anything"
    assert not lost
