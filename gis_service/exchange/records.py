"""PostgreSQL's binary records as columns, read by numpy a whole batch at a time.

A record is the number of its columns, then of each column the type's OID, the length (-1 is null) and the
value, all big-endian. Every step below is one operation over all rows of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

EPOCH_DAYS = 10_957  # from 1970-01-01 to PostgreSQL's 2000-01-01
EPOCH_MICROSECONDS = EPOCH_DAYS * 86_400_000_000
_HEAD = 4  # bytes of a record before its columns
_OID = 4
_LENGTH = 4
_FIXED: Mapping[str, np.dtype[Any]] = {
    "integer": np.dtype(">i8"),
    "number": np.dtype(">f8"),
    "boolean": np.dtype("u1"),
    "date": np.dtype(">i4"),
    "timestamp": np.dtype(">i8"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one column: where each begins in the batch, its length, whether it is one at all."""

    data: Bytes
    starts: Integers
    lengths: Integers  # 0 where null
    valid: Booleans

    def fixed(self, kind: str) -> tuple[npt.NDArray[Any], Booleans]:
        """Numbers, days since 1970 or microseconds since 1970; and which of them are values.

        The infinite dates and times of PostgreSQL have no form in files and become null.
        """
        dtype = _FIXED[kind]
        starts = np.where(self.valid, self.starts, 0)
        taken = self.data[starts[:, None] + np.arange(dtype.itemsize)] if len(starts) else self.data[:0]
        values = np.ascontiguousarray(taken).view(dtype).reshape(-1).astype(dtype.newbyteorder("="))
        if kind == "date":
            return _since_1970(values, self.valid, EPOCH_DAYS)
        if kind == "timestamp":
            return _since_1970(values, self.valid, EPOCH_MICROSECONDS)
        return (values != 0 if kind == "boolean" else values), self.valid

    def joined(self) -> Bytes:
        """The bytes of all values, one after the other."""
        return self.data[spans(self.starts, self.lengths)]


def _since_1970(values: npt.NDArray[Any], valid: Booleans, epoch: int) -> tuple[npt.NDArray[Any], Booleans]:
    ends = np.iinfo(values.dtype)
    finite = valid & (values != ends.max) & (values != ends.min)
    return np.where(finite, values, 0) + values.dtype.type(epoch), finite


def columns(records: bytes, lengths: bytes, number: int) -> Sequence[Column]:
    """The columns of a batch; `lengths` holds the length of each record as a big-endian integer."""
    data = np.frombuffer(records, np.uint8)
    sizes = np.frombuffer(lengths, ">i4").astype(np.int64)
    at = np.cumsum(sizes) - sizes + _HEAD
    made = []
    for _ in range(number):
        found = _integers(data, at + _OID)
        starts, valid = at + _OID + _LENGTH, found >= 0
        made.append(Column(data, starts, np.where(valid, found, 0), valid))
        at = starts + made[-1].lengths
    return made


def _integers(data: Bytes, at: Integers) -> Integers:
    taken = np.ascontiguousarray(data[at[:, None] + np.arange(4)]) if len(at) else data[:0]
    return taken.view(">i4").reshape(-1).astype(np.int64)


def spans(starts: Integers, lengths: Integers) -> Integers:
    """The places of all bytes of the spans, one after the other: [5, 9] of lengths [2, 1] is [5, 6, 9]."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)
