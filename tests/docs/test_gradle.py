"""Gradle takes the Android guide's blocks as they stand, and fetches the library with them.

It is Gradle itself (tests/docs/gradle/pom.xml): a project of its test fixtures, whose repositories
the guide's script sets up and whose dependency is resolved. What is not run is Android's plugin.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from docs.android import libraries
from docs.blocks import ROOT, Block, blocks
from kit.certificate import pem, self_signed
from kit.command import Command
from kit.service import Service

BUILT = ROOT / "build/release/share/touchmark"
SETTINGS = [block for block in blocks("gradle") if "dependencyResolutionManagement" in block.text]
# Whole scripts, with the plugin, are run by tests/gradle.
DEPENDENCIES = [block for block in blocks("gradle") if block.first == "dependencies {"]
WANTED = "com.example.mobile:touchmark-attestation:0.1.0"
SERVICE = "https://attest.example.com:8443"
# Marks the types whose lambdas have a receiver in a script.
RECEIVER = "org.gradle.api.HasImplicitReceiver"

# The project of a build, with the script for its settings: as Groovy, or as a class of Kotlin's.
RESOLVE = """
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.customizers.ImportCustomizer
import org.gradle.api.initialization.Settings
import org.gradle.api.initialization.resolve.DependencyResolutionManagement
import org.gradle.testfixtures.ProjectBuilder

def (folder, script, wanted) = args
def project = ProjectBuilder.builder().withProjectDir(new File(folder))
    .withGradleUserHomeDir(new File(folder, 'gradle-home')).build()
if (script == 'SettingsKt') {
  def management = [repositories: { action -> action.execute(project.repositories) }]
  def settings = [getProviders: { -> project.providers },
                  getRootDir: { -> project.projectDir },
                  dependencyResolutionManagement: { action ->
                    action.execute(management as DependencyResolutionManagement) }]
  Class.forName(script).getMethod('script', Settings).invoke(null, settings as Settings)
} else {
  def configuration = new CompilerConfiguration()
  configuration.scriptBaseClass = DelegatingScript.name
  // Gradle imports its own packages into each script.
  configuration.addCompilationCustomizers(new ImportCustomizer().addStarImports(
      'org.gradle.api.credentials', 'org.gradle.authentication.http'))
  def inProject = { closure ->
    closure.delegate = project; closure.resolveStrategy = Closure.DELEGATE_FIRST; closure() }
  def binding = new Binding(dependencyResolutionManagement: inProject, providers: project.providers)
  def read = new GroovyShell(getClass().classLoader, binding, configuration).parse(new File(script))
  read.setDelegate(project)
  read.run()
}
def dependency = project.dependencies.create(wanted)
project.configurations.detachedConfiguration(dependency).resolve().each { println it }
System.exit(0)
"""

# What Gradle's own scripts in Kotlin have beside its API.
KOTLIN = """
import java.net.URI
import org.gradle.api.credentials.*
import org.gradle.api.initialization.Settings
import org.gradle.authentication.http.*

fun Settings.uri(path: String): URI = rootDir.toURI().resolve(path)

fun Settings.script() {
%s}
"""


def jars() -> list[Path]:
    return sorted(libraries(ROOT / "tests/docs/gradle").glob("*.jar"))


def kotlin() -> tuple[Path, Path]:
    """The folder of the compiler, and its standard library."""
    compiler = libraries(ROOT / "tests/docs/kotlin")
    (standard,) = compiler.glob("kotlin-stdlib-[0-9]*.jar")
    return compiler, standard


def compile_settings(text: str, folder: Path) -> str:
    """As Gradle compiles settings.gradle.kts: a lambda for an Action has a receiver."""
    compiler, standard = kotlin()
    (plugin,) = (jar for jar in jars() if "sam-with-receiver" in jar.name)
    (folder / "Settings.kt").write_text(KOTLIN % text)
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{compiler}/*",
         "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-Werror",
         "-jvm-target", "1.8", "-cp", ":".join(map(str, [standard, *jars()])),
         f"-Xplugin={plugin}",
         "-P", f"plugin:org.jetbrains.kotlin.samWithReceiver:annotation={RECEIVER}",
         "-d", folder / "classes", folder / "Settings.kt"],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("gradle-service")
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "cert.pem").write_bytes(self_signed(key, "localhost"))
    (folder / "key.pem").write_bytes(pem(key))
    started = Service(
        folder / "data",
        ["--sdk-dir", str(BUILT), "--cert", str(folder / "cert.pem"), "--key",
         str(folder / "key.pem")],
    ).start()  # fmt: skip
    yield started
    started.stop()


@pytest.fixture(scope="module")
def token(service: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a build machine, made as the guide says."""
    folder = tmp_path_factory.mktemp("machine")
    command = Command(folder / "home")
    command.init(service)
    (line,) = (
        line
        for block in blocks("sh")
        if block.page == "docs/integrate-android.md"
        for line in block.text.splitlines()
        if line.startswith("touchmark operator add ")
    )
    command.ok(*line.split()[1:], cwd=folder)
    made: str = json.loads((folder / "machine.json").read_text())["token"]
    return made


@pytest.fixture(scope="module")
def trusted(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Java trusts: the service's certificate alone, so that nothing else is asked."""
    store = tmp_path_factory.mktemp("trust") / "trusted.jks"
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-alias", "ours", "-storepass", "changeit",
         "-file", service.data.parent / "cert.pem", "-keystore", store],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return store


