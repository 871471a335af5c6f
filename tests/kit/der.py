"""Writes DER, as little of it as the tests need."""

from __future__ import annotations


def element(tag: int, content: bytes) -> bytes:
    """`tag`: the first byte, for tags below 31."""
    return bytes([tag]) + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def integer(value: int) -> bytes:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def enumerated(value: int) -> bytes:
    return element(0x0A, bytes([value]))


def boolean(value: bool) -> bytes:
    return element(0x01, b"\xff" if value else b"\0")


def octets(content: bytes) -> bytes:
    return element(0x04, content)


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    return element(0x31, b"".join(sorted(parts)))


def explicit(number: int, inner: bytes) -> bytes:
    """A context tag, constructed, of any number."""
    if number < 31:
        return element(0xA0 | number, inner)
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes([0xBF, *reversed(groups)]) + _length(len(inner)) + inner
