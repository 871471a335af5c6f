"""What a class file says of members, its own and those that it uses (JVM specification, 4)."""

from __future__ import annotations

import struct


def references(content: bytes) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str]]]:
    """Of a class file: what it refers to, and what it declares, as (class, name, descriptor)."""
    count = struct.unpack(">H", content[8:10])[0]
    pool: dict[int, tuple[int, bytes]] = {}
    at, index = 10, 1
    sizes = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4,
             18: 4, 19: 2, 20: 2}  # fmt: skip
    while index < count:
        tag = content[at]
        size = 2 + struct.unpack(">H", content[at + 1 : at + 3])[0] if tag == 1 else sizes[tag]
        pool[index] = (tag, content[at + 1 : at + 1 + size])
        at += 1 + size
        index += 2 if tag in (5, 6) else 1

    def text(number: int) -> str:
        return pool[number][1][2:].decode("utf-8", "replace")

    def pair(number: int) -> tuple[int, int]:
        return struct.unpack(">HH", pool[number][1])

    def name(number: int) -> str:
        return text(struct.unpack(">H", pool[number][1])[0])

    found = set()
    for tag, value in pool.values():
        if tag in (9, 10, 11):
            of, what = struct.unpack(">HH", value)
            called, descriptor = pair(what)
            found.add((name(of), text(called), text(descriptor)))
    own = name(struct.unpack(">H", content[at + 2 : at + 4])[0])
    interfaces = struct.unpack(">H", content[at + 6 : at + 8])[0]
    at += 8 + 2 * interfaces
    declared = set()
    for _ in range(2):  # fields, then methods
        (members,) = struct.unpack(">H", content[at : at + 2])
        at += 2
        for _ in range(members):
            called, descriptor, attributes = struct.unpack(">HHH", content[at + 2 : at + 8])
            declared.add((own, text(called), text(descriptor)))
            at += 8
            for _ in range(attributes):
                at += 6 + struct.unpack(">I", content[at + 2 : at + 6])[0]
    return found, declared
