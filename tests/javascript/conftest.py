from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from docs.blocks import blocks
from javascript.workspace import NODE_MODULES, WORKSPACE, compile_tests, npm_install
from kit import apk
from kit.certificate import pem, pin_of, self_signed
from kit.registered_app import set_policy, touchmark, touchmark_json
from kit.service import ROOT, Service

ADDON = ROOT / "build/javascript/addon"
PACKAGE = "com.example.app"


@pytest.fixture(scope="session")
def addon() -> Path:
    """The folder with the addon and the core's library, as an app carries them."""
    subprocess.run([WORKSPACE / "build-addon", ROOT / "build/release"], check=True, timeout=600)
    return ADDON


@pytest.fixture(scope="session")
def packages() -> dict[str, Path]:
    """The packages as the service hands them out, by name."""
    found = sorted((ROOT / "build/release/share/touchmark/npm").glob("*.tgz"))
    assert found, "no packages: run make product"
    return {path.name.split("-0.")[0].removeprefix("touchmark-"): path for path in found}


@pytest.fixture(scope="session")
def project(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which npm has installed them."""
    folder = tmp_path_factory.mktemp("project")
    npm_install(folder, *packages.values())
    # What the tests put in its place runs on a phone.
    native = folder / "node_modules/react-native"
    native.mkdir()
    (native / "index.js").write_text(
        """exports.TurboModuleRegistry = { get: (name) => globalThis.nativeModules[name] ?? null };
        exports.StyleSheet = { create: (styles) => styles };
        for (const name of ["Pressable", "ScrollView", "Text", "TextInput", "View"]) {
          exports[name] = name;
        }"""
    )
    # The demo's screen, which names the address of the API server that the tests stand in for.
    demo = ROOT / "demo/react-native/src"
    shutil.copytree(demo, folder / "demo")
    config = (demo / "config.ts").read_text()
    assert '"https://localhost:5001"' in config
    (folder / "demo/config.ts").write_text(
        config.replace('"https://localhost:5001"', "globalThis.apiBaseUrl")
    )
    subprocess.run(
        [NODE_MODULES / ".bin/esbuild", folder / "demo/App.tsx", "--bundle", "--format=cjs",
         "--jsx=automatic", "--packages=external", "--log-level=warning",
         f"--outfile={folder / 'demo.js'}"],
        check=True, timeout=60,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def cordova(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real project of Cordova's command, with the platform Android and the plugin."""
    folder = tmp_path_factory.mktemp("cordova") / "app"
    tool = NODE_MODULES / ".bin/cordova"
    environment = {
        **os.environ, "CI": "1", "HOME": str(folder.parent), "npm_config_ignore_scripts": "true",
        "npm_config_offline": "true", "npm_config_audit": "false", "npm_config_fund": "false",
    }  # fmt: skip

    def run(*arguments: str | Path, cwd: Path) -> None:
        done = subprocess.run(
            [tool, *arguments, "--no-telemetry"], cwd=cwd, env=environment, check=False,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    run("create", folder, "com.example.app", "App", cwd=folder.parent)
    # As the guide says, with what it says of the configuration.
    (guide,) = [block for block in blocks("xml") if block.text.startswith("<widget ")]
    (folder / "config.xml").write_text(guide.text)
    (folder / "touchmark-initial.config").write_text("the configuration")
    run("plugin", "add", f"file:{packages['cordova']}", cwd=folder)
    # Cordova asks npm for a platform, unless it is there in that version.
    platform = NODE_MODULES / "cordova-android"
    (folder / "node_modules/cordova-android").symlink_to(platform)
    version = json.loads((platform / "package.json").read_text())["version"]
    run("platform", "add", f"cordova-android@{version}", cwd=folder)
    return folder


@pytest.fixture(scope="session")
def compiled(addon: Path) -> Path:
    """The tests and what they test as JavaScript: their types are sound."""
    return compile_tests()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def install(folder: Path, addon: Path, key: apk.SigningKey, dex: bytes) -> Path:
    """A package with the addon, and what an installer makes of it."""
    libraries = {
        f"lib/x86_64/{name}": (addon / name).read_bytes()
        for name in ("libtouchmark.so", "libtouchmark_node.so")
    }
    folder.mkdir()
    files = {"classes.dex": dex, **libraries}
    (folder / "base.apk").write_bytes(apk.build(apk.compile_manifest(PACKAGE), key, files))
    for name, content in libraries.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


class Keys:
    """A server's key and its certificate for localhost, as texts and as files."""

    def __init__(self, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.pin = pin_of(key)
        self.key_file, self.file = folder / f"{name}.key", folder / f"{name}.pem"
        self.key_file.write_bytes(pem(key))
        self.file.write_bytes(self_signed(key, "localhost"))
        self.key, self.certificate = self.key_file.read_text(), self.file.read_text()


@pytest.fixture(scope="session")
def place(
    addon: Path, project: Path, cordova: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """What place.ts reads, of a service that knows the app."""
    folder = tmp_path_factory.mktemp("javascript")
    service_keys, api_keys, strange_keys = (
        Keys(folder, name) for name in ("service", "api", "strange")
    )
    front, pinned, second, mispinned, unprotected = free_ports(5)
    options = [
        "--cert", str(service_keys.file), "--key", str(service_keys.key_file),
        "--public-url", f"https://localhost:{front}", "--allow-host-builds",
    ]  # fmt: skip
    service = Service(folder / "service/data", options)
    service.data.parent.mkdir()
    other = Service(folder / "other/data", ["--public-url", "https://other.example"])
    other.data.parent.mkdir()
    try:
        service.start()
        other.start()
        # Node's program has functions of libc's and OpenSSL's names, which come before the real
        # ones and look like hooks: a phone's app has no such program.
        policy = touchmark(service, "policy", "presets", "development")
        own = '"hook.import-redirected" = "annotate"'
        set_policy(service, policy.replace("[findings]", f"[findings]\n{own}", 1), folder)
        signer = apk.SigningKey.generate()
        app = install(folder / "app", addon, signer, b"dex\n035\0" + bytes(range(256)) * 800)
        other_app = install(folder / "other-app", addon, signer, b"dex\n035\0" + bytes(200_000))
        touchmark(service, "registration", "add", str(app / "base.apk"))
        for port, pin in (
            (pinned, api_keys.pin),
            (second, api_keys.pin),
            (mispinned, strange_keys.pin),
        ):
            touchmark(service, "api", "add", f"localhost:{port}", "--pin", pin, "--yes")
        for one in (service, other):
            local = ["--allow-local"] if one is service else []
            touchmark(one, "sdk", "config", str(one.data.parent / "initial.config"), *local)
        secrets = touchmark_json(service, "secret", "get")
        (folder / "storage").mkdir()
        written = folder / "place.json"
        written.write_text(
            json.dumps(
                {
                    "app": str(app),
                    "otherApp": str(other_app),
                    "packageName": PACKAGE,
                    "config": (service.data.parent / "initial.config").read_text().strip(),
                    "otherConfig": (other.data.parent / "initial.config").read_text().strip(),
                    "storage": str(folder / "storage"),
                    "front": front,
                    "log": str(service.log),
                    "service": int(service.url.rsplit(":", 1)[1]),
                    "serviceCertificate": service_keys.certificate,
                    "serviceKey": service_keys.key,
                    "strangeCertificate": strange_keys.certificate,
                    "strangeKey": strange_keys.key,
                    "apiCertificate": api_keys.certificate,
                    "apiKey": api_keys.key,
                    "pinned": pinned,
                    "second": second,
                    "mispinned": mispinned,
                    "unprotected": unprotected,
                    "secret": secrets["secret"],
                    "decoySecret": secrets["decoy_secret"],
                    "vectors": str(ROOT / "protocol/vectors"),
                    "header": "Touchmark-Token",
                    "project": str(project),
                    "cordova": str(cordova / "platforms/android/app/src/main/assets/www"),
                }
            )
        )
        yield written
    finally:
        service.stop()
        other.stop()
        shutil.rmtree(folder / "storage", ignore_errors=True)


@pytest.fixture(scope="session")
def node_environment(place: Path) -> dict[str, str]:
    """Node trusts the API servers' certificate, as a phone trusts an authority's."""
    return {
        **os.environ,
        "NODE_PATH": str(NODE_MODULES),
        "NODE_EXTRA_CA_CERTS": str(place.parent / "api.pem"),
        "TOUCHMARK_PLACE": str(place),
        "TOUCHMARK_ROOT": str(ROOT),
    }
