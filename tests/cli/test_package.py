"""`touchmark package`: what it says of packages, and with which exit status."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from kit import apk
from kit.command import Command

VECTORS = Path(__file__).resolve().parents[1] / "vectors/apksig"
VERIFIED = VECTORS / "v31-rsa-2048_2-tgt-33-1-tgt-28.apk"
REFUSED = VECTORS / "v2-only-with-ecdsa-sha256-p256-digest-mismatch.apk"
V2_ONLY = VECTORS / "v2-only-with-ecdsa-sha512-p384.apk"
ROTATED_FROM = "fb5dbd3c669af9fc236c6991e6387b7f11ff0590997f22d0f5c74ff40e04fca8"
ROTATED_TO = "681b0e56a796350c08647352a4db800cc44b2adc8f4c72fa350bd05d4d50264d"


def test_verify_says_who_signed(nobody: Command) -> None:
    answer = nobody.json("package", "verify", VERIFIED)
    assert answer["file"] == str(VERIFIED)
    assert answer["verified"] is True
    assert answer["schemes"] == ["v1", "v2", "v3", "v3.1"]
    assert answer["signers"] == [{"certificate_sha256": ROTATED_TO, "scheme": "v3.1"}]
    assert [entry["certificate_sha256"] for entry in answer["lineage"]] == [
        ROTATED_FROM,
        ROTATED_TO,
    ]
    assert answer["reason"] is None
    assert answer["detail"] is None
    assert answer["warnings"] == []


def test_verify_names_the_reason(nobody: Command) -> None:
    done = nobody.run("package", "verify", REFUSED, "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["verified"] is False
    assert answer["reason"] == "signature.v2.digest-mismatch"
    assert answer["detail"].startswith("v2 signer 1: the content was signed with digest ")
    assert answer["schemes"] == answer["signers"] == answer["lineage"] == []
    assert re.search(r"^\S+: refused: signature.v2.digest-mismatch: ",
                     nobody.run("package", "verify", REFUSED).stdout)  # fmt: skip


def test_verify_goes_by_the_levels_asked_for(nobody: Command) -> None:
    assert nobody.run("package", "verify", V2_ONLY).returncode == 1
    assert nobody.run("package", "verify", V2_ONLY, "--min-sdk", "24").returncode == 0
    assert nobody.run("package", "verify", V2_ONLY, "--max-sdk", "23").returncode == 1
    done = nobody.run("package", "verify", V2_ONLY, "--min-sdk", "30", "--max-sdk", "29")
    assert done.returncode == 2
    assert "--min-sdk" in done.stderr
    assert nobody.run("package", "verify", V2_ONLY, "--min-sdk", "none").returncode == 2


def test_verify_speaks_of_every_file(nobody: Command, tmp_path: Path) -> None:
    text = tmp_path / "text.apk"
    text.write_text("not a package")
    missing = tmp_path / "missing.apk"
    done = nobody.run("package", "verify", VERIFIED, text, "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["reason"] for answer in answers] == [None, "zip.no-end-record"]
    assert done.returncode == 1
    done = nobody.run("package", "verify", missing, VERIFIED, REFUSED, "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["verified"] for answer in answers] == [False, True, False]
    assert answers[0]["reason"] == "source.not-found"
    assert done.returncode == 2
    assert nobody.run("package", "verify", tmp_path).returncode == 2
    assert nobody.run("package", "verify").returncode == 2


def test_a_hostile_file_name_cannot_drive_the_terminal(nobody: Command, tmp_path: Path) -> None:
    hostile = tmp_path / "\x1b[2J\n.apk"
    shutil.copy(VERIFIED, hostile)
    done = nobody.run("package", "verify", hostile)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert done.stdout.count("verified") == 1


def test_measure_is_what_a_registration_has(
    touchmark: Command, not_registered: None, release: Path
) -> None:
    line = touchmark.ok("package", "measure", release).strip()
    assert re.fullmatch(
        r"[A-Za-z0-9+/]{43}=com\.example\.currencyconverterdemo"
        r"-1\.0\[1\]-\d+ SDK:Android\(0\.1\.0\)",
        line,
    )
    assert line in touchmark.ok("registration", "add", release)
    assert touchmark.json("package", "measure", release)["line"] == line
    assert touchmark.run("package", "measure", REFUSED).returncode == 1


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("two-releases")
    key = apk.SigningKey.generate()
    old, new = folder / "old.apk", folder / "new.apk"
    old.write_bytes(
        apk.build(
            apk.compile_manifest("org.example.app"), key, {"classes.dex": b"1", "assets/a": b"a"}
        )
    )
    new.write_bytes(
        apk.build(
            apk.compile_manifest("org.example.app", version_code=2),
            key,
            {"classes.dex": b"2", "assets/b": b"b"},
        )
    )
    return old, new


def test_diff_names_what_changed(nobody: Command, two_releases: tuple[Path, Path]) -> None:
    old, new = two_releases
    assert nobody.run("package", "diff", old, old).returncode == 0
    done = nobody.run("package", "diff", old, new, "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    changes = {(d["kind"], d["change"], d["name"]) for d in answer["differences"]}
    assert changes == {
        ("fact", "changed", "version name"),
        ("fact", "changed", "version code"),
        ("part", "changed", "AndroidManifest.xml"),
        ("part", "changed", "classes.dex"),
        ("part", "removed", "assets/a"),
        ("part", "added", "assets/b"),
    }
    text = nobody.run("package", "diff", old, new).stdout
    assert re.search(r"part +changed +classes\.dex", text)


def test_diff_and_show_look_into_a_refused_package(nobody: Command) -> None:
    done = nobody.run("package", "show", REFUSED, "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["reason"] == "signature.v2.digest-mismatch"
    assert answer["app"]["parts"]
    done = nobody.run("package", "diff", V2_ONLY, REFUSED, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["refused"]["after"] == "signature.v2.digest-mismatch"


def test_show_lists_facts_and_parts(nobody: Command, release: Path) -> None:
    text = nobody.ok("package", "show", release)
    assert re.search(r"^package +com\.example\.currencyconverterdemo$", text, re.M)
    assert re.search(r"^signatures +verified: ", text, re.M)
    assert re.search(r"^[0-9a-f]{64} +\S+ \S+ +dex +classes\.dex$", text, re.M)


def measured(nobody: Command, path: Path, manifest: str, values: dict[str, str]) -> dict[str, str]:
    files = apk.compile_app(manifest, values)
    package = apk.build(
        files.pop("AndroidManifest.xml"), apk.SigningKey.generate(), {**files, "classes.dex": b"1"}
    )
    path.write_bytes(package)
    measurement: dict[str, str] = nobody.json("package", "measure", path)
    return measurement


REFERENCES = apk.manifest_xml(
    'package="org.example.values" android:versionCode="1" android:versionName="@{}/version"',
    'android:label="@string/label"',
)


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"values-mdpi": "a"}, "a"),
        ({"values-xxxhdpi": "a"}, "a"),
        ({"values-mdpi": "a", "values-xxhdpi": "b", "values-xxxhdpi": "c"}, "b"),
        ({"values-v26": "a", "values-v33": "b"}, "b"),
        ({"values-sw600dp": "a", "values-port": "b", "values-land": "c"}, "b"),
        ({"values": "a", "values-en": "b"}, "a"),
    ],
)
def test_a_label_without_a_default_is_what_a_device_shows(
    nobody: Command, tmp_path: Path, values: dict[str, str], label: str
) -> None:
    resources = {folder: f'<string name="label">{text}</string>' for folder, text in values.items()}
    number = '<integer name="version">7</integer>'
    resources["values"] = resources.get("values", "") + number
    read = measured(nobody, tmp_path / "app.apk", REFERENCES.format("integer"), resources)
    assert read["label"] == label


@pytest.mark.parametrize(
    ("kind", "element", "version"),
    [
        ("string", '<string name="version">1.2</string>', "1.2"),
        ("integer", '<integer name="version">42</integer>', "42"),
        ("integer", '<integer name="version">-3</integer>', "-3"),
        ("integer", '<integer name="version">0x1f</integer>', "0x1f"),
        ("bool", '<bool name="version">true</bool>', "true"),
        ("dimen", '<dimen name="version">1.5dp</dimen>', "1.5dip"),
        ("color", '<color name="version">#ff0000ff</color>', "#ff0000ff"),
        (
            "string",
            '<string name="version">@string/other</string><string name="other">x</string>',
            "x",
        ),
    ],
)
def test_a_version_name_is_what_the_installer_reads(
    nobody: Command, tmp_path: Path, kind: str, element: str, version: str
) -> None:
    resources = {"values": '<string name="label">a</string>' + element}
    read = measured(nobody, tmp_path / "app.apk", REFERENCES.format(kind), resources)
    assert read["version_name"] == version


def test_a_version_name_that_depends_on_the_device_is_none(nobody: Command, tmp_path: Path) -> None:
    label = '<string name="label">a</string>'
    version = '<string name="version">1.{}</string>'
    path = tmp_path / "app.apk"
    several = {"values": label + version.format(0), "values-de": version.format(1)}
    assert measured(nobody, path, REFERENCES.format("string"), several)["version_name"] == ""
    newer = {"values": label + version.format(0), "values-v28": version.format(1)}
    assert measured(nobody, path, REFERENCES.format("string"), newer)["version_name"] == "1.1"
    one = {"values": label, "values-mdpi": version.format(2)}
    assert measured(nobody, path, REFERENCES.format("string"), one)["version_name"] == "1.2"


def test_licences_may_differ_in_case(nobody: Command, tmp_path: Path) -> None:
    path = tmp_path / "app.apk"
    manifest = apk.compile_manifest("org.example.licences")
    key = apk.SigningKey.generate()
    files = {"META-INF/LICENSE.txt": b"a", "META-INF/license.txt": b"b", "classes.dex": b"1"}
    path.write_bytes(apk.build(manifest, key, files))
    assert nobody.run("package", "measure", path).returncode == 0
    path.write_bytes(apk.build(manifest, key, {"META-INF/a.SF": b"a", "META-INF/A.sf": b"b"}))
    done = nobody.run("package", "measure", path)
    assert done.returncode == 1
    assert "zip.confusable-name" in done.stderr
