"""The package for React Native: its specification, and its Java and Objective-C++."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from docs.android import jars_of, libraries
from javascript.java_layer import SMALL_JVM, STUBS, android, compile_java
from javascript.objective_c import type_check
from javascript.workspace import NODE_MODULES, WORKSPACE, install, tsc
from kit.service import ROOT

PACKAGE = WORKSPACE / "packages/react-native"
REACT = NODE_MODULES / "react-native/ReactAndroid/src/main/java"
BRIDGE = "com/facebook/react/bridge"
# React Native's own interfaces in Kotlin that the package meets.
KOTLIN = [
    *(
        f"{BRIDGE}/{name}.kt"
        for name in (
            "Dynamic", "Promise", "ReactMethod", "ReadableArray", "ReadableMap",
            "ReadableMapKeySetIterator", "ReadableType", "WritableArray", "WritableMap",
        )
    ),
    "com/facebook/react/module/model/ReactModuleInfo.kt",
    "com/facebook/react/module/model/ReactModuleInfoProvider.kt",
    "com/facebook/react/turbomodule/core/interfaces/TurboModule.kt",
]  # fmt: skip


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What React Native's codegen makes of the specification, as its Gradle plugin runs it."""
    install()
    folder = tmp_path_factory.mktemp("codegen")
    cli = NODE_MODULES / "@react-native/codegen/lib/cli"
    config = json.loads((PACKAGE / "package.json").read_text())["codegenConfig"]
    schema = folder / "schema.json"
    sources = sorted((PACKAGE / config["jsSrcsDir"]).rglob("Native*.ts"))
    for command in (
        [cli / "combine/combine-js-to-schema-cli.js", schema, *sources],
        [cli / "generators/generate-all.js", schema, config["name"], folder / "out",
         config["android"]["javaPackageName"]],
    ):  # fmt: skip
        done = subprocess.run(
            ["node", *command], cwd=NODE_MODULES.parent, check=False, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out"


@pytest.fixture(scope="session")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """React Native's interfaces, Android, OkHttp 4, and the SDK as the AAR has it."""
    folder = tmp_path_factory.mktemp("classes")
    compiler = libraries(ROOT / "tests/docs/kotlin")
    (standard,) = compiler.glob("kotlin-stdlib-[0-9]*.jar")
    done = subprocess.run(
        ["java", *SMALL_JVM, "-cp", f"{compiler}/*", "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
         "-no-stdlib", "-no-reflect", "-nowarn", "-jvm-target", "1.8", "-cp", standard,
         "-d", folder / "react", *(REACT / name for name in KOTLIN), STUBS / "java"],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(ROOT / "build/release/share/touchmark/touchmark_sdk.aar") as aar:
        (folder / "sdk.jar").write_bytes(aar.read("classes.jar"))
    okhttp = jars_of("4.12")
    return ":".join(map(str, [folder / "react", folder / "sdk.jar", android(), *okhttp, standard]))


def java_sources(architecture: str, generated: Path) -> list[Path]:
    of = {"old": PACKAGE / "android/src/oldarch", "new": generated / "java"}[architecture]
    found = [*(PACKAGE / "android/src/main").rglob("*.java"), *of.rglob("*.java")]
    assert len(found) == 4
    return found


@pytest.mark.parametrize("architecture", ["old", "new"])
def test_the_java_layer_compiles_for_both_architectures(
    architecture: str, generated: Path, class_path: str, tmp_path: Path
) -> None:
    assert compile_java(java_sources(architecture, generated), class_path, REACT, tmp_path) == []


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("promise.resolve(work.call())", "promise.resolve()"),
        ("Touchmark.getInstance().isProtected(host)", "Touchmark.getInstance().isProtected(1)"),
        ("NetworkingModule.setCustomClientBuilder(", "NetworkingModule.setCustomBuilder("),
        ('map.putInt("status"', 'map.putInteger("status"'),
        ("public void getVersion(Promise promise)", "public void getVersions(Promise promise)"),
        ("chain.call().request()", "chain.call().origin()"),
    ],
)
def test_a_mistake_in_the_java_layer_is_found(
    right: str, wrong: str, generated: Path, class_path: str, tmp_path: Path
) -> None:
    sources = []
    changed = 0
    for source in java_sources("new", generated):
        text = source.read_text()
        changed += right in text
        sources.append(tmp_path / source.name)
        sources[-1].write_text(text.replace(right, wrong))
    assert changed == 1
    assert compile_java(sources, class_path, REACT, tmp_path / "out") != []


def test_the_old_architecture_has_the_same_methods(generated: Path) -> None:
    def methods(folder: Path) -> list[str]:
        (source,) = folder.rglob("NativeTouchmarkSpec.java")
        return re.findall(r"public abstract .*;", source.read_text())

    ours = methods(PACKAGE / "android/src/oldarch")
    assert len(ours) == 7 and ours == methods(generated / "java")


def test_the_objective_c_layer_has_the_methods_of_the_specification(generated: Path) -> None:
    header = (generated / "TouchmarkSpec/TouchmarkSpec.h").read_text()
    protocol = header.split("@protocol NativeTouchmarkSpec")[1].split("@end")[0]
    wanted = {re.sub(r"\s+", " ", one) for one in re.findall(r"- \(void\)([^;]+);", protocol)}
    source = (PACKAGE / "ios/TouchmarkModule.mm").read_text()
    found = re.findall(r"RCT_EXPORT_METHOD\((.+?)\) \{", source, re.DOTALL)
    assert {re.sub(r"\s+", " ", one) for one in found} == wanted and len(wanted) == 7


