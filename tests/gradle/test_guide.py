"""A new user adds the SDK to a plain OkHttp app, in Java and in Kotlin, with the guide's blocks.

Gradle takes library and plugin from the service, builds and registers a release, and the app's code
fetches a token and calls an API. The blocks stand as they are, except the service's address.
Android's plugin is stood in for, and the code runs on this machine's JVM, with a stand-in of the
platform's classes.
"""

from __future__ import annotations

import http.server
import re
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.android import ANDROID, java_files, libraries
from docs.blocks import Block, of
from gradle.gradle import HERE
from gradle.place import Place
from kit.service import ROOT

PAGE = "docs/integrate-android.md"
SERVICE = "https://attest.example.com:8443"
APK = "app/build/outputs/apk/release/app-release.apk"


def the_block(language: str, *words: str, without: str = "\0") -> Block:
    found = [
        block
        for block in of(PAGE, (ROOT / PAGE).read_text())
        if block.language == language
        and all(word in block.text for word in words)
        and without not in block.text
    ]
    assert len(found) == 1, (language, words, found)
    return found[0]


@pytest.fixture(scope="module")
def api(place: Place) -> Iterator[tuple[str, list[str | None]]]:
    """An API server with a certificate of its own; what tokens it was sent."""
    sent: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(self.headers.get("Touchmark-Token"))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place.gradle.folder / "cert.pem", place.gradle.folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    at = f"localhost:{server.server_port}"
    place.administrator.ok("api", "add", at, "--pin", place.service.credentials()["pin"])
    yield f"https://{at}/rates", sent
    server.shutdown()
    server.server_close()


def write(path: Path, *texts: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(texts))


def make_app(folder: Path, language: str, place: Place) -> Path:
    """What the guide says, file by file."""
    at = {SERVICE: place.service.url}
    plugins = the_block("gradle", "pluginManagement")
    library = the_block(
        "gradle", "exclusiveContent", "HttpHeaderCredentials)", "dependencyResolution"
    )
    kotlin = "org.jetbrains.kotlin.android"
    if language == "java":
        script = the_block("gradle", "plugins {", "touchmark {", without=kotlin)
    else:
        script = the_block("gradle", "plugins {", "touchmark {", kotlin)

    def here(text: str) -> str:
        for theirs, ours in at.items():
            text = text.replace(theirs, ours)
        return text

    write(folder / "settings.gradle", here(plugins.text), here(library.text), 'include ":app"\n')
    # The tests' service is on this machine, as a developer's first one is.
    write(folder / "app/build.gradle", here(script.text), "touchmark { allowLocal = true }\n")
    main = folder / "app/src/main"
    write(main / "AndroidManifest.xml", the_block("xml", 'android:name=".MyApp"').text)
    if language == "java":
        for name in ("MyApp", "Http", "Rates"):
            block = the_block("java", f"final class {name} ")
            write(main / f"java/com/example/app/{name}.java", block.text)
    else:
        for number, words in enumerate(
            ("class MyApp :", "fun touchmarkClient()", "fun ratesAreThere", "fun fetchTokenHeader")
        ):
            write(main / f"kotlin/App{number}.kt", the_block("kotlin", words).text)
    return folder


@pytest.mark.parametrize("language", ["java", "kotlin"])
def test_a_plain_okhttp_app_gets_the_sdk(
    language: str, place: Place, api: tuple[str, list[str | None]], tmp_path: Path
) -> None:
    app = make_app(tmp_path / "app", language, place)
    # The dex of Kotlin's libraries takes its time, and the code that runs below is not from it.
    lean = str(language == "kotlin").lower()
    built = place.build(app, "assembleRelease", "registerRelease", f"-Pstandin.lean={lean}").ok()
    assert "registering app com.example.app" in built
    assert "registration successful" in built or "registered already" in built, built
    with zipfile.ZipFile(app / APK) as apk:
        names = set(apk.namelist())
    assert {"assets/touchmark-initial.config", "lib/x86_64/libtouchmark.so"} <= names
    url, sent = api
    before = len(sent)
    said = start(app, language, place, url, tmp_path)
    assert said == "true"
    (token,) = sent[before:]
    assert token and re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    checked = place.administrator.run("token", "check", token).stdout
    assert "valid" in checked or "decoy" in checked, checked


def start(app: Path, language: str, place: Place, url: str, folder: Path) -> str:
    """Runs the classes that the build compiled, with the libraries that it resolved."""
    resolved = place.gradle.home / "caches/modules-2/files-2.1"
    (aar,) = {
        path.name: path for path in resolved.rglob("touchmark-attestation-0.1.0.aar")
    }.values()
    with zipfile.ZipFile(aar) as archive:
        archive.extractall(folder / "aar")
    stand_ins = folder / "platform"
    sources = [*java_files(ANDROID / "test/java/android", ANDROID / "platform"),
               *java_files(HERE / "apps/android"), HERE / "apps/Start.java"]  # fmt: skip
    done = subprocess.run(
        ["javac", "-nowarn", "-cp", f"{libraries(ANDROID)}/*", "-d", stand_ins, *sources],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    build = app / "app/build"
    jars = [*resolved.rglob("*.jar"), *(place.gradle.folder / "registry").rglob("*.jar")]
    class_path = [build / "classes/release", build / "kotlin/release", stand_ins,
                  folder / "aar/classes.jar", *jars]  # fmt: skip
    which = ["com.example.app.Rates", "areThere"]
    if language == "kotlin":
        which = ["com.example.app.App2Kt", "ratesAreThere"]
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
         f"-Djava.library.path={folder / 'aar/jni/x86_64'}",
         f"-Dapp.data={folder / 'data'}", f"-Dapp.assets={build / 'assets/release'}",
         f"-Djavax.net.ssl.trustStore={place.gradle.folder / 'trusted.jks'}",
         "-Djavax.net.ssl.trustStorePassword=changeit",
         "-cp", ":".join(map(str, class_path)), "Start", *which, url],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (answer,) = re.findall(r"^ANSWER (\S+)$", done.stdout, re.MULTILINE)
    return str(answer)
