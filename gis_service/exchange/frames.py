"""How batches of records pass to an encoder in another process: a description, then batches, then an end.

Without the end, what came is a torn answer, of which no file may be made.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

_HEAD = struct.Struct(">II")
END = _HEAD.pack(0, 0)

Batch = tuple[bytes, bytes]
"""The records and their lengths."""


class Torn(Exception):
    """The batches ended before their end."""


def described(text: bytes) -> bytes:
    """The description as it's sent."""
    return _HEAD.pack(len(text), 0) + text


def head(records: bytes, lengths: bytes) -> bytes:
    """What is sent before a batch; its two parts follow."""
    return _HEAD.pack(len(records), len(lengths))


def description(source: BinaryIO) -> bytes:
    size, _ = _HEAD.unpack(_exactly(source, _HEAD.size))
    return _exactly(source, size)


def batches(source: BinaryIO) -> Iterator[Batch]:
    """The batches up to their end; Torn where it's missing."""
    while (head := _exactly(source, _HEAD.size)) != END:
        sizes = _HEAD.unpack(head)
        yield _exactly(source, sizes[0]), _exactly(source, sizes[1])


def _exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes of a buffered file; Torn where it ends before."""
    held = source.read(size)
    if len(held) < size:
        raise Torn
    return held
