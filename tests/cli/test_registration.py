"""`touchmark registration`: every form of an app, signing certificates, and when they end."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit import apk
from kit.command import Command
from kit.service import Service

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
    touchmark: Command, not_registered: None, nothing_left: None, release: Path
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


def test_the_upload_certificate_is_not_taken_for_the_stores(
    touchmark: Command, nothing_left: None, tmp_path: Path, key: apk.SigningKey, certificate: Path
) -> None:
    keystore = tmp_path / "upload.p12"
    keystore.write_bytes(key.pkcs12("upload", "password"))
    bundle = tmp_path / "app.aab"
    sign = ("jarsigner", "-keystore", keystore, "-storepass", "password", "-signedjar", bundle)
    subprocess.run([*sign, BUNDLE, "upload"], check=True)
    done = touchmark.run("registration", "add", bundle, "--signing-certificate", certificate)
    assert done.returncode == 0
    assert "as an upload certificate does" in done.stderr
    assert "--signing-certificate deployment_cert.der" in done.stderr
    again = touchmark.json("registration", "add", bundle, "--signing-certificate", certificate)
    assert "upload-certificate" in [warning["id"] for warning in again["warnings"]]

    # The store's own key signed no bundle.
    other = tmp_path / "store.der"
    other.write_bytes(apk.SigningKey.generate("Store").certificate)
    added = touchmark.json("registration", "add", bundle, "--signing-certificate", other)
    assert "upload-certificate" not in [warning["id"] for warning in added["warnings"]]


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


ARM, X86 = "lib/arm64-v8a/libtouchmark.so", "lib/x86/libapp.so"


@pytest.mark.parametrize(
    ("sdk", "debuggable", "expected"),
    [
        (None, False, ["no-sdk"]),
        ("0.0.1", False, ["older-sdk", "no-configuration"]),
        ("0.0.1", True, ["older-sdk", "no-configuration", "debuggable"]),
        ("99.0.0", True, ["no-configuration", "debuggable"]),
        ("99.0.0", False, ["no-configuration"]),
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
        files[ARM] = b"library"
    package = tmp_path / "app.apk"
    manifest = apk.compile_manifest("org.example.warned", debuggable=debuggable)
    package.write_bytes(apk.build(manifest, key, files))
    added = touchmark.json("registration", "add", package)
    assert [warning["id"] for warning in added["warnings"]] == expected
    done = touchmark.run("registration", "add", package)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "registered already, unchanged"
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert lines == ["warning: " + warning["message"] for warning in added["warnings"]]
    if sdk == "0.0.1":
        assert "0.0.1" in lines[0]


def build(
    path: Path,
    key: apk.SigningKey,
    configuration: bytes | None,
    libraries: tuple[str, ...] = (ARM,),
    application: str = "",
) -> Path:
    """A package with the SDK, a configuration and libraries."""
    files = {"classes.dex": b"1", "assets/touchmark-sdk.json": b'{"version":"99.0.0"}'}
    if configuration is not None:
        files["assets/touchmark-initial.config"] = configuration
    files |= {library: library.encode() for library in libraries}
    manifest = apk.compile_manifest("org.example.sound", application=application)
    path.write_bytes(apk.build(manifest, key, files))
    return path


@pytest.fixture
def own(touchmark: Command, tmp_path: Path) -> bytes:
    touchmark.ok("sdk", "config", tmp_path / "own.config")
    return (tmp_path / "own.config").read_bytes()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The configuration of another service."""
    folder = tmp_path_factory.mktemp("other")
    other = Service(folder / "data").start()
    try:
        command = Command(folder / "home")
        command.init(other)
        command.ok("sdk", "config", folder / "initial.config", "--allow-local")
        return (folder / "initial.config").read_bytes()
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"libraries": ()}, ["sdk-missing-for-abi"]),
        ({"libraries": ("lib/x86/libapp.so",)}, ["sdk-missing-for-abi"]),
        ({"libraries": ("assets/libtouchmark.so",)}, ["sdk-missing-for-abi"]),
        ({"libraries": (ARM, X86)}, ["sdk-missing-for-abi"]),
        ({"libraries": (ARM, "lib/arm64-v8a/libapp.so")}, []),
        ({"application": 'android:testOnly="true"'}, ["test-only"]),
        ({"application": 'android:usesCleartextTraffic="true"'}, ["cleartext"]),
        ({"application": 'android:usesCleartextTraffic="false"'}, []),
    ],
)
def test_what_a_package_lacks_is_named(
    touchmark: Command,
    nothing_left: None,
    tmp_path: Path,
    key: apk.SigningKey,
    own: bytes,
    options: dict[str, Any],
    expected: list[str],
) -> None:
    package = build(tmp_path / "app.apk", key, own, **options)
    dry = touchmark.json("registration", "add", package, "--dry-run")
    assert [warning["id"] for warning in dry["warnings"]] == expected
    assert (dry["dry_run"], dry["status"]) == (True, "added")
    assert touchmark.json("registration", "list")["registrations"] == []
    added = touchmark.json("registration", "add", package)
    assert added["warnings"] == dry["warnings"]
    done = touchmark.run("registration", "add", package)
    for warning in added["warnings"]:
        assert f"warning: {warning['message']}\n" in done.stderr


