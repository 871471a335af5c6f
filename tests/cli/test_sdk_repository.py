"""The Android library as a Maven repository: over HTTPS and in a folder, the older versions too."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import secrets
import shutil
import ssl
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kit.certificate import pem, self_signed
from kit.command import Command
from kit.service import ROOT, Service

BUILT = ROOT / "build/release/share/touchmark"
PARTS = ("touchmark_sdk.aar", "touchmark_sdk-sources.jar", "touchmark_sdk-javadoc.jar")
ARTIFACT = "touchmark-attestation"
ENDINGS = (".aar", ".pom", ".module", "-sources.jar", "-javadoc.jar")
DIGESTS = ("md5", "sha1", "sha256", "sha512")
GROUP = "com.example.mobile"
MAVEN = "/admin/v1/sdk/maven"


def library(version: str, abis: tuple[str, ...] = ()) -> bytes:
    """The AAR of the build, as an earlier version had it; with libraries for further ABIs."""
    out = io.BytesIO()
    with zipfile.ZipFile(BUILT / "touchmark_sdk.aar") as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "assets/touchmark-sdk.json":
                content = json.dumps({"version": version}).encode()
            new.writestr(entry, content)
        for abi in abis:
            new.writestr(f"jni/{abi}/libtouchmark.so", b"library of " + abi.encode())
    return out.getvalue()


@dataclass
class Place:
    """A service with an SDK folder of its own, and the command of its administrator."""

    service: Service
    sdk: Path
    command: Command

    def bring(self, version: str) -> bytes:
        """As a package of that version would."""
        content = library(version)
        (self.sdk / "touchmark_sdk.aar").write_bytes(content)
        return content

    def token(self, role: str) -> str:
        return self.service.credentials()[f"{role}_token"]

    def get(self, path: str, token: str | None = "", method: str = "GET") -> tuple[int, bytes]:
        port = int(self.service.url.rsplit(":", 1)[1])
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=20, context=ssl._create_unverified_context()
        )
        sent = self.token("developer") if token == "" else token
        headers = {} if sent is None else {"Authorization": f"Bearer {sent}"}
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Has served 0.0.8 and 0.0.9, and now serves the version of the build."""
    folder = tmp_path_factory.mktemp("with-versions")
    sdk = folder / "sdk"
    sdk.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "cert.pem").write_bytes(self_signed(key, "localhost"))
    (folder / "key.pem").write_bytes(pem(key))
    options = ["--sdk-dir", str(sdk), "--public-url", "https://attest.example.com"]
    options += ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]
    made = Place(Service(folder / "data", options), sdk, Command(folder / "home"))
    for version in ("0.0.8", "0.0.9"):
        made.bring(version)
        made.service.start()
        made.service.stop()
    for name in PARTS:
        shutil.copy(BUILT / name, sdk / name)
    made.service.start()
    made.command.init(made.service)
    yield made
    made.service.stop()


def test_what_there_is(place: Place) -> None:
    shown = place.command.ok("sdk", "list").splitlines()
    assert shown[0].split() == ["version", "library", "ABIs", "packages", "origin"]
    assert [line.split()[0] for line in shown[1:]] == ["0.1.0", "0.0.9", "0.0.8"]
    assert shown[1].endswith("this service's own") and shown[2].endswith("kept")
    listed = place.command.json("sdk", "list")
    assert listed["problem"] is None
    assert [(row["version"], row["own"]) for row in listed["versions"]] == [
        ("0.1.0", True), ("0.0.9", False), ("0.0.8", False)
    ]  # fmt: skip
    files = {file["name"]: file["bytes"] for file in listed["versions"][0]["files"]}
    assert files == {
        f"{ARTIFACT}-0.1.0.aar": (BUILT / PARTS[0]).stat().st_size,
        f"{ARTIFACT}-0.1.0-sources.jar": (BUILT / PARTS[1]).stat().st_size,
        f"{ARTIFACT}-0.1.0-javadoc.jar": (BUILT / PARTS[2]).stat().st_size,
    }
    assert listed["versions"][1]["abis"] == ["x86_64"]


