"""The Java API calls nothing that Android 6 (API level 23) does not have, unless it has asked for
the level: what is newer stands in a nested class ApiNN, and whoever calls that compares SDK_INT
first."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kit.android_build import ANDROID, ROOT

HERE = Path(__file__).resolve().parent
LEVELS = HERE / "levels"
BUILDER = "android.security.keystore.KeyGenParameterSpec.Builder"
# Of levels for which there is no list of what they have: each with the level that Android's
# documentation names.
NEWER_THAN_LISTS = {
    28: {
        f"{BUILDER} {BUILDER}.setIsStrongBoxBacked(boolean)",
    }
}
LISTED = (23, 24)


def output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def compile_java(folder: Path, class_path: str, *sources: Path) -> Path:
    """As build-aar does."""
    options = ["-encoding", "UTF-8", "--release", "8", "-Xlint:-options"]
    output("javac", *options, "-d", folder, "-cp", class_path, *sources)
    return folder


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classes that go into the AAR."""
    libraries = output(ROOT / "tools/maven-deps", "--classpath", ANDROID).strip()
    newer = sorted((ANDROID / "platform").rglob("*.java"))
    platform = compile_java(tmp_path_factory.mktemp("platform"), libraries, *newer)
    sources = sorted((ANDROID / "java").rglob("*.java"))
    class_path = f"{platform}:{libraries}"
    return compile_java(tmp_path_factory.mktemp("classes"), class_path, *sources)


def missing(level: int, files: list[Path]) -> set[str]:
    """What these classes use and the level does not have, without where."""
    libraries = output(ROOT / "tools/maven-deps", LEVELS).strip()
    (signature,) = Path(libraries).glob(f"android-api-level-{level}-*.signature")
    printed = output(
        "java", "-cp", f"{libraries}/*", LEVELS / "Levels.java", signature, *files
    ).splitlines()
    return {re.sub(r"^.*Undefined reference: ", "", line).strip() for line in printed}


def level_of(file: Path) -> int:
    found = re.search(r"\$Api(\d+)\.class$", file.name)
    return int(found[1]) if found else 23


def test_nothing_is_newer_than_its_level(classes: Path) -> None:
    by_level: dict[int, list[Path]] = {}
    for file in sorted(classes.rglob("*.class")):
        by_level.setdefault(level_of(file), []).append(file)
    assert len(by_level[23]) > 20
    assert {24, 28} <= set(by_level)
    for level, files in by_level.items():
        newest = max(listed for listed in LISTED if listed <= level)
        assert missing(newest, files) == NEWER_THAN_LISTS.get(level, set()), level
    # The lists tell, or the test would pass for nothing: what is newer is missing on Android 6.
    for level in by_level.keys() - {23}:
        assert missing(23, by_level[level]), level


def test_a_call_of_something_newer_is_seen(tmp_path: Path) -> None:
    """Of Android's, and of Java's, which is newer on phones than in the compiler's eyes."""
    source = tmp_path / "Newer.java"
    source.write_text(
        "public final class Newer {\n"
        "  static Object newer(java.util.Map<String, String> map) {\n"
        '    return map.getOrDefault("a", "b");\n'
        "  }\n"
        "  static Object old(java.util.Map<String, String> map) {\n"
        '    return map.get("a");\n'
        "  }\n"
        "}\n"
    )
    found = missing(23, [compile_java(tmp_path, "", source) / "Newer.class"])
    assert len(found) == 1
    assert "getOrDefault" in found.pop()


def test_who_calls_something_newer_asks_for_the_level(classes: Path) -> None:
    files = sorted(classes.rglob("*.class"))
    listing = output("javap", "-c", "-p", *files)
    calls = 0
    for method in re.split(r"\n\n", listing):
        for call in re.finditer(r"invokestatic.*// Method \S*\$Api(\d+)\.", method):
            calls += 1
            before = method[: call.start()]
            asked = re.search(rf"SDK_INT:I\n\s*\d+: bipush +{call[1]}\n", before)
            assert asked, method
    assert calls >= 3
