"""No page, message or script tells anybody to install a name that is a stranger's, or shows a
domain that somebody may hold; docs/names.md says what is ours."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.blocks import ROOT

PAGE = (ROOT / "docs/names.md").read_text()
# Files of other origin, inputs of the fuzzers, and this test's own bad examples
NOT_OURS = ("tests/vectors/", "tests/fuzz/corpus/", "protocol/vectors/", "protocol/idn/")
# (exceptions.toml repeats lines of pages, between quotes).
NOT_OURS_FILES = {
    "tests/docs/test_names.py",
    "tests/docs/exceptions.toml",
    "LICENSE",
    "attester/javascript/package-lock.json",
    "relying-party/node/package-lock.json",
}

# What is installed from a registry by its name, and is somebody's we know.
KNOWN_PACKAGES = {
    "pip": {"gunicorn", "joserfc"},
    "apt": {"git", "make", "ca-certificates", "debootstrap", "qemu-user"},
}
# Domains of others where something of theirs is meant.
KNOWN_DOMAINS = {
    "android.googleapis.com",  # the list of revoked keys
    "type.googleapis.com",  # what the types of Envoy's configuration begin with
    "firebaseappcheck.googleapis.com",  # the keys of Firebase App Check
    "apache.org",  # the name space of Cordova's plugin.xml
    "clang.llvm.org",
    "developer.android.com",
    "developer.apple.com",
    "docs.kernel.org",
    "github.com",  # what the format of attestation results is called
    "google.golang.org",  # the Go module of gRPC
    "grapheneos.org",
    "mas.owasp.org",
    "maven.apache.org",
    "schema.getpostman.com",  # what the format of a collection is called
    "protobuf.dev",
    "schemas.android.com",
    "semver.org",
    "source.android.com",
    "www.apache.org",
    # Of who holds the rights in what is in the AAR (attester/android/NOTICE).
    "alumni.caltech.edu",
    "gzip.org",
    "haxx.se",
    "hoehrmann.de",
    "www.apple.com",
    "www.debian.org",
    "www.w3.org",
}
RESERVED = re.compile(r"(^|\.)(example|test|invalid|localhost|local|example\.(com|net|org))$")
# Maven groups of the poms of this tree, none of which is published: they claim no domain.
OWN_GROUPS = {"touchmark", "touchmark.tools"}


def files() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in listed:
        path = ROOT / name
        if name.startswith(NOT_OURS) or name in NOT_OURS_FILES or not path.is_file():
            continue
        try:
            yield name, path.read_text()
        except UnicodeDecodeError:
            continue


FILES = dict(files())


# Installing -------------------------------------------------------------------------------------

INSTALLS = re.compile(
    r"""\b(?:(?P<pip>pip[\d.]*|pipx|uv(?:\ +pip|\ +tool)?|poetry|pdm|conda|mamba|easy_install)
          |(?P<npm>npm|npx|pnpm|yarn|bun|deno)
          |(?P<apt>apt|apt-get|aptitude|dnf|yum|zypper|pacman|apk|brew|port|snap|flatpak)
          |(?P<other>gem|cargo|go|composer|nuget|dotnet|pod|helm|winget|scoop|choco)
          |(?P<image>docker|podman|nerdctl))
        (?:\ +-[^\s]+)*\ +(?:install|add|get|i|pull|run|create|tap|download|inject)
        (?P<arguments>(?:[ \t]+[^\s|;&#<>`"(){}]+|[ \t]+"[^"\n]*"|[ \t]+'[^'\n]*')+)""",
    re.VERBOSE,
)
COORDINATE = re.compile(
    r"""(?:\b(?:implementation|api|compileOnly|runtimeOnly|classpath)\b[\s(]*['"]
        (?P<group>[\w.-]+):[\w.-]+(?::[^'"]*)?['"])|<groupId>\s*(?P<xml>[\w.*-]+)\s*</groupId>""",
    re.VERBOSE,
)
IMAGE = re.compile(r"^\s*(?:FROM|image:)\s+(?P<name>[\w./:@-]+)", re.MULTILINE)
OLD = re.compile(
    r"\bfrom\s+touchmark(?:\.\w+)*\s+import\b"
    r"|(?:^|[`$(\"'>])[ \t]*import\s+(?:[\w.]+,\s*)*touchmark\b(?!\.(?:sdk|attestation)\b|[\w.]*;)"
    r"|\b(?:dev|io|org|com)[./]touchmark\b",
    re.MULTILINE,
)
# Options that take a value which is no name.
_WITH_VALUE = {"-r", "-e", "--root", "--prefix", "-C", "--requirement", "--editable", "-c"}


def registry_names() -> dict[str, bool]:
    """The page's names in registries, and whether they are published."""
    table = PAGE.split("## Names in registries")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (yes|no) \|$", table, re.MULTILINE)
    assert len(rows) >= 5
    return {
        name: published == "yes"
        for _, names, published in rows
        for name in re.findall(r"`([^`]+)`", names)
    }


def strangers(name: str, text: str) -> list[str]:
    """What a text tells to install that is neither ours, published, nor a known project's."""
    ours = {one for one, published in registry_names().items() if published}
    found: list[str] = []
    for match in INSTALLS.finditer(text):
        kind = next(group for group in ("pip", "npm", "apt", "other", "image") if match[group])
        known = KNOWN_PACKAGES.get(kind, set()) | ours
        try:
            words = shlex.split(match["arguments"])
        except ValueError:
            words = match["arguments"].split()
        skip = False
        for word in words:
            if skip or word in _WITH_VALUE:
                skip = not skip
                continue
            if not is_name(word):
                continue
            bare = re.split(r"[\[=<>~!@:;,]", word.rstrip(".,:"))[0]
            if bare not in known:
                found.append(f"{name}: {match[0].strip()}: {bare}")
    return found


def is_name(word: str) -> bool:
    """Whether a word can be a registry's name: no option, path, variable or placeholder."""
    if word.startswith(("-", ".", "/", "$", "~")) or "=${" in word or word.endswith("\\"):
        return False
    path = word.split("[")[0]
    return not (ROOT / path).exists() and bool(re.match(r"@?[A-Za-z][\w.@/-]*", word))


def of_a_script(name: str) -> bool:
    return name.endswith(
        (".md", ".txt", ".toml", ".yaml", ".yml", ".json", ".xml", ".in", ".gradle")
    ) or ("." not in Path(name).name)


def test_nobody_is_told_to_install_a_stranger_s_package() -> None:
    found = [line for name, text in FILES.items() for line in strangers(name, text)]
    assert found == []


def test_no_old_name_is_left() -> None:
    found = [f"{name}: {match[0]}" for name, text in FILES.items() for match in OLD.finditer(text)]
    assert found == []


def test_a_maven_group_is_ours_or_a_dependency_s() -> None:
    """The first group of a pom is its own; pages name no coordinates but examples."""
    for name, text in FILES.items():
        groups = [match["group"] or match["xml"] for match in COORDINATE.finditer(text)]
        if name.endswith("pom.xml"):
            assert groups[0] in OWN_GROUPS, name
            groups = groups[1:]
        # Where Gradle looks for the plugin: its id. The other is taken from a folder of ours alone.
        ours = {"touchmark.sdk", "touchmark.carried"}
        assert not [one for one in groups if "touchmark" in one and one not in ours], name
        if name.endswith(".md"):
            # The guide's app uses OkHttp, which is where it says.
            known = ("com.example.", "com.squareup.okhttp3")
            assert all(group.startswith(known) for group in groups), name


def test_images_and_java_packages_claim_nothing_of_others() -> None:
    for name, text in FILES.items():
        if re.search(r"(Dockerfile|Containerfile|compose\.ya?ml)", name):
            for match in IMAGE.finditer(text):
                assert re.match(r"(debian|scratch|touchmark)\b", match["name"]), (name, match[0])
        if name.endswith(".java") and not name.startswith(
            (
                "tests/docs/stubs/",
                "tests/javascript/stubs/",
                "attester/android/platform/",
                "attester/android/gradle-plugin/android-api/",
                "tests/gradle/apps/android/",
                "tests/gradle/stand_in/",
                "attester/android/test/java/android/",
            )
        ):
            package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
            if package:
                assert re.match(r"(touchmark|com\.example)\b", package[1]), name
        for declared in re.findall(r'<manifest\b[^>]*?\bpackage="([\w.]+)"', text):
            assert re.match(r"(touchmark|com\.example|org\.example)\b|a(\.b)?$", declared), (
                name,
                declared,
            )


@pytest.mark.parametrize(
    "text",
    [
        "pip install touchmark",
        "pip install 'touchmark[flask]'",
        "pip3 install -U touchmark==0.1.0",
        "`python -m pip install touchmark-attestation`",
        "pip install touchmark_attestation",
        "pipx install touchmark",
        "uv add touchmark",
        "uv pip install touchmark",
        "uv tool install touchmark",
        "poetry add touchmark-attestation",
        "$ npm install touchmark",
        "npm i --save touchmark-attestation",
        "yarn add @touchmark/sdk",
        "pnpm add touchmark",
        "gem install touchmark",
        "go get example.com/touchmark",
        "cargo add touchmark",
        "brew install touchmark",
        "sudo apt-get install -y touchmark",
        "apt install touchmark",
        "docker pull touchmark/touchmark",
        "docker run --rm -p 8443:8443 touchmark:latest",
        "helm install touchmark",
        "composer require touchmark/touchmark ; composer install x",
        "pip install gunicorn touchmark",
        'message("install it with pip install touchmark")',
    ],
)
def test_a_stranger_s_name_is_found(text: str) -> None:
    assert strangers("page.md", text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install './relying-party/python[flask]' gunicorn",
        "pip install -q -r tests/requirements.txt -e relying-party/python",
        "apt install ./touchmark_0.1.0_amd64.deb",
        "apt-get install -y git make",
        "npm install ./touchmark-attestation-0.1.0.tgz",
        "the installation is added",
        "pip install $packages",
    ],
)
def test_what_is_ours_or_a_path_is_left_alone(text: str) -> None:
    assert strangers("page.md", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "import touchmark",
        "import touchmark.flask",
        "from touchmark import Settings",
        "from touchmark.flask import check_touchmark_token",
        "dev.touchmark.sdk.Touchmark",
        "smali/io/touchmark/demo",
    ],
)
def test_an_old_name_is_found(text: str) -> None:
    assert OLD.search(text)
    for fine in ("import touchmark.sdk.Touchmark;", "import touchmark_attestation"):
        assert not OLD.search(fine)