def test_an_app_of_an_older_version_can_be_built_again(place: Place, tmp_path: Path) -> None:
    place.command.ok("sdk", "library", tmp_path / "old.aar", "--version", "0.0.9")
    assert (tmp_path / "old.aar").read_bytes() == library("0.0.9")
    place.command.ok("sdk", "library", tmp_path / "new.aar")
    assert (tmp_path / "new.aar").read_bytes() == (BUILT / PARTS[0]).read_bytes()
    done = place.command.run("sdk", "library", tmp_path / "none.aar", "--version", "0.0.7")
    assert done.returncode == 8 and "touchmark sdk list" in done.stderr, done
    assert not (tmp_path / "none.aar").exists()


def test_the_abis_that_are_inside_are_said(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "touchmark_sdk.aar"
    own = place.sdk / "touchmark_sdk.aar"
    others = ("armeabi-v7a", "x86", "arm64-v8a")
    try:
        for abis, missing in (((), sorted(others)), (others[:2], ["arm64-v8a"]), (others, [])):
            own.write_bytes(library("0.1.0", abis))
            there = sorted((*abis, "x86_64"))
            fetched = place.command.json("sdk", "library", file)
            assert fetched == {
                "file": str(file), "bytes": own.stat().st_size, "version": "0.1.0", "abis": there
            }  # fmt: skip
            done = place.command.run("sdk", "library", file)
            assert done.stdout.endswith(f"): 0.1.0 for {', '.join(there)}\n"), done.stdout
            assert ("warning: " in done.stderr) is bool(missing)
            assert f"it has no library for {', '.join(missing)}: " in done.stderr or not missing
            assert ("`make android`" in done.stderr) is bool(missing)
        # One that says no version is handed out as it is.
        own.write_bytes(b"no archive")
        assert place.command.json("sdk", "library", file)["version"] is None
        done = place.command.run("sdk", "library", file)
        assert done.returncode == 0 and "does not say its version" in done.stderr
    finally:
        shutil.copy(BUILT / PARTS[0], own)


def test_the_folder_has_what_the_service_hands_out(place: Place, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    shown = place.command.ok("sdk", "repository", repository, "--group", GROUP).splitlines()
    assert shown == [
        f"{GROUP}:{ARTIFACT}:{version} is in {repository}"
        for version in ("0.1.0", "0.0.9", "0.0.8")
    ]
    files = {
        str(path.relative_to(repository)): path.read_bytes()
        for path in repository.rglob("*")
        if path.is_file()
    }
    base = f"com/example/mobile/{ARTIFACT}"
    main = {f"{base}/maven-metadata.xml"}
    main |= {f"{base}/0.1.0/{ARTIFACT}-0.1.0{ending}" for ending in ENDINGS}
    # The tests' packages of old brought no archives of sources.
    main |= {
        f"{base}/{version}/{ARTIFACT}-{version}{ending}"
        for version in ("0.0.8", "0.0.9")
        for ending in ENDINGS[:3]
    }
    assert set(files) == main | {f"{name}.{digest}" for name in main for digest in DIGESTS}
    for name, content in files.items():
        assert place.get(f"{MAVEN}/{name}") == (200, content), name
        assert place.get(f"{MAVEN}/{name}", method="HEAD") == (200, b""), name
    for name in main:
        for digest in DIGESTS:
            expected = hashlib.new(digest, files[name]).hexdigest()
            assert files[f"{name}.{digest}"].decode() == expected, name
    module = json.loads(files[f"{base}/0.1.0/{ARTIFACT}-0.1.0.module"])
    assert module["component"]["group"] == GROUP and module["formatVersion"] == "1.1"
    assert [variant["name"] for variant in module["variants"]] == [
        "apiElements", "runtimeElements", "sourcesElements", "javadocElements"
    ]  # fmt: skip
    for variant in module["variants"]:
        (file,) = variant["files"]
        content = files[f"{base}/0.1.0/{file['url']}"]
        assert file["size"] == len(content)
        for digest in DIGESTS:
            assert file[digest] == hashlib.new(digest, content).hexdigest()
    pom = ElementTree.fromstring(files[f"{base}/0.1.0/{ARTIFACT}-0.1.0.pom"])
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    assert pom.findtext("m:groupId", "", space) == GROUP
    assert pom.findtext("m:packaging", "", space) == "aar"
    assert pom.find("m:dependencies", space) is None
    metadata = ElementTree.fromstring(files[f"{base}/maven-metadata.xml"])
    assert metadata.findtext("versioning/release") == "0.1.0"
    assert [v.text for v in metadata.findall("versioning/versions/version")] == [
        "0.0.8", "0.0.9", "0.1.0"
    ]  # fmt: skip


def test_a_folder_is_added_to(place: Place, tmp_path: Path) -> None:
    for version in ("0.0.9", "0.1.0"):
        made = place.command.json(
            "sdk", "repository", tmp_path, "--group", GROUP, "--version", version
        )
        assert made["versions"] == [version] and made["artifact"] == ARTIFACT
    metadata = (tmp_path / f"com/example/mobile/{ARTIFACT}/maven-metadata.xml").read_text()
    assert metadata.count("<version>") == 2 and "0.0.9" in metadata and "0.0.8" not in metadata


@pytest.mark.parametrize(
    "group", ["", "touchmark", "Com.Example", "com..example", "a/b.c", "com.example/../x", "../x.y"]
)
def test_a_group_is_a_domain_backwards(place: Place, group: str, tmp_path: Path) -> None:
    done = place.command.run("sdk", "repository", tmp_path / "r", "--group", group)
    assert done.returncode == 2 and "such as com.example.mobile" in done.stderr, done
    assert not (tmp_path / "r").exists()
    # Of a/b.c the path is that of the group a.b.c.
    if group != "a/b.c":
        path = group.replace(".", "/")
        assert place.get(f"{MAVEN}/{path}/{ARTIFACT}/maven-metadata.xml")[0] == 404


def test_the_command_says_what_went_wrong(place: Place, tmp_path: Path) -> None:
    def refused(*words: str | Path) -> str:
        done = place.command.run("sdk", "repository", *words)
        assert done.returncode != 0
        return done.stderr

    assert "--group" in refused(tmp_path / "r")
    assert "0.0.7" in refused(tmp_path / "r", "--group", GROUP, "--version", "0.0.7")
    assert "touchmark_sdk.aar" in refused(
        tmp_path / "r", "--group", GROUP, "--sdk-dir", tmp_path / "empty"
    )
    (tmp_path / "file").write_text("no folder")
    assert str(tmp_path / "file") in refused(tmp_path / "file", "--group", GROUP)
    assert not (tmp_path / "r").exists()


def test_who_may_fetch_it(place: Place, tmp_path: Path) -> None:
    path = f"{MAVEN}/com/example/mobile/{ARTIFACT}/maven-metadata.xml"
    assert place.get(path, None)[0] == 401
    assert place.get(path, "tmk_wrong")[0] == 401
    for role, apps, expected in (("ci", ["--app", "com.example.app"], 200), ("helpdesk", [], 403)):
        file = tmp_path / role
        place.command.ok("operator", "add", role, "--role", role, *apps, "--credentials-file", file)
        token = json.loads(file.read_text())["token"]
        for one in (path, "/admin/v1/sdk", "/admin/v1/sdk/android?version=0.0.9"):
            assert place.get(one, token)[0] == expected, (role, one)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/com/example/mobile/touchmark-attestation",
        "/com/example/mobile/touchmark-attestation/",
        "/com/example/mobile/touchmark-attestation/0.1.0",
        "/com/example/mobile/touchmark-attestation/0.1.0/touchmark_sdk.aar",
        "/com/example/mobile/touchmark-attestation/0.1.0/touchmark-attestation-0.1.0.aar.asc",
        "/com/example/mobile/touchmark-attestation/0.1.0/touchmark-attestation-0.0.9.aar",
        "/com/example/mobile/touchmark-attestation/9.9.9/touchmark-attestation-9.9.9.aar",
        "/com/example/mobile/touchmark-attestation/../touchmark-attestation/maven-metadata.xml",
        "/com/example/mobile/touchmark-attestation/0.1.0/../../../../../../data/touchmark.db",
        "/com/example/mobile/touchmark-attestation/../../../../../../../../etc/passwd",
        "/com/example/mobile/touchmark-attestation/%2e%2e/%2e%2e/touchmark.db",
        "/com%2fexample/mobile/touchmark-attestation/maven-metadata.xml",
        "/com/example/mobile/touchmark-attestation/0.1.0%2ftouchmark-attestation-0.1.0.aar",
        "/com/example/mobile/touchmark-attestation/0.1.0/touchmark-attestation-0.1.0.aar%00.pom",
        "/com//example/mobile/touchmark-attestation/maven-metadata.xml",
        "//com/example/mobile/touchmark-attestation/maven-metadata.xml",
        "/com.example.mobile/touchmark-attestation/maven-metadata.xml",
        "/com/squareup/okhttp3/okhttp/3.12.13/okhttp-3.12.13.pom",
        "/com/example/mobile/touchmark-attestation/maven-metadata.xml.sha1.sha1",
        "/" + "a/" * 3000 + "touchmark-attestation/maven-metadata.xml",
        "/com/" + "a" * 5000 + "/touchmark-attestation/maven-metadata.xml",
    ],
)
def test_no_other_path_leads_anywhere(place: Place, path: str) -> None:
    status, body = place.get(MAVEN + path)
    assert status in (400, 404, 431), status
    problem = json.loads(body)
    assert problem["status"] == status
    # A build asks for everything it needs, and goes on to its next repository after a 404 alone.
    if "%2f" not in path and "%00" not in path and len(path) < 2000:
        assert status == 404, problem


