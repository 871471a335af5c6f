"""The measurement is the app: whatever is changed in it, the measurement is another one or the
package is refused. Each part, the signer and the order of things are changed once, in every form of
an Android app. (iOS apps: package/ios/ipa_test.cc, whose signing keys only it has.)"""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import apk
from kit.service import BINARY, ROOT

PACKAGE = "com.example.parts"
FILES = {
    "classes.dex": b"dex\n035\0" + bytes(1000),
    "classes2.dex": b"dex\n035\0" + bytes(100),
    "lib/arm64-v8a/libapp.so": b"\x7fELF" + bytes(2000),
    "lib/x86_64/libapp.so": b"\x7fELF" + bytes(2001),
    "res/layout/main.xml": b"layout",
    "assets/model.bin": bytes(range(256)),
    "assets/empty": b"",
    "kotlin/kotlin.kotlin_builtins": b"builtins",
    "META-INF/services/x": b"service",
}
BUNDLE = ROOT / "tests/vectors/bundle/app.aab"


def measure(*arguments: Path | str) -> str:
    """The measurement's digest, or the id of the refusal."""
    done = subprocess.run(
        [str(BINARY), "package", "measure", "--json", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return str(json.loads(done.stdout)["digest"])
    assert done.returncode == 1, done.stderr
    return str(json.loads(done.stderr)["error"]["id"])


class Bench:
    """Writes packages into a folder and measures them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = apk.SigningKey.generate()
        self.manifest = apk.compile_manifest(PACKAGE)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def package(self, files: dict[str, bytes], key: apk.SigningKey | None = None) -> bytes:
        return apk.build(self.manifest, key or self.key, files)

    def measure(self, content: bytes, *more: Path) -> str:
        return measure(self.write("app.apk", content), *more)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def original(bench: Bench) -> str:
    digest = bench.measure(bench.package(FILES))
    assert len(digest) == 44  # a digest, no refusal
    return digest


def changed(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1]) if content else b"\1"


def test_a_copy_and_a_second_build_are_the_same(bench: Bench, original: str) -> None:
    assert bench.measure(bench.package(FILES)) == original
    assert bench.measure(bench.package(dict(reversed(FILES.items())))) == original
    # How a part is compressed is not what it is.
    stored = zipfile.ZIP_STORED
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", stored) as out:
        for name, content in {"AndroidManifest.xml": bench.manifest, **FILES}.items():
            out.writestr(name, content)
    assert bench.measure(apk.sign_v2(archive.getvalue(), bench.key)) == original


@pytest.mark.parametrize("name", FILES)
def test_every_part_counts(bench: Bench, original: str, name: str) -> None:
    seen = {original}
    without = {other: content for other, content in FILES.items() if other != name}
    for files in (
        {**FILES, name: changed(FILES[name])},
        {**FILES, name: FILES[name] + b"\0"},
        without,
        {**without, name + "x": FILES[name]},
    ):
        digest = bench.measure(bench.package(files))
        assert len(digest) == 44
        assert digest not in seen
        seen.add(digest)


def test_a_new_part_the_manifest_and_the_signer_count(bench: Bench, original: str) -> None:
    assert bench.measure(bench.package({**FILES, "assets/new": b""})) != original
    assert bench.measure(bench.package(FILES, apk.SigningKey.generate())) != original
    for manifest in (
        apk.compile_manifest(PACKAGE, version_code=2),
        apk.compile_manifest(PACKAGE, label="Other"),
        apk.compile_manifest(PACKAGE + "x"),
    ):
        other = bench.measure(apk.build(manifest, bench.key, FILES))
        assert len(other) == 44
        assert other != original


def twice(archive: bytes, name: str, content: bytes) -> bytes:
    """The archive with a second entry of that name behind all others, before it is signed."""
    out = io.BytesIO(archive)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as added:
        added.writestr(name, content)
    return out.getvalue()


def unsigned(manifest: bytes, files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {"AndroidManifest.xml": manifest, **files}.items():
            archive.writestr(name, content)
    return out.getvalue()


def reordered(package: bytes) -> bytes:
    """Its entries in another order, by a tool that knows nothing of signatures."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in reversed(old.infolist()):
            new.writestr(entry, old.read(entry))
    return out.getvalue()


TRICKS: dict[str, Callable[[bytes], bytes]] = {
    "prepended": lambda package: b"dex\n035\0" + package,
    "appended": lambda package: package + b"\0",
    "reordered": reordered,
    "signing block filled": lambda package: package.replace(
        b"APK Sig Block 42", b"APK Sig Block 43"
    ),
    "byte between entries": lambda package: package.replace(b"PK\x01\x02", b"\0PK\x01\x02", 1),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_on_the_signed_package_are_refused(bench: Bench, trick: str) -> None:
    assert len(bench.measure(TRICKS[trick](bench.package(FILES)))) != 44


def test_tricks_before_signing_are_refused(bench: Bench) -> None:
    plain = unsigned(bench.manifest, FILES)
    for package in (
        twice(plain, "classes.dex", b"other"),
        twice(plain, "classes.dex", FILES["classes.dex"]),
        unsigned(bench.manifest, {**FILES, "lib/x86_64/LIBAPP.so": b"\x7fELF"}),
        unsigned(bench.manifest, {**FILES, "./classes.dex": b"other"}),
        unsigned(bench.manifest, {**FILES, "../classes.dex": b"other"}),
    ):
        assert bench.measure(apk.sign_v2(package, bench.key)).startswith("zip.")


def test_every_part_of_every_split_counts(bench: Bench, tmp_path: Path) -> None:
    splits = {
        "base": (None, FILES),
        "arm": ("config.arm64_v8a", {"lib/arm64-v8a/libmore.so": b"\x7fELF" + bytes(10)}),
        "de": ("config.de", {"resources/strings": b"Guten Tag"}),
    }

    def write(changes: dict[str, dict[str, bytes]], key: apk.SigningKey = bench.key) -> list[Path]:
        paths = []
        for name, (split, files) in splits.items():
            manifest = apk.compile_manifest(PACKAGE, split=split)
            path = tmp_path / f"{name}.apk"
            path.write_bytes(apk.build(manifest, key, changes.get(name, files)))
            paths.append(path)
        return paths

    whole = measure(*write({}))
    assert len(whole) == 44
    assert measure(*reversed(write({}))) == whole
    archive = tmp_path / "app.apks"
    with zipfile.ZipFile(archive, "w") as out:
        for path in write({}):
            out.write(path, path.name)
    assert measure(archive) == whole
    seen = {whole}
    for name, (_, files) in splits.items():
        for part, content in files.items():
            digest = measure(*write({name: {**files, part: changed(content)}}))
            assert len(digest) == 44
            assert digest not in seen
            seen.add(digest)
    base, arm, german = write({})
    assert measure(base, arm) not in seen
    assert measure(arm, german) == "splits.no-base"
    assert measure(base, arm, arm) == "splits.duplicate-split"
    write({}, apk.SigningKey.generate())
    other = tmp_path / "other.apk"
    other.write_bytes(german.read_bytes())
    base, arm, _ = write({})
    assert measure(base, arm, other) == "splits.other-signers"


def test_every_part_of_a_bundle_counts(bench: Bench, tmp_path: Path) -> None:
    certificate = bench.write("store.der", bench.key.certificate)
    original = measure(BUNDLE, "--signing-certificate", certificate)
    assert len(original) == 44
    assert len({original, measure(BUNDLE)}) == 2  # the signer is given, and counts
    seen = {original}
    with zipfile.ZipFile(BUNDLE) as bundle:
        contents = {entry.filename: bundle.read(entry) for entry in bundle.infolist()}
    delivered = [
        name for name in contents if not name.startswith(("BUNDLE-METADATA/", "META-INF/"))
    ]
    assert len(delivered) > 5
    for name in delivered:
        path = tmp_path / "changed.aab"
        with zipfile.ZipFile(path, "w") as out:
            for other, content in contents.items():
                out.writestr(other, changed(content) if other == name else content)
        digest = measure(path, "--signing-certificate", certificate)
        assert digest not in seen, name
        if len(digest) == 44:
            seen.add(digest)
