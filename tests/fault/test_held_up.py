"""Packages that take long hold up nothing else: probes, operators, attestations, App Attest
counters, and the end of the service."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fault.measure import call, in_background, seconds_of
from kit import apk
from kit.hardware import AppleDevice, b64, client_data_hash
from kit.registered_app import RegisteredApp
from kit.service import Service
from kit.soft_attester import b64url_decode

AT_ONCE = 1.0  # seconds, on a machine that is busy with the packages themselves


@pytest.fixture(scope="module")
def large_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.apk"
    files = {f"classes{n}.dex": b"dex\n035\0" + os.urandom(24 << 20) for n in range(2, 7)}
    files["classes.dex"] = b"dex\n035\0" + os.urandom(1 << 20)
    path.write_bytes(
        apk.build(apk.compile_manifest("com.example.large"), apk.SigningKey.generate(), files)
    )
    return path


@pytest.fixture
def apple() -> AppleDevice:
    return AppleDevice("ABCDE12345.com.example.app")


@pytest.fixture
def app(tmp_path: Path, apple: AppleDevice) -> Iterator[RegisteredApp]:
    root = apple.write_root(tmp_path / "root.pem")
    options = ["--hardware-roots", str(root), "--ios-app-id", apple.app_id, "--threads", "2"]
    started = RegisteredApp.start(tmp_path, options)
    yield started
    started.service.stop()


class Uploads:
    """The package, uploaded by several operators at once again and again until they are told to
    stop."""

    def __init__(self, service: Service, package: Path):
        self.service, self.body = service, package.read_bytes()
        self.token = service.credentials()["developer_token"]
        self.statuses: list[int] = []
        self.retry_after: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            status, _, headers = call(
                self.service, "POST", "/admin/v1/registrations", self.body, token=self.token,
                timeout=100,
            )  # fmt: skip
            self.statuses.append(status)
            if status == 503:
                self.retry_after.append(headers["Retry-After"])
                time.sleep(0.1)


def test_everything_else_goes_on(
    app: RegisteredApp, apple: AppleDevice, large_package: Path
) -> None:
    service = app.service
    admin = service.credentials()["admin_token"]
    uploads = Uploads(service, large_package)
    client = app.attester()

    def attest_with_counter() -> None:
        challenge = client.challenge()
        digest = client_data_hash(b64url_decode(challenge["nonce"]), client.key)
        submod = {
            "key_id": apple.key_id,
            "attestation": b64(apple.attest(digest)),
            "assertion": b64(apple.sign(digest)),
        }
        answer = client.attest(challenge, submods={"app-attest": submod})
        assert answer.status == 200

    asked: dict[str, Callable[[], Any]] = {
        "readyz": lambda: call(service, "GET", "/readyz"),
        "status": lambda: call(service, "GET", "/admin/v1/status", token=admin),
        "list": lambda: call(service, "GET", "/admin/v1/registrations", token=admin),
        "api": lambda: call(
            service, "PUT", "/admin/v1/apis", b'{"domain":"a.example","pins":[]}', token=admin
        ),
        "attest": client.attest,
        "counter": attest_with_counter,
    }
    slowest = dict.fromkeys(asked, 0.0)
    with in_background(*[uploads.run] * 4):
        until = time.monotonic() + 12
        while time.monotonic() < until:
            for name, ask in asked.items():
                slowest[name] = max(slowest[name], seconds_of(ask))
        uploads.over.set()
    print({name: f"{seconds:.3f} s" for name, seconds in slowest.items()}, uploads.statuses)
    assert {200, 201} & set(uploads.statuses)
    assert set(uploads.statuses) <= {200, 201, 503}
    assert max(slowest.values()) < AT_ONCE


def test_more_packages_than_are_taken_are_told_to_come_back(
    app: RegisteredApp, large_package: Path
) -> None:
    uploads = Uploads(app.service, large_package)
    with in_background(*[uploads.run] * 14):
        until = time.monotonic() + 20
        while not uploads.retry_after and time.monotonic() < until:
            time.sleep(0.05)
        uploads.over.set()
    assert uploads.retry_after, "as many as anybody sends are taken"
    assert set(uploads.statuses) <= {200, 201, 503}


def test_the_service_ends_in_time(app: RegisteredApp, large_package: Path) -> None:
    service = app.service
    uploads = Uploads(service, large_package)
    threads = [threading.Thread(target=uploads.run, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    uploads.over.set()
    assert service.process is not None
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(15) == 0
    service.process = None
    for thread in threads:
        thread.join(20)
    service.start()  # and what was half is gone
    token = service.credentials()["developer_token"]
    status, _, _ = call(
        service, "POST", "/admin/v1/registrations", uploads.body, token=token, timeout=100
    )
    assert status in (200, 201)


def test_killed_in_the_middle_nothing_half_is_seen(app: RegisteredApp, large_package: Path) -> None:
    service = app.service
    token = service.credentials()["developer_token"]
    before = call(service, "GET", "/admin/v1/registrations", token=token)[1]
    uploads = Uploads(service, large_package)
    for _ in range(3):
        uploads.over.clear()

        def once() -> None:
            try:
                uploads.over.set()
                call(service, "POST", "/admin/v1/registrations", uploads.body, token=token)
            except OSError:
                pass

        thread = threading.Thread(target=once, daemon=True)
        thread.start()
        # Its content is on its way into the database.
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if sum(p.stat().st_size for p in service.data.glob("touchmark.db*")) > 8 << 20:
                break
            time.sleep(0.005)
        service.kill()
        thread.join(20)
        service.start()
        seen = call(service, "GET", "/admin/v1/registrations", token=token)[1]
        if seen == before:
            continue
        assert b"com.example.large" in seen  # it was done in time
        break
    status, _, _ = call(
        service, "POST", "/admin/v1/registrations", uploads.body, token=token, timeout=100
    )
    assert status in (200, 201)