@pytest.fixture
def own_group() -> Iterator[str]:
    """A group that the user's cache of Maven has seen nothing of, and keeps nothing of."""
    name = f"example{secrets.token_hex(6)}"
    yield f"com.example.{name}"
    shutil.rmtree(Path.home() / ".m2/repository/com/example" / name, ignore_errors=True)


def test_maven_fetches_it_over_tls(place: Place, own_group: str, tmp_path: Path) -> None:
    """A resolver that is not ours: it reads metadata, and verifies checksums and certificate."""
    java = Path(shutil.which("java") or "").resolve().parents[1]
    trusted = tmp_path / "trusted.jks"
    shutil.copy(java / "lib/security/cacerts", trusted)
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-alias", "ours", "-storepass", "changeit",
         "-file", place.service.data.parent / "cert.pem", "-keystore", trusted],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    file = tmp_path / "machine"
    place.command.ok(
        "operator", "add", f"machine-{own_group[-6:]}", "--role", "ci", "--app", "com.example.app",
        "--credentials-file", file,
    )  # fmt: skip
    token = json.loads(file.read_text())["token"]
    settings = tmp_path / "settings.xml"
    settings.write_text(
        f"""<settings><servers><server><id>touchmark</id><configuration><httpHeaders><property>
        <name>Authorization</name><value>Bearer {token}</value>
        </property></httpHeaders></configuration></server></servers></settings>"""
    )
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

    def resolve(version: str, *more: str | Path) -> subprocess.CompletedProcess[str]:
        (tmp_path / "pom.xml").write_text(
            f"""<project><modelVersion>4.0.0</modelVersion><groupId>com.example.app</groupId>
            <artifactId>app</artifactId><version>1</version><packaging>pom</packaging>
            <repositories><repository><id>touchmark</id>
            <url>{place.service.url}{MAVEN}</url></repository></repositories>
            <dependencies><dependency><groupId>{own_group}</groupId>
            <artifactId>{ARTIFACT}</artifactId><version>{version}</version><type>aar</type>
            </dependency></dependencies></project>"""
        )
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return subprocess.run(
            ["mvn", "-q", "-B", "-C", "-s", settings, "-f", tmp_path / "pom.xml", plugin,
             f"-DoutputDirectory={tmp_path / 'out'}", *more],
            check=False, capture_output=True, text=True, timeout=300,
            env={**os.environ, "MAVEN_OPTS": f"-Djavax.net.ssl.trustStore={trusted}"
                 " -Djavax.net.ssl.trustStorePassword=changeit -XX:TieredStopAtLevel=1"},
        )  # fmt: skip

    # The newest there is, by the metadata.
    done = resolve("[0.0.1,1.0)")
    assert done.returncode == 0, done.stdout
    (fetched,) = (tmp_path / "out").iterdir()
    assert fetched.read_bytes() == (BUILT / PARTS[0]).read_bytes()
    done = resolve("0.0.9")
    assert done.returncode == 0, done.stdout
    (fetched,) = (tmp_path / "out").iterdir()
    assert fetched.read_bytes() == library("0.0.9")
    for kind, name in (("sources", PARTS[1]), ("javadoc", PARTS[2])):
        done = resolve("0.1.0", f"-Dclassifier={kind}", "-Dtype=jar")
        assert done.returncode == 0, done.stdout
        (fetched,) = (tmp_path / "out").iterdir()
        assert fetched.read_bytes() == (BUILT / name).read_bytes()
    assert resolve("0.0.7").returncode != 0


