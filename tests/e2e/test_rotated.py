"""Apps whose signing key was rotated. Android's key attestation names the certificate that the
rotation began with (PackageInfo.signatures), which a bundle and a lone certificate do not know."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit import apk
from kit.hardware import AndroidPhone, vouched
from kit.registered_app import RegisteredApp, touchmark, touchmark_json
from kit.soft_attester import App, SoftAttester

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
BUNDLE = VECTORS / "bundle/app.aab"
SPLITS = BUNDLE.with_name("app.apks")
# Signed by the third key of a rotation.
ROTATED = VECTORS / "apksig/v1v2v3-with-rsa-2048-lineage-3-signers.apk"
PACKAGE = "com.example.nightly"


@pytest.fixture(scope="module")
def phone() -> AndroidPhone:
    return AndroidPhone()


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, phone: AndroidPhone
) -> Iterator[RegisteredApp]:
    folder = tmp_path_factory.mktemp("service")
    root = phone.write_root(folder / "root.pem")
    started = RegisteredApp.start(folder, ["--hardware-roots", str(root)])
    yield started
    started.service.stop()


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """The certificate of the key that the app was signed with at first."""
    path = tmp_path / "original.der"
    path.write_bytes(apk.SigningKey.generate("the first key").certificate)
    return path


@pytest.fixture
def nothing_left(service: RegisteredApp) -> Iterator[None]:
    yield
    listed = touchmark_json(service.service, "registration", "list")
    for row in listed["registrations"] + listed["certificates"]:
        touchmark(service.service, "registration", "remove", row["id"])


def digest(certificate: Path) -> bytes:
    return hashlib.sha256(certificate.read_bytes()).digest()


class Installed:
    """An app on a genuine phone."""

    def __init__(self, service: RegisteredApp, phone: AndroidPhone, package: Path):
        self.service = service
        self.phone = phone
        measured = touchmark_json(service.service, "package", "measure", str(package))
        self.app = App.of(package, measured)

    def judged(self, *named: bytes) -> tuple[bool, list[str], list[str]]:
        """With an attestation that names signers with these digests."""
        attester: SoftAttester = self.service.attester(self.app)
        try:
            changed: dict[str, Any] = {"signers": list(named)} if named else {}
            submods = vouched(self.phone, attester, **changed)
            seen = self.service.judged(attester, submods=submods)
        finally:
            attester.connection.close()
        return seen.valid, seen.event["findings"], seen.event["details"]

    def passes(self, *named: bytes) -> bool:
        valid, findings, _ = self.judged(*named)
        assert valid is (findings == []), findings
        return valid


@pytest.fixture
def bundled(service: RegisteredApp, phone: AndroidPhone, tmp_path: Path) -> Installed:
    """The base that a store has made of the bundle."""
    with zipfile.ZipFile(SPLITS) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("base-master.apk")]
        package = tmp_path / "base.apk"
        package.write_bytes(archive.read(name))
    return Installed(service, phone, package)


@pytest.fixture
def nightly(service: RegisteredApp, phone: AndroidPhone, tmp_path: Path) -> Installed:
    """A package that nobody registered, of a key whose certificate is `signer.der`."""
    key = apk.SigningKey.generate("the second key")
    (tmp_path / "signer.der").write_bytes(key.certificate)
    package = tmp_path / "nightly.apk"
    manifest = apk.compile_manifest(PACKAGE)
    package.write_bytes(apk.build(manifest, key, {"classes.dex": os.urandom(5000)}))
    return Installed(service, phone, package)


def test_a_bundle_whose_key_was_rotated(
    service: RegisteredApp, bundled: Installed, original: Path, tmp_path: Path, nothing_left: None
) -> None:
    add = ["registration", "add", str(BUNDLE), "--signing-certificate", str(tmp_path / "base.apk")]
    first = touchmark_json(service.service, *add)
    assert bundled.passes()
    valid, findings, details = bundled.judged(digest(original))
    assert (valid, "hardware.other-app" in findings) == (False, True)
    # The operator can tell whose it is.
    assert any(digest(original).hex() in detail for detail in details)

    again = touchmark_json(service.service, *add, "--original-certificate", str(original))
    assert (again["id"], again["status"]) == (first["id"], "renewed")
    assert bundled.passes(digest(original))
    assert bundled.passes()
    assert not bundled.passes(bytes(32))
    shown = touchmark(service.service, "registration", "show", first["id"])
    assert digest(original).hex() in shown


def test_a_bundle_takes_it_from_the_certificate_of_its_app(
    service: RegisteredApp, bundled: Installed, original: Path, tmp_path: Path, nothing_left: None
) -> None:
    base = str(tmp_path / "base.apk")
    added = touchmark_json(
        service.service, "registration", "add", str(BUNDLE), "--signing-certificate", base
    )
    assert not bundled.passes(digest(original))
    certificate = ["registration", "add-certificate", base, "--package", added["package"]]
    touchmark(service.service, *certificate, "--original-certificate", str(original))
    assert bundled.passes(digest(original))
    assert not bundled.passes(bytes(32))


def test_an_app_that_is_known_by_its_certificate(
    service: RegisteredApp, nightly: Installed, original: Path, tmp_path: Path, nothing_left: None
) -> None:
    add = ["registration", "add-certificate", str(tmp_path / "signer.der")]
    touchmark(service.service, *add, "--package", PACKAGE)
    assert nightly.passes()
    _, findings, _ = nightly.judged(digest(original))
    assert "hardware.other-app" in findings

    (made,) = touchmark_json(
        service.service, *add, "--package", PACKAGE, "--original-certificate", str(original)
    )["certificates"]
    assert made["first_sha256"] == digest(original).hex()
    assert nightly.passes(digest(original))
    assert nightly.passes()
    assert not nightly.passes(bytes(32))
    assert not nightly.passes(digest(original), digest(tmp_path / "signer.der"))

    # For another app it says nothing, and neither does one that is over.
    touchmark(service.service, "registration", "remove", made["id"])
    touchmark(
        service.service, *add, "--package", "com.other", "--original-certificate", str(original)
    )
    touchmark(service.service, *add, "--package", PACKAGE)
    assert not nightly.passes(digest(original))
    touchmark(service.service, *add, "--original-certificate", str(original))
    assert nightly.passes(digest(original))


def test_a_package_proves_its_rotation(service: RegisteredApp, nothing_left: None) -> None:
    measured = touchmark_json(service.service, "package", "measure", str(ROTATED))
    assert len(measured["signers"]) == 1
    assert measured["first_signer"] not in measured["signers"]
    (added,) = touchmark_json(service.service, "registration", "add-certificate", str(ROTATED))[
        "certificates"
    ]
    assert added["sha256"] == measured["signers"][0]
    assert added["first_sha256"] == measured["first_signer"]
    made = touchmark_json(
        service.service,
        "registration",
        "add",
        str(BUNDLE),
        "--signing-certificate",
        str(ROTATED),
    )
    shown = touchmark_json(service.service, "registration", "show", made["id"])
    assert shown["measurement"]["first_signer"] == measured["first_signer"]


def test_a_key_that_was_never_rotated_began_with_itself(
    service: RegisteredApp, nightly: Installed, tmp_path: Path, nothing_left: None
) -> None:
    signer = str(tmp_path / "signer.der")
    (made,) = touchmark_json(
        service.service, "registration", "add-certificate", signer, "--original-certificate", signer
    )["certificates"]
    assert made["first_sha256"] is None
    bundle = ["registration", "add", str(BUNDLE), "--signing-certificate", signer]
    plain = touchmark_json(service.service, *bundle)
    same = touchmark_json(service.service, *bundle, "--original-certificate", signer)
    assert (same["id"], same["status"]) == (plain["id"], "unchanged")
