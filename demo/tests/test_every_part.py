"""The demo app's measurement: the same for each build and copy, another one for each change."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

from conftest import ROOT
from demo_apk import run

APK = "app/build/outputs/apk/release/app-release.apk"
TOUCHMARK = ROOT / "build/release/bin/touchmark"


def measure(package: Path) -> str:
    """The measurement's digest, or the id of the refusal."""
    done = subprocess.run(
        [TOUCHMARK, "package", "measure", "--json", package],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    if done.returncode == 1:
        return str(json.loads(done.stderr)["error"]["id"])
    return str(json.loads(done.stdout)["digest"])


def signed_with_change(package: Path, name: str, folder: Path, key: Path) -> Path:
    """A copy in which the last byte of one part is another, signed with `key` (the
    change's maker has it)."""
    plain, signed = folder / "plain.apk", folder / "signed.apk"
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(plain, "w") as new:
        for entry in old.infolist():
            if entry.filename.startswith("META-INF/"):
                continue
            content = old.read(entry)
            if entry.filename == name:
                content = content[:-1] + bytes([content[-1] ^ 1])
            new.writestr(entry, content)
    run("apksigner", "sign", "--ks", key, "--ks-pass", "pass:android", "--out", signed, plain)
    return signed


def make_key(path: Path) -> Path:
    run("keytool", "-genkeypair", "-keystore", path, "-storetype", "PKCS12",
        "-alias", "x", "-storepass", "android",
        "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=x")  # fmt: skip
    return path


def test_builds_and_copies_have_the_same_measurement(demo: Path, tmp_path: Path) -> None:
    before = measure(demo / APK)
    installed = tmp_path / "base.apk"
    shutil.copy(demo / APK, installed)
    assert measure(installed) == before
    (demo / "app/src/main/res/values/strings.xml").touch()
    run(demo / "bin/build-release")
    assert measure(demo / APK) == before


def test_every_change_has_another_one_or_is_refused(demo: Path, tmp_path: Path) -> None:
    seen = {measure(demo / APK)}
    key = make_key(tmp_path / "key.p12")
    with zipfile.ZipFile(demo / APK) as package:
        names = [name for name in package.namelist() if not name.startswith("META-INF/")]
    assert {"AndroidManifest.xml", "classes.dex", "resources.arsc"} <= set(names)
    # Signed again with another key and nothing changed, then with each part changed once.
    for name in ["", *names]:
        digest = measure(signed_with_change(demo / APK, name, tmp_path, key))
        assert digest not in seen or "." in digest, name
        seen.add(digest)


def test_a_change_that_is_not_signed_again_is_refused(demo: Path, tmp_path: Path) -> None:
    package = (demo / APK).read_bytes()
    changed = tmp_path / "changed.apk"
    with zipfile.ZipFile(demo / APK) as archive:
        for entry in archive.infolist():
            at = entry.header_offset + 30 + len(entry.filename)
            at += int.from_bytes(
                package[entry.header_offset + 28 : entry.header_offset + 30], "little"
            )
            at += entry.compress_size // 2
            changed.write_bytes(package[:at] + bytes([package[at] ^ 1]) + package[at + 1 :])
            assert "." in measure(changed), entry.filename
