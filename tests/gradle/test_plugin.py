"""The Gradle plugin in real builds, with a real service; Android's plugin is stood in for."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from docs.android import libraries
from gradle.class_file import references
from gradle.gradle import HERE, PLUGIN
from gradle.place import Place
from kit.service import ROOT

ASSET = "touchmark-initial.config"
APK = "build/outputs/apk/release/app-release.apk"
REGISTER = "registerRelease"


@pytest.fixture(scope="module")
def app(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return place.app(
        tmp_path_factory.mktemp("apps") / "app",
        place.with_service('expireAfter = "600s"'),
        package="com.example.built",
    )


def config_of(apk: Path) -> bytes:
    with zipfile.ZipFile(apk) as archive:
        return archive.read(f"assets/{ASSET}")


def test_a_release_is_built_with_the_configuration_and_registered(
    place: Place, app: Path, tmp_path: Path
) -> None:
    first = place.build(app, "assembleRelease", REGISTER, "--configuration-cache").ok()
    assert "registration successful, expires " in first
    assert "the first release of this app here" in first
    assert "with this signer" not in first and "is older than" not in first
    place.administrator.ok("sdk", "config", tmp_path / "config", "--allow-local")
    assert config_of(app / APK) == (tmp_path / "config").read_bytes()
    listed = place.administrator.json("registration", "list")["registrations"]
    assert "com.example.built" in [row["package"] for row in listed]

    again = place.build(app, "assembleRelease", REGISTER, "--configuration-cache").ok()
    assert "Reusing configuration cache." in again
    assert "1 executed, 5 up-to-date" in again, "all but the registration"
    assert "registered already" in again


def test_the_token_is_nowhere(place: Place, app: Path) -> None:
    said = place.build(
        app, "fetchDebugTouchmarkConfiguration", REGISTER, "tryRegisterRelease", "--debug",
        "--stacktrace",
    ).ok()  # fmt: skip
    assert "registration" in said and place.token not in said
    for file in app.rglob("*"):
        assert not file.is_file() or place.token.encode() not in file.read_bytes(), file


def test_another_token_needs_no_other_configuration_of_the_build(place: Place, app: Path) -> None:
    """It is no input of the build, so the cache is of every token."""
    arguments = (":fetchReleaseTouchmarkConfiguration", "--rerun-tasks", "--configuration-cache")
    (app / "settings.gradle").write_text(
        (app / "settings.gradle")
        .read_text()
        .replace('environmentVariable("TOUCHMARK_TOKEN")', 'gradleProperty("repositoryToken")')
    )
    (place.gradle.home / "gradle.properties").write_text(f"repositoryToken={place.token}\n")
    place.build(app, *arguments).ok()
    refused = place.build(app, *arguments, TOUCHMARK_TOKEN="tmk_wrong").failed()
    assert "Reusing configuration cache." in refused
    assert "HTTP 401" in refused and "TOUCHMARK_TOKEN" in refused and "tmk_wrong" not in refused
    (app / "token").write_text(place.token + "\n")


def test_the_token_comes_from_a_file_or_a_property(place: Place, app: Path) -> None:
    (app / "token").write_text(place.token + "\n")
    script = (app / "build.gradle").read_text()
    task = (":fetchReleaseTouchmarkConfiguration", "--rerun-tasks")
    try:
        (app / "build.gradle").write_text(script + "\ntouchmark { tokenFile = file('token') }\n")
        place.build(app, *task, TOUCHMARK_TOKEN="").ok()
        (app / "token").write_text("two\nlines")
        failed = place.build(app, *task, TOUCHMARK_TOKEN="").failed()
        assert (
            "a token file has the token alone" in failed and "lines" not in failed.split("holds")[0]
        )
        (app / "token").unlink()
        assert "cannot be read" in place.build(app, *task, TOUCHMARK_TOKEN="").failed()
    finally:
        (app / "build.gradle").write_text(script)
    place.build(app, *task, f"-PtouchmarkToken={place.token}", TOUCHMARK_TOKEN="").ok()


def test_the_command_and_its_profile_do_as_well(place: Place, tmp_path: Path) -> None:
    app = place.app(tmp_path / "app", "")
    said = place.build(app, ":fetchReleaseTouchmarkConfiguration", "--info",
                       TOUCHMARK_TOKEN=place.token, TOUCHMARK_URL="").failed()  # fmt: skip
    assert "touchmark.service is ''" in said
    place.build(app, ":fetchReleaseTouchmarkConfiguration", "-PrepositoryToken=" + place.token,
                TOUCHMARK_HOME=str(place.administrator.home), TOUCHMARK_PIN="").ok()  # fmt: skip
    assert (app / f"build/generated/assets/fetchReleaseTouchmarkConfiguration/{ASSET}").is_file()


def test_a_build_that_is_offline_takes_what_it_has(place: Place, app: Path, tmp_path: Path) -> None:
    task = ":fetchReleaseTouchmarkConfiguration"
    said = place.build(app, task, "--offline", "--rerun-tasks").ok()
    assert "the configuration that was fetched before" in said
    file = app / f"build/generated/assets/{task[1:]}/{ASSET}"
    kept = file.read_bytes()
    file.unlink()
    assert "build once without" in place.build(app, task, "--offline").failed()
    file.write_bytes(kept)


@pytest.mark.parametrize(
    ("touchmark", "said"),
    [
        ('service = "http://localhost:1"', "should be like https://HOST:8443"),
        ('service = "https://user@localhost:1"', "should be like https://HOST:8443"),
        ('service = "https://localhost:1/admin?x"', "should be like https://HOST:8443"),
        ('service = "localhost"', "should be like https://HOST:8443"),
        ('service = "https://localhost:1"', "cannot be fetched from https://localhost:1"),
        ('command = "no-such-command"', "the command 'no-such-command' cannot be run"),
        ('allowLocal = false\nservice = "SERVICE"', "gives no configuration: HTTP "),
        ('useCommand = true\nallowLocal = false\nservice = "SERVICE"', "failed with status "),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said(place: Place, touchmark: str, said: str, tmp_path: Path) -> None:
    app = place.app(tmp_path / "app", touchmark.replace("SERVICE", place.service.url))
    failed = place.build(app, ":fetchReleaseTouchmarkConfiguration").failed()
    assert said in failed, failed
    assert place.token not in failed


def test_a_project_that_is_no_app_is_told(place: Place, app: Path, tmp_path: Path) -> None:
    other = place.app(tmp_path / "app", "")
    script = other / "build.gradle"
    lines = [line for line in script.read_text().splitlines() if "com.android" not in line]
    script.write_text("\n".join(lines).split("android {")[0] + "\n")
    said = place.build(other, "help").failed()
    assert "touchmark.sdk is for Android apps, and root project 'app' is none" in said


def test_the_release_registers_after_its_build_where_it_is_asked_to(
    place: Place, app: Path
) -> None:
    script = (app / "build.gradle").read_text()
    assert "registered" not in place.build(app, "assembleRelease").ok()
    try:
        (app / "build.gradle").write_text(script + "\ntouchmark { registerAfterAssemble = true }\n")
        assert "registered already" in place.build(app, "assembleRelease").ok()
        assert "registerDebug" not in place.build(app, "assembleDebug", "--dry-run").ok()
    finally:
        (app / "build.gradle").write_text(script)


def test_the_build_warns_of_what_the_service_does_not_expect(
    place: Place, app: Path, tmp_path: Path
) -> None:
    """Another signer than the app has there, an older SDK, and a configuration of before."""
    other = place.app(
        tmp_path / "app", place.with_service('maxAge = java.time.Duration.ofDays(1)'),
        package="com.example.other", sdk="0.0.9",
    )  # fmt: skip
    certificate = place.gradle.folder / "cert.pem"
    place.administrator.ok(
        "registration", "add-certificate", certificate, "--package", "com.example.other"
    )
    place.build(other, "assembleRelease").ok()
    place.administrator.ok(
        "api", "add", "new.example.com", "--pin", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    )  # fmt: skip
    said = place.build(other, "tryRegisterRelease").ok()
    assert "would be registered" in said
    for words in (
        "with this signer",
        "is older than this service",
        "is older than this service's configuration",
    ):
        assert re.search(rf"^touchmark: warning: .*{re.escape(words)}", said, re.MULTILINE), said
    listed = place.administrator.json("registration", "list")["registrations"]
    assert "com.example.other" not in [row["package"] for row in listed]


def test_a_configuration_among_the_sources_is_compared(place: Place, tmp_path: Path) -> None:
    app = place.app(tmp_path / "app", place.with_service("maxAge = java.time.Duration.ZERO"))
    own = app / "src/main/assets" / ASSET
    own.parent.mkdir()

    def said() -> str:
        return place.build(app, ":fetchReleaseTouchmarkConfiguration").ok()

    own.write_text(json.loads((ROOT / "protocol/vectors/config.json").read_text())["jws"])
    assert "is of another service" in said()
    own.write_text("no configuration")
    assert "is no configuration" in said()
    place.administrator.ok("sdk", "config", own, "--allow-local")
    assert "is the one that the build brings; remove the file" in said()
    pin = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    place.administrator.ok("api", "add", "newer.example.com", "--pin", pin)
    assert "is older than the service's (" in said()


def test_a_token_that_may_not_is_told(place: Place, app: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk"
    place.administrator.ok(
        "operator", "add", "desk", "--role", "helpdesk", "--credentials-file", file
    )
    made = json.loads(file.read_text())
    task = (":fetchReleaseTouchmarkConfiguration", "--rerun-tasks")
    said = place.build(app, *task, TOUCHMARK_TOKEN=made["token"]).failed()
    assert "HTTP 403" in said and "configuration.read, as ci has" in said
    assert made["token"] not in said


def test_the_plugin_comes_from_a_folder_as_well(place: Place, tmp_path: Path) -> None:
    app = place.app(tmp_path / "app", place.with_service())
    folder = app / "touchmark-repository"
    place.administrator.ok("sdk", "repository", folder, "--group", "com.example.mobile")
    settings = re.sub(
        r"maven \{\n.*?authentication[^\n]*\n *\}",
        'maven { url = uri("touchmark-repository") }',
        (app / "settings.gradle").read_text(),
        flags=re.DOTALL,
    )
    assert settings.count("touchmark-repository") == 2 and place.service.url not in settings
    (app / "settings.gradle").write_text(settings)
    place.build(app, ":fetchReleaseTouchmarkConfiguration", "--refresh-dependencies").ok()


def test_a_bundle_is_registered_with_its_store_s_certificate(place: Place, tmp_path: Path) -> None:
    certificate = place.gradle.folder / "cert.pem"
    app = place.app(
        tmp_path / "app",
        place.with_service(f'bundle = true\nsigningCertificate = file("{certificate}")'),
    )
    bundle = ROOT / "tests/vectors/bundle/app.aab"
    administrator = place.service.credentials()["admin_token"]
    said = place.build(
        app, "tryRegisterRelease", f"-Pstandin.bundle={bundle}", TOUCHMARK_TOKEN=administrator
    ).ok()
    assert "would be registered" in said and administrator not in said


# --- Android's own plugin -------------------------------------------------------------------------


def test_what_it_takes_of_android_s_plugin_is_there() -> None:
    """Of the genuine one a registry has the half that implements the API: each call of ours is to
    something that it implements, or calls itself, with the same types."""
    calls = set()
    with zipfile.ZipFile(
        ROOT / "build/release/share/touchmark/touchmark_sdk-gradle-plugin.jar"
    ) as ours:
        for entry in ours.namelist():
            if entry.endswith(".class"):
                calls |= {
                    r for r in references(ours.read(entry))[0] if r[0].startswith("com/android/")
                }
    assert len(calls) >= 9, calls
    (library,) = libraries(HERE / "android").glob("gradle-8*.jar")
    referred, declared = set(), set()
    with zipfile.ZipFile(library) as genuine:
        for entry in genuine.namelist():
            if entry.endswith(".class"):
                refers, declares = references(genuine.read(entry))
                referred |= refers
                declared |= {
                    (name, descriptor) for of, name, descriptor in declares if "/impl/" in of
                }
    unknown = {
        call for call in calls if call not in referred and (call[1], call[2]) not in declared
    }
    assert not unknown
    assert PLUGIN.is_dir()
