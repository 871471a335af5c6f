"""Whatever is wrong: one line that says so, a hint, and an exit status of its own."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest

from kit import apk
from kit.command import Command
from kit.service import Service

USAGE, NOT_CONFIGURED, UNREACHABLE, UNAUTHORIZED = 2, 3, 4, 5
NO_SPACE, ADDRESS_IN_USE, NOT_FOUND = 6, 7, 8
PIN = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def refused(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """It ended with `status` and one line on standard error that names what is
    wrong and what to do."""
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("touchmark: ")
    assert "; " in done.stderr, "no hint"
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["regstration", "add", "x"], "'registration'"),
        (["token", "chekc", "x"], "'check'"),
        (["token", "-chek", "x"], "see `touchmark token --help`"),
        (["sdk", "-getLibary", "x"], "see `touchmark sdk --help`"),
        (["registration", "add", "x.apk", "--expire-afer", "1s"], "'--expire-after'"),
        (["registration", "add"], "--help"),
        (["status", "extra"], "--help"),
        (["registration", "add", "x.apk", "--expire-after", "soon"], "600s"),
    ],
)
def test_unknown_commands_and_options(touchmark: Command, arguments: list[str], hint: str) -> None:
    refused(touchmark.run(*arguments), USAGE, hint)


def test_nothing_set_up(nobody: Command) -> None:
    refused(nobody.run("status"), NOT_CONFIGURED, "touchmark init")
    refused(nobody.run("status", "--profile", "prod"), NOT_FOUND, "prod")


def test_damaged_profile(touchmark: Command) -> None:
    profile = touchmark.home / "profiles/default.json"
    profile.write_text("{")
    refused(touchmark.run("status"), NOT_CONFIGURED, str(profile))


def test_wrong_tokens(nobody: Command, touchmark: Command, service: Service) -> None:
    pin = service.credentials()["pin"]
    init = ["init", service.url, "--pin", pin, "--profile", "wrong"]
    refused(nobody.run(*init, "--token", "tmk_admin_wrong"), UNAUTHORIZED, "token")
    refused(nobody.run(*init, "--token", ""), USAGE, "--token")
    assert not (nobody.home / "profiles/wrong.json").exists()
    touchmark.environment["TOUCHMARK_TOKEN"] = "tmk_admin_wrong"
    refused(touchmark.run("status"), UNAUTHORIZED)


def test_wrong_token_with_a_large_upload(touchmark: Command, big_release: Path) -> None:
    touchmark.environment["TOUCHMARK_TOKEN"] = "tmk_admin_wrong"
    refused(touchmark.run("registration", "add", big_release), UNAUTHORIZED)


def test_role_that_is_not_enough(developer: Command) -> None:
    refused(developer.run("secret", "get"), UNAUTHORIZED, "admin")
    refused(developer.run("audit", "list"), UNAUTHORIZED, "admin")


def test_unreachable_service(nobody: Command) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    refused(nobody.run("init", url, "--token", "tmk_x"), UNREACHABLE, url, "touchmark serve")
    refused(
        nobody.run("init", "nowhere.invalid", "--token", "tmk_x"), UNREACHABLE, "nowhere.invalid"
    )


def test_silent_service(nobody: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        done = nobody.run(
            "init", url, "--token", "tmk_x", "--pin", PIN, "--timeout", "1", timeout=10
        )
    refused(done, UNREACHABLE, "--timeout")


def test_service_without_tls(nobody: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        done = nobody.run("init", url, "--token", "tmk_x", "--pin", PIN)
        thread.join()
    refused(done, UNREACHABLE, "HTTPS")


def test_another_key_than_the_pinned_one(touchmark: Command, service: Service) -> None:
    touchmark.environment["TOUCHMARK_PIN"] = PIN
    refused(touchmark.run("status"), UNREACHABLE, "not the pinned one")


def test_self_signed_service_without_pin(nobody: Command, service: Service) -> None:
    done = nobody.run("init", service.url, "--token", "tmk_x")
    refused(done, UNREACHABLE, service.credentials()["pin"], "--pin")


def declares_1gb() -> bytes:
    """A few bytes of code that both of its headers call 1 GB, under a signature that verifies."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AndroidManifest.xml", apk.compile_manifest("com.example.large"))
        archive.writestr("classes.dex", b"dex\n035\0")
    content = bytearray(out.getvalue())
    struct.pack_into("<I", content, content.index(b"classes.dex") - 30 + 22, 1 << 30)
    struct.pack_into("<I", content, content.rindex(b"classes.dex") - 46 + 24, 1 << 30)
    return apk.sign_v2(bytes(content), apk.SigningKey.generate())


