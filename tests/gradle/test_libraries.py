"""The libraries as apps have them: Kotlin with coroutines, and shrunk by R8's full mode.

The apps run on this machine's JVM, with the native library of the AAR, against a real service.
"""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.android import ANDROID, java_files, libraries
from gradle.class_file import references
from gradle.gradle import HERE, jar
from gradle.place import Place
from kit.service import ROOT

BUILT = ROOT / "build/release/share/touchmark"
COROUTINES = BUILT / "touchmark_sdk-coroutines.jar"
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def run(*command: str | Path, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout)


def must(*command: str | Path) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Sdk:
    folder: Path  # the AAR, unpacked
    platform: Path  # the classes of Android that the SDK calls: in place of a phone's
    config: Path

    def app(self, source: str, out: Path, *class_path: Path) -> Path:
        paths = [self.platform, self.folder / "classes.jar", *class_path]
        must("javac", "--release", "8", "-Xlint:all,-options,-path", "-Werror", "-d", out,
             "-cp", ":".join(map(str, paths)), HERE / "apps" / source)  # fmt: skip
        return out

    def run(self, main: str, data: Path, *class_path: Path) -> subprocess.CompletedProcess[str]:
        return run("java", *QUICK, f"-Djava.library.path={self.folder / 'jni/x86_64'}",
                   "-cp", ":".join(map(str, [*class_path, self.platform])), main, self.config,
                   data)  # fmt: skip


