"""The attacker's three steps, on the demo app's package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from demo_apk import parts, run, signer, smali

APK = "app/build/outputs/apk/release/app-release.apk"
DECODED = ".local/apktool/decoded-apk"
REPACKAGED = ".local/apktool/decoded-apk/repackaged-and-signed.apk"
CALL = "->setHostnameVerifier("


@pytest.fixture(scope="module")
def decoded(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What unpack-apk makes, kept aside: each test edits a copy."""
    shown = run(demo / "bin/unpack-apk").stdout
    assert shown.splitlines()[-1] == "---> APK decode into: .local/apktool/decoded-apk"
    return Path(shutil.move(demo / DECODED, tmp_path_factory.mktemp("decoded") / "apk"))


@pytest.fixture
def unpacked(demo: Path, decoded: Path) -> Path:
    shutil.rmtree(demo / DECODED, ignore_errors=True)
    shutil.copytree(decoded, demo / DECODED)
    return demo


def callers(folder: Path) -> list[str]:
    return [file.name for file in folder.rglob("*.smali") if CALL in file.read_text()]


def test_repackaging_without_an_edit_changes_code_and_signer_alone(unpacked: Path) -> None:
    run(unpacked / "bin/repackage-apk")
    before, after = parts(unpacked / APK), parts(unpacked / REPACKAGED)
    assert signer(unpacked / REPACKAGED) != signer(unpacked / APK)
    assert before.keys() == after.keys()
    assert before["classes.dex"] != after["classes.dex"]
    for name in ("lib/x86_64/libtouchmark.so", "assets/touchmark-initial.config"):
        assert before[name] == after[name]
    run("zipalign", "-c", "-p", "4", unpacked / REPACKAGED)


def test_removing_the_pinning_takes_one_line_out_of_the_app(unpacked: Path, tmp_path: Path) -> None:
    shown = run(unpacked / "bin/remove-pinning").stdout
    removed = [line for line in shown.splitlines() if line.startswith("-    ")]
    assert removed == [
        (
            "-    invoke-virtual {p1, v0}, Ljavax/net/ssl/HttpsURLConnection;"
            "->setHostnameVerifier(Ljavax/net/ssl/HostnameVerifier;)V"
        )
    ]
    assert not [line for line in shown.splitlines() if line.startswith("+ ")]
    run(unpacked / "bin/repackage-apk")
    assert callers(smali(unpacked / REPACKAGED, tmp_path)) == []
    assert not list(unpacked.glob(".local/**/*.orig"))

    again = run(unpacked / "bin/remove-pinning", check=False)
    assert again.returncode == 1
    assert "is it removed already?" in again.stderr


def test_the_sdks_own_code_is_left_alone(unpacked: Path) -> None:
    sdk = unpacked / DECODED / "smali/touchmark/sdk/Other.smali"
    line = "    invoke-virtual {p0, v0}, Ljavax/net/ssl/HttpsURLConnection;"
    line += "->setHostnameVerifier(Ljavax/net/ssl/HostnameVerifier;)V\n"
    sdk.write_text(line)
    run(unpacked / "bin/remove-pinning")
    assert sdk.read_text() == line


def test_the_attackers_key_stays_the_same(unpacked: Path) -> None:
    run(unpacked / "bin/repackage-apk")
    first = signer(unpacked / REPACKAGED)
    run(unpacked / "bin/repackage-apk")
    assert signer(unpacked / REPACKAGED) == first


@pytest.mark.parametrize("script", ["remove-pinning", "repackage-apk"])
def test_each_step_names_the_one_before_it(demo: Path, script: str) -> None:
    shutil.rmtree(demo / DECODED, ignore_errors=True)
    ended = run(demo / "bin" / script, check=False)
    assert ended.returncode == 1
    assert "bin/unpack-apk" in ended.stderr


def test_an_absent_package_and_a_broken_one_are_refused(demo: Path, tmp_path: Path) -> None:
    absent = run(demo / "bin/unpack-apk", tmp_path / "none.apk", check=False)
    assert (absent.returncode, "does not exist" in absent.stderr) == (1, True)
    broken = tmp_path / "broken.apk"
    broken.write_bytes(b"not a package")
    ended = run(demo / "bin/unpack-apk", broken, check=False)
    assert (ended.returncode, "could not decode" in ended.stderr) == (1, True)


@pytest.mark.parametrize(
    "script", ["build-release", "unpack-apk", "remove-pinning", "repackage-apk"]
)
def test_every_script_explains_itself(demo: Path, script: str) -> None:
    assert run(demo / "bin" / script, "--help").stdout.startswith(f"usage: bin/{script}")
    wrong = run(demo / "bin" / script, "--nonsense", check=False)
    assert wrong.returncode != 0
    assert "--help" in wrong.stderr
