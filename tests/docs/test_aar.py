"""What an app's build finds in the AAR and beside it: nullability, C interface, licences."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from docs.android import ANDROID, jars_of, libraries
from docs.blocks import ROOT, Block
from docs.test_kotlin import compile_kotlin

BUILT = ROOT / "build/release/share/touchmark"
ANNOTATION = re.compile(r"org\.jetbrains\.annotations\.(NotNull|Nullable)")
PRIMITIVE = {"void", "boolean", "byte", "char", "short", "int", "long", "float", "double"}

# --- What may be null -----------------------------------------------------------------------------


def disassembled(classes: Path) -> str:
    files = sorted(path for path in classes.rglob("*.class") if "$" not in path.name)
    done = subprocess.run(
        ["javap", "-v", "-protected", *files],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


def public_members(text: str) -> list[tuple[str, str, str]]:
    """Class, declaration and what else javap says, of each public member of each public class."""
    found = []
    for part in re.split(r"^Classfile ", text, flags=re.MULTILINE)[1:]:
        head = re.search(r"^(public [^\n]*)$", part, re.MULTILINE)
        if not head:
            continue
        body = part[part.index("\n{\n") :].split("\n}\n")[0]
        for member in re.split(r"\n  (?=public |protected )", body)[1:]:
            declaration, _, rest = member.partition("\n")
            found.append((head[1], declaration, rest))
    return found


def unmarked(declaration: str, rest: str) -> list[str]:
    """The references of a member of which its class file does not say whether they may be null."""
    signature = re.fullmatch(r"(.*?)([\w.$]+)\((.*)\)(?: throws .*)?;", declaration)
    if not signature:  # a field
        kind = declaration.rstrip(";").split()[-2]
        return [] if kind in PRIMITIVE or "ConstantValue" in rest else [declaration]
    out = []
    own, _, by_parameter = rest.partition("RuntimeInvisibleParameterAnnotations:")
    result = re.sub(r"\b(public|protected|static|final|abstract|synchronized) ", "", signature[1])
    if result.strip() and result.strip() not in PRIMITIVE and not ANNOTATION.search(own):
        out.append(f"{declaration}: result")
    marked = dict(
        re.findall(r"parameter (\d+):\n(.*?)(?=parameter \d+:|\Z)", by_parameter, re.DOTALL)
    )
    for number, kind in enumerate(filter(None, signature[3].split(", "))):
        if kind not in PRIMITIVE and not ANNOTATION.search(marked.get(str(number), "")):
            out.append(f"{declaration}: parameter {number}")
    return out


def test_each_reference_of_the_api_says_whether_it_may_be_null(sdk: Path) -> None:
    members = public_members(disassembled(sdk))
    assert len(members) > 40
    missing = [
        one
        for head, declaration, rest in members
        # What the compiler makes for an enum, Kotlin knows itself.
        if not re.search(r"\b(values\(\)|valueOf\(java\.lang\.String\))", declaration)
        and not ("java.lang.Enum<" in head and " static final " in declaration)
        for one in unmarked(declaration, rest)
    ]
    assert missing == []


def test_a_reference_that_does_not_say_it_is_found(tmp_path: Path) -> None:
    source = tmp_path / "A.java"
    source.write_text(
        "import org.jetbrains.annotations.*;\npublic class A {\n"
        "  public @NotNull String a(@Nullable String x, int y) { return x + y; }\n"
        "  public String b(int x) { return null; }\n"
        "  public void c(@NotNull String x, String y) {}\n"
        "  public final Object d = null;\n  String e(String x) { return x; }\n}\n"
    )
    subprocess.run(
        ["javac", "-cp", f"{libraries(ANDROID)}/*", "-d", tmp_path, source], check=True, timeout=120
    )
    found = [
        one
        for _, declaration, rest in public_members(disassembled(tmp_path))
        for one in unmarked(declaration, rest)
    ]
    assert found == [
        "public final java.lang.Object d;",
        "public java.lang.String b(int);: result",
        "public void c(java.lang.String, java.lang.String);: parameter 1",
    ]


KOTLIN = """package com.example.app

import android.content.Context
import java.net.HttpURLConnection
import touchmark.sdk.PlayIntegrityProvider
import touchmark.sdk.TokenFetchResult
import touchmark.sdk.Touchmark
import touchmark.sdk.TouchmarkException
import touchmark.sdk.okhttp.TouchmarkInterceptor

