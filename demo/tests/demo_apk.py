"""What a package holds, as Debian's Android tools see it."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path
from typing import Any

SIGNATURE_FILES = (".SF", ".EC", ".RSA", "MANIFEST.MF")


def run(*command: object, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"capture_output": True, "text": True, "timeout": 300, **options}
    ended = subprocess.run([str(part) for part in command], check=False, **options)
    assert not check or ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def parts(apk: Path) -> dict[str, str]:
    """Digest of each entry; the files of the v1 signature, which hold no part of
    the app, left out."""
    with zipfile.ZipFile(apk) as package:
        return {
            entry.filename: hashlib.sha256(package.read(entry)).hexdigest()
            for entry in package.infolist()
            if not (
                entry.filename.startswith("META-INF/") and entry.filename.endswith(SIGNATURE_FILES)
            )
        }


def signer(apk: Path) -> str:
    lines = run("apksigner", "verify", "--print-certs", apk).stdout.splitlines()
    (digest,) = [line.split()[-1] for line in lines if "certificate SHA-256" in line]
    return digest


def smali(apk: Path, folder: Path) -> Path:
    """The package's code, disassembled into `folder`."""
    with zipfile.ZipFile(apk) as package:
        package.extract("classes.dex", folder)
    baksmali = "/usr/share/java/baksmali.jar"
    run("java", "-jar", baksmali, "d", folder / "classes.dex", "-o", folder / "smali")
    return folder / "smali"