@pytest.fixture(scope="module")
def sdk(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Sdk:
    folder = tmp_path_factory.mktemp("sdk")
    with zipfile.ZipFile(BUILT / "touchmark_sdk.aar") as aar:
        aar.extractall(folder / "aar")
    stand_ins = java_files(ANDROID / "test/java/android", ANDROID / "platform")
    must("javac", "-nowarn", "-d", folder / "platform", *stand_ins)
    place.administrator.ok(
        "api", "add", "api.example.com", "--pin", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    )  # fmt: skip
    place.administrator.ok("sdk", "config", folder / "config", "--allow-local")
    return Sdk(folder / "aar", folder / "platform", folder / "config")


def tokens(done: subprocess.CompletedProcess[str], place: Place) -> dict[str, str]:
    """What the app printed; the service knows each token for one of its own."""
    assert done.returncode == 0, done.stdout + done.stderr
    found = dict(re.findall(r"^([A-Z]+) (\S+)$", done.stdout, re.MULTILINE))
    for token in found.values():
        said = place.administrator.run("token", "check", token)
        assert "decoy" in said.stdout or "valid" in said.stdout, said
    return found


def test_a_coroutine_fetches_a_token(place: Place, sdk: Sdk, tmp_path: Path) -> None:
    """Cancelled it goes on at once; the sample is Kotlin without a warning."""
    kotlin = libraries(ANDROID / "coroutines")
    compiler = sorted(libraries(ROOT / "tests/docs/kotlin").glob("*.jar"))
    parts = [*kotlin.glob("kotlin-stdlib-[0-9]*.jar"), *kotlin.glob("kotlinx-*.jar")]
    parts += [COROUTINES, sdk.folder / "classes.jar"]
    must("java", *QUICK, "-cp", ":".join(map(str, compiler)),
         "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-Werror",
         "-Xjsr305=strict", "-jvm-target", "1.8", "-cp", ":".join(map(str, [*parts, sdk.platform])),
         "-d", tmp_path / "app", HERE / "apps/CoroutinesApp.kt")  # fmt: skip
    done = sdk.run(
        "com.example.coroutines.CoroutinesAppKt", tmp_path / "data", tmp_path / "app", *parts
    )
    found = tokens(done, place)
    assert found.keys() == {"TOKEN", "BOUND"} and found["TOKEN"] != found["BOUND"]


# --- R8 -------------------------------------------------------------------------------------------

KEEP_MAIN = "-keep class com.example.shrunk.ShrunkApp { void main(java.lang.String[]); }\n"


def shrink(
    out: Path, rules: str, *parts: Path, options: tuple[str, ...] = ("--classfile",)
) -> subprocess.CompletedProcess[str]:
    """R8 itself, as Android's plugin calls it: in full mode, which is what it does by default."""
    (r8,) = libraries(HERE / "android").glob("r8-*.jar")
    (out.parent / "rules.pro").write_text(rules)
    home = Path(os.path.realpath("/usr/bin/javac")).parents[1]
    android = next(libraries(ANDROID).glob("android-*.jar"))
    return run(
        "java", *QUICK, "-cp", r8, "com.android.tools.r8.R8", "--release", *options, "--lib", home,
        "--lib", android, "--pg-conf", out.parent / "rules.pro", "--pg-map-output",
        out.parent / "mapping.txt", "--output", out, *parts,
    )  # fmt: skip


def with_platform(sdk: Sdk, folder: Path) -> Path:
    return jar(folder / "platform.jar", sdk.platform)


def test_an_app_that_r8_shrank_attests(place: Place, sdk: Sdk, tmp_path: Path) -> None:
    """With the rules that the AAR brings, and none of the app's for the SDK."""
    app = jar(tmp_path / "app.jar", sdk.app("ShrunkApp.java", tmp_path / "classes"))
    rules = (sdk.folder / "proguard.txt").read_text()
    library = ("--classfile", "--lib", str(with_platform(sdk, tmp_path)))
    done = shrink(tmp_path / "shrunk.jar", KEEP_MAIN + rules, app, sdk.folder / "classes.jar",
                  options=library)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr + done.stdout, done.stderr
    members = set()
    with zipfile.ZipFile(tmp_path / "shrunk.jar") as shrunk:
        names = shrunk.namelist()
        for name in names:
            if name.startswith("touchmark/sdk/") and name.endswith(".class"):
                members |= {member[1:] for member in references(shrunk.read(name))[1]}
    # All that the native library looks up by its name, called here or not.
    native = " ".join(path.read_text() for path in sorted((ANDROID / "jni").glob("*.cc")))
    native = re.sub(r'"\s+"', "", native)  # a text in pieces
    looked_up = set(re.findall(r'"([\w<>]+)",\s*"(\([\w/;\[]*\)[\w/;\[]+)"', native))
    assert len(looked_up) >= 15, looked_up
    assert looked_up - {("toString", "()Ljava/lang/String;")} <= members
    # It did its work: what nothing uses is gone, and what no rule keeps has another name or none.
    assert not any("TouchmarkInterceptor" in name for name in names)
    assert "touchmark/sdk/Touchmark.class" not in names
    assert "touchmark/sdk/NativeCore.class" in names
    found = tokens(
        sdk.run("com.example.shrunk.ShrunkApp", tmp_path / "data", tmp_path / "shrunk.jar"), place
    )
    assert found.keys() == {"TOKEN"}


def test_r8_makes_dex_of_it_with_okhttp(sdk: Sdk, tmp_path: Path) -> None:
    android = libraries(ANDROID)
    okhttp = [android / "okhttp-3.12.13.jar", android / "okio-1.15.0.jar"]
    app = jar(tmp_path / "app.jar", sdk.app("OkHttpApp.java", tmp_path / "classes", *okhttp))
    rules = (sdk.folder / "proguard.txt").read_text()
    rules += "-keep class com.example.shrunk.OkHttpApp { *; }\n"
    # What OkHttp would like, and Kotlin's own libraries, which bring rules of theirs.
    for wanted in (
        "okhttp3.internal",
        "okio",
        "javax.annotation",
        "org.conscrypt",
        "kotlin",
        "kotlinx",
    ):
        rules += f"-dontwarn {wanted}.**\n"
    out = tmp_path / "dex"
    out.mkdir()
    parts = [app, sdk.folder / "classes.jar", COROUTINES, *okhttp]
    options = ("--min-api", "23", "--lib", str(with_platform(sdk, tmp_path)))
    done = shrink(out, rules, *parts, options=options)
    assert done.returncode == 0, done.stderr
    assert b"touchmark/sdk/NativeCore" in (out / "classes.dex").read_bytes()
