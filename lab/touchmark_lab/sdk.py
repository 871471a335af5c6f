"""The SDK of the demo app: the service's, and beside it the libraries for phones.

The lab's phones run on this machine's processor and C library, so theirs is the one that the
service gives out. What the NDK's build (or the check without an NDK) has left for other processors
goes into the same package: that is what is repackaged, and what an attacker takes off the device.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

NATIVE = Path("build/android/native")
ARM64 = "arm64-v8a"


def _abis(aar: zipfile.ZipFile) -> dict[str, str]:
    """The entries of an AAR's native libraries, by ABI."""
    return {
        name.split("/")[1]: name
        for name in aar.namelist()
        if name.startswith("jni/") and name.endswith("/libtouchmark.so")
    }


def phone_libraries(root: Path) -> dict[str, bytes]:
    """The libraries that were built for phones, by ABI: of the NDK's AAR, or alone."""
    aar = root / NATIVE / "touchmark_sdk.aar"
    if aar.is_file():
        with zipfile.ZipFile(aar) as archive:
            return {abi: archive.read(name) for abi, name in _abis(archive).items()}
    found = (root / NATIVE).glob("*/lib/libtouchmark.so")
    return {path.parts[-3]: path.read_bytes() for path in sorted(found)}


def add_phone_libraries(aar: Path, libraries: dict[str, bytes]) -> list[str]:
    """Puts libraries into an AAR, beside its own, and gives the ABIs that were added."""
    with zipfile.ZipFile(aar) as archive:
        known = _abis(archive)
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    added = sorted(libraries.keys() - known.keys())
    if not added:
        return []
    new = aar.with_suffix(".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
        for abi in added:
            # A fixed time: the same inputs give the same package.
            entry = zipfile.ZipInfo(f"jni/{abi}/libtouchmark.so", (2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, libraries[abi])
    new.replace(aar)
    return added
