"""Systemd listens for the service, which is restarted, and no client that comes is refused."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.service import Service

RESTARTS = 10
CLIENTS = 4


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = Service(tmp_path / "data", socket=listener)
        yield service
        service.kill()


def ask(port: int) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_each_new_connection_is_served_through_a_restart(service: Service) -> None:
    service.start()
    port = int(service.listen.rpartition(":")[2])
    over = threading.Event()
    answers: list[int | str] = []

    def keep_asking() -> None:
        while not over.is_set():
            try:
                answers.append(ask(port))
            except (OSError, http.client.HTTPException) as error:
                answers.append(repr(error))

    clients = [threading.Thread(target=keep_asking) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(RESTARTS):
            time.sleep(0.3)
            assert service.stop() == 0
            service.start()
    finally:
        over.set()
        for client in clients:
            client.join()
    assert len(answers) > RESTARTS * CLIENTS
    assert set(answers) == {200}, [answer for answer in answers if answer != 200]
