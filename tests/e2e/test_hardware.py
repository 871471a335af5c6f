"""Hardware evidence from the wire to the token, and how it is forged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit import hardware
from kit.hardware import AndroidPhone, android_key
from kit.registered_app import RegisteredApp


@pytest.fixture(scope="module")
def phone() -> AndroidPhone:
    return AndroidPhone()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, phone: AndroidPhone) -> Iterator[RegisteredApp]:
    folder = tmp_path_factory.mktemp("hardware-service")
    root = phone.write_root(folder / "root.pem")
    options = ["--hardware-roots", str(root), "--claims", "lvl"]
    # So that only what a chain is refused for is found, and not that nothing else vouches.
    started = RegisteredApp.start(folder, options, policy="development")
    yield started
    started.service.stop()


class Attempt:
    """One attester with a key of its own, which may be the phone's."""

    def __init__(self, app: RegisteredApp, phone: AndroidPhone):
        self.app = app
        self.phone = phone
        self.attester = app.attester()

    def chain(self, phone: AndroidPhone | None = None, **changed: Any) -> list[bytes]:
        return hardware.chain(phone or self.phone, self.attester, **changed)

    def description(self) -> bytes:
        return self.phone._description(**hardware.stated(self.attester))

    def send(self, submods: object) -> tuple[bool, str, list[str], list[str]]:
        """Whether the token is valid, the level in it, and what the service found."""
        changed: dict[str, Any] = {"submods": submods} if submods else {}
        seen = self.app.judged(self.attester, **changed)
        return seen.valid, seen.claims["lvl"], seen.event["findings"], seen.event["details"]

    def refused(self, submods: object, finding: str, detail: str = "") -> None:
        valid, _, findings, details = self.send(submods)
        assert not valid
        assert findings == [finding]
        assert any(detail in text for text in details), details


@pytest.fixture
def attempt(app: RegisteredApp, phone: AndroidPhone) -> Iterator[Attempt]:
    made = Attempt(app, phone)
    yield made
    made.attester.connection.close()


def test_a_genuine_phones_key_gives_its_level(attempt: Attempt) -> None:
    chain = attempt.chain()
    for _ in range(2):  # made once, good for each attestation
        assert attempt.send(android_key(chain)) == (True, "tee", [], [])


def test_a_software_key_is_called_so(attempt: Attempt) -> None:
    assert attempt.send(None) == (True, "software", [], [])


def test_another_phones_chain_with_an_own_key(attempt: Attempt) -> None:
    """A script cannot use what it has recorded: it lacks the key that the chain is about."""
    attempt.refused(android_key(attempt.chain(key=hardware.new_key())), "hardware.other-key")


def test_a_decoy_names_the_level_that_was_claimed(attempt: Attempt) -> None:
    valid, level, _, _ = attempt.send(android_key(attempt.chain(key=hardware.new_key())))
    assert (valid, level) == (False, "tee")


def test_a_chain_that_the_attested_key_extended(attempt: Attempt) -> None:
    """The owner of a genuine phone signs a certificate for a program's key with
    the attested one."""
    attested = hardware.new_key()
    genuine = attempt.chain(key=attested)
    subject = hardware.name(cn="Android Keystore Key")
    plain = hardware.certificate(subject, attempt.attester.key, subject, attested, ca=None)
    attempt.refused(
        android_key([hardware.to_der(plain), *genuine]),
        "hardware.refused",
        "key-attestation.chain-extended",
    )
    described = hardware.certificate(
        subject,
        attempt.attester.key,
        subject,
        attested,
        ca=None,
        extensions={hardware.KEY_DESCRIPTION: attempt.description()},
    )
    attempt.refused(
        android_key([hardware.to_der(described), *genuine]),
        "hardware.refused",
        "key-attestation.extension-outside-leaf",
    )


def test_an_intermediate_of_the_attackers_below_a_batch_key(attempt: Attempt) -> None:
    """A batch key leaked: a certificate that no revocation list knows, between it and the leaf."""
    phone = attempt.phone
    own_key = hardware.new_key()
    own_name = hardware.name(serial="0000000000000001", title="TEE")
    own = hardware.certificate(own_name, own_key, phone.batch_name, phone.batch_key, ca=True)
    leaf = hardware.certificate(
        hardware.name(cn="Android Keystore Key"),
        attempt.attester.key,
        own_name,
        own_key,
        ca=None,
        extensions={hardware.KEY_DESCRIPTION: attempt.description()},
    )
    longer = [hardware.to_der(c) for c in (leaf, own, phone.batch, phone.intermediate, phone.root)]
    for chain in (longer, longer[:-1]):
        attempt.refused(android_key(chain), "hardware.refused", "key-attestation.wrong-length")


def test_strongbox_that_no_certificate_names(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of a TEE says that it is StrongBox's."""
    monkeypatch.setattr(hardware, "TRUSTED_ENVIRONMENT", 2)
    attempt.refused(
        android_key(attempt.chain()),
        "hardware.refused",
        "key-attestation.certified-level-mismatch",
    )


def test_a_chain_of_another_app(attempt: Attempt) -> None:
    """The attacker's own app on a genuine phone, and the app's name under the
    attacker's signature."""
    for changed in ({"package": "com.example.evil"}, {"signers": [bytes(32)]}):
        attempt.refused(android_key(attempt.chain(**changed)), "hardware.other-app")


def test_a_chain_for_another_service(attempt: Attempt) -> None:
    attempt.refused(
        android_key(attempt.chain(challenge=bytes(40))),
        "hardware.refused",
        "key-attestation.challenge-mismatch",
    )


def test_a_chain_under_a_root_of_the_attackers(attempt: Attempt) -> None:
    attempt.refused(
        android_key(attempt.chain(AndroidPhone())), "hardware.refused", "chain.untrusted-root"
    )


@pytest.mark.parametrize("status", ["REVOKED", "SUSPENDED"])
def test_a_revoked_certificate(tmp_path: Path, phone: AndroidPhone, status: str) -> None:
    """The key of a batch of phones leaked, and whoever has it makes phones of its kind."""
    serial = format(phone.batch.serial_number, "x")
    revoked = tmp_path / "status.json"
    revoked.write_text(json.dumps({"entries": {serial: {"status": status}}}))
    root = phone.write_root(tmp_path / "root.pem")
    options = ["--hardware-roots", str(root), "--claims", "lvl", "--revocation", str(revoked)]
    app = RegisteredApp.start(tmp_path, options, policy="development")
    try:
        leaked = Attempt(app, phone)
        leaked.refused(android_key(leaked.chain()), "hardware.revoked")
    finally:
        app.service.stop()


def test_malformed_evidence_is_answered_like_any_other(attempt: Attempt) -> None:
    lists: list[object] = [[], ["AAAA"], [1], "x"]
    submods: list[object] = ["x", {}, *({"chain": one} for one in lists)]
    for submod in submods:
        attempt.refused({"android-key": submod}, "hardware.refused")
