"""Gradle itself, run as its start script would, and the registries of a build on this machine.

No registry has Gradle's start script or distribution; it has the whole of Gradle in one library,
which harness/RunGradle.java starts. Android's own plugin is in parts in Google's registry alone, so
stand_in/ takes its place, with the same public API.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from docs.android import libraries
from docs.blocks import ROOT

HERE = Path(__file__).resolve().parent
ANDROID = ROOT / "attester/android"
PLUGIN = ANDROID / "gradle-plugin"
GRADLE = "8.11.1"
# What the guide names of Android's and Kotlin's plugins.
AGP = "8.7.3"
KOTLIN = "2.2.21"
MARK = "\x1e "
TOO_LONG = 180.0  # seconds, of one build
INIT = """
beforeSettings { settings ->
  def elsewhere = ['dl.google.com', 'repo.maven.apache.org', 'plugins.gradle.org']
  def here = { repositories -> repositories.all { one ->
    if (one instanceof MavenArtifactRepository && one.url.host in elsewhere) { one.url = '%s' } } }
  here(settings.pluginManagement.repositories)
  here(settings.dependencyResolutionManagement.repositories)
}
"""


def compile_java(out: Path, sources: Path, *class_path: Path | str) -> None:
    done = subprocess.run(
        ["javac", "-encoding", "UTF-8", "--release", "11", "-nowarn", "-proc:none",
         "-cp", ":".join(map(str, class_path)), "-d", out, *sources.rglob("*.java")],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def jar(path: Path, *folders: Path, more: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as out:
        for folder in folders:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    out.write(file, str(file.relative_to(folder)))
        for name, content in (more or {}).items():
            out.writestr(name, content)
    return path


@dataclass
class Registry:
    """A folder with the modules that a build asks Google's and Maven's registries for."""

    folder: Path

    def add(self, name: str, file: Path | None, *needs: str) -> None:
        """`name` and `needs`: GROUP:ARTIFACT:VERSION. Without a file it is a POM alone."""
        group, artifact, version = name.split(":")
        place = self.folder / group.replace(".", "/") / artifact / version
        place.mkdir(parents=True, exist_ok=True)
        dependencies = ""
        for need in needs:
            of, what, at = need.split(":")
            dependencies += (
                f"<dependency><groupId>{of}</groupId><artifactId>{what}</artifactId>"
                f"<version>{at}</version><scope>compile</scope></dependency>"
            )
        (place / f"{artifact}-{version}.pom").write_text(
            "<project><modelVersion>4.0.0</modelVersion>"
            f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
            f"<version>{version}</version><packaging>{'jar' if file else 'pom'}</packaging>"
            f"<dependencies>{dependencies}</dependencies></project>"
        )
        if file:
            (place / f"{artifact}-{version}.jar").symlink_to(file)


def make_registry(folder: Path, work: Path) -> Registry:
    registry = Registry(folder)
    gradle = libraries(PLUGIN)
    (standard,) = gradle.glob("kotlin-stdlib-*.jar")
    api, classes = work / "android-api", work / "stand-in"
    compile_java(api, PLUGIN / "android-api", f"{gradle}/*")
    compile_java(classes, HERE / "stand_in/java", api, f"{gradle}/*")
    mark = "META-INF/gradle-plugins/%s.properties"
    stand_in = jar(work / "stand-in.jar", api, classes, more={
        mark % "com.android.application": "implementation-class=standin.AndroidPlugin\n",
        mark % "org.jetbrains.kotlin.android": "implementation-class=standin.KotlinPlugin\n",
    })  # fmt: skip
    stdlib = f"org.jetbrains.kotlin:kotlin-stdlib:{KOTLIN}"
    registry.add(stdlib, standard, "org.jetbrains:annotations:13.0")
    agp, kgp = (
        f"com.android.tools.build:gradle:{AGP}",
        f"org.jetbrains.kotlin:kotlin-gradle-plugin:{KOTLIN}",
    )
    registry.add(agp, stand_in, stdlib)
    registry.add(f"com.android.application:com.android.application.gradle.plugin:{AGP}", None, agp)
    registry.add(kgp, jar(work / "empty.jar"))
    registry.add(
        f"org.jetbrains.kotlin.android:org.jetbrains.kotlin.android.gradle.plugin:{KOTLIN}",
        None,
        kgp,
    )
    android = libraries(ANDROID)
    okio = "com.squareup.okio:okio:1.15.0"
    registry.add("org.jetbrains:annotations:13.0", android / "annotations-13.0.jar")
    registry.add(okio, android / "okio-1.15.0.jar")
    registry.add("com.squareup.okhttp3:okhttp:3.12.13", android / "okhttp-3.12.13.jar", okio)
    coroutines = libraries(ANDROID / "coroutines") / "kotlinx-coroutines-core-jvm-1.8.1.jar"
    core = "org.jetbrains.kotlinx:kotlinx-coroutines-core-jvm:1.8.1"
    registry.add(core, coroutines, stdlib)
    registry.add("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.8.1", None, core)
    return registry


def make_distribution(folder: Path) -> list[Path]:
    """Gradle's folder as its modules look for one another there: their names lead to the one
    library that holds them all. Gives the class path."""
    library = folder / "lib"
    library.mkdir(parents=True)
    gradle = libraries(PLUGIN)
    everything = library / f"gradle-api-{GRADLE}.jar"
    everything.symlink_to(gradle / everything.name)
    with zipfile.ZipFile(everything) as archive:
        modules = [
            found[1]
            for name in archive.namelist()
            if (found := re.fullmatch(r"(gradle-[\w-]+)-classpath\.properties", name))
        ]
    for module in modules:
        text = f"projects=\nruntime={everything.name}\n"
        jar(library / f"{module}-{GRADLE}.jar", more={f"{module}-classpath.properties": text})
    jar(library / "javax.inject-1.jar", more={"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n"})
    for one in (
        *libraries(ROOT / "tests/docs/gradle").glob("groovy*.jar"),
        *gradle.glob("kotlin*.jar"),
    ):
        (library / one.name).symlink_to(one)
    return sorted(library.glob("*.jar"))


@dataclass(frozen=True)
class Build:
    status: int
    output: str

    def ok(self) -> str:
        assert self.status == 0, self.output
        return self.output

    def failed(self) -> str:
        assert self.status != 0, self.output
        return self.output


class Gradle:
    """One process for many builds, as Gradle's daemon is one."""

    def __init__(self, folder: Path, registry: Registry, trusted: Path) -> None:
        self.folder = folder
        self.home = folder / "gradle-home"
        self.home.mkdir(parents=True)
        self.init = folder / "here.init.gradle"
        self.init.write_text(INIT % registry.folder.as_uri())
        class_path = make_distribution(folder / "gradle")
        compile_java(folder / "harness", HERE / "harness", *class_path)
        opens = ["java.base/java.util", "java.base/java.lang", "java.base/java.lang.invoke"]
        self.process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g",
             *(f"--add-opens={one}=ALL-UNNAMED" for one in opens),
             f"-Djavax.net.ssl.trustStore={trusted}", "-Djavax.net.ssl.trustStorePassword=changeit",
             "-cp", ":".join(map(str, [folder / "harness", *class_path])), "RunGradle", self.home],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, project: Path, *arguments: str, **environment: str) -> Build:
        assert self.process.stdin and self.process.stdout
        kotlin = libraries(ROOT / "tests/docs/kotlin")
        android = libraries(ANDROID)
        options = [
            *arguments, "--init-script", str(self.init), "--gradle-user-home", str(self.home),
            "--project-cache-dir", str(project / ".gradle"), "--console", "plain",
            f"-Pstandin.build-apk={ROOT / 'tools/android/build-apk'}",
            f"-Pstandin.platform={next(android.glob('android-*.jar'))}",
            f"-Pstandin.kotlin={':'.join(map(str, sorted(kotlin.glob('*.jar'))))}",
        ]  # fmt: skip
        variables = {k: v for k, v in os.environ.items() if not k.startswith("TOUCHMARK_")}
        variables = {k: v for k, v in (variables | environment).items() if "\n" not in v}
        lines = [str(project), *(f"{k}={v}" for k, v in variables.items()), "", *options, ""]
        self.process.stdin.write("\n".join(lines) + "\n")
        self.process.stdin.flush()
        output: list[str] = []
        watch = threading.Timer(TOO_LONG, self.process.kill)
        watch.start()
        try:
            for line in self.process.stdout:
                if MARK in line:  # the log of --debug has a time before it
                    return Build(int(line.split(MARK)[1]), "".join(output))
                output.append(line)
        finally:
            watch.cancel()
        raise AssertionError("Gradle ended:\n" + "".join(output))

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