def test_a_service_starts_whatever_is_in_its_sdk_folder(tmp_path: Path) -> None:
    sdk = tmp_path / "sdk"
    sdk.mkdir()
    service = Service(tmp_path / "data", ["--sdk-dir", str(sdk)])
    place = Place(service, sdk, Command(tmp_path / "home"))

    def start(*levels: tuple[str, str]) -> None:
        seen = service.log.stat().st_size if service.log.exists() else 0
        service.start()
        service.stop()
        events = [e for e in service.events(seen) if e.get("event", "").startswith("sdk.")]
        assert [(e["event"], e["level"]) for e in events] == list(levels)

    start()
    assert not (service.data / "sdk").exists()
    (sdk / "touchmark_sdk.aar").write_bytes(b"no archive")
    start(("sdk.not_kept", "warning"))
    place.bring("0.1.0")
    start(("sdk.kept", "info"))
    start()
    # A start that was killed half-way, and somebody's file in its way.
    shutil.rmtree(service.data / "sdk")
    (service.data / "sdk").write_text("a file")
    start(("sdk.not_kept", "warning"))
    (service.data / "sdk").unlink()
    (service.data / "sdk/.0.1.0.tmp").mkdir(parents=True)
    start(("sdk.kept", "info"))
    assert [path.name for path in (service.data / "sdk").iterdir()] == ["0.1.0"]


