"""The declarations of Android's libraries: against genuine ones, and against what is too new."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from kit.android_build import ABIS, ANDROID, ROOT, StandIn

FUNCTIONS = ANDROID / "sysroot/functions.txt"
LEVEL = 23
# API 23's libdl.so is a name that the linker answers itself.
IN_LINKER = {"dladdr", "dlclose", "dlerror", "dlopen", "dlsym", "dl_iterate_phdr"}
FOLDERS = {"arm64-v8a": "lib64", "armeabi-v7a": "lib"}
# Each has it on its kind of machine alone.
ONLY_ARM = {"__gnu_Unwind_Find_exidx", "dl_unwind_find_exidx"}


def declared() -> dict[str, int]:
    out = {}
    for line in FUNCTIONS.read_text().splitlines():
        found = re.match(r"(\d+) (.*)", line)
        if found and not found[2].startswith("extern "):
            name = re.search(r"(\w+)\(", found[2])
            assert name
            out[name[1]] = int(found[1])
    return out


@pytest.fixture(scope="session")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Android 6's own libraries, which unidbg carries."""
    done = subprocess.run(
        [ROOT / "tools/maven-deps", Path(__file__).parent / "unidbg"],
        capture_output=True,
        text=True,
        check=True,
    )
    jar = next(Path(done.stdout.strip()).glob("unidbg-android-*.jar"))
    folder = tmp_path_factory.mktemp("genuine")
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.startswith("android/sdk23/lib") and name.endswith(".so"):
                archive.extract(name, folder)
    return folder / "android/sdk23"


@pytest.mark.parametrize("abi", FOLDERS)
def test_genuine_android_6_has_every_name_of_its_level(
    genuine: Path, stand_in: StandIn, abi: str
) -> None:
    names: set[str] = set()
    for library in ("libc.so", "libm.so", "liblog.so", "libdl.so"):
        done = subprocess.run(
            [stand_in.bin / "llvm-nm", "-D", "--defined-only", "--format=just-symbols",
             genuine / FOLDERS[abi] / library],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        names |= {line.partition("@")[0] for line in done.stdout.split()}
    assert len(names) > 1000
    wanted = {name for name, level in declared().items() if level <= LEVEL} - IN_LINKER
    if abi != "armeabi-v7a":
        wanted -= ONLY_ARM
    assert sorted(wanted - names) == []


def test_genuine_android_6_has_no_name_that_is_listed_as_newer(
    genuine: Path, stand_in: StandIn
) -> None:
    done = subprocess.run(
        [stand_in.bin / "llvm-nm", "-D", "--defined-only", "--format=just-symbols",
         genuine / "lib64/libc.so"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    newer = {name for name, level in declared().items() if level > LEVEL}
    assert len(newer) > 10
    assert sorted(newer & set(done.stdout.split())) == []


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize(
    ("header", "call", "level"),
    [
        ("sys/random.h", "getrandom(0, 0, 0)", 28),
        ("ifaddrs.h", "getifaddrs(0)", 24),
        ("stdlib.h", "aligned_alloc(8, 8)", 28),
    ],
)
def test_what_is_newer_than_the_lowest_level_does_not_compile(
    stand_in: StandIn, tmp_path: Path, abi: str, header: str, call: str, level: int
) -> None:
    source = tmp_path / "new.c"
    source.write_text(f"#include <{header}>\nvoid f(void) {{ {call}; }}\n")
    done = stand_in.compile(abi, "-fsyntax-only", source)
    assert done.returncode != 0
    assert f"Android has it since API {level}, and the SDK runs from 23 on" in done.stderr


def test_what_android_shows_to_gnu_sources_alone_is_hidden_from_others(
    stand_in: StandIn, tmp_path: Path
) -> None:
    """libcurl asked for pipe2() without saying so, which no NDK compiles."""
    source = tmp_path / "gnu.c"
    source.write_text("#include <unistd.h>\nint f(int* ends) { return pipe2(ends, 0); }\n")
    done = stand_in.compile("arm64-v8a", "-fsyntax-only", source)
    assert done.returncode != 0 and "undeclared function 'pipe2'" in done.stderr
    assert stand_in.compile("arm64-v8a", "-fsyntax-only", "-D_GNU_SOURCE", source).returncode == 0
    same = tmp_path / "gnu.cc"
    same.write_bytes(source.read_bytes())
    done = stand_in.compile("arm64-v8a", "-fsyntax-only", same)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("abi", ABIS)
def test_every_header_compiles_by_itself(stand_in: StandIn, tmp_path: Path, abi: str) -> None:
    headers = {
        line.split()[1] for line in FUNCTIONS.read_text().splitlines() if "header " in line[:7]
    }
    headers |= {
        str(p.relative_to(ANDROID / "sysroot/include"))
        for p in (ANDROID / "sysroot/include").rglob("*.h")
    }
    assert len(headers) > 60
    source = tmp_path / "all.c"
    for language in ("c", "c++"):
        text = "".join(f"#include <{h}>\n" for h in sorted(headers))
        source.write_text(text)
        done = stand_in.compile(
            abi, "-x", language, "-fsyntax-only", "-Wall", "-Wsystem-headers", source
        )
        assert (done.returncode, done.stderr) == (0, "")


# What the kernel and Android's libraries hand over has a fixed layout.
LAYOUTS = """
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <wchar.h>
#ifdef __LP64__
#define IS(a, narrow, wide) _Static_assert((a) == (wide), #a)
#else
#define IS(a, narrow, wide) _Static_assert((a) == (narrow), #a)
#endif
IS(sizeof(time_t), 4, 8);
IS(sizeof(off_t), 4, 8);
IS(sizeof(pthread_mutex_t), 4, 40);
IS(sizeof(pthread_cond_t), 4, 48);
IS(sizeof(pthread_rwlock_t), 40, 56);
IS(sizeof(pthread_attr_t), 24, 56);
IS(sizeof(sem_t), 4, 16);
IS(sizeof(sigset_t), 4, 8);
IS(sizeof(mbstate_t), 4, 8);
IS(offsetof(struct addrinfo, ai_canonname), 20, 24);
IS(offsetof(struct addrinfo, ai_addr), 24, 32);
IS(offsetof(struct sigaction, sa_mask), 4, 16);
#if defined(__x86_64__)
IS(sizeof(struct stat), 0, 144);
#elif defined(__aarch64__)
IS(sizeof(struct stat), 0, 128);
#elif defined(__arm__)
IS(sizeof(struct stat), 104, 0);
#else
IS(sizeof(struct stat), 96, 0);
#endif
"""


@pytest.mark.parametrize("abi", ABIS)
def test_layouts_are_androids(stand_in: StandIn, tmp_path: Path, abi: str) -> None:
    source = tmp_path / "layouts.c"
    source.write_text(LAYOUTS)
    done = stand_in.compile(abi, "-fsyntax-only", source)
    assert (done.returncode, done.stderr) == (0, "")
