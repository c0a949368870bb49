"""What kind of value a node of a filter has over a viewed layer."""

from __future__ import annotations

from typing import Literal

from gis_service.catalog.view import ViewedLayer
from gis_service.db.cql2.nodes import (
    Array,
    Box,
    Call,
    Date,
    Geometry,
    Interval,
    Node,
    Number,
    OpenEnd,
    Property,
    Shape,
    Text,
    Timestamp,
    Truth,
)

Kind = Literal["text", "integer", "number", "boolean", "date", "timestamp", "list", "geometry", "interval"]

ID = "id"
GEOMETRY_NAMES = ("geometry", "geom")
_INTEGRAL = frozenset({"+", "-", "*", "%", "div"})  # of two integers they make an integer
_FLOATING = frozenset({"/", "^"})
_FOLDING = frozenset({"casei", "accenti"})
_LITERALS: dict[type[Node], Kind] = {
    Text: "text",
    Truth: "boolean",
    Date: "date",
    Timestamp: "timestamp",
    Array: "list",
    Interval: "interval",
    OpenEnd: "interval",
    Geometry: "geometry",
    Box: "geometry",
    Shape: "geometry",
}


def is_geometry(view: ViewedLayer, name: str) -> bool:
    """Whether the name means the feature's geometry: `geometry`, `geom` or the column's own name."""
    if name in view.layer.properties:
        return False
    return name in GEOMETRY_NAMES or name == view.layer.geometry.column


def is_id(view: ViewedLayer, name: str) -> bool:
    """Whether the name means the feature's id, which is no property but can be asked for as one."""
    return name == ID and name not in view.layer.properties


def of_property(view: ViewedLayer, name: str) -> Kind:
    """The kind of a property; KeyError where the class sees none of that name."""
    if is_geometry(view, name):
        return "geometry"
    if is_id(view, name):
        return view.layer.id_type
    return view.properties[name].type


def of(view: ViewedLayer, node: Node) -> Kind:
    """The kind of a node's value; KeyError for a property that the class doesn't see."""
    match node:
        case Property(name):
            return of_property(view, name)
        case Call(op, args):
            return _of_call(view, op, args)
        case Number(value):
            return "integer" if isinstance(value, int) else "number"
    return _LITERALS[type(node)]


def _of_call(view: ViewedLayer, op: str, args: tuple[Node, ...]) -> Kind:
    if op in _FOLDING:
        return "text"
    if op in _FLOATING:
        return "number"
    if op in _INTEGRAL:
        return "integer" if all(of(view, arg) == "integer" for arg in args) else "number"
    return "boolean"
