"""The container image: built by buildah over a bare Debian, and run as a container runs it: without
privileges, with a root that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from install.conftest import ROOT, Run

USER = 10001
CONTAINER = ROOT / "packaging/container"


class Image:
    """An image in a storage of its own."""

    def __init__(self, run: Run, folder: Path, package: Path):
        self.run = run
        self.storage = [
            "--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs",
        ]  # fmt: skip
        # In place of docker.io's debian:bookworm-slim.
        base = folder / "base"
        run("tools/fresh-root", "--keep", "--root", base, "--file", package, "true")
        container = self.buildah("from", "scratch")
        self.buildah("add", "-q", container, base, "/")
        self.buildah("commit", "-q", "--rm", container, "localhost/debian:bookworm-slim")
        shutil.rmtree(base)
        context = folder / "context"
        context.mkdir()
        shutil.copy(package, context)
        self.buildah(
            "build", "--isolation", "chroot", "--format", "docker",
            "--build-arg", "BASE=localhost/debian:bookworm-slim",
            "-t", "touchmark", "-f", CONTAINER / "Containerfile", context,
        )  # fmt: skip
        self.root = Path(self.buildah("mount", self.buildah("from", "touchmark")))

    def buildah(self, *arguments: str | Path) -> str:
        return self.run("buildah", *self.storage, *arguments).stdout.strip()

    def settings(self) -> dict[str, Any]:
        shown = json.loads(self.buildah("inspect", "--type", "image", "touchmark"))
        settings: dict[str, Any] = shown["Docker"]["config"]
        return settings


@pytest.fixture(scope="module")
def image(
    run: Run,
    namespaces: None,
    packages: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    yield Image(run, folder, packages[0])
    shutil.rmtree(folder, ignore_errors=True)


def test_how_it_is_run(image: Image) -> None:
    settings = image.settings()
    assert settings["User"] == f"{USER}:{USER}"
    assert settings["Entrypoint"] == ["/usr/bin/touchmark"]
    assert settings["Cmd"][0] == "serve"
    assert settings["Healthcheck"]["Test"][:3] == ["CMD", "/usr/bin/touchmark", "ready"]
    assert list(settings["Volumes"]) == ["/var/lib/touchmark"]


def test_no_secret_is_in_it(image: Image) -> None:
    assert not (image.root / "etc/touchmark/master.key").exists()
    assert list((image.root / "var/lib/touchmark").iterdir()) == []
    assert not list(image.root.glob("touchmark_*.deb"))


SERVE = """
set -e
mount --bind "$1" "$1"
mount --bind "$2" "$1/var/lib/touchmark"
mount -t proc proc "$1/proc"
mount -o remount,bind,ro "$1"
shift 2
exec "$@"
"""


def test_it_serves_from_a_root_that_cannot_be_written(image: Image, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    os.chown(data, USER, USER)
    inside = ["chroot", f"--userspec={USER}:{USER}", str(image.root), "/usr/bin/touchmark"]
    with subprocess.Popen(
        [
            *["unshare", "--mount", "--propagation", "private", "bash", "-c", SERVE, "serve"],
            *[str(image.root), str(data)],
            *["setpriv", "--no-new-privs", "--bounding-set=-all,+setuid,+setgid,+sys_chroot"],
            *inside,
            *["serve", "--data", "/var/lib/touchmark", "--listen", "127.0.0.1:0"],
            *["--revocation", "off", "--log-format", "json"],
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = 0
            for line in process.stdout:
                sys.stdout.write(line)
                if '"listening"' in line:
                    port = json.loads(line)["port"]
                    break
            assert port
            assert (data / "touchmark.db").stat().st_uid == USER
            # The health check of the image, at this port.
            done = image.run(*inside, "ready", f"https://localhost:{port}")
            assert done.stdout == "ready\n"
        finally:
            process.terminate()


def test_the_compose_file_runs_it_so(image: Image) -> None:
    compose = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    service = compose["services"]["touchmark"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert (CONTAINER / service["build"]["context"]).resolve() == ROOT / "build"
    context = CONTAINER / service["build"]["context"]
    assert (context / service["build"]["dockerfile"]).resolve() == CONTAINER / "Containerfile"
    (volume,) = service["volumes"]
    assert volume.split(":")[1] in image.settings()["Volumes"]
    assert service["command"][0] == image.settings()["Cmd"][0]
