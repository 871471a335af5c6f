"""`touchmark registration`: every form of an app, signing certificates, and when they end."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import apk
from kit.command import Command

BUNDLE = Path(__file__).resolve().parents[1] / "vectors/bundle/app.aab"
SPLITS = BUNDLE.with_name("app.apks")


@pytest.fixture
def nothing_left(touchmark: Command) -> Iterator[None]:
    yield
    listed = touchmark.json("registration", "list")
    for row in listed["registrations"] + listed["certificates"]:
        touchmark.ok("registration", "remove", row["id"])


@pytest.fixture
def key() -> apk.SigningKey:
    return apk.SigningKey.generate("Currency Converter")


@pytest.fixture
def certificate(tmp_path: Path, key: apk.SigningKey) -> Path:
    path = tmp_path / "signer.der"
    path.write_bytes(key.certificate)
    return path


def test_a_certificate_is_taken_from_a_file_or_from_what_it_signed(
    touchmark: Command, nothing_left: None, tmp_path: Path, key: apk.SigningKey, certificate: Path
) -> None:
    (added,) = touchmark.json("registration", "add-certificate", certificate)["certificates"]
    assert added["id"].startswith("cert-")
    assert added["subject"] == "/CN=Currency Converter"
    assert (added["package"], added["development"], added["expires"]) == (None, False, None)

    package = tmp_path / "app.apk"
    package.write_bytes(
        apk.build(apk.compile_manifest("org.example.app"), key, {"classes.dex": b"1"})
    )
    (again,) = touchmark.json("registration", "add-certificate", package)["certificates"]
    assert again["id"] == added["id"]
    assert touchmark.run("registration", "add-certificate", BUNDLE).returncode == 1
    text = tmp_path / "text"
    text.write_text("no certificate")
    done = touchmark.run("registration", "add-certificate", text)
    assert done.returncode == 2
    assert "holds no certificate" in done.stderr


def test_certificates_are_listed_changed_and_removed(
    touchmark: Command, developer: Command, nothing_left: None, certificate: Path
) -> None:
    options = ["--package", "org.example.app", "--development", "--expire-after", "1h"]
    (added,) = developer.json("registration", "add-certificate", certificate, *options)[
        "certificates"
    ]
    assert added["expires"] == added["created"] + 3600
    (listed,) = touchmark.json("registration", "list")["certificates"]
    assert listed == {**added, "created_by": "developer", "expired": False}
    assert "org.example.app (development)" in touchmark.ok("registration", "list")

    (changed,) = touchmark.json("registration", "expire", added["id"], "--never")["changed"]
    assert changed["expires"] is None
    assert touchmark.ok("registration", "expire", added["id"], "--after", "1s").startswith(
        added["id"]
    )
    assert touchmark.run("registration", "expire", added["id"]).returncode == 2
    assert touchmark.run("registration", "expire", "cert-none", "--never").returncode == 8
    assert touchmark.ok("registration", "remove", added["id"]) == f"removed {added['id']}\n"
    assert touchmark.json("registration", "list")["certificates"] == []


def test_the_end_of_a_release_is_changed(
    touchmark: Command, nothing_left: None, release: Path
) -> None:
    added = touchmark.json("registration", "add", release, "--expire-after", "1h")
    (changed,) = touchmark.json("registration", "expire", added["id"], "--never")["changed"]
    assert changed["expires"] is None
    (listed,) = touchmark.json("registration", "list")["registrations"]
    assert listed["expires"] is None


def test_a_bundle_needs_the_certificate_of_its_store(
    touchmark: Command, nothing_left: None, certificate: Path
) -> None:
    done = touchmark.run("registration", "add", BUNDLE)
    assert done.returncode == 2
    assert "--signing-certificate" in done.stderr
    added = touchmark.json("registration", "add", BUNDLE, "--signing-certificate", certificate)
    assert added["form"] == "bundle"
    # Registered for the app alone, it need not be given.
    touchmark.ok("registration", "add-certificate", certificate, "--package", added["package"])
    assert touchmark.json("registration", "add", BUNDLE)["id"] == added["id"]


def test_splits_come_in_an_archive_or_one_by_one(
    touchmark: Command, nothing_left: None, tmp_path: Path
) -> None:
    added = touchmark.json("registration", "add", SPLITS)
    assert added["form"] == "splits"
    with zipfile.ZipFile(SPLITS) as archive:
        names = [name for name in archive.namelist() if name.endswith(".apk")]
        archive.extractall(tmp_path, names)
    files = [tmp_path / name for name in names]
    assert len(files) > 1
    assert touchmark.json("registration", "add", *files)["id"] == added["id"]
    assert touchmark.json("package", "measure", *files)["line"] == added["line"]
    without_base = [file for file in files if not file.name.startswith("base-master")]
    assert len(without_base) == len(files) - 1
    done = touchmark.run("registration", "add", *without_base)
    assert done.returncode == 1
    assert "splits.no-base" in done.stderr


def test_what_a_mac_adds_to_an_archive_is_passed_over(
    touchmark: Command, nothing_left: None, tmp_path: Path
) -> None:
    added = touchmark.json("registration", "add", SPLITS)
    packed = tmp_path / "app.apks"
    with zipfile.ZipFile(SPLITS) as archive, zipfile.ZipFile(packed, "w") as mac:
        for name in archive.namelist():
            mac.writestr(name, archive.read(name))
            folder, _, file = name.rpartition("/")
            mac.writestr(f"__MACOSX/{folder}/._{file}", b"\x00\x05\x16\x07")
            mac.writestr(f"{folder}/._{file}", b"\x00\x05\x16\x07")
    assert touchmark.json("registration", "add", packed)["id"] == added["id"]


def test_an_error_names_the_package_it_is_about(
    touchmark: Command, nothing_left: None, tmp_path: Path
) -> None:
    packed = tmp_path / "broken.apks"
    files = []
    with zipfile.ZipFile(SPLITS) as archive, zipfile.ZipFile(packed, "w") as broken:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "splits/base-de.apk":
                content = content[:-30]
            broken.writestr(name, content)
            files.append(tmp_path / Path(name).name)
            files[-1].write_bytes(content)
    done = touchmark.run("package", "measure", packed)
    assert done.returncode == 1
    assert "broken.apks: splits/base-de.apk: " in done.stderr
    files = [file for file in files if file.suffix == ".apk"]
    done = touchmark.run("package", "measure", *files)
    assert done.returncode == 1
    assert f"{tmp_path / 'base-de.apk'}: " in done.stderr
    assert "base-master.apk" not in done.stderr


@pytest.mark.parametrize(
    ("sdk", "debuggable", "expected"),
    [
        (None, False, ["no-sdk"]),
        ("0.0.1", False, ["older-sdk"]),
        ("0.0.1", True, ["older-sdk", "debuggable"]),
        ("99.0.0", True, ["debuggable"]),
        ("99.0.0", False, []),
    ],
)
def test_a_release_that_will_not_do_what_one_expects_is_warned_of(
    touchmark: Command,
    nothing_left: None,
    tmp_path: Path,
    key: apk.SigningKey,
    sdk: str | None,
    debuggable: bool,
    expected: list[str],
) -> None:
    files = {"classes.dex": b"1"}
    if sdk is not None:
        files["assets/touchmark-sdk.json"] = json.dumps({"version": sdk}).encode()
    package = tmp_path / "app.apk"
    manifest = apk.compile_manifest("org.example.warned", debuggable=debuggable)
    package.write_bytes(apk.build(manifest, key, files))
    added = touchmark.json("registration", "add", package)
    assert [warning["id"] for warning in added["warnings"]] == expected
    done = touchmark.run("registration", "add", package)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "registration successful"
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert lines == ["warning: " + warning["message"] for warning in added["warnings"]]
    if sdk == "0.0.1":
        assert "0.0.1" in lines[0]


def test_diff_compares_with_a_registration(
    touchmark: Command, nothing_left: None, tmp_path: Path, release: Path
) -> None:
    added = touchmark.json("registration", "add", release)
    registered = f"registration:{added['id']}"
    assert touchmark.run("package", "diff", registered, release).returncode == 0
    tampered = tmp_path / "tampered.apk"
    manifest = apk.compile_manifest("com.example.currencyconverterdemo", "Currency Converter Demo")
    files = {"classes.dex": b"dex\n035\0other", "assets/touchmark-sdk.json": b'{"version":"0.1.0"}'}
    tampered.write_bytes(apk.build(manifest, apk.SigningKey.generate(), files))
    done = touchmark.run("package", "diff", registered, tampered, "--json")
    assert done.returncode == 1
    found = {(d["kind"], d["change"]) for d in json.loads(done.stdout)["differences"]}
    assert found == {("signer", "removed"), ("signer", "added"), ("part", "changed")}
    assert touchmark.run("package", "diff", "registration:none", release).returncode == 8


def test_every_form_is_verified_and_shown(nobody: Command, certificate: Path) -> None:
    done = nobody.run("package", "verify", SPLITS, BUNDLE, "--json")
    splits, bundle = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert splits["verified"] is True
    assert bundle["reason"] == "bundle.not-installable"
    shown = nobody.json("package", "show", BUNDLE, "--signing-certificate", certificate)
    assert shown["app"]["form"] == "bundle"
    assert len(shown["signers"]) == 1
    assert nobody.json("package", "show", SPLITS)["app"]["form"] == "splits"


def test_adding_says_what_a_valid_token_takes(touchmark: Command, release: Path) -> None:
    done = touchmark.run("registration", "add", release)
    assert done.returncode == 0
    assert "a valid token takes a registered app with a key in the phone's hardware" in done.stderr