# Domains ----------------------------------------------------------------------------------------

URL = re.compile(r"\b(?:https?|wss?|git|ssh)://([^\s/?#\"'`<>)\]},;|\\]+)", re.IGNORECASE)
MAIL = re.compile(r"(?<!@)\b[A-Za-z0-9._%+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})\b")
# A domain in prose and in quotes; not the members and files that end like one.
TOP = "com|org|net|io|dev|app|cloud|sh|me|ai|co|uk|info|xyz|tech|page|site|online"
BARE = re.compile(
    rf"(?<![\w./@:-])(?!(?:com|org|net|io|dev|javax?)\.)((?:[a-z0-9-]+\.)+(?:{TOP}))(?![\w(.-])(?!\.\w)"
)
_IDS = {"source.io", "ipa.info", "play.app"}  # of errors and findings


def is_held(host: str) -> bool:
    """Whether somebody may hold this domain whom we do not mean."""
    host = host.rsplit("@", 1)[-1].rstrip(".:").lower()
    host = re.sub(r":[\d*{}$\w]*$", "", host).strip("[]")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+", host):
        return False  # a placeholder, a single label, an address, or what no resolver takes
    return not RESERVED.search(host) and host not in KNOWN_DOMAINS


def domains(name: str, text: str) -> set[str]:
    # A host with an escape behind it is a test's hostile URL.
    urls = (match for match in URL.finditer(text) if text[match.end() : match.end() + 1] != "\\")
    found = {match[1] for match in urls} | set(MAIL.findall(text))
    if name.endswith((".md", ".yaml", ".service", ".1")):
        found |= set(BARE.findall(text)) - _IDS
    return {host for host in found if is_held(host)}