fun use(context: Context, connection: HttpURLConnection, binding: String?): String {
  val touchmark: Touchmark = Touchmark.initialize(context)
  touchmark.setPlayIntegrityProvider(PlayIntegrityProvider { nonce -> nonce.ifEmpty { null } })
  touchmark.setPlayIntegrityProvider(null)
  touchmark.fetchToken("https://a.example", binding) { result -> println(result.token.length) }
  TouchmarkInterceptor(touchmark, binding)
  val result: TokenFetchResult = touchmark.addToken(connection, binding)
  return result.token + result.headerName + result.headerValue + result.message + touchmark.deviceId
}

fun explain(failed: TouchmarkException) = failed.status.isRetryable
"""


def test_kotlin_sees_no_platform_type(sdk: Path, tmp_path: Path) -> None:
    block = Block("x.md", 1, "kotlin", KOTLIN)
    assert compile_kotlin([block], tmp_path, sdk, *jars_of("3.12")) == ""


def said_of(expressions: list[str], folder: Path, *class_path: Path) -> list[str]:
    """What Kotlin's compiler says of each, in lower case."""
    head = (
        "package a\n\nimport touchmark.sdk.PlayIntegrityProvider\nimport touchmark.sdk.Touchmark\n"
        "import touchmark.sdk.okhttp.TouchmarkInterceptor\n\nclass Other\n\n"
        "fun take(other: Other) = println(other)\n\n"
    )
    lines = [
        f"fun f{number}(provider: PlayIntegrityProvider) {{ println(provider); {expression} }}\n"
        for number, expression in enumerate(expressions)
    ]
    said = compile_kotlin([Block("x.md", 1, "kotlin", head + "".join(lines))], folder, *class_path)
    first = head.count("\n") + 1
    return [
        "\n".join(
            line for line in said.splitlines() if f"Block0.kt:{first + number}:" in line
        ).lower()
        for number in range(len(expressions))
    ]


def test_kotlin_knows_what_may_be_null(sdk: Path, tmp_path: Path) -> None:
    refused = {
        "Touchmark.getInstance().fetchTokenAndWait(null)": "null cannot be a value",
        'Touchmark.initialize(null, "")': "null cannot be a value",
        "TouchmarkInterceptor(null)": "null cannot be a value",
        'provider.requestToken("").length': "only safe",
        # The type as Kotlin has it. "String!" is one of which it does not know.
        "take(Touchmark.getInstance())": "'touchmark'",
        "take(Touchmark.getInstance().deviceId)": "'string'",
        'take(Touchmark.getInstance().fetchTokenAndWait("").token)': "'string'",
        'take(provider.requestToken(""))': "'string?'",
        'take(java.io.File("").name)': "'string!'",
    }
    said = said_of(list(refused), tmp_path, sdk, *jars_of("3.12"))
    for (expression, words), found in zip(refused.items(), said, strict=True):
        assert words in found.replace("@enhancednullability() ", ""), expression


