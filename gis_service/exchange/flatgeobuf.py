"""FlatGeobuf without an index, so that it can be streamed: a header, then features batch by batch.

After the public schema of FlatGeobuf 3 (header.fbs, feature.fbs). PostGIS 3.3 could write the features, but
puts what follows a null into the wrong column.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from gis_service.catalog.fields import Field
from gis_service.exchange.bulk import Bulk
from gis_service.exchange.flatbuffer import PREFIX, Scalar, Table, Tables, Value, Vector, written
from gis_service.exchange.frames import Batch
from gis_service.exchange.records import Bytes, Column, Integers, columns, spans

MAGIC = b"fgb\x03fgb\x00"
_GEOMETRY = {
    "Point": 1, "LineString": 2, "Polygon": 3, "MultiPoint": 4, "MultiLineString": 5, "MultiPolygon": 6,
}  # fmt: skip
_BOOL, _LONG, _DOUBLE, _STRING, _JSON, _DATETIME = 2, 7, 10, 11, 12, 13
_TYPES = {
    "text": _STRING,
    "json": _JSON,
    "integer": _LONG,
    "number": _DOUBLE,
    "boolean": _BOOL,
    "date": _DATETIME,
    "timestamp": _DATETIME,
}
_ENDS, _XY, _KIND, _PARTS = 0, 1, 6, 7  # the fields of a geometry
_WKB_HEAD = 5  # byte order and type
_WKB_POINT = 21


def header(bulk: Bulk) -> bytes:
    """What a file begins with; the number of features isn't known yet, so it is 0."""
    shape = _GEOMETRY[bulk.geometry_type] if bulk.geometry_type else 0
    about: dict[int, Value] = {
        0: bulk.name,
        2: Scalar("B", shape),
        7: Tables([_column(each) for each in bulk.fields]),
        9: Scalar("H", 0),  # the size of an index's nodes: there is none
        11: bulk.title,
        12: bulk.description,
        13: json.dumps(_beside(bulk.metadata), ensure_ascii=False),
    }
    if bulk.geometry_type:
        about[10] = Table({0: "EPSG", 1: Scalar("i", bulk.srid), 5: f"EPSG:{bulk.srid}"})
    return MAGIC + bytes(written(Table(about)))


def _beside(metadata: Mapping[str, object]) -> Mapping[str, object]:
    """What has no field of its own; GDAL would take a second title for the first."""
    return {name: value for name, value in metadata.items() if name not in ("title", "description")}


def write(bulk: Bulk, batches: Iterable[Batch], out: BinaryIO) -> None:
    """The whole file, each batch as it comes."""
    out.write(header(bulk))
    for records, lengths in batches:
        out.write(features(bulk, records, lengths))
        out.flush()


def _column(field: Field) -> Table:
    return Table({0: field.name, 1: Scalar("B", _TYPES[field.type]), 2: field.title})


def features(bulk: Bulk, records: bytes, lengths: bytes) -> bytes:
    """The features of a batch."""
    *values, shapes = columns(records, lengths, len(bulk.fields) + 1)
    told = _Properties(bulk.fields, values, len(shapes.starts))
    if bulk.geometry_type == "Point" and bool(np.all(shapes.lengths == _WKB_POINT)):
        return _points(shapes, told).tobytes()
    return b"".join(_shapes(shapes, told))


class _Properties:
    """The properties of all features: of each that isn't null the column's number, then the value."""

    def __init__(self, fields: Sequence[Field], values: Sequence[Column], rows: int) -> None:
        pairs = enumerate(zip(fields, values, strict=True))
        self._parts = [_Values(number, field, column) for number, (field, column) in pairs]
        self.sizes: Integers = sum((part.sizes for part in self._parts), np.zeros(rows, np.int64))

    def write(self, out: Bytes, at: Integers) -> None:
        """Put those of each feature at its place."""
        for part in self._parts:
            part.write(out, at)
            at = at + part.sizes

    def joined(self) -> Bytes:
        """Those of all features one after the other."""
        out = np.zeros(int(self.sizes.sum()), np.uint8)
        self.write(out, np.cumsum(self.sizes) - self.sizes)
        return out


class _Values:
    """One column as FlatGeobuf holds it in the properties."""

    def __init__(self, number: int, field: Field, column: Column) -> None:
        kind = _TYPES[field.type]
        self._number = number
        self._text = kind in (_STRING, _JSON, _DATETIME)
        if kind == _DATETIME:
            self._bytes, self._lengths, self._valid = _moments(field, column)
        elif self._text:
            self._bytes, self._lengths, self._valid = column.joined(), column.lengths, column.valid
        else:
            self._bytes, self._lengths, self._valid = _numbers(field, column)
        width = self._lengths + (6 if self._text else 2)
        self.sizes: Integers = np.where(self._valid, width, 0)

    def write(self, out: Bytes, at: Integers) -> None:
        """Put the values of each feature at its place."""
        here = at[self._valid]
        _put_integers(out, here, np.full(len(here), self._number), "<u2")
        lengths = self._lengths[self._valid]
        if self._text:
            _put_integers(out, here + 2, lengths, "<u4")
        out[spans(here + (6 if self._text else 2), lengths)] = self._bytes


def _numbers(field: Field, column: Column) -> tuple[Bytes, Integers, npt.NDArray[np.bool_]]:
    values, valid = column.fixed(field.type)
    held = np.ascontiguousarray(values[valid])
    width = held.dtype.itemsize
    return held.view(np.uint8), np.full(len(values), width), valid