@pytest.fixture(scope="session")
def bad_packages(tmp_path_factory: pytest.TempPathFactory, release: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bad")
    good = release.read_bytes()
    bomb = folder / "bomb.apk"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("classes.dex", "w", force_zip64=False) as entry,
    ):
        for _ in range(1024):
            entry.write(bytes(1 << 20))
    contents = {
        "truncated": good[: len(good) // 2],
        "cut-by-one": good[:-1],
        "empty": b"",
        "random": os.urandom(100_000),
        "declares-1gb": declares_1gb(),
        "holds-1gb-of-zeros": bomb.read_bytes(),
        "changed": good.replace(b"classes.dex", b"classes.dez"),
        "text": b"hello\n",
    }
    for name, content in contents.items():
        (folder / f"{name}.apk").write_bytes(content)
    return {name: folder / f"{name}.apk" for name in contents}


@pytest.mark.parametrize(
    "name",
    [
        "truncated",
        "cut-by-one",
        "empty",
        "random",
        "declares-1gb",
        "holds-1gb-of-zeros",
        "changed",
        "text",
    ],
)
def test_bad_packages(touchmark: Command, bad_packages: dict[str, Path], name: str) -> None:
    before = touchmark.json("registration", "list")
    refused(touchmark.run("registration", "add", bad_packages[name], timeout=20), 1, f"{name}.apk")
    assert touchmark.json("registration", "list") == before


def test_refused_package_as_json(touchmark: Command, bad_packages: dict[str, Path]) -> None:
    done = touchmark.run("registration", "add", bad_packages["text"], "--json")
    error = json.loads(done.stderr)
    assert error["exit_code"] == done.returncode == 1
    assert error["error"]["id"] == "zip.no-end-record"
    assert "text.apk" in error["error"]["message"]


def test_packages_that_cannot_be_read(touchmark: Command, tmp_path: Path) -> None:
    refused(touchmark.run("registration", "add", tmp_path / "none.apk"), USAGE, "none.apk")
    refused(touchmark.run("registration", "add", tmp_path), USAGE, str(tmp_path))


def test_unknown_names(touchmark: Command) -> None:
    refused(touchmark.run("registration", "remove", "0123456789abcdef"), NOT_FOUND, "list")
    refused(touchmark.run("api", "remove", "unknown.example"), NOT_FOUND, "list")


def test_bad_values(touchmark: Command, tmp_path: Path) -> None:
    refused(touchmark.run("api", "add", "a b"), USAGE, "api.example.com")
    refused(touchmark.run("api", "add", "a.example", "--pin", "short"), USAGE, "base64")
    (tmp_path / "x.pem").write_text("no certificate")
    refused(
        touchmark.run("api", "add", "a.example", "--from-file", tmp_path / "x.pem"), USAGE, "PEM"
    )
    refused(touchmark.run("arc", "explain", "AAAA1"), USAGE)
    token = touchmark.ok("token", "example").strip()
    refused(
        touchmark.run("token", "check", token, "--secret-file", tmp_path / "none"), USAGE, "none"
    )


def test_errors_as_json(nobody: Command) -> None:
    done = nobody.run("status", "--json")
    error = json.loads(done.stderr)
    assert error["exit_code"] == done.returncode == NOT_CONFIGURED
    assert error["error"]["id"] == "cli.not-configured"


# A file system of its own in a mount namespace of its own: as full as a disk can be.
def on_small_disk(folder: Path, size: str) -> list[str]:
    mount = f'mount -t tmpfs -o size={size} tmpfs "{folder}" && exec "$@"'
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *root, "sh", "-c", mount, "sh"]


def test_full_disk_behind_standard_output(touchmark: Command) -> None:
    with Path("/dev/full").open("w") as full:
        refused(touchmark.run("status", stdout=full), NO_SPACE)


def test_full_disk_here(
    nobody: Command, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("with-large-sdk")
    (folder / "sdk").mkdir()
    (folder / "sdk/touchmark_sdk.aar").write_bytes(os.urandom(200_000))
    (tmp_path / "disk").mkdir()
    service = Service(folder / "data", ["--sdk-dir", str(folder / "sdk")]).start()
    try:
        nobody.init(service)
        target = tmp_path / "disk/touchmark_sdk.aar"
        done = nobody.run("sdk", "library", target, prefix=on_small_disk(tmp_path / "disk", "64k"))
        refused(done, NO_SPACE, str(target))
    finally:
        service.stop()


@pytest.fixture(scope="session")
def big_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("big") / "big.apk"
    manifest = apk.compile_manifest("com.example.big", "Big")
    dex = b"dex\n035\0" + os.urandom(8 << 20)
    path.write_bytes(apk.build(manifest, apk.SigningKey.generate(), {"classes.dex": dex}))
    return path


def test_full_disk_of_the_service(
    nobody: Command, tmp_path: Path, big_release: Path, release: Path
) -> None:
    (tmp_path / "data").mkdir()
    service = Service(tmp_path / "data", prefix=on_small_disk(tmp_path / "data", "4m")).start()
    try:
        nobody.init(service)
        refused(nobody.run("registration", "add", big_release), NO_SPACE)
        # It goes on with what fits.
        assert nobody.json("registration", "list")["registrations"] == []
        nobody.ok("registration", "add", release)
    finally:
        service.stop()


def test_port_in_use(nobody: Command, service: Service, tmp_path: Path) -> None:
    done = nobody.run("serve", "--data", tmp_path / "data", "--listen", service.listen)
    assert done.returncode == ADDRESS_IN_USE
    assert service.listen in done.stderr.splitlines()[-1]