def test_an_app_needs_no_library_for_them(sdk: Path, tmp_path: Path) -> None:
    """Neither to compile against the SDK nor to run it."""
    (tmp_path / "A.java").write_text(
        "class A { public static void main(String[] a) {"
        " touchmark.sdk.TokenFetchCallback callback = result -> result.getToken().length();"
        " callback.onTokenFetched(null); } }\n"
    )
    compiler = ["javac", "-Xlint:all", "-Werror", "-cp", str(sdk), "-d", str(tmp_path)]
    for command, expected in (
        ([*compiler, str(tmp_path / "A.java")], ""),
        (["java", "-cp", f"{sdk}:{tmp_path}", "A"], "NullPointerException"),
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert expected in done.stderr and "annotations" not in done.stderr, done.stderr
        assert bool(done.returncode) == bool(expected), done.stderr


# --- The C interface ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aar")
    with zipfile.ZipFile(BUILT / "touchmark_sdk.aar") as archive:
        archive.extractall(folder)
    return folder


def test_native_code_links_the_c_interface(unpacked: Path, tmp_path: Path) -> None:
    """With the header and the library as Prefab finds them."""
    package = json.loads((unpacked / "prefab/prefab.json").read_text())
    assert package == {
        "schema_version": 1, "name": "touchmark", "version": "0.1.0", "dependencies": []
    }  # fmt: skip
    module = unpacked / "prefab/modules" / package["name"]
    described = json.loads((module / "module.json").read_text())
    assert described["library_name"] == "libtouchmark" and described["export_libraries"] == []
    abis = sorted(path.name for path in (unpacked / "jni").iterdir())
    assert sorted(path.name for path in (module / "libs").iterdir()) == [
        f"android.{abi}" for abi in abis
    ]
    for abi in abis:
        folder = module / f"libs/android.{abi}"
        facts = json.loads((folder / "abi.json").read_text())
        assert facts == {"abi": abi, "api": 23, "ndk": 26, "stl": "none"}
        library = folder / "libtouchmark.so"
        assert library.read_bytes() == (unpacked / f"jni/{abi}/libtouchmark.so").read_bytes()
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\n#include <touchmark.h>\n"
        "int main(void) { return puts(touchmark_version()) < 0; }\n"
    )
    where = module / "libs/android.x86_64"
    for command in (
        ["gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I", module / "include",
         tmp_path / "main.c", "-o", tmp_path / "main", f"-L{where}", "-ltouchmark",
         f"-Wl,-rpath,{where}"],
        [tmp_path / "main"],
    ):  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert done.stdout == "0.1.0\n"


def test_the_header_of_prefab_is_the_interface(unpacked: Path) -> None:
    header = (unpacked / "prefab/modules/touchmark/include/touchmark.h").read_bytes()
    assert header == (ROOT / "attester/include/touchmark.h").read_bytes()


# --- Sources, documentation, licences -------------------------------------------------------------


@pytest.mark.parametrize(
    "archive",
    [
        "touchmark_sdk.aar",
        "touchmark_sdk-sources.jar",
        "touchmark_sdk-javadoc.jar",
        "touchmark_sdk-coroutines.jar",
        "touchmark_sdk-coroutines-sources.jar",
        "touchmark_sdk-gradle-plugin.jar",
        "touchmark_sdk-gradle-plugin-sources.jar",
        "touchmark_sdk-gradle-plugin-javadoc.jar",
    ],
)
def test_each_archive_has_the_licences(archive: str) -> None:
    with zipfile.ZipFile(BUILT / archive) as content:
        assert content.read("META-INF/LICENSE") == (ROOT / "LICENSE").read_bytes()
        notice = content.read("META-INF/NOTICE").decode()
    for name in ("OpenSSL", "libcurl", "zlib", "libc++", "JSON for Modern C++", "expected"):
        assert re.search(rf"^{re.escape(name)}(,| \d).*$", notice, re.MULTILINE), name


def test_sources_and_documentation_are_those_of_the_api(tmp_path: Path) -> None:
    names = {
        str(path.relative_to(ANDROID / "java")): path.read_bytes()
        for path in (ANDROID / "java").rglob("*.java")
    }
    with zipfile.ZipFile(BUILT / "touchmark_sdk-sources.jar") as sources:
        found = {name: sources.read(name) for name in sources.namelist() if name.endswith(".java")}
    assert found == names
    with zipfile.ZipFile(BUILT / "touchmark_sdk-javadoc.jar") as pages:
        page = pages.read("touchmark/sdk/Touchmark.html").decode()
        assert "touchmark/sdk/okhttp/TouchmarkInterceptor.html" in pages.namelist()
        assert "touchmark/sdk/NativeCore.html" not in pages.namelist(), "is not of the API"
        every = b"".join(pages.read(name) for name in pages.namelist())
    assert "fetchTokenAndWait" in page
    assert "whether or not there is a token already" in page.replace("\n", " ")
    assert str(ROOT).encode() not in every and b"/tmp/" not in every


def test_they_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    subprocess.run(
        [ANDROID / "build-jars", "0.1.0", tmp_path], check=True, timeout=300,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TZ": "Asia/Tokyo", "LANG": "C"},
    )  # fmt: skip
    for name in ("touchmark_sdk-sources.jar", "touchmark_sdk-javadoc.jar"):
        assert (tmp_path / name).read_bytes() == (BUILT / name).read_bytes(), name
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert shutil.which("javap")