def test_the_newest_twenty_are_kept(tmp_path: Path) -> None:
    sdk = tmp_path / "sdk"
    service = Service(tmp_path / "data", ["--sdk-dir", str(sdk)])
    sdk.mkdir()
    service.start()
    service.stop()
    for minor in range(25):
        folder = service.data / f"sdk/0.{minor}.0"
        folder.mkdir(parents=True)
        (folder / "touchmark_sdk.aar").write_bytes(b"of then")
    Place(service, sdk, Command(tmp_path / "home")).bring("0.99.0")
    service.start()
    service.stop()
    kept = {path.name for path in (service.data / "sdk").iterdir()}
    assert kept == {f"0.{minor}.0" for minor in range(6, 25)} | {"0.99.0"}


def test_a_service_without_a_library_says_so(tmp_path: Path) -> None:
    (tmp_path / "sdk").mkdir()
    service = Service(tmp_path / "data", ["--sdk-dir", str(tmp_path / "sdk")]).start()
    try:
        command = Command(tmp_path / "home")
        command.init(service)
        done = command.run("sdk", "list")
        assert done.returncode == 0 and done.stdout == "no versions\n"
        assert "touchmark_sdk.aar" in done.stderr
        assert command.json("sdk", "list")["versions"] == []
        done = command.run("sdk", "repository", tmp_path / "r", "--group", GROUP)
        assert done.returncode != 0 and "touchmark_sdk.aar" in done.stderr
    finally:
        service.stop()