@pytest.mark.parametrize(
    ("libraries", "with_sdk", "without", "shown"),
    [
        ((ARM,), ["arm64-v8a"], [], "99.0.0 for arm64-v8a"),
        (
            ("lib/x86_64/libtouchmark.so", ARM, X86, "lib/armeabi-v7a/libapp.so"),
            ["arm64-v8a", "x86_64"],
            ["armeabi-v7a", "x86"],
            "99.0.0 for arm64-v8a, x86_64, without armeabi-v7a, x86",
        ),
        ((X86,), [], ["x86"], "99.0.0 without x86"),
        ((), [], [], "99.0.0"),
    ],
)
def test_for_which_abis_the_sdk_is_inside_is_said(
    touchmark: Command,
    nothing_left: None,
    tmp_path: Path,
    key: apk.SigningKey,
    own: bytes,
    libraries: tuple[str, ...],
    with_sdk: list[str],
    without: list[str],
    shown: str,
) -> None:
    package = build(tmp_path / "app.apk", key, own, libraries)
    for options in (["--dry-run"], [], []):
        added = touchmark.json("registration", "add", package, *options)
        assert (added["sdk_abis"], added["abis_without_sdk"]) == (with_sdk, without)
    done = touchmark.run("registration", "add", package)
    said = "the SDK's library is in it for " + ", ".join(with_sdk)
    assert (said in done.stderr.splitlines()) is bool(with_sdk)
    read = touchmark.json("registration", "show", added["id"])
    assert (read["sdk_abis"], read["abis_without_sdk"]) == (with_sdk, without)
    lines = touchmark.ok("registration", "show", added["id"]).splitlines()
    (row,) = [line for line in lines if line.startswith("Touchmark SDK")]
    assert row.removeprefix("Touchmark SDK").strip() == shown


def ids_of(added: dict[str, Any]) -> list[str]:
    return [warning["id"] for warning in added["warnings"]]


def network(*elements: str) -> str:
    return "<network-security-config>" + "".join(elements) + "</network-security-config>"


def base(cleartext: bool | str, *elements: str) -> str:
    word = str(cleartext).lower() if isinstance(cleartext, bool) else cleartext
    return f'<base-config cleartextTrafficPermitted="{word}">{"".join(elements)}</base-config>'


def domains(cleartext: bool, *names: str, more: str = "") -> str:
    listed = "".join(f'<domain includeSubdomains="true">{name}</domain>' for name in names)
    word = str(cleartext).lower()
    return f'<domain-config cleartextTrafficPermitted="{word}">{listed}{more}</domain-config>'


USER = '<trust-anchors><certificates src="system"/><certificates src="user"/></trust-anchors>'
USES_CLEARTEXT = 'android:usesCleartextTraffic="true"'


def network_app(
    own: bytes,
    resources: dict[str, str],
    attributes: str = "",
    target_sdk: int = 34,
    values: dict[str, str] | None = None,
) -> dict[str, bytes]:
    """The files of an app with the SDK and these resources, of which xml/network is the network
    security configuration."""
    manifest = apk.manifest_xml(
        'package="org.example.network" android:versionCode="1" android:versionName="1.0"',
        f'android:networkSecurityConfig="@xml/network" {attributes}',
        target_sdk=target_sdk,
    )
    return {
        **apk.compile_app(manifest, values, resources),
        "classes.dex": b"1",
        "assets/touchmark-sdk.json": b'{"version":"99.0.0"}',
        "assets/touchmark-initial.config": own,
        ARM: b"library",
    }


