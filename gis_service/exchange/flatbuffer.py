"""Writes FlatBuffers (size-prefixed) front to back: tables, vectors and texts from plain values.

The format is that of https://flatbuffers.dev/internals/ : a table points back to its vtable, everything
else points forwards; numbers are little-endian and aligned to their size.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PREFIX = 4  # bytes of the size before the buffer; alignment counts from it
_POINTER = "I"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number in a table, by its code in `struct`: B (also a truth value), H, I, i, Q, d."""

    code: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Vector:
    """Numbers or bytes, already in their little-endian form."""

    data: bytes | bytearray | memoryview
    item: int = 1  # bytes of one


@dataclass(frozen=True, slots=True)
class Table:
    """Fields by their ids in the schema; those left out have their defaults."""

    fields: Mapping[int, Value]


@dataclass(frozen=True, slots=True)
class Tables:
    """A vector of tables."""

    items: Sequence[Table]


Value = Scalar | Vector | Table | Tables | str


def written(root: Table) -> bytearray:
    """The buffer with its size before it, padded to eight bytes."""
    out = bytearray(PREFIX + 4)
    _point(out, PREFIX, _table(out, root))
    out += bytes(-len(out) % 8)
    struct.pack_into("<I", out, 0, len(out) - PREFIX)
    return out


def _put(out: bytearray, value: Vector | Table | Tables | str) -> int:
    """Write what a pointer points to; its place."""
    if isinstance(value, Table):
        return _table(out, value)
    if isinstance(value, Tables):
        return _tables(out, value)
    if isinstance(value, str):
        return _vector(out, value.encode() + b"\0", len(value.encode()), 1)
    return _vector(out, value.data, len(value.data) // value.item, value.item)


def _vector(out: bytearray, data: bytes | bytearray | memoryview, count: int, item: int) -> int:
    out += bytes(-(len(out) + 4) % max(4, item))  # its first item is aligned
    place = len(out)
    out += struct.pack("<I", count)
    out += data
    return place


def _tables(out: bytearray, value: Tables) -> int:
    place = _vector(out, bytes(4 * len(value.items)), len(value.items), 4)
    for number, item in enumerate(value.items):
        _point(out, place + 4 + 4 * number, _table(out, item))
    return place


def _table(out: bytearray, value: Table) -> int:
    """The vtable, the table, then what it points to."""
    codes = {
        field: each.code if isinstance(each, Scalar) else _POINTER for field, each in value.fields.items()
    }
    offsets, size = _laid_out(codes)
    vtable = struct.pack("<HH", 4 + 2 * len(offsets), size) + struct.pack(f"<{len(offsets)}H", *offsets)
    out += bytes(-(len(out) + len(vtable)) % 8)
    place = len(out) + len(vtable)
    out += vtable
    out += struct.pack("<i", len(vtable)) + bytes(size - 4)
    for field, each in value.fields.items():
        if isinstance(each, Scalar):
            struct.pack_into("<" + each.code, out, place + offsets[field], each.value)
        else:
            _point(out, place + offsets[field], _put(out, each))
    return place


def _laid_out(codes: Mapping[int, str]) -> tuple[list[int], int]:
    """The offset of each field in its table (0 if absent) and the table's size: largest first, no gaps."""
    offsets, at = [0] * (max(codes, default=-1) + 1), 4
    for field in sorted(codes, key=lambda field: -struct.calcsize(codes[field])):
        width = struct.calcsize("<" + codes[field])
        at += -at % width
        offsets[field] = at
        at += width
    return offsets, at


def _point(out: bytearray, here: int, there: int) -> None:
    struct.pack_into("<I", out, here, there - here)
