"""A tree as the JSON of the standard: what `filter-lang=cql2-json` would have carried."""

from __future__ import annotations

import datetime as dt

from gis_service.db.cql2.nodes import (
    Array,
    Box,
    Call,
    Date,
    Geometry,
    Interval,
    Nested,
    Node,
    Number,
    OpenEnd,
    Property,
    Text,
    Timestamp,
    Truth,
)

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool


def write(node: Node) -> Json:
    """The JSON value of a tree as it was read, before its geometries are checked."""
    match node:
        case Call(op, args):
            return {"op": op, "args": [write(arg) for arg in args]}
        case Interval(start, end):
            return {"interval": [_end(start), _end(end)]}
        case Array(members):
            return [write(member) for member in members]
        case Geometry():
            return _geometry(node)
    return _literal(node)


def _literal(node: Node) -> Json:
    match node:
        case Property(name):
            return {"property": name}
        case Text() | Number() | Truth():
            return node.value
        case Date() | Timestamp():
            return {"date" if isinstance(node, Date) else "timestamp": _instant(node)}
        case OpenEnd():
            return ".."
        case Box(numbers):
            return {"bbox": list(numbers)}
    raise ValueError("a checked geometry has no JSON of its own")


def _end(node: Node) -> Json:
    return _instant(node) if isinstance(node, Date | Timestamp) else write(node)


def _instant(node: Date | Timestamp) -> str:
    if isinstance(node, Date):
        return node.value.isoformat()
    return node.value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _geometry(node: Geometry) -> Json:
    if node.type == "GeometryCollection":
        return {"type": node.type, "geometries": [_geometry(member) for member in node.members]}
    return {"type": node.type, "coordinates": _nested(node.coordinates)}


def _nested(values: Nested) -> Json:
    return [_nested(value) for value in values] if isinstance(values, tuple) else values