def signed(files: dict[str, bytes], key: apk.SigningKey) -> bytes:
    rest = {name: content for name, content in files.items() if name != "AndroidManifest.xml"}
    return apk.build(files["AndroidManifest.xml"], key, rest)


@pytest.mark.parametrize(
    ("configuration", "options", "expected", "words"),
    [
        (network(), {}, [], ""),
        (network(), {"target_sdk": 28}, [], ""),
        (network(), {"target_sdk": 27}, ["cleartext"], "cleartextTrafficPermitted"),
        (network(), {"target_sdk": 23}, ["cleartext", "user-certificates"], ""),
        # The file goes before the attribute, both ways.
        (network(base(False)), {"attributes": USES_CLEARTEXT}, [], ""),
        (network(base(True)), {}, ["cleartext"], "cleartextTrafficPermitted"),
        # What is no truth value counts as true for the platform, a reference among them.
        (
            network(base("@bool/no")),
            {"values": {"values": "<bool name='no'>false</bool>"}},
            ["cleartext"],
            "cleartextTrafficPermitted",
        ),
        (network(domains(True, "Api.example.com")), {}, ["cleartext"], "api.example.com"),
        (network(domains(True, "localhost", "127.0.0.1")), {}, [], ""),
        (
            network(base(False, USER), domains(False, "a.example")),
            {},
            ["user-certificates"],
            "debug-overrides",
        ),
        (network(domains(False, "a.example", more=USER)), {}, ["user-certificates"], "a.example"),
        (network(f"<debug-overrides>{USER}</debug-overrides>"), {}, [], ""),
        ("<other/>", {}, ["network-security"], "network-security.no-root"),
        (network(base(True), base(False)), {}, ["network-security"], "base-config"),
    ],
)
def test_what_the_network_lets_pass_is_named(
    touchmark: Command,
    nothing_left: None,
    tmp_path: Path,
    key: apk.SigningKey,
    own: bytes,
    configuration: str,
    options: dict[str, Any],
    expected: list[str],
    words: str,
) -> None:
    resources = {"xml/network.xml": configuration}
    package = tmp_path / "app.apk"
    package.write_bytes(signed(network_app(own, resources, **options), key))
    added = touchmark.json("registration", "add", package)
    assert ids_of(added) == expected
    assert not words or words in added["warnings"][-1]["message"]
    done = touchmark.run("registration", "add", package)
    assert "unchanged" in done.stdout
    for warning in added["warnings"]:
        assert f"warning: {warning['message']}\n" in done.stderr
    shown = touchmark.ok("registration", "show", added["id"])
    allowed = re.search(r"^cleartext traffic +(.*)$", shown, re.MULTILINE)
    assert allowed
    assert (allowed[1] != "no") is ("cleartext" in expected)
    local = touchmark.json("package", "show", package)["app"]
    assert local["user_certificates"] is ("user-certificates" in expected)


def test_every_device_s_configuration_counts_in_splits_too(
    touchmark: Command, nothing_left: None, tmp_path: Path, key: apk.SigningKey, own: bytes
) -> None:
    shut, open_ = network(base(False)), network(base(True))
    both = network_app(own, {"xml/network.xml": shut, "xml-de/network.xml": open_})
    package = tmp_path / "app.apk"
    package.write_bytes(signed(both, key))
    assert ids_of(touchmark.json("registration", "add", package)) == ["cleartext"]

    # The same as a base and a split for German, whose table has the resource alone.
    split_manifest = apk.compile_manifest("org.example.network", split="config.de")
    for text, expected in ((shut, []), (open_, ["cleartext"])):
        german = network_app(own, {"xml-de/network.xml": text, "xml/network.xml": shut})
        split = {
            "AndroidManifest.xml": split_manifest,
            "resources.arsc": german["resources.arsc"],
            "res/xml-de/network.xml": german["res/xml-de/network.xml"],
            "res/xml/network.xml": german["res/xml/network.xml"],
        }
        packed = tmp_path / "app.apks"
        with zipfile.ZipFile(packed, "w") as archive:
            app = network_app(own, {"xml/network.xml": shut})
            archive.writestr("base.apk", signed(app, key))
            archive.writestr("config.de.apk", signed(split, key))
        assert ids_of(touchmark.json("registration", "add", packed)) == expected


