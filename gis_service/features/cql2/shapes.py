"""Geometry literals, checked and brought to x before y, as the EWKB that PostGIS reads once a statement."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from gis_service.db.cql2.nodes import At, Box, Geometry, Part, Shape
from gis_service.features.cql2 import validity
from gis_service.features.refusal import refuse
from gis_service.geo.crs import Crs

Position = tuple[float, ...]
Rings = Sequence[Sequence[Position]]

SLACK = 1e-7  # degrees, 1 cm: what a way through another system leaves of 180 and 90
FURTHEST = 1e8  # no projected system reaches further, in metres or in feet
_SRID_FLAG = 0x20000000
_MULTI = 3  # what makes the number of a type (point 1, line 2, polygon 3) that of its Multi type
_DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2}


def of_geometry(geometry: Geometry, crs: Crs) -> Shape:
    """The literal as a shape; 400 with the reason where it's no valid geometry of the filter's CRS."""
    parts: defaultdict[int, list[object]] = defaultdict(list)
    for each in _leaves(geometry):
        dimension = _DIMENSIONS[each.type.removeprefix("Multi")]
        members = _members(each)
        if not members:
            raise refuse("filter.empty-geometry", at=each.at)
        parts[dimension] += [_READERS[dimension](member, crs, each.at) for member in members]
    if not parts:
        raise refuse("filter.empty-geometry", at=geometry.at)
    made = [Part(_ewkb(parts[dimension], dimension, crs.srid), dimension) for dimension in sorted(parts)]
    if geometry.type == "GeometryCollection" and len(parts[2]) > 1:
        made[-1] = Part(validity.united(made[-1].ewkb, geometry.at), 2)
    elif parts[2]:
        validity.check(made[-1].ewkb, geometry.at)
    if len(made) > 1:
        made = validity.uncovered(made)
    return Shape(tuple(made), crs.srid, geometry.at)


def of_box(box: Box, crs: Crs) -> Shape:
    """A box as one area, or two where it crosses the antimeridian; without width it's a line or a point."""
    if len(box.numbers) not in (4, 6):
        raise refuse("filter.bbox-numbers", at=box.at)
    half = len(box.numbers) // 2
    west, south = _position(box.numbers[:2], crs, box.at)
    east, north = _position(box.numbers[half : half + 2], crs, box.at)
    if south > north or (west > east and not crs.degrees):
        raise refuse("filter.bbox-order", at=box.at)
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return Shape(tuple(_area(w, south, e, north, crs.srid) for w, e in spans), crs.srid, box.at)


def _area(west: float, south: float, east: float, north: float, srid: int) -> Part:
    if west == east and south == north:
        return Part(_ewkb([(west, south)], 0, srid), 0)
    if west == east or south == north:
        return Part(_ewkb([[(west, south), (east, north)]], 1, srid), 1)
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return Part(_ewkb([[ring]], 2, srid), 2)


def _leaves(geometry: Geometry) -> Iterator[Geometry]:
    """The geometry, or those of a collection and of the collections in it."""
    if geometry.type != "GeometryCollection":
        yield geometry
    for member in geometry.members:
        yield from _leaves(member)


def _members(geometry: Geometry) -> Sequence[object]:
    coordinates = cast(Sequence[object], geometry.coordinates)
    return coordinates if geometry.type.startswith("Multi") else (coordinates,)


def _position(numbers: object, crs: Crs, at: At) -> Position:
    """x, y; what stands behind them is dropped, since the layers are flat."""
    first, second = (float(v) for v in cast(Sequence[float], numbers)[:2])
    x, y = (second, first) if crs.northing_first else (first, second)
    if crs.degrees:
        if abs(x) > 180 + SLACK or abs(y) > 90 + SLACK:
            raise refuse("filter.degrees", at=at, x=f"{x:g}", y=f"{y:g}")
        return max(-180.0, min(x, 180.0)), max(-90.0, min(y, 90.0))
    if abs(x) > FURTHEST or abs(y) > FURTHEST:
        raise refuse("filter.too-far", at=at, x=f"{x:g}", y=f"{y:g}")
    return x, y


def _line(positions: object, crs: Crs, at: At) -> list[Position]:
    made = [_position(p, crs, at) for p in cast(Sequence[object], positions)]
    if len(set(made)) < 2:
        raise refuse("filter.short-line", at=at)
    return made


def _polygon(rings: object, crs: Crs, at: At) -> list[list[Position]]:
    made = [[_position(p, crs, at) for p in ring] for ring in cast(Sequence[Sequence[object]], rings)]
    if not made:
        raise refuse("filter.empty-geometry", at=at)
    for ring in made:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise refuse("filter.unclosed-ring", at=at)
    return made


_READERS = (_position, _line, _polygon)


def _ewkb(members: Sequence[object], dimension: int, srid: int) -> str:
    """One geometry, or a Multi of several, little-endian."""
    kind = dimension + 1
    if len(members) == 1:
        return (_head(kind | _SRID_FLAG) + struct.pack("<I", srid) + _body(members[0], dimension)).hex()
    head = _head((kind + _MULTI) | _SRID_FLAG) + struct.pack("<II", srid, len(members))
    return (head + b"".join(_head(kind) + _body(member, dimension) for member in members)).hex()


def _head(kind: int) -> bytes:
    return struct.pack("<BI", 1, kind)


def _body(member: object, dimension: int) -> bytes:
    if dimension == 0:
        return struct.pack("<2d", *cast(Position, member))
    if dimension == 1:
        return _positions(cast(Iterable[Position], member))
    rings = cast(Rings, member)
    return struct.pack("<I", len(rings)) + b"".join(_positions(ring) for ring in rings)


def _positions(positions: Iterable[Position]) -> bytes:
    flat = [number for position in positions for number in position]
    return struct.pack(f"<I{len(flat)}d", len(flat) // 2, *flat)
