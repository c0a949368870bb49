"""A filter as pygeoapi hands it over, a tree of pygeofilter, as CQL2 JSON for our own reader.

pygeoapi reads ECQL (in `filter`) and CQL2 JSON (posted) into one tree, in which dates of ECQL are plain
strings; so a string that meets a property of dates is written as a date. What CQL2 has no word for is
refused, never dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import singledispatch
from typing import Any

from pygeofilter import ast
from pygeofilter.values import Geometry, Interval

from gis_service.catalog.layer import PropertyType
from gis_service.catalog.view import ViewedLayer
from gis_service.features.refusal import refuse
from gis_service.geo.crs import is_crs84

Json = Any  # a piece of CQL2 JSON
Types = Mapping[str, PropertyType]

# Signs towards an instant, or towards the two ends of a period, which pygeofilter's own SQL leaves outside.
_TEMPORAL = {
    (ast.TimeAfter, 1): (">",),
    (ast.TimeBefore, 1): ("<",),
    (ast.TimeEquals, 1): ("=",),
    (ast.TimeDuring, 2): (">", "<"),
    (ast.TimeBeforeOrDuring, 2): (None, "<"),
    (ast.TimeDuringOrAfter, 2): (">", None),
}


def cql2_json(tree: object, view: ViewedLayer) -> str:
    """The text of the filter; 400 where it says what CQL2 can't."""
    return json.dumps(_condition(tree, {name: prop.type for name, prop in view.properties.items()}))


@singledispatch
def _condition(node: object, _types: Types) -> Json:
    raise refuse("plugin.unsupported", what=type(node).__name__)


@_condition.register(ast.Combination)
def _(node: Any, types: Types) -> Json:
    return _op(node.op.value.lower(), *(_condition(part, types) for part in _chain(node)))


@_condition.register(ast.Not)
def _(node: Any, types: Types) -> Json:
    return _op("not", _condition(node.sub_node, types))


@_condition.register(ast.Comparison)
def _(node: Any, types: Types) -> Json:
    return _op(node.op.value, *_operands([node.lhs, node.rhs], types))


@_condition.register(ast.Between)
def _(node: Any, types: Types) -> Json:
    return _negated(node.not_, _op("between", *_operands([node.lhs, node.low, node.high], types)))


@_condition.register(ast.In)
def _(node: Any, types: Types) -> Json:
    value, *choices = _operands([node.lhs, *node.sub_nodes], types)
    return _negated(node.not_, _op("in", value, choices))


@_condition.register(ast.Like)
def _(node: Any, types: Types) -> Json:
    sides = [_operand(node.lhs, types), node.pattern]
    return _negated(
        node.not_, _op("like", *([_op("casei", side) for side in sides] if node.nocase else sides))
    )


@_condition.register(ast.IsNull)
def _(node: Any, types: Types) -> Json:
    return _negated(node.not_, _op("isNull", _operand(node.lhs, types)))


@_condition.register(ast.SpatialComparisonPredicate)
def _(node: Any, types: Types) -> Json:
    return _op("s_" + node.op.value.lower(), _operand(node.lhs, types), _operand(node.rhs, types))


@_condition.register(ast.BBox)
def _(node: Any, types: Types) -> Json:
    if node.crs and not is_crs84(node.crs):
        raise refuse("plugin.box-crs", value=str(node.crs)[:100])
    box = {"bbox": [node.minx, node.miny, node.maxx, node.maxy]}
    return _op("s_intersects", _operand(node.lhs, types), box)


@_condition.register(ast.TemporalPredicate)
def _(node: Any, types: Types) -> Json:
    """A moment compared with an instant or with the two ends of a period."""
    ends = [node.rhs.start, node.rhs.end] if isinstance(node.rhs, Interval) else [node.rhs]
    signs = _TEMPORAL.get((type(node), len(ends)))
    if signs is None:
        raise refuse("plugin.unsupported", what=type(node).__name__)
    tests = [
        _op(sign, *_operands([node.lhs, end], types)) for sign, end in zip(signs, ends, strict=True) if sign
    ]
    return tests[0] if len(tests) == 1 else _op("and", *tests)


def _chain(node: Any) -> list[object]:
    """The parts of `a and b and c`, which the tree holds as a ladder as deep as it is long."""
    parts = []
    kind = type(node)
    while isinstance(node, kind):
        parts.append(node.rhs)
        node = node.lhs
    return [node, *reversed(parts)]


def _operands(nodes: list[Any], types: Types) -> list[Json]:
    """The sides of a comparison: its strings are dates where the property beside them holds dates."""
    named = [types.get(node.name) for node in nodes if isinstance(node, ast.Attribute)]
    kind = next((each for each in named if each in ("date", "timestamp")), None)
    return [_operand(node, types, kind) for node in nodes]


def _operand(node: object, types: Types, kind: PropertyType | None = None) -> Json:
    match node:
        case ast.Attribute():
            return {"property": node.name}
        case ast.Arithmetic():
            return _op(node.op.value, _operand(node.lhs, types), _operand(node.rhs, types))
        case ast.Function() if node.name.lower() == "lower" and len(node.arguments) == 1:
            return _op("casei", _operand(node.arguments[0], types))
        case Geometry():
            return _geometry(node.geometry)
    return _scalar(node, kind)


def _scalar(value: object, kind: PropertyType | None) -> Json:
    match value:
        case date():  # and datetime, which is one too
            return _moment(value, kind)
        case str() if kind is not None:
            return _moment(_dated(value), kind)
        case bool() | int() | float() | str():
            return value
    raise refuse("plugin.unsupported", what=type(value).__name__)


def _geometry(shape: Mapping[str, Any]) -> Json:
    """GeoJSON in degrees; pygeoapi transforms it there and notes the system, which is then left out."""
    named = shape.get("crs", {}).get("properties", {}).get("name")
    if named is not None and not is_crs84(named):
        raise refuse("plugin.geometry-crs", value=str(named)[:100])
    return {name: value for name, value in shape.items() if name != "crs"}


def _dated(text: str) -> date:
    try:
        return datetime.fromisoformat(text) if len(text) > len("2024-05-31") else date.fromisoformat(text)
    except ValueError as err:
        raise refuse("plugin.bad-moment", value=text[:100]) from err


def _moment(moment: date, kind: PropertyType | None) -> Json:
    """A day for a property of days, else an instant; a day means its first moment, in UTC."""
    if not isinstance(moment, datetime):
        if kind != "timestamp":
            return {"date": moment.isoformat()}
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    instant = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind == "date" and (instant.hour, instant.minute, instant.second, instant.microsecond) == (0, 0, 0, 0):
        return {"date": instant.date().isoformat()}
    return {"timestamp": instant.isoformat().replace("+00:00", "Z")}


def _op(name: str, *args: Json) -> Json:
    return {"op": name, "args": list(args)}


def _negated(negated: bool, made: Json) -> Json:
    return _op("not", made) if negated else made
