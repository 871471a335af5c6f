"""The bindings for Flutter are the C interface: the same functions, of the same types, structs of
the same layout, the same values. No Dart compiler looks at them; this does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "attester/include/touchmark.h").read_text()
DART = (ROOT / "attester/flutter/lib/src/bindings.dart").read_text()
FUNCTION = re.compile(r"^TOUCHMARK_API ([\w ]+[ *]+)(touchmark_\w+)\(([^;]*)\);", re.MULTILINE)
LOOKUP = re.compile(
    r"late final (\w+) = _library\.lookupFunction<\s*(.+?) Function\((.*?)\),\s*"
    r"(\w+(?:<.+?>)?) Function\((.*?)\)>\('(\w+)'\);",
    re.DOTALL,
)
STRUCT = re.compile(
    r"/// (touchmark_\w+)\nfinal class (\w+) extends Struct \{\n(.*?)\n\}", re.DOTALL
)
FIELD = re.compile(r"(?:@(\w+)\(\)\n\s+)?external ([\w<>]+) (\w+);")
# How a C type of the interface is written in Dart.
TYPES = {
    "void": "Void",
    "int": "Int",
    "size_t": "Size",
    "int64_t": "Int64",
    "touchmark_status": "Int32",
    "touchmark_done": "Pointer<NativeFunction<NativeDone>>",
    "void*": "Pointer<Void>",
    "char*": "Pointer<Utf8>",
    "char**": "Pointer<Pointer<Utf8>>",
    "size_t*": "Pointer<Size>",
    "uint8_t*": "Pointer<Uint8>",
    "void**": "Pointer<Pointer<Void>>",
    "touchmark_client*": "Pointer<NativeClient>",
    "touchmark_client**": "Pointer<Pointer<NativeClient>>",
    "touchmark_options*": "Pointer<NativeOptions>",
    "touchmark_result*": "Pointer<NativeResult>",
    "touchmark_bytes*": "Pointer<NativeBytes>",
    "touchmark_key_provider*": "Pointer<NativeKeyProvider>",
    "touchmark_observer*": "Pointer<NativeObserver>",
}
NUMBERS = {"Int", "Int32", "Int64", "Size"}
# Of the processors that Flutter's apps are for.
TARGETS = (
    "aarch64-linux-android23", "armv7-linux-androideabi23", "x86_64-linux-android23",
    "arm64-apple-ios14.0",
)  # fmt: skip


def dart_type(declared: str) -> str:
    """Of a parameter or member "const uint8_t (*name)[32]", in Dart."""
    text = re.sub(r"\bconst\b", "", declared)
    text = re.sub(r"\(\*\s*\w*\)\[32\]|\b\w+\[32\]", "*", text)  # a pointer to digests
    name = re.match(r"\s*(\w+)\s*((?:\*\s*)*)", text)
    assert name, declared
    return TYPES[name[1] + name[2].replace(" ", "")]


def split(arguments: str) -> list[str]:
    """At the commas that stand in no angle brackets."""
    return [one.strip() for one in re.split(r",(?![^<]*>)", arguments) if one.strip()]


def header_functions() -> dict[str, tuple[str, list[str]]]:
    out = {}
    for result, name, parameters in FUNCTION.findall(HEADER):
        given = [] if parameters.strip() == "void" else parameters.split(",")
        out[name] = (dart_type(result), [dart_type(one) for one in given])
    return out


def dart_functions() -> dict[str, tuple[str, list[str]]]:
    return {name: (result, split(args)) for _, result, args, _, _, name in LOOKUP.findall(DART)}


def exported() -> set[str]:
    library = ROOT / "build/release/lib/libtouchmark.so"
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)], check=True, capture_output=True, text=True
    )
    return set(re.findall(r" T (touchmark_\w+)", listed.stdout))


def test_every_function_is_bound_with_its_types() -> None:
    functions = header_functions()
    assert len(functions) == HEADER.count("\nTOUCHMARK_API ")
    assert dart_functions() == functions


@pytest.mark.skipif(
    not (ROOT / "build/release/lib/libtouchmark.so").is_file(), reason="the library is not built"
)
def test_every_exported_function_is_bound() -> None:
    assert set(dart_functions()) == exported()


def test_dart_sees_each_function_as_it_is() -> None:
    """The second type of a look-up is the first, with Dart's own numbers."""
    found = LOOKUP.findall(DART)
    assert DART.count("lookupFunction<") == len(found)
    for _, result, args, seen_result, seen_args, name in found:
        as_seen = ["int" if one in NUMBERS else one for one in split(args)]
        assert split(seen_args) == as_seen, name
        expected = {"Void": "void"}.get(result, "int" if result in NUMBERS else result)
        assert seen_result == expected, name


def test_each_function_is_named_after_its_own() -> None:
    for dart_name, _, _, _, _, name in LOOKUP.findall(DART):
        words = name.removeprefix("touchmark_").split("_")
        assert dart_name == words[0] + "".join(word.title() for word in words[1:])


@pytest.mark.parametrize("enum", ["touchmark_status", "touchmark_key_status"])
def test_values(enum: str) -> None:
    body = re.search(rf"typedef enum {enum} \{{(.*?)\}}", HEADER, re.DOTALL)
    assert body
    for name, value in re.findall(r"(TOUCHMARK_\w+) = (\d+)", body[1]):
        first, *rest = name.lower().split("_")
        dart_name = first + "".join(word.title() for word in rest)
        assert f"const int {dart_name} = {value};" in DART


def members(struct: str) -> list[tuple[str, str]]:
    """The members in Dart: the header's name, and the native type."""
    (body,) = [body for name, _, body in STRUCT.findall(DART) if name == struct]
    out = []
    for number, kind, name in FIELD.findall(body):
        assert (kind == "int") == bool(number), name
        out.append((re.sub(r"([A-Z])", lambda c: f"_{c[1].lower()}", name), number or kind))
    assert len(out) == body.count("external ")
    return out


@pytest.mark.parametrize("struct", ["touchmark_options", "touchmark_result"])
def test_members(struct: str) -> None:
    body = re.search(rf"typedef struct {struct} \{{(.*?)\n\}} {struct};", HEADER, re.DOTALL)
    assert body
    plain = re.sub(r"/\*.*?\*/", "", body[1], flags=re.DOTALL)
    declared = re.findall(r"^\s*([\w ]+[ *]+)(\w+);", plain, re.MULTILINE)
    assert members(struct) == [(name, dart_type(kind)) for kind, name in declared]


@pytest.mark.parametrize("target", TARGETS)
def test_layouts(target: str, tmp_path: Path) -> None:
    """As dart:ffi lays a struct out: each member at the next multiple of its own size."""
    pointer = 4 if target.startswith("armv7") else 8
    lines = ['#include "attester/include/touchmark.h"']
    for struct in ("touchmark_options", "touchmark_result"):
        at, widest = 0, 1
        for name, kind in members(struct):
            size = {"Int": 4, "Int32": 4, "Int64": 8}.get(kind, pointer)
            at = (at + size - 1) // size * size
            lines.append(f"_Static_assert(__builtin_offsetof({struct}, {name}) == {at}, {name!r});")
            at, widest = at + size, max(widest, size)
        whole = (at + widest - 1) // widest * widest
        lines.append(f'_Static_assert(sizeof({struct}) == {whole}, "size");')
    source = tmp_path / "layout.c"
    source.write_text("\n".join(lines).replace("'", '"') + "\n")
    done = subprocess.run(
        ["clang-16", f"--target={target}", "-ffreestanding", "-fsyntax-only", "-I", str(ROOT),
         str(source)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