def test_no_domain_is_one_that_somebody_may_hold() -> None:
    found = {name: hosts for name, text in FILES.items() if (hosts := domains(name, text))}
    assert found == {}, "use example.com or .example (RFC 2606), or list the domain that is meant"


def test_every_known_domain_occurs() -> None:
    every = "\n".join(FILES.values())
    assert [domain for domain in sorted(KNOWN_DOMAINS) if domain not in every] == []


@pytest.mark.parametrize(
    "text",
    [
        "see https://touchmark.dev/docs",
        "write to security@touchmark.io",
        "https://touchmark.example.dev",
        "open https://my-company.com:8443/x",
        "the host attest.mycompany.com answers",
        "git clone ssh://git@git.touchmark.org/x",
        "https://notexample.com",
        "https://example.company.com",
    ],
)
def test_a_held_domain_is_found(text: str) -> None:
    assert domains("page.md", text)


@pytest.mark.parametrize(
    "text",
    [
        "https://attest.example.com:8443/v1/challenge",
        "https://api.example, https://192.0.2.7 and https://[::1]:5001",
        "https://HOST[:PORT] or https://localhost:{port}",
        "com.example.app in java.net.URL of java.io",
        "someone@example.org",
    ],
)
def test_what_nobody_can_hold_is_left_alone(text: str) -> None:
    assert domains("page.md", text) == set()


# The page ---------------------------------------------------------------------------------------


def test_every_name_of_the_page_is_where_it_says() -> None:
    rows = re.findall(
        r"^\| (`[^|]+) \| [^|]+ \| \[[^\]]+\]\(([^)#]+)[^)]*\) \|$", PAGE, re.MULTILINE
    )
    assert len(rows) >= 25
    for names, target in rows:
        file = (ROOT / "docs" / target).resolve()
        text = file.read_text()
        for name in re.findall(r"`([^`]+)`", names):
            wanted = name.rstrip("…").split("[")[0]
            assert wanted in text or wanted == file.name, f"{target} has no {name}"


def test_the_page_has_the_names_of_the_packages() -> None:
    for name, text in FILES.items():
        if name.endswith("pyproject.toml"):
            for declared in re.findall(r'^name = "([^"]+)"', text, re.MULTILINE):
                assert declared in registry_names(), name
        if name.endswith("package.json") and '"private": true' not in text:
            for declared in re.findall(r'^  "name": "([^"]+)"', text, re.MULTILINE):
                assert declared in registry_names(), name
    maven = (ROOT / "verifier/sdk/maven.h").read_text()
    assert 'kArtifact = "touchmark-attestation"' in maven and "touchmark-attestation" in PAGE
