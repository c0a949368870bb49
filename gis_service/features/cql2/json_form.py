"""The JSON encoding of CQL2, read into a tree and written from one; errors name the path to the fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from gis_service.db.cql2.nodes import (
    Array,
    Box,
    Call,
    Geometry,
    Interval,
    Nested,
    Node,
    Number,
    OpenEnd,
    Property,
    Text,
    Truth,
)
from gis_service.features.cql2 import limits, names, numbers, times
from gis_service.features.refusal import refuse

Json = Mapping[str, "Json"] | list["Json"] | str | int | float | bool | None

# Brackets: two a level of the filter, and the rings of a literal. Beyond them the parser isn't even begun.
MAX_BRACKETS = 2 * limits.MAX_DEPTH + 16
_GEOMETRY_DEPTHS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}


def read(source: str) -> Node:
    """The tree of a filter; 400 for what isn't JSON, names a member twice or isn't CQL2."""
    _check_brackets(source)
    try:
        tree: Json = json.loads(
            source, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer
        )
    except json.JSONDecodeError as err:
        raise refuse("filter.not-json", at=err.pos + 1, reason=err.msg) from err
    return _Reader().node(tree, "")


def _check_brackets(source: str) -> None:
    """Depth is counted before the parser runs: 43 KB of brackets cost other servers a gigabyte."""
    depth, quoted, escaped = 0, False, False
    for place, char in enumerate(source, 1):
        if quoted:
            quoted, escaped = escaped or char != '"', char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "[{":
            depth += 1
            if depth > MAX_BRACKETS:
                raise refuse("filter.too-deep", at=place, maximum=limits.MAX_DEPTH)
        elif char in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Json]]) -> Mapping[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names_read = [name for name, _ in pairs]
        twice = next(name for name in names_read if names_read.count(name) > 1)
        raise refuse("filter.twice", at=1, name=twice[:40])
    return made


def _no_constant(name: str) -> Json:
    raise refuse("filter.number-range", at=name)


def _integer(text: str) -> int | float:
    return numbers.from_text(text, text[:40])


class _Reader:
    """Turns JSON values into nodes and counts them."""

    def __init__(self) -> None:
        self._meter = limits.Meter()

    def node(self, value: Json, at: str, depth: int = 1) -> Node:
        limits.check_depth(depth, at or "$")
        self._meter.node(at or "$")
        match value:
            case bool():
                return Truth(value, at)
            case int() | float():
                return Number(numbers.checked(value, at), at)
            case str():
                limits.check_characters(value, at)
                return Text(value, at)
            case list():
                return self._array(value, at, depth)
            case dict():
                return self._object(value, at, depth)
        raise refuse("filter.json-null", at=at or "$")

    def _array(self, values: list[Json], at: str, depth: int) -> Array:
        limits.check_members(len(values), at)
        return Array(tuple(self.node(v, f"{at}[{i}]", depth + 1) for i, v in enumerate(values)), at)

    def _object(self, value: Mapping[str, Json], at: str, depth: int) -> Node:
        for member, reader in self._readers().items():
            if member in value:
                return reader(value, at, depth)
        raise refuse("filter.json-object", at=at or "$")

    def _readers(self) -> Mapping[str, Callable[[Mapping[str, Json], str, int], Node]]:
        return {
            "op": self._call,
            "property": self._property,
            "date": self._date,
            "timestamp": self._timestamp,
            "interval": self._interval,
            "type": self._geometry,
            "bbox": self._box,
        }

    def _call(self, value: Mapping[str, Json], at: str, depth: int) -> Call:
        name, args = value["op"], value.get("args")
        if not isinstance(name, str) or not isinstance(args, list):
            raise refuse("filter.json-object", at=at or "$")
        op = names.operator(name)
        if op is None:
            raise names.unknown_function(name, _under(at, "op"))
        limits.check_members(len(args), at)
        path = _under(at, "args")
        return Call(op, tuple(self.node(a, f"{path}[{i}]", depth + 1) for i, a in enumerate(args)), at)

    def _property(self, value: Mapping[str, Json], at: str, _: int) -> Property:
        return Property(_string(value, "property", at), at)

    def _date(self, value: Mapping[str, Json], at: str, _: int) -> Node:
        return times.date(_string(value, "date", at), at)

    def _timestamp(self, value: Mapping[str, Json], at: str, _: int) -> Node:
        return times.timestamp(_string(value, "timestamp", at), at)

    def _interval(self, value: Mapping[str, Json], at: str, depth: int) -> Interval:
        ends = value["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise refuse("filter.json-interval", at=at or "$")
        path = _under(at, "interval")
        start, end = (self._end(e, i == 0, f"{path}[{i}]", depth + 1) for i, e in enumerate(ends))
        return Interval(start, end, at)

    def _end(self, value: Json, first: bool, at: str, depth: int) -> Node:
        if value == "..":
            return OpenEnd("start" if first else "end", at)
        if isinstance(value, str):
            return times.instant(value, at)
        return self.node(value, at, depth)

    def _geometry(self, value: Mapping[str, Json], at: str, depth: int) -> Geometry:
        limits.check_depth(depth, at)
        kind = _string(value, "type", at)
        if kind == "GeometryCollection":
            path = _under(at, "geometries")
            members = [
                self._member(g, f"{path}[{i}]", depth) for i, g in enumerate(_values(value, "geometries", at))
            ]
            return Geometry(kind, (), tuple(members), at)
        if kind not in _GEOMETRY_DEPTHS:
            raise refuse("filter.geometry-type", at=at or "$", name=kind[:40])
        path = _under(at, "coordinates")
        values = _values(value, "coordinates", at)
        return Geometry(kind, self._coordinates(values, _GEOMETRY_DEPTHS[kind], path), (), at)

    def _member(self, value: Json, at: str, depth: int) -> Geometry:
        self._meter.node(at)
        if not isinstance(value, dict):
            raise refuse("filter.json-object", at=at)
        return self._geometry(value, at, depth + 1)

    def _coordinates(self, values: Json, levels: int, at: str) -> Nested:
        if not isinstance(values, list):
            raise refuse("filter.coordinates", at=at)
        if levels:
            return tuple(self._coordinates(v, levels - 1, f"{at}[{i}]") for i, v in enumerate(values))
        self._meter.vertex(at)
        if not 2 <= len(values) <= 4:
            raise refuse("filter.coordinates", at=at)
        return _numbers(values, at)

    def _box(self, value: Mapping[str, Json], at: str, _: int) -> Box:
        path = _under(at, "bbox")
        return Box(_numbers(_values(value, "bbox", at)[:7], path), at)


def _under(at: str, member: str) -> str:
    return f"{at}.{member}" if at else member


def _string(value: Mapping[str, Json], member: str, at: str) -> str:
    text = value[member]
    if not isinstance(text, str):
        raise refuse("filter.json-string", at=_under(at, member))
    limits.check_characters(text, _under(at, member))
    return text


def _values(value: Mapping[str, Json], member: str, at: str) -> list[Json]:
    values = value.get(member)
    if not isinstance(values, list):
        raise refuse("filter.coordinates", at=_under(at, member))
    return values


def _numbers(values: list[Json], at: str) -> tuple[float | int, ...]:
    made = []
    for place, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refuse("filter.coordinates", at=f"{at}[{place}]")
        made.append(numbers.checked(value, f"{at}[{place}]"))
    return tuple(made)