def test_the_network_configuration_of_a_bundle_is_read(
    touchmark: Command, nothing_left: None, tmp_path: Path, certificate: Path, own: bytes
) -> None:
    manifest = apk.manifest_xml(
        'package="org.example.network" android:versionCode="1" android:versionName="1.0"',
        'android:networkSecurityConfig="@xml/network"',
    )
    configuration = network(domains(True, "a.example", more=USER))
    module = apk.compile_app(manifest, resources={"xml/network.xml": configuration}, as_bundle=True)
    files = {"BundleConfig.pb": b""}
    for name, content in module.items():
        place = "manifest/" + name if name == "AndroidManifest.xml" else name
        files["base/" + place] = content
    files |= {
        "base/dex/classes.dex": b"1",
        "base/assets/touchmark-sdk.json": b'{"version":"99.0.0"}',
        "base/assets/touchmark-initial.config": own,
        f"base/{ARM}": b"library",
    }
    bundle = tmp_path / "app.aab"
    option = ("--signing-certificate", certificate)
    bundle.write_bytes(apk.pack(files))
    added = touchmark.json("registration", "add", bundle, *option)
    assert ids_of(added) == ["cleartext", "user-certificates"]
    assert all("a.example" in warning["message"] for warning in added["warnings"])
    del files["base/res/xml/network.xml"]
    bundle.write_bytes(apk.pack(files))
    added = touchmark.json("registration", "add", bundle, *option)
    assert ids_of(added) == ["network-security"]
    assert "network-security.no-file" in added["warnings"][0]["message"]


