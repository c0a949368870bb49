"""Geometry literals of CQL2 text: WKT without an SRID, and BBOX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gis_service.db.cql2.nodes import Box, Geometry, Nested
from gis_service.features.cql2 import numbers
from gis_service.features.cql2.cursor import Cursor
from gis_service.features.cql2.tokens import Token

DIMENSIONS = ("Z", "M", "ZM")
_GEOJSON = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}
TYPES = frozenset(_GEOJSON) | {"BBOX"}
Position = tuple[float | int, ...]
T = TypeVar("T")


def read(cursor: Cursor, token: Token) -> Geometry | Box:
    """The literal whose name was just taken."""
    if token.word == "BBOX":
        return Box(_brackets(cursor, _signed), token.at)
    if cursor.now.word in DIMENSIONS:
        cursor.take()
    if token.word == "GEOMETRYCOLLECTION":
        return Geometry("GeometryCollection", (), _brackets(cursor, _member), token.at)
    return Geometry(_GEOJSON[token.word], _COORDINATES[token.word](cursor), (), token.at)


def _brackets(cursor: Cursor, one: Callable[[Cursor], T]) -> tuple[T, ...]:
    """Parts of one kind in brackets, parted by commas."""
    cursor.require("(")
    parts = [one(cursor)]
    while cursor.skip(","):
        parts.append(one(cursor))
    cursor.require(")")
    return tuple(parts)


def _member(cursor: Cursor) -> Geometry:
    token = cursor.take()
    if token.word not in _GEOJSON:
        raise cursor.unexpected("POINT, LINESTRING, POLYGON, …", token)
    with cursor.deeper():
        made = read(cursor, token)
    assert isinstance(made, Geometry), "a box was refused above"
    return cursor.counted(made)


def _signed(cursor: Cursor) -> float | int:
    minus = cursor.skip("-")
    if not minus:
        cursor.skip("+")
    token = cursor.require_kind("number")
    return numbers.from_text("-" + token.text if minus else token.text, token.at)


def _position(cursor: Cursor) -> Position:
    """Two to four numbers; whatever stands behind the second is height or measure."""
    cursor.meter.vertex(cursor.now.at)
    made = [_signed(cursor), _signed(cursor)]
    while len(made) < 4 and not (cursor.at(",") or cursor.at(")")):
        made.append(_signed(cursor))
    return tuple(made)


def _point(cursor: Cursor) -> Position:
    cursor.require("(")
    made = _position(cursor)
    cursor.require(")")
    return made


def _line(cursor: Cursor) -> tuple[Position, ...]:
    return _brackets(cursor, _position)


def _polygon(cursor: Cursor) -> tuple[tuple[Position, ...], ...]:
    return _brackets(cursor, _line)


def _loose_point(cursor: Cursor) -> Position:
    """A member of a MULTIPOINT, which many write without brackets of its own."""
    return _point(cursor) if cursor.at("(") else _position(cursor)


_COORDINATES: dict[str, Callable[[Cursor], Nested]] = {
    "POINT": _point,
    "LINESTRING": _line,
    "POLYGON": _polygon,
    "MULTIPOINT": lambda cursor: _brackets(cursor, _loose_point),
    "MULTILINESTRING": lambda cursor: _brackets(cursor, _line),
    "MULTIPOLYGON": lambda cursor: _brackets(cursor, _polygon),
}
