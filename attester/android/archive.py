"""Archives of the SDK's Java parts: the same content gives the same bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TIME = (2000, 1, 1, 0, 0, 0)
MODE = 0o100644


def pack(archive: Path, title: str, version: str, files: dict[str, bytes]) -> None:
    """An archive with its entries in order and without times, there completely or not at all."""
    manifest = (
        f"Manifest-Version: 1.0\r\nImplementation-Title: {title}\r\n"
        f"Implementation-Version: {version}\r\n\r\n"
    )
    notices = {
        "META-INF/LICENSE": (ROOT / "LICENSE").read_bytes(),
        "META-INF/NOTICE": (HERE / "NOTICE").read_bytes(),
    }
    draft = archive.with_name(f".{archive.name}.tmp")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as out:
        first = {"META-INF/MANIFEST.MF": manifest.encode()}
        for name, content in (first | dict(sorted((files | notices).items()))).items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = MODE << 16
            out.writestr(entry, content)
    draft.replace(archive)


def read_all(folder: Path, pattern: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob(pattern)
        if path.is_file()
    }