@pytest.mark.parametrize("source", sorted((PACKAGE / "ios").glob("*.mm")), ids=lambda p: p.name)
def test_the_objective_c_layer_type_checks(source: Path) -> None:
    assert type_check(source) == ""


def test_a_mistake_in_the_objective_c_layer_is_found(tmp_path: Path) -> None:
    text = (PACKAGE / "ios/TouchmarkModule.mm").read_text()
    shutil.copy(PACKAGE / "ios/TouchmarkModule.h", tmp_path)
    (tmp_path / "x.mm").write_text(text.replace("isProtectedHost:host", "isProtected:host"))
    assert "isProtected:" in type_check(tmp_path / "x.mm")


def test_the_types_are_strict_against_react_native(tmp_path: Path) -> None:
    """Of the compiler that `make lint` runs over the package: it would find a mistake."""
    whole = json.loads((PACKAGE / "tsconfig.json").read_text())
    folder = ROOT / "build/javascript/mistake"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PACKAGE / "src", folder / "react-native/src")
    shutil.copytree(WORKSPACE / "packages/core/src", folder / "core/src")
    whole["extends"] = str(WORKSPACE / "tsconfig.base.json")
    whole["compilerOptions"] |= {"rootDir": str(folder)}
    whole["include"] = ["react-native/src"]
    (folder / "tsconfig.json").write_text(json.dumps(whole))
    assert tsc("--noEmit", "-p", str(folder)) == ""
    spec = folder / "react-native/src/NativeTouchmark.ts"
    spec.write_text(spec.read_text().replace("expiresIn: number", "expiresIn: string"))
    assert "not assignable" in tsc("--noEmit", "-p", str(folder))


def test_the_package_holds_what_an_app_builds_with(packages: dict[str, Path]) -> None:
    with tarfile.open(packages["react-native"]) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
        described = json.load(archive.extractfile("package/package.json") or pytest.fail())
        aars = [name for name in archive.getnames() if name.endswith(".aar")]
        (aar,) = aars
        carried = (archive.extractfile(aar) or pytest.fail()).read()
    version = re.search(
        r"VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text().split("project(")[1]
    )
    assert version and described["version"] == version[1]
    assert carried == (ROOT / "build/release/share/touchmark/touchmark_sdk.aar").read_bytes()
    assert aar.endswith(f"touchmark-attestation-{version[1]}.aar")
    own = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix in (".java", ".mm", ".h", ".gradle", ".podspec", ".xml")
    }
    assert own <= names
    for member in ("main", "types", "react-native"):
        assert described[member] in names, member
    assert {"LICENSE", "NOTICE", "app.plugin.js", "src/NativeTouchmark.ts"} <= names
    assert not [name for name in names if ".test." in name or name.endswith("tsconfig.json")]
    assert "dependencies" not in described and "scripts" not in described
    # Nothing that is required is missing from it, beside what the app has.
    for name in sorted(names):
        if not name.endswith(".js") or not name.startswith("dist/"):
            continue
        with tarfile.open(packages["react-native"]) as archive:
            text = (archive.extractfile(f"package/{name}") or pytest.fail()).read().decode()
        for wanted in re.findall(r'require\("([^"]+)"\)', text):
            if wanted.startswith("."):
                target = (Path("/") / name).parent.joinpath(wanted).resolve()
                assert f"{str(target)[1:]}.js" in names, (name, wanted)
            else:
                allowed = {"react", "react-native", "@expo/config-plugins", "node:fs", "node:path"}
                assert wanted in allowed, (name, wanted)


def test_it_is_packed_the_same_each_time(packages: dict[str, Path], tmp_path: Path) -> None:
    before = {name: path.read_bytes() for name, path in packages.items()}
    subprocess.run([WORKSPACE / "build", ROOT / "build/release"], check=True, timeout=300)
    assert {name: path.read_bytes() for name, path in packages.items()} == before


def test_expo_puts_the_configuration_into_the_android_project(
    project: Path, tmp_path: Path
) -> None:
    script = """
    const { compileModsAsync } = require("@expo/config-plugins");
    const plugin = require(process.argv[1] + "/node_modules/@touchmark/react-native/app.plugin.js");
    const options = process.argv[3] ? { configuration: process.argv[3] } : undefined;
    const config = plugin({ name: "app", slug: "app", _internal: { projectRoot: "x" } }, options);
    delete config.mods.ios;
    compileModsAsync(config, { projectRoot: process.argv[2], platforms: ["android"] }).catch(
      (failure) => { console.error(failure.message); process.exit(1); });
    """
    (tmp_path / "android").mkdir()
    (tmp_path / "package.json").write_text("{}")

    def run(*configuration: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", "-e", script, project, tmp_path, *configuration],
            env={**os.environ, "NODE_PATH": str(NODE_MODULES)}, check=False, capture_output=True,
            text=True, timeout=60,
        )  # fmt: skip

    done = run()
    assert done.returncode == 1 and "touchmark-initial.config is missing" in done.stderr, done
    (tmp_path / "own.config").write_text("the configuration")
    done = run("./own.config")
    assert done.returncode == 0, done.stderr
    asset = tmp_path / "android/app/src/main/assets/touchmark-initial.config"
    assert asset.read_text() == "the configuration"


def test_the_gradle_script_is_groovy() -> None:
    script = "new GroovyShell().parse(new File(args[0]))"

    def parse(file: Path) -> str:
        done = subprocess.run(
            ["java", *SMALL_JVM, "-cp", f"{libraries(ROOT / 'tests/docs/gradle')}/*",
             "groovy.ui.GroovyMain", "-e", script, file],
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.stdout + done.stderr

    assert parse(PACKAGE / "android/build.gradle") == ""
