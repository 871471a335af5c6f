"""What the service makes of apps that no registration has: who is told what of it, and what a
registered signing certificate changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kit import apk
from kit.hardware import AndroidPhone, vouched
from kit.registered_app import RegisteredApp, touchmark, touchmark_json
from kit.soft_attester import App, SoftAttester, TlsConnection

PACKAGE = "com.example.app"


@pytest.fixture(scope="module")
def registered_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredApp]:
    """Software evidence passes, and development builds do not."""
    app = RegisteredApp.start(tmp_path_factory.mktemp("service"), policy="version = 1\n")
    yield app
    app.service.stop()


@pytest.fixture(scope="module")
def key() -> apk.SigningKey:
    return apk.SigningKey.generate("developer")


@pytest.fixture
def attest(
    registered_app: RegisteredApp, tmp_path: Path, key: apk.SigningKey
) -> Callable[..., Any]:
    """Attests an app of these files, signed by `key`; the service's log line about it."""

    def run(files: dict[str, bytes], version_code: int = 1) -> Any:
        package = tmp_path / "app.apk"
        manifest = apk.compile_manifest(PACKAGE, version_code=version_code)
        package.write_bytes(apk.build(manifest, key, files))
        service = registered_app.service
        app = App.of(package, touchmark_json(service, "package", "measure", str(package)))
        seen = service.log.stat().st_size
        attester = SoftAttester(TlsConnection(service.url), registered_app.account, app)
        answer = attester.attest()
        assert answer.status == 200
        (event,) = [event for event in service.events(seen) if event.get("event") == "attest"]
        return event

    return run


def test_the_log_names_what_differs_from_the_nearest_release(
    registered_app: RegisteredApp, attest: Callable[..., Any]
) -> None:
    (release,) = touchmark_json(registered_app.service, "registration", "list")["registrations"]
    event = attest({"classes.dex": os.urandom(1000), "lib/x86_64/libextra.so": b"\x7fELF"})
    assert event["findings"] == ["app.not-registered"]
    (detail,) = [detail for detail in event["details"] if detail.startswith("app.not-registered: ")]
    assert f"nearest is {release['id']}, differ: signers" in detail
    assert '"classes.dex" "lib/x86_64/libextra.so"' in detail


def test_a_registered_certificate_is_a_finding_of_its_own(
    registered_app: RegisteredApp, attest: Callable[..., Any], tmp_path: Path, key: apk.SigningKey
) -> None:
    certificate = tmp_path / "signer.der"
    certificate.write_bytes(key.certificate)
    added = touchmark_json(
        registered_app.service, "registration", "add-certificate", str(certificate), "--development"
    )["certificates"][0]
    event = attest({"classes.dex": os.urandom(1000)})
    assert event["passed"] is False
    assert {"app.by-certificate", "app.development"} <= set(event["findings"])
    assert "app.not-registered" not in event["findings"]
    touchmark(registered_app.service, "registration", "expire", added["id"], "--after", "1s")
    touchmark(registered_app.service, "registration", "remove", added["id"])
    assert "app.not-registered" in attest({"classes.dex": os.urandom(1000)})["findings"]


def test_a_phone_that_vouches_for_the_signer_is_enough(tmp_path: Path, key: apk.SigningKey) -> None:
    """A build that nobody registered, signed by a registered certificate: on a genuine
    phone the system names the app's signer inside the attested key's certificate, so that
    it is more than the app's own word."""
    phone = AndroidPhone()
    root = phone.write_root(tmp_path / "root.pem")
    options = ["--hardware-roots", str(root)]
    registered = RegisteredApp.start(tmp_path, options, policy="version = 1\n")
    try:
        certificate = tmp_path / "signer.der"
        certificate.write_bytes(key.certificate)
        touchmark(
            registered.service,
            "registration",
            "add-certificate",
            str(certificate),
            "--package",
            PACKAGE,
        )
        package = tmp_path / "nightly.apk"
        package.write_bytes(
            apk.build(apk.compile_manifest(PACKAGE), key, {"classes.dex": os.urandom(5000)})
        )
        app = App.of(
            package, touchmark_json(registered.service, "package", "measure", str(package))
        )
        attester = SoftAttester(TlsConnection(registered.url), registered.account, app)

        def findings(**evidence: Any) -> list[str]:
            valid, found = registered.judge(attester, **evidence)
            assert valid is (found == [])
            return found

        assert findings() == ["app.by-certificate"]
        assert findings(submods=vouched(phone, attester)) == []
        # The attacker's own app on a genuine phone says what it likes; the phone does not.
        lies = vouched(phone, attester, signers=[bytes(32)])
        assert findings(submods=lies) == ["app.by-certificate", "hardware.other-app"]
    finally:
        registered.service.stop()
