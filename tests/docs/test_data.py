"""Blocks of data are documents that their readers take."""

from __future__ import annotations

import configparser
import json
import plistlib
import shutil
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from docs.blocks import ROOT, Block, blocks
from kit import apk, certificate
from kit.command import Command

# A block of another kind of TOML says so in its first line (# name.toml).
TOML = [block for block in blocks("toml") if block.file and block.file != "policy.toml"]
POLICIES = [block for block in blocks("toml") if block not in TOML]


@pytest.mark.parametrize("block", TOML, ids=str)
def test_toml_is_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


SETTINGS = [block for block in TOML if block.file == "touchmark.toml"]


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_the_service_takes_its_settings(block: Block, nobody: Command, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/fullchain.pem").write_bytes(certificate.self_signed(key, "attest.example.com"))
    (tmp_path / "tls/privkey.pem").write_bytes(certificate.pem(key))
    file = tmp_path / "touchmark.toml"
    file.write_text(block.text)
    nobody.ok("serve", "config", "check", "--config", file)


@pytest.mark.parametrize(
    "block", [block for block in TOML if block.file == "gateway.toml"], ids=str
)
def test_the_gateway_takes_its_options(block: Block, nobody: Command, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=\n")
    file = tmp_path / "gateway.toml"
    file.write_text(block.text.replace("/etc/touchmark/token-secret", str(secret)))
    nobody.ok("gateway", "--check", "--config", file)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", POLICIES, ids=str)
def test_a_policy_is_valid(block: Block, nobody: Command, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(block.text)
    assert "policy.toml is valid" in nobody.ok("policy", "check", file)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    found = json.loads(block.text)
    assert isinstance(found, dict) and found


@pytest.mark.parametrize("block", blocks("xml"), ids=str)
def test_a_manifest_is_what_aapt2_compiles(block: Block) -> None:
    if block.text.startswith("<widget "):
        ElementTree.fromstring(block.text)  # Cordova builds with it: tests/javascript
        return
    if block.text.startswith("<plist "):
        wanted = plistlib.loads(block.text.encode())
        demo = ROOT / "demo/ios/CurrencyConverter/CurrencyConverter.entitlements"
        assert wanted and wanted.keys() == plistlib.loads(demo.read_bytes()).keys()
        return
    assert block.text.startswith("<manifest "), f"{block}: no test knows this kind of XML"
    assert apk.compile_app(block.text)["AndroidManifest.xml"]


@pytest.mark.parametrize("block", blocks("ini"), ids=str)
def test_a_unit_is_what_systemd_takes(block: Block, tmp_path: Path) -> None:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block.text.replace("\\\n", ""))
    assert set(parser.sections()) <= {"Unit", "Service", "Install", "Socket"}
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    unit = tmp_path / "touchmark.service"
    program = shutil.which("true")
    unit.write_text(block.text.replace("/usr/bin/touchmark", str(program)).replace(
        "User=touchmark", "User=root"))  # fmt: skip
    done = subprocess.run(
        [verify, "verify", unit], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
