"""The demo app's package: what is in it, and that the same sources give the same one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from demo_apk import parts, run, signer, smali

APK = "app/build/outputs/apk/release/app-release.apk"
APP_CODE = "com/example/currencyconverter"
PINNING_CALL = (
    "    invoke-virtual {p1, v0}, Ljavax/net/ssl/HttpsURLConnection;"
    "->setHostnameVerifier(Ljavax/net/ssl/HostnameVerifier;)V"
)


def test_the_platform_reads_what_the_developer_wrote(demo: Path) -> None:
    lines = run("aapt2", "dump", "badging", demo / APK).stdout.splitlines()
    assert lines[0].startswith(
        "package: name='com.example.currencyconverter' versionCode='1' versionName='1.0'"
    )
    assert "sdkVersion:'23'" in lines
    assert "targetSdkVersion:'34'" in lines
    assert "application-label:'Currency Converter Demo'" in lines
    assert "launchable-activity: name='com.example.currencyconverter.MainActivity'" in "".join(
        lines
    )


def test_the_package_is_signed_with_v1_v2_and_v3(demo: Path) -> None:
    shown = run("apksigner", "verify", "--verbose", "--min-sdk-version", "18", demo / APK).stdout
    for scheme in ("v1 scheme (JAR signing)", "v2 scheme", "v3 scheme"):
        (line,) = [line for line in shown.splitlines() if scheme in line]
        assert line.endswith(": true")
    run("apksigner", "verify", "--Werr", demo / APK)


def test_the_package_is_aligned(demo: Path) -> None:
    run("zipalign", "-c", "-p", "4", demo / APK)


def test_the_sdk_and_its_configuration_are_in_the_package(
    demo: Path, sdk_aar: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(demo / APK) as package, zipfile.ZipFile(sdk_aar) as aar:
        names = set(package.namelist())
        assert package.read("lib/x86_64/libtouchmark.so") == aar.read("jni/x86_64/libtouchmark.so")
        assert package.read("assets/touchmark-initial.config") == b"header.payload.signature"
    assert {"AndroidManifest.xml", "resources.arsc", "classes.dex"} <= names
    code = smali(demo / APK, tmp_path)
    assert (code / "touchmark/sdk/Touchmark.smali").is_file()
    assert (code / APP_CODE / "CurrencyApi.smali").is_file()


def test_the_app_pins_in_its_own_code(demo: Path, tmp_path: Path) -> None:
    code = smali(demo / APK, tmp_path)
    callers = {
        file.relative_to(code).as_posix(): text.count("->setHostnameVerifier(")
        for file in code.rglob("*.smali")
        if "->setHostnameVerifier(" in (text := file.read_text())
    }
    assert callers == {f"{APP_CODE}/CurrencyApi.smali": 1}
    assert PINNING_CALL in (code / APP_CODE / "CurrencyApi.smali").read_text().splitlines()


def test_the_same_sources_give_the_same_package(demo: Path) -> None:
    before = (parts(demo / APK), signer(demo / APK))
    (demo / "app/src/main/res/values/strings.xml").touch()
    run(demo / "bin/build-release")
    assert (parts(demo / APK), signer(demo / APK)) == before


def test_the_api_url_is_chosen_at_build_time(demo: Path) -> None:
    def parts_with(url: str, *command: object) -> dict[str, str]:
        run(*command)
        assert url in run("aapt2", "dump", "strings", demo / APK).stdout
        return parts(demo / APK)

    build = demo / "bin/build-release"
    by_environment = parts_with("https://api:1", "env", "API_URL=https://api:1", build)
    options = ["--api-url", "https://api:2"]
    by_option = parts_with("https://api:2", "env", "API_URL=https://api:1", build, *options)
    default = parts_with("https://localhost:5001", "env", "-u", "API_URL", build)
    for chosen in (by_environment, by_option):
        assert [name for name in default if chosen[name] != default[name]] == ["resources.arsc"]


@pytest.mark.parametrize(
    "url", ["http://localhost", "localhost:5001", 'https://a"/>', "https://a/b"]
)
def test_a_bad_api_url_is_refused(demo: Path, url: str) -> None:
    ended = run(demo / "bin/build-release", "--api-url", url, check=False)
    assert ended.returncode == 1
    assert "is not https://HOST" in ended.stderr


@pytest.mark.parametrize(
    "file, hint",
    [
        ("touchmark_sdk.aar", "touchmark sdk -getLibrary"),
        ("app/src/main/assets/touchmark-initial.config", "touchmark sdk -getConfig"),
    ],
)
def test_what_the_service_gives_is_asked_for_by_name(demo: Path, file: str, hint: str) -> None:
    path = demo / file
    aside = path.rename(path.with_suffix(".aside"))
    try:
        ended = run(demo / "bin/build-release", check=False)
        assert ended.returncode == 1
        assert hint in ended.stderr
    finally:
        aside.rename(path)
