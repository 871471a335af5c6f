"""check-library finds each fault that a library can be shipped with, and passes one without."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from kit.android_build import ANDROID, ROOT, StandIn

HEADER = (ROOT / "attester/include/touchmark.h").read_text()
INTERFACE = [*re.findall(r"^TOUCHMARK_API [^(]*?(touchmark_\w+)\(", HEADER, re.M), "JNI_OnLoad"]
SOUND = (
    "".join(f"int {name}(void) {{ return 0; }}\n" for name in INTERFACE)
    + """
__attribute__((section(".note.android.ident"), used, aligned(4))) static const struct {
  unsigned name_size, size, type;
  char name[8];
  unsigned level;
} note = {8, 4, 1, "Android", 23};
"""
)
COMPILE = ["-fPIC", "-O1", "-mbranch-protection=standard", "-fvisibility=hidden"]
LINK = [
    "-shared", "-nostdlib", "-Wl,-soname,libtouchmark.so", "-Wl,-z,max-page-size=16384",
    "-Wl,-z,relro,-z,now,-z,noexecstack", "-Wl,--build-id=sha1",
    f"-Wl,--version-script={ROOT / 'attester/exports.map'}",
]  # fmt: skip
# Something that becomes read-only after loading.
RELOCATED = "__attribute__((used)) static void* const own[] = {(void*)own};"


class Bench:
    def __init__(self, stand_in: StandIn, folder: Path) -> None:
        self.stand_in = stand_in
        self.folder = folder

    def build(
        self,
        source: str = "",
        *,
        without: str = "",
        extra: list[str] | None = None,
        leave_out: str = "",
    ) -> Path:
        """`source` takes the place of what SOUND has under the same name."""
        file = self.folder / "library.c"
        kept = [
            line
            for line in SOUND.splitlines()
            if not line.startswith(f"int {leave_out or None}(")
            and not ("JNI_OnLoad(void)" in source and line.startswith("int JNI_OnLoad("))
        ]
        file.write_text("\n".join(kept) + RELOCATED + source)
        out = self.folder / "libtouchmark.so"
        options = [o for o in [*COMPILE, "-fvisibility=default", *LINK] if o != without]
        done = self.stand_in.compile("arm64-v8a", *options, *(extra or []), file, "-o", out)
        assert done.returncode == 0, done.stderr
        return out

    def stub(self, name: str, symbols: list[str]) -> Path:
        source = self.folder / f"{name}.c"
        source.write_text("".join(f"void {s}(void) {{}}\n" for s in symbols))
        out = self.folder / name
        done = self.stand_in.compile(
            "arm64-v8a", "-shared", "-nostdlib", f"-Wl,-soname,{name}", source, "-o", out
        )
        assert done.returncode == 0, done.stderr
        return out

    def findings(self, library: Path, *options: str) -> list[str]:
        done = subprocess.run(
            [ANDROID / "check-library", "--abi", "arm64-v8a", "--readelf",
             self.stand_in.bin / "llvm-readelf", "--json", *options, library],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found: list[str] = json.loads(done.stdout)["findings"]
        assert done.returncode == (1 if found else 0), done.stderr
        return found


@pytest.fixture
def bench(stand_in: StandIn, tmp_path: Path) -> Bench:
    return Bench(stand_in, tmp_path)


def test_a_sound_library_passes(bench: Bench) -> None:
    assert bench.findings(bench.build()) == []


@pytest.mark.parametrize(
    ("without", "finding"),
    [
        ("-mbranch-protection=standard", "branch protection"),
        ("-Wl,-z,max-page-size=16384", "alignment"),
        ("-Wl,--build-id=sha1", "build id"),
        ("-Wl,-soname,libtouchmark.so", "soname"),
    ],
)
def test_a_missing_option_is_found(bench: Bench, without: str, finding: str) -> None:
    found = bench.findings(bench.build(without=without))
    assert found and all(f.startswith(finding) for f in found)


@pytest.mark.parametrize(
    ("extra", "finding"),
    [
        (["-Wl,-z,norelro"], "relro"),
        (["-Wl,-z,execstack"], "stack"),
        (["-Wl,-rpath,/somewhere"], "search path"),
    ],
)
def test_a_wrong_option_is_found(bench: Bench, extra: list[str], finding: str) -> None:
    found = bench.findings(bench.build(extra=extra))
    assert finding in {f.partition(":")[0] for f in found}


def test_lazy_binding_is_found(bench: Bench) -> None:
    library = bench.build(
        without="-Wl,-z,relro,-z,now,-z,noexecstack", extra=["-Wl,-z,relro,-z,lazy"]
    )
    assert [f.partition(":")[0] for f in bench.findings(library)] == ["binding"]


def test_another_export_is_found(bench: Bench) -> None:
    everything = f"-Wl,--version-script={ROOT / 'attester/exports.map'}"
    library = bench.build("int inner(void) { return 2; }", without=everything)
    assert bench.findings(library) == ["exports: inner can be seen from outside"]


@pytest.mark.parametrize("name", ["touchmark_open", "touchmark_chain_pins", "JNI_OnLoad"])
def test_a_missing_export_is_found(bench: Bench, name: str) -> None:
    assert len(INTERFACE) > 12
    assert bench.findings(bench.build(leave_out=name)) == [f"exports: {name} is missing"]


def test_another_library_is_found(bench: Bench) -> None:
    other = bench.stub("libssl.so", ["SSL_new"])
    library = bench.build(
        "void SSL_new(void); void JNI_OnLoad(void) { SSL_new(); }", extra=[str(other)]
    )
    assert bench.findings(library) == [
        "needed: libssl.so is not a library that every Android has",
        "imports: SSL_new is not in attester/android/sysroot/functions.txt",
    ]


def test_a_function_that_is_too_new_is_found(bench: Bench) -> None:
    libc = bench.stub("libc.so", ["getrandom", "malloc"])
    library = bench.build(
        "void getrandom(void); void malloc(void);void JNI_OnLoad(void) { getrandom(); malloc(); }",
        extra=["-Wno-incompatible-library-redeclaration", str(libc)],
    )
    assert bench.findings(library) == [
        "imports: Android has getrandom since API 28, and the SDK runs from 23 on"
    ]


def test_paths_of_the_machine_are_found(bench: Bench) -> None:
    library = bench.build(
        '__attribute__((used)) static const char a[] = "/home/someone/openssl/a.c";'
        '__attribute__((used)) static const char b[] = "here: /opt/secret/b.c";'
        '__attribute__((used)) static const char c[] = "ndk/usr/include/vector, /proc/self/maps";'
    )
    assert bench.findings(library, "--no-path=/opt/secret") == [
        "paths: '/home/someone/openssl/a.c' tells of the machine that built it",
        "paths: '/opt/secret' is in it",
    ]


def test_too_large_a_library_is_found(bench: Bench) -> None:
    size = bench.build().stat().st_size
    assert bench.findings(bench.build(), f"--most-bytes={size - 1}") == [
        f"size: {size} bytes, where {size - 1} are allowed"
    ]


def test_another_machines_library_is_found(bench: Bench) -> None:
    done = subprocess.run(
        [ANDROID / "check-library", "--abi", "x86",
         "--readelf", bench.stand_in.bin / "llvm-readelf", bench.build()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "machine: it is not for x86" in done.stdout
