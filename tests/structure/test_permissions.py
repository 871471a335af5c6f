"""docs/operations.md tells people what each role may do: the table of permission.cc, no other."""

from __future__ import annotations

import re

from kit.routes import ROLES, ROOT, documented_permissions, permissions, routes

CELLS = {"", "yes", "its apps"}


def test_the_documents_table_is_the_codes() -> None:
    documented = documented_permissions()
    known = permissions()
    assert list(documented) == [name for name, _ in known.values()], "in the same order"
    for name, roles in known.values():
        for role in ROLES:
            cell = documented[name][role]
            assert cell in CELLS, (name, role)
            assert bool(cell) == (role in roles), (name, role)
            assert cell != "its apps" or role == "ci", (name, role)


def test_the_admin_may_everything() -> None:
    for name, roles in permissions().values():
        assert "admin" in roles, name


def test_every_permission_is_for_something() -> None:
    used = {row["permission"] for row in routes()} - {"Public"}
    # What a handler asks for, beside its route.
    for source in (ROOT / "verifier/routes").glob("*.cc"):
        used |= set(re.findall(r"Permission::k(\w+)", source.read_text())) - {"Public"}
    assert used == set(permissions())
