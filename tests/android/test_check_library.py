"""check-library finds each fault that a library can be shipped with, and passes one without."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

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

    def check(self, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ANDROID / "check-library", "--readelf", self.stand_in.bin / "llvm-readelf", "--json",
             *options, file],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def result(self, library: Path, *options: str) -> dict[str, Any]:
        done = self.check(library, "--abi", "arm64-v8a", *options)
        result: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (1 if result["findings"] else 0), done.stderr
        return result

    def findings(self, library: Path, *options: str) -> list[str]:
        found: list[str] = self.result(library, *options)["findings"]
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


def platform_of(bench: Bench, libc: list[str], begin: str) -> Path:
    """A folder of an NDK's, with a libc and a start file that is compiled with `begin`."""
    folder = bench.folder / "platform"
    folder.mkdir()
    bench.stub("libc.so", libc).rename(folder / "libc.so")
    (folder / "empty.c").write_text("void on_load(void) {}")
    done = bench.stand_in.compile(
        "arm64-v8a", "-c", begin, folder / "empty.c", "-o", folder / "crtbegin_so.o"
    )
    assert done.returncode == 0, done.stderr
    return folder


USES = "void fwrite_x(void); void getrandom(void);void JNI_OnLoad(void) { fwrite_x(); %s }"


def test_what_an_ndk_has_may_be_used_and_nothing_newer(bench: Bench) -> None:
    platform = platform_of(bench, ["fwrite_x", "getrandom"], "-mbranch-protection=standard")
    link = [str(platform / "libc.so")]
    library = bench.build(USES % "", extra=link)
    assert bench.findings(library) == [
        "imports: fwrite_x is not in attester/android/sysroot/functions.txt"
    ]
    assert bench.findings(library, f"--platform={platform}") == []
    # Its stubs may be those of a newer level.
    library = bench.build(USES % "getrandom();", extra=link)
    assert bench.findings(library, f"--platform={platform}") == [
        "imports: Android has getrandom since API 28, and the SDK runs from 23 on"
    ]
    (platform / "libc.so").unlink()
    bench.stub("libc.so", ["other"]).rename(platform / "libc.so")
    assert bench.findings(bench.build(USES % ""), f"--platform={platform}") == [
        "imports: fwrite_x is in no library of API 23"
    ]


@pytest.mark.parametrize(
    ("begin", "is_fault"), [("-mbranch-protection=standard", True), ("-O1", False)]
)
def test_an_ndk_without_branch_protection_is_not_the_librarys_fault(
    bench: Bench, begin: str, is_fault: bool
) -> None:
    platform = platform_of(bench, ["malloc"], begin)
    library = bench.build(without="-mbranch-protection=standard")
    result = bench.result(library, f"--platform={platform}")
    assert [f.partition(":")[0] for f in result["findings"]] == ["branch protection"] * is_fault
    assert any("crtbegin_so.o" in remark for remark in result["remarks"]) is not is_fault


def aar_of(folder: Path, libraries: dict[str, bytes], without: str = "") -> Path:
    out = folder / "sdk.aar"
    entries = {f"jni/{abi}/libtouchmark.so": content for abi, content in libraries.items()}
    rest = ("classes.jar", "AndroidManifest.xml", "META-INF/LICENSE", "META-INF/NOTICE")
    entries |= {name: b"x" for name in rest if name != without}
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out


def test_an_aar_is_checked_library_by_library(bench: Bench) -> None:
    sound = bench.build().read_bytes()

    def findings(aar: Path, *options: str) -> dict[str, list[str]]:
        done = bench.check(aar, *options)
        results = json.loads(done.stdout)["libraries"]
        found = {result["abi"]: result["findings"] for result in results}
        assert done.returncode == (1 if any(found.values()) else 0)
        return found

    arm = ["--abi", "arm64-v8a"]
    assert findings(aar_of(bench.folder, {"arm64-v8a": sound}), *arm) == {"arm64-v8a": []}
    found = findings(aar_of(bench.folder, {"arm64-v8a": sound, "x86": sound}))
    assert found.pop("arm64-v8a") == []
    assert "machine: it is not for x86" in found.pop("x86")
    assert found == {
        abi: ["abi: the AAR has no library for it"] for abi in ("armeabi-v7a", "x86_64")
    }
    found = findings(aar_of(bench.folder, {"arm64-v8a": sound}, "META-INF/NOTICE"), *arm)
    assert found["all"] == ["content: META-INF/NOTICE is missing"]
    found = findings(aar_of(bench.folder, {"arm64-v8a": sound, "mips": sound}), *arm)
    assert found["mips"] == ["abi: Android has none of that name"]


def test_another_machines_library_is_found(bench: Bench) -> None:
    done = subprocess.run(
        [ANDROID / "check-library", "--abi", "x86",
         "--readelf", bench.stand_in.bin / "llvm-readelf", bench.build()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "machine: it is not for x86" in done.stdout
