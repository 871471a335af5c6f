"""What a policy makes of hardware evidence: the same phone, under other rules."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from kit import hardware
from kit.hardware import AndroidPhone, vouched
from kit.registered_app import RegisteredApp

GRAPHENE = bytes(range(32))  # the key of a system that is not the phone maker's


@pytest.fixture(scope="module")
def maker() -> AndroidPhone:
    return AndroidPhone()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, maker: AndroidPhone) -> Iterator[RegisteredApp]:
    folder = tmp_path_factory.mktemp("policy-service")
    root = maker.write_root(folder / "root.pem")
    started = RegisteredApp.start(folder, ["--hardware-roots", str(root)], policy="version = 1\n")
    yield started
    started.service.stop()


@pytest.fixture
def policy(app: RegisteredApp) -> Iterator[Callable[[str], None]]:
    """Puts a document into force; one that says nothing again at the end."""

    def put(text: str) -> None:
        revision = admin(app, "GET")["revision"]
        admin(app, "PUT", {"text": "version = 1\n" + text, "revision": revision})

    yield put
    put("")


def admin(app: RegisteredApp, method: str, body: object = None) -> dict[str, Any]:
    """Asks /admin/v1/policy; the service's certificate is its own, on loopback."""
    parts = urlsplit(app.url)
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context)
    token = app.service.credentials()["admin_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, "/admin/v1/policy", json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    answered: dict[str, Any] = json.loads(content)
    return answered


def attest(app: RegisteredApp, phone: AndroidPhone | None) -> tuple[bool, list[str]]:
    """One attestation of a fresh installation; no phone: a software key."""
    attester = app.attester()
    try:
        return app.judge(attester, submods=vouched(phone, attester) if phone else {})
    finally:
        attester.connection.close()


UNLOCKED = {"locked": False, "boot_state": hardware.UNVERIFIED, "boot_key": bytes(32)}
SELF_SIGNED = {"boot_state": hardware.SELF_SIGNED, "boot_key": GRAPHENE}


def test_a_document_that_says_nothing_asks_for_no_hardware_but_its_phone_must_be_sound(
    app: RegisteredApp, maker: AndroidPhone
) -> None:
    assert attest(app, maker) == (True, [])
    assert attest(app, None) == (True, [])
    assert attest(app, maker.with_boot(**UNLOCKED)) == (
        False,
        ["boot.unlocked", "boot.unverified"],
    )


def test_a_required_level_shuts_software_keys_out(
    app: RegisteredApp, maker: AndroidPhone, policy: Callable[[str], None]
) -> None:
    policy('[assurance]\nandroid = "tee"\n')
    assert attest(app, maker) == (True, [])
    assert attest(app, None) == (False, ["hardware.assurance"])
    policy('[assurance]\nandroid = "secure-chip"\n')
    assert attest(app, maker) == (False, ["hardware.assurance"])


def test_another_system_passes_by_its_boot_key(
    app: RegisteredApp, maker: AndroidPhone, policy: Callable[[str], None]
) -> None:
    """GrapheneOS: a rule, not an exception."""
    phone = maker.with_boot(**SELF_SIGNED)
    assert attest(app, phone) == (False, ["boot.unverified"])
    policy(f'[boot.keys]\n"GrapheneOS" = "{GRAPHENE.hex()}"\n')
    assert attest(app, phone) == (True, [])
    other = maker.with_boot(**{**SELF_SIGNED, "boot_key": bytes(31) + b"\1"})
    assert attest(app, other) == (False, ["boot.unverified"])
    # The right key does not help a phone that would start any system.
    unlocked = maker.with_boot(**{**SELF_SIGNED, "locked": False})
    assert attest(app, unlocked) == (False, ["boot.unlocked"])


def test_an_old_system(
    app: RegisteredApp, maker: AndroidPhone, policy: Callable[[str], None]
) -> None:
    policy("[android]\nmin_os_version = 15\n")
    assert attest(app, maker) == (False, ["device.os-version"])
    policy('[android]\nmin_patch_level = { os = "2026-02" }\n')
    assert attest(app, maker) == (False, ["device.patch-level"])
    policy('[android]\nmin_patch_level = { os = "2026-01" }\n')
    assert attest(app, maker) == (True, [])


def test_what_is_annotated_still_vouches_for_nothing(
    app: RegisteredApp, maker: AndroidPhone, policy: Callable[[str], None]
) -> None:
    """A chain that does not verify may be let pass, but gives no level."""
    stranger = AndroidPhone()
    policy('[findings]\n"hardware.refused" = "annotate"\n')
    assert attest(app, stranger) == (True, ["hardware.refused"])
    policy('[findings]\n"hardware.refused" = "annotate"\n[assurance]\nandroid = "tee"\n')
    assert attest(app, stranger) == (False, ["hardware.assurance", "hardware.refused"])
