"""Batches of records as Arrow, whose buffers numpy fills."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gis_service.catalog.fields import Field
from gis_service.exchange.records import Booleans, Column, Integers, columns

GEOMETRY = "geometry"
_FIXED: Mapping[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def field(told: Field, lists: bool) -> pa.Field:
    """The Arrow field of a column; lists as lists of text, or as their JSON where a format has none."""
    if told.type == "json":
        return pa.field(told.name, pa.list_(pa.string()) if lists else pa.string())
    return pa.field(told.name, _FIXED.get(told.type, pa.string()))


def arrays(
    fields: Sequence[Field], records: bytes, lengths: bytes, lists: bool
) -> tuple[list[pa.Array], Column]:
    """The columns of a batch, and its geometry as WKB."""
    *values, shapes = columns(records, lengths, len(fields) + 1)
    return [_array(told, column, lists) for told, column in zip(fields, values, strict=True)], shapes


def wkb(shapes: Column) -> pa.Array:
    """The geometry of a batch."""
    return _sized(pa.binary(), shapes)


def points(shapes: Column) -> npt.NDArray[np.float64]:
    """Bounds of points, as rows of x, y, x, y; nan where there is none."""
    starts = np.where(shapes.valid, shapes.starts, 0)
    raw = np.ascontiguousarray(shapes.data[(starts + 5)[:, None] + np.arange(16)])
    xy = raw.view("<f8").reshape(-1, 2)
    xy = np.where(shapes.valid[:, None], xy, np.nan)
    return np.hstack([xy, xy])


def _array(told: Field, column: Column, lists: bool) -> pa.Array:
    if told.type in _FIXED:
        values, valid = column.fixed(told.type)
        return fixed(_FIXED[told.type], values, valid)
    text = _sized(pa.string(), column)
    if told.type == "json" and lists:
        rows = (None if each is None else json.loads(each) for each in text.to_pylist())
        return pa.array(list(rows), pa.list_(pa.string()))
    return text


def fixed(kind: pa.DataType, values: npt.NDArray[Any], valid: Booleans) -> pa.Array:
    """Values of one size. By way of `pa.array` they would load pandas, which is 50 MB."""
    held = np.packbits(values, bitorder="little") if kind == pa.bool_() else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(values), [bitmap(valid), pa.py_buffer(held)])


def _sized(kind: pa.DataType, column: Column) -> pa.Array:
    """Values of any length: which are valid, where each begins, and their bytes."""
    buffers = [bitmap(column.valid), _offsets(column.lengths), pa.py_buffer(column.joined())]
    return pa.Array.from_buffers(kind, len(column.lengths), buffers)


def bitmap(valid: Booleans) -> pa.Buffer | None:
    """Which values are valid, as Arrow holds it."""
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def _offsets(lengths: Integers) -> pa.Buffer:
    return pa.py_buffer(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