def _moments(field: Field, column: Column) -> tuple[Bytes, Integers, npt.NDArray[np.bool_]]:
    """Dates and times in ISO 8601."""
    values, valid = column.fixed(field.type)
    held = values[valid]
    if field.type == "date":
        texts = np.datetime_as_string(held.astype("datetime64[D]"))
    else:
        unit: Literal["s", "us"] = "us" if np.any(held % 1_000_000) else "s"
        texts = np.datetime_as_string(held.astype("datetime64[us]"), unit=unit, timezone="UTC")
    raw = texts.astype(np.bytes_)
    letters = raw.view(np.uint8).reshape(len(held), raw.dtype.itemsize)
    lengths = np.zeros(len(values), np.int64)
    lengths[valid] = np.count_nonzero(letters, axis=1)
    return letters[letters != 0], lengths, valid


def _put_integers(out: Bytes, at: Integers, values: Integers, code: str) -> None:
    raw = values.astype(code).view(np.uint8).reshape(-1, np.dtype(code).itemsize)
    out[at[:, None] + np.arange(raw.shape[1])] = raw


def _pattern() -> tuple[bytes, int]:
    """A feature whose geometry is a point, up to its properties, and where its coordinates are."""
    place, rest = b"xy" * 8, b"properties"
    made = bytes(written(Table({0: Table({_XY: Vector(place, 8)}), 1: Vector(rest)})))
    return made[: made.index(rest)], made.index(place)


def _points(shapes: Column, told: _Properties) -> Bytes:
    """Points differ in their coordinates and properties alone, so all are written from one pattern.

    Features begin at multiples of eight bytes, so that they are filled by whole words.
    """
    pattern, place = _pattern()
    size = len(pattern)
    wholes = -(-(size + told.sizes) // 8) * 8
    at = np.cumsum(wholes) - wholes
    out = np.zeros(int(wholes.sum()), np.uint8)
    words, halves = out.view("<u8"), out.view("<u4")
    words[(at // 8)[:, None] + np.arange(size // 8)] = np.frombuffer(pattern, "<u8", size // 8)
    xy = shapes.data[(shapes.starts + _WKB_HEAD)[:, None] + np.arange(16)]
    words[((at + place) // 8)[:, None] + np.arange(2)] = np.ascontiguousarray(xy).view("<u8")
    halves[at // 4] = wholes - PREFIX
    halves[(at + size - 4) // 4] = told.sizes
    told.write(out, at + size)
    return out


def _shapes(shapes: Column, told: _Properties) -> Iterator[bytes]:
    """Features one by one: of lines and areas the coordinates are what weighs."""
    ends, sizes = np.cumsum(told.sizes).tolist(), told.sizes.tolist()
    rows = zip(shapes.starts.tolist(), shapes.lengths.tolist(), ends, sizes, strict=True)
    data, properties = shapes.data.data, told.joined().data
    for start, length, end, size in rows:
        fields: dict[int, Value] = {1: Vector(properties[end - size : end])}
        shape = _geometry(data[start : start + length]) if length else None
        if shape is not None:
            fields[0] = shape
        yield bytes(written(Table(fields)))


def _geometry(wkb: memoryview) -> Table | None:
    """The geometry of little-endian WKB of two dimensions; None for an empty one."""
    table, _ = _part(wkb, 0)
    return table


def _part(wkb: memoryview, at: int) -> tuple[Table | None, int]:
    kind = struct.unpack_from("<I", wkb, at + 1)[0]
    at += _WKB_HEAD
    if kind == 1:
        return Table({_XY: Vector(wkb[at : at + 16], 8), _KIND: Scalar("B", kind)}), at + 16
    if kind == 2:
        return _rings(wkb, at, 1, kind)
    if kind == 3:
        return _rings(wkb, at + 4, _count(wkb, at), kind)
    return _several(wkb, at, kind)


def _count(wkb: memoryview, at: int) -> int:
    return int(struct.unpack_from("<I", wkb, at)[0])


def _rings(wkb: memoryview, at: int, number: int, kind: int) -> tuple[Table | None, int]:
    """A line, or the rings of a polygon: all coordinates in one vector, and where each ring ends in it."""
    xy, ends = bytearray(), []
    for _ in range(number):
        count = _count(wkb, at)
        xy += wkb[at + 4 : at + 4 + 16 * count]
        at += 4 + 16 * count
        ends.append(len(xy) // 16)
    fields: dict[int, Value] = {_XY: Vector(xy, 8), _KIND: Scalar("B", kind)}
    if number > 1:
        fields[_ENDS] = Vector(struct.pack(f"<{number}I", *ends), 4)
    return (Table(fields) if xy else None), at


def _several(wkb: memoryview, at: int, kind: int) -> tuple[Table | None, int]:
    """Several points are one vector of coordinates, several lines too with their ends, areas are parts."""
    number, parts = _count(wkb, at), []
    at += 4
    for _ in range(number):
        part, at = _part(wkb, at)
        if part is not None:
            parts.append(part)
    if not parts:
        return None, at
    if kind == 6:
        return Table({_PARTS: Tables(parts), _KIND: Scalar("B", kind)}), at
    lines = [bytes(each.fields[_XY].data) for each in parts]  # type: ignore[union-attr]  # _part puts vectors there
    fields: dict[int, Value] = {_XY: Vector(b"".join(lines), 8), _KIND: Scalar("B", kind)}
    if kind == 5:
        ends = np.cumsum([len(line) // 16 for line in lines])
        fields[_ENDS] = Vector(ends.astype("<u4").tobytes(), 4)
    return Table(fields), at
