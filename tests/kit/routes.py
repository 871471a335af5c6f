"""The tables of routes and permissions, as their C++ sources have them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("admin", "developer", "auditor", "helpdesk", "ci")

Row = dict[str, str]

ROUTE = re.compile(
    r'\{"(?P<method>[A-Z]+)",\s*(?P<path>"[^"]+"|[\w:]+),\s*k(?P<permission>\w+),'
    r"\s*k(?P<run_on>\w+),\s*(?P<max_body>[\w:]+),\s*k(?P<kept>\w+),\s*(?P<handler>\w+)\}"
)
PERMISSION = re.compile(r'\{k(\w+),\s*"([\w.-]+)",\s*((?:k\w+)(?: \| k\w+)*)\}')


def routes() -> list[Row]:
    """Each row's columns by name; of a permission, its enumerator without the k."""
    source = (ROOT / "verifier/routes/table.cc").read_text("utf-8")
    rows = [match.groupdict() for match in ROUTE.finditer(source)]
    assert len(rows) == source.count('    {"'), "a row that this cannot read"
    for row in rows:
        path = row["path"]
        row["path"] = path.strip('"') if path.startswith('"') else text_constant(path)
    return rows


def permissions() -> dict[str, tuple[str, tuple[str, ...]]]:
    """By enumerator without the k: the permission's name, and the roles that have it."""
    source = (ROOT / "verifier/model/permission.cc").read_text("utf-8")
    found = {
        enumerator: (name, tuple(role.removeprefix("k").lower() for role in roles.split(" | ")))
        for enumerator, name, roles in PERMISSION.findall(source)
    }
    assert len(found) == source.count("    {k"), "a row that this cannot read"
    return found


def text_constant(name: str) -> str:
    """The value of a constant of the protocol that is a text."""
    name = name.split("::")[-1]
    for source in ROOT.glob("protocol/**/*.h"):
        found = re.search(rf'constexpr std::string_view {name} = "([^"]+)";', source.read_text())
        if found:
            return found[1]
    raise AssertionError(f"no constant {name}")


def documented_permissions() -> dict[str, dict[str, str]]:
    """The table of docs/operations.md: by permission, and then by role, what the cell says."""
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    section = text.split("\n## Operators and roles\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head = [cell.strip() for cell in lines[0].strip("|").split("|")]
    assert head == ["permission", "what it is for", *ROLES]
    out = {}
    for line in lines[2:]:
        name, _, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        assert len(cells) == len(ROLES), line
        out[name.strip("`")] = dict(zip(ROLES, cells, strict=True))
    return out