def test_a_hostile_network_configuration_costs_little_and_refuses_nothing(
    touchmark: Command, nothing_left: None, tmp_path: Path, key: apk.SigningKey, own: bytes
) -> None:
    sound = network_app(own, {"xml/network.xml": network(base(True))})
    file = sound["res/xml/network.xml"]
    for content in (
        b"",
        b"<network-security-config/>",
        file[:-8],
        file[: len(file) // 2],
        file.replace(b"\x02\x01\x10\x00", b"\x02\x01\xff\xff"),  # a start tag's header
        bytes(8 << 20),
    ):
        package = tmp_path / "app.apk"
        package.write_bytes(signed({**sound, "res/xml/network.xml": content}, key))
        done = touchmark.run("registration", "add", package, "--json", timeout=30)
        assert done.returncode == 0, done.stderr
        (warning,) = json.loads(done.stdout)["warnings"]
        assert warning["id"] == "network-security", content[:40]
        assert "\n" not in warning["message"]
        assert len(warning["message"]) < 700


@pytest.mark.parametrize(
    ("min_sdk", "target_sdk", "schemes", "expected"),
    [
        (21, 34, (1, 2), ["min-sdk"]),
        (22, 29, (1,), ["min-sdk"]),
        (23, 29, (1,), []),
        (23, 34, (1, 2), []),
        (24, 29, (1,), []),
    ],
)
def test_packages_for_old_devices_are_registered_and_warned_of(
    touchmark: Command,
    nothing_left: None,
    tmp_path: Path,
    key: apk.SigningKey,
    own: bytes,
    min_sdk: int,
    target_sdk: int,
    schemes: tuple[int, ...],
    expected: list[str],
) -> None:
    manifest = apk.compile_manifest("org.example.old", min_sdk=min_sdk, target_sdk=target_sdk)
    files = {
        "classes.dex": b"1",
        "assets/touchmark-sdk.json": b'{"version":"99.0.0"}',
        "assets/touchmark-initial.config": own,
        ARM: b"library",
    }
    package = tmp_path / "app.apk"
    package.write_bytes(apk.build(manifest, key, files, schemes))
    verified = touchmark.json("package", "show", package)
    assert verified["verified"] is True
    assert verified["schemes"] == [f"v{scheme}" for scheme in schemes]
    added = touchmark.json("registration", "add", package)
    assert ids_of(added) == expected
    for warning in added["warnings"]:
        assert f"API level {min_sdk} on" in warning["message"]
        assert "from 23 on: raise minSdkVersion" in warning["message"]
    done = touchmark.run("registration", "add", package)
    assert ("raise minSdkVersion" in done.stderr) is bool(expected)
    # Without the JAR signature no device below API level 24 takes it, whatever else it has.
    if min_sdk < 24:
        package.write_bytes(apk.build(manifest, key, files, (2,)))
        done = touchmark.run("registration", "add", package)
        assert done.returncode == 1
        assert "signature.v1.no-manifest" in done.stderr


def test_a_jar_signature_alone_is_refused_where_the_target_needs_more(
    touchmark: Command, tmp_path: Path, key: apk.SigningKey
) -> None:
    package = tmp_path / "app.apk"
    manifest = apk.compile_manifest("org.example.old", min_sdk=23, target_sdk=30)
    package.write_bytes(apk.build(manifest, key, {"classes.dex": b"1"}, (1,)))
    done = touchmark.run("registration", "add", package)
    assert done.returncode == 1
    assert "signature." in done.stderr
    # What the JAR signature covers was changed.
    manifest = apk.compile_manifest("org.example.old", min_sdk=23, target_sdk=29)
    files = {"AndroidManifest.xml": manifest, "classes.dex": b"1"}
    signature = apk.sign_v1(files, key)
    package.write_bytes(apk.pack({**files, "classes.dex": b"2", **signature}))
    done = touchmark.run("registration", "add", package)
    assert done.returncode == 1
    assert "classes.dex" in done.stderr


def test_the_configuration_must_be_this_services(
    touchmark: Command,
    nothing_left: None,
    tmp_path: Path,
    key: apk.SigningKey,
    own: bytes,
    foreign: bytes,
) -> None:
    def warned(configuration: bytes | None, *options: str) -> list[str]:
        package = build(tmp_path / "app.apk", key, configuration)
        added = touchmark.json("registration", "add", package, *options)
        touchmark.ok("registration", "remove", added["id"])
        return [warning["id"] for warning in added["warnings"]]

    assert warned(own) == []
    assert warned(own + b"\n") == []
    assert warned(None) == ["no-configuration"]
    assert warned(b"header.payload.signature") == ["bad-configuration"]
    assert warned(b"x" * 300_000) == ["bad-configuration"]
    package = build(tmp_path / "app.apk", key, foreign)
    for option in ([], ["--dry-run"]):
        done = touchmark.run("registration", "add", package, *option)
        assert done.returncode == 1
        assert "--other-service" in done.stderr
        assert "of another service (https://" in done.stderr
        assert done.stderr.count("\n") == 1
    done = touchmark.run("registration", "add", package, "--json")
    assert json.loads(done.stderr)["error"]["id"] == "cli.other-service"
    assert touchmark.json("registration", "list")["registrations"] == []
    assert warned(foreign, "--other-service") == ["other-service"]


def test_a_known_release_changes_only_as_asked(
    touchmark: Command, not_registered: None, developer: Command, nothing_left: None, release: Path
) -> None:
    first = touchmark.json("registration", "add", release)
    assert (first["status"], first["changes"]) == ("added", {})
    again = developer.json("registration", "add", release)
    assert (again["status"], again["changes"]) == ("unchanged", {})
    done = touchmark.run("registration", "add", release, "--expire-after", "1h", "--json")
    assert done.returncode == 1
    assert json.loads(done.stderr)["error"]["id"] == "cli.registration-conflict"
    assert "--replace" in done.stderr
    (listed,) = touchmark.json("registration", "list")["registrations"]
    assert (listed["expires"], listed["created_by"]) == (None, "admin")

    options = ["--expire-after", "1h", "--replace"]
    dry = touchmark.json("registration", "add", release, *options, "--dry-run")
    assert dry["status"] == "replaced"
    assert dry["changes"]["expires"]["before"] is None
    assert touchmark.json("registration", "list")["registrations"] == [listed]
    shown = touchmark.ok("registration", "add", release, *options).splitlines()[-1]
    assert re.fullmatch(r"registered already, replaced, expires .{25}, which had no end", shown)
    renewed = touchmark.json("registration", "add", release, "--expire-after", "1w")
    assert renewed["status"] == "renewed"
    assert renewed["changes"]["expires"]["after"] == renewed["expires"]
    # A job that is repeated does not make a test build last.
    assert touchmark.run("registration", "add", release).returncode == 1
    assert touchmark.json("registration", "list")["registrations"][0]["expires"] is not None


def test_registrations_are_named_by_prefix_file_and_name(
    touchmark: Command, not_registered: None, nothing_left: None, release: Path, certificate: Path
) -> None:
    for name in ("", "com.example.currencyconverterdemo", "com.example.currencyconverterdemo@1.0"):
        added = touchmark.json("registration", "add", release)
        word = name or added["id"][:6]
        shown = touchmark.ok("registration", "show", word)
        assert f"\nrelease            {added['package']}-1.0[1]\n" in shown
        assert touchmark.ok("registration", "remove", word) == f"removed {added['id']}\n"
    added = touchmark.json("registration", "add", release)
    (changed,) = touchmark.json("registration", "expire", release, "--after", "4h30m")["changed"]
    assert changed["id"] == added["id"]
    listed = touchmark.ok("registration", "list")
    assert added["line"][:12] in listed
    assert {"Android", "APK"} <= set(listed.split())
    assert touchmark.ok("registration", "remove", release) == f"removed {added['id']}\n"
    done = touchmark.run("registration", "remove", release)
    assert done.returncode == 8


def test_diff_compares_with_a_registration(
    touchmark: Command, not_registered: None, nothing_left: None, tmp_path: Path, release: Path
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


def test_adding_says_what_a_valid_token_takes(
    touchmark: Command, not_registered: None, release: Path
) -> None:
    done = touchmark.run("registration", "add", release)
    assert done.returncode == 0
    assert "a valid token takes a registered app with a key in the phone's hardware" in done.stderr


def test_a_signer_that_the_app_never_had_is_said(
    touchmark: Command, nothing_left: None, tmp_path: Path, key: apk.SigningKey, certificate: Path
) -> None:
    def build(name: str, signer: apk.SigningKey, package: str = "org.example.signed") -> Path:
        path = tmp_path / f"{name}.apk"
        files = {"classes.dex": name.encode()}
        path.write_bytes(apk.build(apk.compile_manifest(package), signer, files))
        return path

    def signer_of(path: Path, *options: str) -> tuple[str, bool]:
        added = touchmark.json("registration", "add", path, *options)
        return added["signer"], "unknown-signer" in [one["id"] for one in added["warnings"]]

    other = apk.SigningKey.generate("other")
    first = touchmark.run("registration", "add", build("1", key))
    assert re.search(r"^the first release of this app here; .* [0-9a-f]{64}$", first.stderr, re.M)
    assert signer_of(build("1", key)) == ("known", False), "that release itself"
    assert signer_of(build("2", key)) == ("known", False)
    assert signer_of(build("3", other), "--dry-run") == ("unknown", True)
    assert signer_of(build("4", other, "org.example.else"), "--dry-run") == ("first", False)
    said = touchmark.run("registration", "add", build("3", other), "--dry-run").stderr
    assert "no release of org.example.signed with this signer" in said
    # A registered certificate vouches, for its app.
    (tmp_path / "other.der").write_bytes(other.certificate)
    vouch = ("registration", "add-certificate", tmp_path / "other.der", "--package")
    touchmark.ok(*vouch, "org.example.else")
    assert signer_of(build("3", other), "--dry-run") == ("unknown", True)
    touchmark.ok(*vouch, "org.example.signed")
    assert signer_of(build("3", other), "--dry-run") == ("known", False)


def test_an_older_configuration_of_this_service_is_said(
    touchmark: Command, nothing_left: None, tmp_path: Path, key: apk.SigningKey
) -> None:
    touchmark.ok("sdk", "config", tmp_path / "config", "--allow-local")
    content = {
        "classes.dex": b"1",
        "assets/touchmark-initial.config": (tmp_path / "config").read_bytes(),
        "assets/touchmark-sdk.json": b'{"version":"0.1.0"}',
    }
    app = tmp_path / "app.apk"
    app.write_bytes(apk.build(apk.compile_manifest("org.example.older"), key, content))

    def warned() -> bool:
        added = touchmark.json("registration", "add", app, "--dry-run")
        return "older-configuration" in [one["id"] for one in added["warnings"]]

    assert not warned()
    pin = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    touchmark.ok("api", "add", "older.example.com", "--pin", pin)
    assert warned()
    touchmark.ok("api", "remove", "older.example.com")