def resolve(
    block: Block, dialect: str, service: Service, trusted: Path, token: str | None, folder: Path
) -> subprocess.CompletedProcess[str]:
    text = block.text.replace(SERVICE, service.url)
    script = folder / "settings.gradle"
    class_path = [*jars(), kotlin()[1]]  # parts of Gradle are written in Kotlin
    if dialect == "kotlin":
        assert compile_settings(text, folder) == ""
        class_path.append(folder / "classes")
    else:
        script.write_text(text)
    (folder / "resolve.groovy").write_text(RESOLVE)
    environment = {k: v for k, v in os.environ.items() if k != "TOUCHMARK_TOKEN"}
    if token is not None:
        environment["TOUCHMARK_TOKEN"] = token
    return subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "--add-opens", "java.base/java.lang=ALL-UNNAMED",
         f"-Djavax.net.ssl.trustStore={trusted}", "-Djavax.net.ssl.trustStorePassword=changeit",
         "-cp", ":".join(map(str, class_path)),
         "groovy.ui.GroovyMain", folder / "resolve.groovy", folder,
         "SettingsKt" if dialect == "kotlin" else script, WANTED],
        check=False, capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip


def dialects(block: Block) -> list[str]:
    if "::class" in block.text:
        return ["kotlin"]
    return ["groovy"] if "HttpHeaderCredentials" in block.text else ["groovy", "kotlin"]


@pytest.mark.parametrize(
    ("block", "dialect"),
    [(block, dialect) for block in SETTINGS for dialect in dialects(block)],
    ids=str,
)
def test_gradle_fetches_the_library_with_the_guide_s_settings(
    block: Block, dialect: str, service: Service, trusted: Path, token: str, tmp_path: Path
) -> None:
    command = Command(tmp_path / "home")
    command.init(service, "developer")
    (line,) = (
        line
        for one in blocks("sh")
        if one.page == block.page
        for line in one.text.splitlines()
        if line.startswith("touchmark sdk repository ")
    )
    if SERVICE not in block.text:
        command.ok(*line.split()[1:], cwd=tmp_path)
    done = resolve(block, dialect, service, trusted, token, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (fetched,) = map(Path, done.stdout.splitlines())
    assert fetched.name == "touchmark-attestation-0.1.0.aar"
    assert fetched.read_bytes() == (BUILT / "touchmark_sdk.aar").read_bytes()


def test_gradle_says_that_the_token_is_missing(
    service: Service, trusted: Path, tmp_path: Path
) -> None:
    done = resolve(SETTINGS[0], "groovy", service, trusted, None, tmp_path)
    assert done.returncode != 0 and "401" in done.stderr, done.stderr


def test_a_script_that_does_not_compile_is_found(tmp_path: Path) -> None:
    assert "unresolved reference" in compile_settings("    dependencyResolution {}\n", tmp_path)


def test_both_languages_and_both_ways_are_in_the_guide() -> None:
    assert [dialects(block) for block in SETTINGS] == [["groovy"], ["kotlin"], ["groovy", "kotlin"]]
    assert [SERVICE in block.text for block in SETTINGS] == [True, True, False]


@pytest.mark.parametrize("block", DEPENDENCIES, ids=str)
def test_gradle_s_language_takes_the_block(block: Block, tmp_path: Path) -> None:
    """Groovy itself, with Gradle's words as closures that note what they were given."""
    (tmp_path / "build.gradle").write_text(block.text)
    (tmp_path / "run.groovy").write_text(
        """class Noted { def lines = []
  def files(Object... names) { names.join(',') }
  def methodMissing(String name, arguments) {
    lines << (name + ' ' + arguments.collect { it.toString() }.join(' ')) }
}
def noted = new Noted()
def shell = new GroovyShell(new Binding(dependencies: { closure ->
  closure.delegate = noted; closure.resolveStrategy = Closure.DELEGATE_ONLY; closure() }))
shell.evaluate(new File('build.gradle'))
noted.lines.each { println it }
"""
    )
    groovy = libraries(ROOT / "tests/docs/groovy")
    done = subprocess.run(
        ["java", "-cp", f"{groovy}/*", "groovy.ui.GroovyMain", "run.groovy"], cwd=tmp_path,
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # Kotlin's dialect wants the parentheses and the double quotes.
    assert re.search(r'^ +implementation\((files\("[^"]+"\)|"[^"]+")\)$', block.text, re.MULTILINE)
    as_file = "implementation libs/touchmark_sdk.aar\n"
    assert done.stdout in (as_file, f"implementation {WANTED}\n")
    if done.stdout != as_file:
        return
    fetched = [
        line
        for one in blocks("sh")
        if one.page == block.page
        for line in one.text.splitlines()
        if line.startswith("touchmark sdk library ")
    ]
    assert fetched == ["touchmark sdk library app/libs/touchmark_sdk.aar"]


def test_the_guide_names_the_version_of_the_build() -> None:
    with zipfile.ZipFile(BUILT / "touchmark_sdk.aar") as aar:
        version = json.loads(aar.read("assets/touchmark-sdk.json"))["version"]
    assert WANTED.endswith(f":{version}")
    assert shutil.which("keytool"), "the JDK brings it"
