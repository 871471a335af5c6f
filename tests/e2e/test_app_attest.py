"""App Attest from the wire to the token: an attestation once, then assertions that
cannot be replayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kit.hardware import AppleDevice, b64, client_data_hash, new_key
from kit.registered_app import RegisteredApp, touchmark, touchmark_json
from kit.soft_attester import b64url_decode

TEAM = "ABCDE12345"
POLICY = """version = 1
[findings]
"app.by-certificate" = "ignore"
"""
IOS: dict[str, Any] = {
    "platform": {"os": "ios", "os_version": "18.1"},
    "sdk": {"platform": "iOS", "version": "0.1.0", "build": "ios"},
}


@pytest.fixture(scope="module")
def apple() -> AppleDevice:
    return AppleDevice(f"{TEAM}.com.example.app")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, apple: AppleDevice) -> Iterator[RegisteredApp]:
    folder = tmp_path_factory.mktemp("app-attest-service")
    root = apple.write_root(folder / "root.pem")
    options = ["--hardware-roots", str(root), "--ios-app-id", apple.app_id, "--claims", "lvl"]
    started = RegisteredApp.start(folder, options, policy=POLICY)
    # Nobody here can sign an IPA that Apple's root vouches for, so the iOS app is known by its
    # signer; the release that was registered is Android's.
    (release,) = touchmark_json(started.service, "registration", "list")["registrations"]
    touchmark(started.service, "registration", "remove", release["id"])
    certificate = folder / "signer.der"
    certificate.write_bytes(started.key.certificate)
    touchmark(started.service, "registration", "add-certificate", str(certificate))
    yield started
    started.service.stop()


class Phone:
    """An installation on the iPhone: installation key, App Attest key, and its connection."""

    def __init__(self, app: RegisteredApp, apple: AppleDevice):
        self.app = app
        self.device = AppleDevice(apple.app_id, root_key=apple.root_key, ca_key=apple.ca_key)
        self.device.ca = apple.ca  # made by the one root that the service knows
        self.connect()
        self.attested: dict[str, str] = {}

    def connect(self) -> None:
        self.attester = self.app.attester()

    def hash_for(self, challenge: dict[str, Any]) -> bytes:
        return client_data_hash(b64url_decode(challenge["nonce"]), self.attester.key)

    def attest(self, challenge: dict[str, Any]) -> dict[str, str]:
        self.attested = {
            "key_id": self.device.key_id,
            "attestation": b64(self.device.attest(self.hash_for(challenge))),
            "nonce": challenge["nonce"],
        }
        return self.attested

    def assertion(self, challenge: dict[str, Any]) -> dict[str, str]:
        return {**self.attested, "assertion": b64(self.device.sign(self.hash_for(challenge)))}

    def send(self, challenge: dict[str, Any], submod: object) -> tuple[bool, str, list[str]]:
        seen = self.app.judged(self.attester, challenge, **IOS, submods={"app-attest": submod})
        return seen.valid, seen.claims["lvl"], seen.event["findings"]


@pytest.fixture
def phone(app: RegisteredApp, apple: AppleDevice) -> Iterator[Phone]:
    made = Phone(app, apple)
    yield made
    made.attester.connection.close()


def test_attested_once_then_asserted(phone: Phone) -> None:
    challenge = phone.attester.challenge()
    assert phone.send(challenge, phone.attest(challenge)) == (True, "secure-chip", [])
    for _ in range(3):
        challenge = phone.attester.challenge()
        assert phone.send(challenge, phone.assertion(challenge)) == (True, "secure-chip", [])


def test_counters_survive_a_restart_of_the_service(phone: Phone) -> None:
    phone.attest(phone.attester.challenge())
    challenge = phone.attester.challenge()
    assert phone.send(challenge, phone.assertion(challenge))[0]
    phone.app.service.kill()
    phone.app.service.start()
    key = phone.attester.key
    phone.connect()
    phone.attester.key = key
    phone.device.counter = 0  # a copy of the key's state, as of before
    challenge = phone.attester.challenge()
    replayed = phone.send(challenge, phone.assertion(challenge))
    assert replayed == (False, "secure-chip", ["hardware.replayed"])


def test_an_assertion_without_its_attestation(phone: Phone) -> None:
    phone.attest(phone.attester.challenge())
    alone = {"key_id": phone.device.key_id}
    challenge = phone.attester.challenge()
    submod = {**alone, "assertion": phone.assertion(challenge)["assertion"]}
    assert phone.send(challenge, submod)[2] == ["hardware.refused"]
    challenge = phone.attester.challenge()
    assert phone.send(challenge, phone.assertion(challenge))[0]
    challenge = phone.attester.challenge()
    submod = {**alone, "assertion": phone.assertion(challenge)["assertion"]}
    assert phone.send(challenge, submod) == (True, "secure-chip", [])


def test_a_recorded_assertion(phone: Phone) -> None:
    challenge = phone.attester.challenge()
    phone.attest(challenge)
    recorded = phone.assertion(challenge)
    assert phone.send(challenge, recorded)[0]
    assert phone.send(phone.attester.challenge(), recorded)[2] == ["hardware.refused"]


def test_somebody_elses_installation_key(phone: Phone) -> None:
    challenge = phone.attester.challenge()
    submod = phone.attest(challenge)
    phone.attester.key = new_key()
    valid, _, findings = phone.send(challenge, submod)
    assert (valid, findings) == (False, ["hardware.other-key"])


def test_a_key_vouches_for_one_installation(phone: Phone) -> None:
    """A jailbroken iPhone whose genuine app signs what it is told to: for its own installation
    key, and not for any number of others."""
    challenge = phone.attester.challenge()
    assert phone.send(challenge, phone.attest(challenge))[0]
    own, own_id = phone.attester.key, phone.device.key_id
    for _ in range(3):
        phone.attester.key = new_key()
        challenge = phone.attester.challenge()
        submod = {
            "key_id": phone.device.key_id,
            "assertion": phone.assertion(challenge)["assertion"],
        }
        valid, _, findings = phone.send(challenge, submod)
        assert (valid, findings) == (False, ["hardware.other-key"])
        challenge = phone.attester.challenge()
        valid, _, findings = phone.send(challenge, phone.attest(challenge))
        assert (valid, findings) == (False, ["hardware.other-key"])
    phone.app.service.kill()
    phone.app.service.start()
    phone.connect()
    phone.attester.key = own
    challenge = phone.attester.challenge()
    submod = {"key_id": own_id, "assertion": phone.assertion(challenge)["assertion"]}
    assert phone.send(challenge, submod) == (True, "secure-chip", [])


@pytest.mark.parametrize("app_id", [f"{TEAM}.com.example.evil", "ZZZZZ12345.com.example.app"])
def test_another_app(phone: Phone, app_id: str) -> None:
    phone.device.app_id = app_id
    challenge = phone.attester.challenge()
    valid, _, findings = phone.send(challenge, phone.attest(challenge))
    assert (valid, findings) == (False, ["hardware.other-app"])
