"""The options of the real service: file, environment and flags, what is said of mistakes, and
which data folder and public URL it takes."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.command import Command
from kit.service import BINARY, ROOT, Service

OK, NO, USAGE, STORE = 0, 1, 2, 9


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "touchmark.toml"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Service]]:
    """Services that are ended with the test."""
    services: list[Service] = []
    yield services
    for service in services:
        service.stop()


def show(command: Command, *arguments: str | Path) -> dict[str, Any]:
    shown: dict[str, Any] = command.json("serve", "config", "show", *arguments)
    return shown


# --- check and show ---------------------------------------------------------------------------


def test_show_says_who_said_what(nobody: Command, config: Path) -> None:
    config.write_text('# mine\nissuer = "file"\naudience = "file"\ntoken_lifetime = "10m"\n')
    nobody.environment |= {"TOUCHMARK_CONFIG": str(config), "TOUCHMARK_AUDIENCE": "environment"}
    shown = show(nobody, "--token-lifetime", "20m")
    assert shown["file"] == str(config)
    options = shown["options"]
    where = {"kind": "file", "file": str(config), "line": 2, "column": 1}
    assert options["issuer"] == {"value": "file", "from": where}
    assert options["audience"]["value"] == "environment"
    assert options["audience"]["from"] == {"kind": "environment", "name": "TOUCHMARK_AUDIENCE"}
    assert options["token_lifetime"]["value"] == "20m"
    assert options["token_lifetime"]["from"] == {"kind": "flag", "name": "--token-lifetime"}
    assert options["challenge_lifetime"] == {"value": "120s", "from": {"kind": "default"}}
    assert options["threads"]["value"] == 0 and options["reveal_reasons"]["value"] is False
    assert options["listen"]["value"] == ["127.0.0.1:8443"]
    lines = nobody.ok("serve", "config", "show").splitlines()
    assert lines[0].split() == ["OPTION", "VALUE", "FROM"]
    assert any(re.fullmatch(rf"issuer +file +{re.escape(str(config))}:2", line) for line in lines)
    assert any(line.startswith("listen ") and line.endswith("default") for line in lines)


def test_check_tells_all_mistakes_at_once(nobody: Command, config: Path, tmp_path: Path) -> None:
    config.write_text('lissen = ":1"\nthreads = "2"\nlog_level = "loud"\n')
    nobody.environment["TOUCHMARK_MAX_UPLOAD"] = "much"
    done = nobody.run("serve", "config", "check", "--config", config, "--threads", "9999")
    assert done.returncode == USAGE and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == f"touchmark: {config}:1:1: lissen: unknown key; did you mean listen?"
    assert f"touchmark: {config}:2:11: threads: is not a whole number" in lines
    assert any(f"{config}:3:13: log_level: " in line for line in lines)
    assert any("TOUCHMARK_MAX_UPLOAD: " in line for line in lines)
    assert any("--threads: " in line for line in lines)
    assert "5 mistakes" in lines[-1] and "--help" in lines[-1] and len(lines) == 6
    answer = json.loads(nobody.run("serve", "config", "check", "--json", "--config", config).stdout)
    assert answer["valid"] is False
    assert answer["problems"][0]["suggestion"] == "listen"
    assert answer["problems"][0]["where"] == f"{config}:1:1: lissen"
    # The service refuses them with the same words, and makes no folder.
    data = tmp_path / "data"
    served = nobody.run("serve", "--config", config, "--data", data)
    assert served.returncode == USAGE and f"{config}:1:1: lissen" in served.stderr
    assert not data.exists()


def test_check_reads_the_files_that_options_name(
    nobody: Command, config: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    config.write_text(
        'cert = "bad.pem"\nkey = "bad.pem"\nhardware_roots = "bad.pem"\n'
        'revocation_ca = "none.pem"\nplay_integrity_keys = "bad.pem"\n'
    )
    done = nobody.run("serve", "config", "check", "--config", config)
    assert done.returncode == USAGE
    for line, key in ((1, "cert"), (3, "hardware_roots"), (4, "revocation_ca")):
        assert f"touchmark: {config}:{line}:1: {key}: " in done.stderr
    assert f"{config}:5:1: play_integrity_keys: " in done.stderr
    assert str(tmp_path / "none.pem") in done.stderr, "beside the file, not where one stands"


def test_check_of_what_is_well(nobody: Command, config: Path) -> None:
    done = nobody.run("serve", "config", "check")
    assert done.returncode == OK and "no configuration file" in done.stdout
    assert "warning: no public_url is set" in done.stderr
    local = nobody.run("serve", "config", "check", "--public-url", "https://10.0.0.1")
    assert local.returncode == OK and "https://10.0.0.1" in local.stderr
    config.write_text('public_url = ["https://attest.example.com"]\n')
    assert nobody.ok("serve", "config", "check", "--config", config) == f"{config} is valid\n"
    answer = nobody.json("serve", "config", "check", "--config", config)
    assert answer == {"file": str(config), "valid": True, "problems": [], "warnings": []}


def test_one_mistake_is_one_line(nobody: Command, config: Path) -> None:
    for arguments in (["--config", str(config)], ["--listen", "8443"], ["--threads", "x"]):
        for command in (["serve", *arguments], ["serve", "config", "check", *arguments]):
            done = nobody.run(*command)
            assert done.returncode == USAGE
            assert done.stderr.count("\n") == 1 and "; " in done.stderr, done.stderr


def test_unknown_words_below_serve(nobody: Command) -> None:
    assert "'config'" in nobody.run("serve", "cofnig").stderr
    assert "'check'" in nobody.run("serve", "config", "chek").stderr
    assert "check, show, example" in nobody.run("serve", "config").stderr
    assert "--listen" in nobody.run("serve", "--listn", "x").stderr
    assert "--data" in nobody.run("serve", "--data").stderr, "no value"


def test_unknown_variables_warn(nobody: Command, tmp_path: Path, started: list[Service]) -> None:
    nobody.environment |= {"TOUCHMARK_LISTN": "x", "TOUCHMARK_MODE": "report"}
    url = "https://attest.example.com"
    done = nobody.run("serve", "config", "check", "--public-url", url)
    assert done.returncode == OK
    assert done.stderr.count("\n") == 1
    assert "TOUCHMARK_LISTN" in done.stderr and "TOUCHMARK_LISTEN?" in done.stderr
    prefix = ["env", "TOUCHMARK_LISTN=x"]
    started.append(Service(tmp_path / "data", prefix=prefix).start())
    (event,) = [e for e in started[0].events() if e["event"] == "config.variable"]
    assert event["level"] == "warning" and "TOUCHMARK_LISTEN?" in event["warning"]


def test_a_key_is_never_shown(nobody: Command, tmp_path: Path) -> None:
    key = "A" * 43 + "="
    for arguments in (
        ["serve"],
        ["serve", "config", "show"],
        ["serve", "config", "show", "--json"],
    ):
        done = nobody.run(*arguments, "--data", tmp_path / "data", "--master-key", key)
        assert done.returncode == USAGE
        assert key not in done.stdout + done.stderr


def test_the_service_takes_file_and_environment(
    tmp_path: Path, config: Path, started: list[Service]
) -> None:
    config.write_text(
        'public_url = ["https://attest.example.com", "https://b.example.com"]\n'
        'token_header = "X-Of-File"\naudience = "x"\n'
    )
    prefix = ["env", f"TOUCHMARK_CONFIG={config}", "TOUCHMARK_TOKEN_HEADER=X-Of-Environment"]
    service = Service(tmp_path / "data", prefix=prefix).start()
    started.append(service)
    admin = Command(tmp_path / "home")
    admin.init(service)
    assert admin.json("status")["public_urls"] == [
        "https://attest.example.com",
        "https://b.example.com",
    ]
    assert admin.json("policy", "show")["settings"]["token"]["header"] == "X-Of-Environment"
    (event,) = [e for e in service.events() if e["event"] == "config"]
    assert event["file"] == str(config)


def test_the_master_key_is_a_credential(tmp_path: Path, started: list[Service]) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    key = credentials / "master.key"
    key.write_text("A" * 43 + "=\n")
    key.chmod(0o440)
    service = Service(tmp_path / "data", prefix=["env", f"CREDENTIALS_DIRECTORY={credentials}"])
    started.append(service.start())
    assert not (service.data / "master.key").exists()


def test_several_addresses(tmp_path: Path, started: list[Service]) -> None:
    service = Service(tmp_path / "data", ["--listen", "[::1]:0"]).start()
    started.append(service)
    event = [e for e in service.events() if e["event"] == "listening"][-1]
    assert len(event["listens_on"]) == 2 and event["every_interface"] is False
    for where in event["listens_on"]:
        assert get(f"https://{where}/healthz") == (200, {"status": "ok"})


# --- The example and the help -----------------------------------------------------------------


def test_the_example_is_that_of_the_table(nobody: Command, config: Path) -> None:
    text = nobody.ok("serve", "config", "example")
    kept = (ROOT / "packaging/touchmark.toml").read_text()
    assert kept == text, "touchmark serve config example > packaging/touchmark.toml"
    config.write_text(kept)
    assert nobody.ok("serve", "config", "check", "--config", config)
    assert tomllib.loads(kept) == {}, "nothing in it is in force"
    shown = show(nobody)["options"]
    values = tomllib.loads(re.sub(r"^#(?=\w+ = )", "", kept, flags=re.MULTILINE))
    assert set(values) == set(shown), "every option is in it"
    for key, value in values.items():
        default = shown[key]["value"]
        if default not in (None, []) and key not in ("data", "sdk_dir"):
            assert value == default, key
        # Each is one that the service takes.
        config.write_text(f"{key} = {json.dumps(value)}\n")
        done = nobody.run("serve", "config", "show", "--config", config)
        for line in done.stderr.splitlines():
            assert "needs" in line or "LoadCredential" in line, line


def options_of(shown: str) -> Iterator[tuple[str, str, str]]:
    """Name, word and description of each option."""
    pattern = re.compile(
        r"^  (?:-\w, ?)?(?:-\w,)?(--[\w-]+)(?: ([^\s]+))?((?:\s{2,}|\n {30}).*(?:\n {30}.*)*)",
        re.MULTILINE,
    )
    for name, word, text in pattern.findall(shown):
        yield name, word, " ".join(text.split())


def test_every_value_has_a_word(nobody: Command) -> None:
    seen = 0
    for path, shown in nobody.every_help():
        for name, word, _ in options_of(shown):
            seen += 1
            where = f"{' '.join(path)} {name} {word}"
            assert word == "" or re.fullmatch(r"[A-Z][A-Z:=]+|N", word), where
            assert word not in ("TEXT", "UINT", "INT", "FLOAT", "BOOLEAN", "VALUE"), where
    assert seen > 80


# What nothing takes the place of: it is required, or a thing more where it is given.
WITHOUT_DEFAULT = {
    "--type", "--challenge", "--challenge-hex", "--client-data-hash", "--app-id", "--key",
    "--previous-counter", "--policy", "--signing-certificate", "--v4-signature-file",
    "--revision", "--after", "--backup-pin", "--credentials", "--pin", "--role", "--app",
    "--credentials-file", "--token-file", "--output", "--data", "--group", "--kid", "--kind",
    "--bind", "--format", "--audience", "--issuer", "--level", "--prefix",
}  # fmt: skip


def test_every_default_is_shown(nobody: Command) -> None:
    for path, shown in nobody.every_help():
        for name, word, text in options_of(shown):
            if word and (path[:1] == ["serve"] or name not in WITHOUT_DEFAULT):
                assert re.search(r"\(default: .+\)$", text), f"{' '.join(path)} {name}: {text}"
    shown = nobody.ok("serve", "--help")
    for default in ("127.0.0.1:8443", "/var/lib/touchmark", "300s", "24h", "2147483648", "4096"):
        assert default in shown
    assert len(list(options_of(shown))) > 40, "the pattern finds them"


def test_manual_and_completion_name_the_options(nobody: Command, tmp_path: Path) -> None:
    nobody.ok("man", "--to", tmp_path)
    page = (tmp_path / "touchmark-serve.1").read_text().replace("\\-", "-")
    for name, word, _ in options_of(nobody.ok("serve", "--help")):
        assert f"{name} {word}".strip() in page
    assert "(default: 127.0.0.1:8443)" in page
    assert "touchmark serve config check" in page
    for shell in ("bash", "zsh", "fish"):
        script = nobody.ok("completion", shell)
        assert "admin-listen" in script and "example" in script


# --- The public URL ---------------------------------------------------------------------------


def test_sdk_config_needs_a_public_url(tmp_path: Path, started: list[Service]) -> None:
    service = Service(tmp_path / "data").start()
    started.append(service)
    developer = Command(tmp_path / "home")
    developer.init(service, "developer")
    target = tmp_path / "initial.config"
    done = developer.run("sdk", "config", target)
    assert done.returncode == NO and done.stderr.count("\n") == 1
    for word in ("https://localhost:", "--public-url", "--allow-local"):
        assert word in done.stderr
    assert not target.exists()
    error = json.loads(developer.run("sdk", "config", target, "--json").stderr)
    assert error["error"]["id"] == "cli.local-url"
    developer.ok("sdk", "config", target, "--allow-local")
    assert target.exists()
    assert "https://localhost:" in developer.run("status").stderr
    (warning,) = [e for e in service.events() if e["event"] == "public_url.local"]
    assert warning["level"] == "warning" and "--public-url" in warning["advice"]


@pytest.mark.parametrize(
    ("url", "is_public"),
    [
        ("https://attest.example.com", True),
        ("https://8.8.8.8:8443", True),
        ("https://localhost", False),
        ("https://127.0.0.2:8443", False),
        ("https://192.168.7.7", False),
        ("https://169.254.1.1", False),
        ("https://[fe80::1]", False),
        ("https://[fd00::1]:8443", False),
        ("https://box.local", False),
        ("https://box", False),
    ],
)
def test_which_url_is_public(
    tmp_path: Path, started: list[Service], url: str, is_public: bool
) -> None:
    service = Service(tmp_path / "data", ["--public-url", url]).start()
    started.append(service)
    command = Command(tmp_path / "home")
    command.init(service)
    done = command.run("sdk", "config", tmp_path / "initial.config")
    assert (done.returncode == OK) is is_public, done.stderr
    warned = any(e["event"] == "public_url.local" for e in service.events())
    assert warned is not is_public
    assert (url in command.run("status").stderr) is not is_public


def test_a_name_in_the_certificate_is_no_public_url(tmp_path: Path, started: list[Service]) -> None:
    service = Service(tmp_path / "data", ["--host", "attest.example.com"]).start()
    started.append(service)
    command = Command(tmp_path / "home")
    command.init(service)
    done = command.run("sdk", "config", tmp_path / "initial.config")
    assert done.returncode == NO and "no --public-url" in done.stderr


def test_the_start_says_where_it_listens_and_what_apps_are_told(
    tmp_path: Path, started: list[Service]
) -> None:
    service = Service(tmp_path / "data", listen=":0").start()
    started.append(service)
    (event,) = [e for e in service.events() if e["event"] == "listening"]
    assert event["listens_on"] == [f"[::]:{event['port']}"]
    assert event["every_interface"] is True
    assert event["apps_are_told"] == [f"https://localhost:{event['port']}"]
    (warning,) = [e for e in service.events() if e["event"] == "public_url.local"]
    assert "every interface" in warning["warning"]


# --- The data folder --------------------------------------------------------------------------


def serve(data: Path, prefix: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    command = Command(data.parent / "home")
    arguments = ["serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    done: subprocess.CompletedProcess[str] = command.run(*arguments, prefix=prefix or [])
    return done


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == STORE, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("touchmark: ") and "; " in last
    for word in words:
        assert word in last, last


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "tls"
    data.mkdir(mode=0o755)
    (data / "site.pem").write_text("mine")
    refused(serve(data), str(data), "site.pem", "empty folder")
    assert [path.name for path in data.iterdir()] == ["site.pem"]
    assert data.stat().st_mode & 0o777 == 0o755


def test_an_open_folder_becomes_private(tmp_path: Path, started: list[Service]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "lost+found").mkdir()
    data.chmod(0o777)
    service = Service(data).start()
    started.append(service)
    assert data.stat().st_mode & 0o7777 == 0o700
    (event,) = [e for e in service.events() if e["event"] == "data.made_private"]
    assert event["mode_before"] == "0777"


AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_permissions_are_said_as_such() -> None:
    # Below /tmp itself: pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp())
    try:
        data = folder / "data"
        Service(data).start().stop()
        folder.chmod(0o755)
        binary = folder / "touchmark"
        shutil.copy(BINARY, binary)
        binary.chmod(0o755)

        def as_nobody() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*AS_NOBODY, str(binary), "serve", "--data", str(data),
                 "--listen", "127.0.0.1:0", "--revocation", "off"],
                env={"HOME": str(folder)}, capture_output=True, text=True, timeout=30, check=False,
            )  # fmt: skip

        refused(as_nobody(), str(data), "--data")
        for path in (data, *data.rglob("*")):
            os.chown(path, 65534, 65534)
        os.chown(data / "touchmark.db", 0, 0)
        (data / "touchmark.db").chmod(0o644)
        done = as_nobody()
        refused(done, "touchmark.db", "may not write", "chown")
        assert "backup" not in done.stderr
        # Root is not the folder's owner, who could read its keys.
        refused(serve(data), str(data), "65534", "--data")
    finally:
        shutil.rmtree(folder)


def test_a_disk_that_is_mounted_read_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Service(data).start().stop()
    mount = f'mount --bind "{data}" "{data}" && mount -o remount,ro,bind "{data}" && exec "$@"'
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = serve(data, ["unshare", "--mount", *root, "sh", "-c", mount, "sh"])
    refused(done, str(data), "Read-only file system")
    assert "backup" not in done.stderr


def test_others_must_not_replace_the_folder(tmp_path: Path) -> None:
    parent = tmp_path / "shared"
    parent.mkdir()
    parent.chmod(0o777)
    refused(serve(parent / "data"), str(parent), "chmod o-w")
    parent.chmod(0o700)


def get(url: str) -> tuple[int, Any]:
    trust_all = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(url, context=trust_all, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_folder_that_moves_is_noticed(
    tmp_path: Path, started: list[Service], release: Path
) -> None:
    service = Service(tmp_path / "data").start()
    started.append(service)
    admin = Command(tmp_path / "home")
    admin.init(service)
    assert get(f"{service.url}/readyz")[0] == 200
    service.data.rename(tmp_path / "elsewhere")
    status, problem = get(f"{service.url}/readyz")
    assert status == 503
    assert str(service.data) in problem["detail"] and "moved" in problem["detail"]
    assert problem["type"] == "urn:touchmark:error:data-folder.moved"
    done = admin.run("registration", "add", release)
    assert done.returncode != OK and "moved or removed" in done.stderr
    deadline = time.monotonic() + 15
    while not any(e["event"] == "data.moved" for e in service.events()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (tmp_path / "elsewhere").rename(service.data)
    assert get(f"{service.url}/readyz")[0] == 200
    admin.ok("registration", "add", release)


# --- Messages that are put together -----------------------------------------------------------


def test_messages_about_files_are_sentences(touchmark: Command, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    none = tmp_path / "none"
    lines: list[list[str | Path]] = [
        ["registration", "add", folder],
        ["package", "verify", folder],
        ["registration", "add-certificate", folder],
        ["registration", "add", none],
        ["registration", "add-certificate", none],
        ["policy", "check", folder],
        ["policy", "check", none],
        ["api", "add", "a.example", "--from-file", folder],
        ["api", "add", "a.example", "--from-file", none],
        ["token", "check", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "--secret-file", folder],
        ["init", "https://a.example", "--credentials", folder],
        ["evidence", "verify", "--type", "android-key", folder],
        ["evidence", "inspect", none],
        ["serve", "--hardware-roots", none, "--data", tmp_path / "d"],
        ["serve", "--config", folder],
    ]
    for arguments in lines:
        done = touchmark.run(*arguments)
        assert done.returncode != OK, arguments
        path = re.escape(str(arguments[-1] if "--data" not in arguments else none))
        # "cannot read PATH: why", "PATH: why"; never "cannot read PATH is not why".
        said = done.stdout + done.stderr
        assert re.search(rf"{path}: \S", said), said
        assert not re.search(rf"cannot \w+ {path} is", said), said
