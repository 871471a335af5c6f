"""protocol/openapi.yaml describes the routes of verifier/routes/table.cc, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from kit.routes import ROLES, ROOT, Row, permissions, routes

Operations = dict[tuple[str, str], dict[str, Any]]

METHODS = {"get", "put", "post", "patch", "delete"}


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "protocol/openapi.yaml").read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return routes()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> Operations:
    return {
        (method.upper(), re.sub(r"\{\w+\}", "*", path.replace("{maven_path}", "**"))): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def constant(name: str) -> int:
    """The value of a constant of the C++ sources that is a product of numbers and constants."""
    name = name.split("::")[-1]
    for source in [
        *ROOT.glob("verifier/**/*.h"),
        *ROOT.glob("protocol/**/*.h"),
        *ROOT.glob("verifier/routes/*.cc"),
    ]:
        found = re.search(rf"constexpr [\w:]+ {name} = ([^;]+);", source.read_text("utf-8"))
        if not found:
            continue
        out = 1
        for word in found[1].split("*"):
            factor = word.strip().replace("'", "")
            out *= int(factor) if factor.isdigit() else constant(factor)
        return out
    raise AssertionError(f"no constant {name}")


def test_names_every_route_and_no_other(table: list[Row], operations: Operations) -> None:
    assert {(row["method"], row["path"]) for row in table} == set(operations)
    assert len(table) == len(operations)


def test_names_operations_after_their_handlers(table: list[Row], operations: Operations) -> None:
    for row in table:
        operation = operations[row["method"], row["path"]]
        assert operation["operationId"] == camel_case(row["handler"]), row


def test_tells_who_may_use_each(table: list[Row], operations: Operations) -> None:
    known = permissions()
    for row in table:
        operation = operations[row["method"], row["path"]]
        if row["permission"] == "Public":
            assert operation["x-access"] == "public", row
            assert operation.get("security") is None, row
            assert "x-roles" not in operation and "401" not in operation["responses"], row
            continue
        name, roles = known[row["permission"]]
        assert operation["x-access"] == name, row
        assert tuple(operation["x-roles"]) == roles, row
        assert operation["security"] == [{"operatorToken": []}], row
        assert "401" in operation["responses"], row
        assert ("403" in operation["responses"]) == (roles != ROLES), row


def test_tells_how_large_a_body_may_be(table: list[Row], operations: Operations) -> None:
    upload = re.search(
        r"max_upload = std::uint64_t\{(\d+)\} << (\d+);",
        (ROOT / "verifier/routes/handlers.h").read_text("utf-8"),
    )
    assert upload, "the bound of an upload is written in another way"
    for row in table:
        body: Any = operations[row["method"], row["path"]].get("requestBody")
        if row["kept"] == "Upload":
            assert list(body["content"]) == ["application/octet-stream"]
            assert body["x-max-bytes"] == int(upload[1]) << int(upload[2])
        elif row["max_body"] == "kNoBody":
            assert body is None, row
        else:
            assert body["x-max-bytes"] == constant(row["max_body"]), row
            assert "413" in operations[row["method"], row["path"]]["responses"], row


def test_every_reference_leads_somewhere_and_every_component_is_used(
    document: dict[str, Any],
) -> None:
    used: set[str] = set()

    def follow(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target = node["$ref"]
                used.add(target)
                found: Any = document
                for step in target.removeprefix("#/").split("/"):
                    assert step in found, target
                    found = found[step]
            for child in node.values():
                follow(child)
        elif isinstance(node, list):
            for child in node:
                follow(child)

    follow(document)
    for kind in ("schemas", "responses", "parameters"):
        for name in document["components"][kind]:
            assert f"#/components/{kind}/{name}" in used, name


def test_errors_are_problems(document: dict[str, Any]) -> None:
    for name, response in document["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], name


def test_every_path_parameter_is_declared(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        declared = {p["$ref"].rsplit("/", 1)[1] for p in item.get("parameters", [])}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), path
