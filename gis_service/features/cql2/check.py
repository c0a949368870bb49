"""What a filter means over a layer: names known, types fit, literals brought to the types of columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gis_service.catalog.view import ViewedLayer
from gis_service.db.cql2 import kinds
from gis_service.db.cql2.kinds import Kind
from gis_service.db.cql2.nodes import (
    Array,
    At,
    Box,
    Call,
    Geometry,
    Interval,
    Node,
    Number,
    OpenEnd,
    Property,
    Shape,
    Text,
    Truth,
)
from gis_service.features.cql2 import names, shapes, times
from gis_service.features.refusal import refuse
from gis_service.geo.crs import Crs

_TIMES: tuple[Kind, ...] = ("date", "timestamp")
_NUMBERS: tuple[Kind, ...] = ("integer", "number")
# Kinds that compare with each other stand together.
_FAMILIES: dict[Kind, str] = {
    **dict.fromkeys(_NUMBERS, "numbers"),
    **dict.fromkeys(_TIMES, "times"),
    "text": "text",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Checker:
    """Checks a tree against a viewed layer; `loose` reads what GDAL writes."""

    view: ViewedLayer
    crs: Crs
    loose: bool = False

    def condition(self, node: Node) -> Node:
        """The checked tree of what must be true or false."""
        match node:
            case Truth():
                return node
            case Property():
                made: Node = self._property(node)
            case Call():
                made = self._call(node)
            case _:
                raise refuse("filter.not-condition", at=node.at or "$")
        if self._kind(made) != "boolean":
            raise refuse("filter.not-condition", at=node.at or "$")
        return made

    def _call(self, call: Call) -> Call:
        op = call.op
        if op != "in":
            names.check_arguments(op, len(call.args), call.at)
        if op in ("and", "or", "not"):
            return replace(call, args=tuple(self.condition(arg) for arg in call.args))
        if op in names.COMPARISONS:
            return self._comparison(call)
        if op in names.SPATIAL_FUNCTIONS:
            return self._spatial(call)
        if op in names.TEMPORAL_FUNCTIONS:
            return replace(call, args=tuple(self._time(arg) for arg in self._loosened(call.args)))
        if op in names.ARRAY_FUNCTIONS:
            return replace(call, args=tuple(self._list(arg) for arg in call.args))
        return self._special(call)

    def _spatial(self, call: Call) -> Call:
        args = tuple(self._geometry(arg) for arg in call.args)
        if all(isinstance(arg, Shape) and len(arg.parts) > 1 for arg in args):
            raise refuse("filter.two-collections", at=call.at)
        return replace(call, args=args)

    def _special(self, call: Call) -> Call:
        match call.op:
            case "like" | "ilike":
                return self._like(call)
            case "between":
                return self._comparison(call)
            case "in":
                return self._among(call)
            case "isNull":
                return replace(call, args=(self._nullable(call.args[0]),))
            case "casei" | "accenti":
                return replace(call, args=(self._of(("text",), call.args[0]),))
        return replace(call, args=tuple(self._of(_NUMBERS, arg) for arg in call.args))

    def _comparison(self, call: Call) -> Call:
        args = self._comparable(call.args, call.at)
        # Annex A (basic-cql2/comparison) compares them by < too: false comes before true, as in SQL.
        if self._kind(args[0]) == "boolean" and call.op == "between":
            raise refuse("filter.no-order", at=call.at)
        return replace(call, args=args)

    def _comparable(self, given: tuple[Node, ...], at: At) -> tuple[Node, ...]:
        """Values of one family; 400 names the two kinds that don't compare."""
        args = tuple(self._value(arg) for arg in self._loosened(given))
        found = [self._kind(arg) for arg in args]
        for kind, arg in zip(found, args, strict=True):
            if _FAMILIES.get(kind) is None or _FAMILIES[kind] != _FAMILIES.get(found[0]):
                raise refuse("filter.types", at=arg.at or at, left=found[0], right=kind)
        return args

    def _among(self, call: Call) -> Call:
        if len(call.args) != 2 or not isinstance(call.args[1], Array) or not call.args[1].members:
            raise refuse("filter.in-list", at=call.at)
        item, listed = call.args
        assert isinstance(listed, Array), "was checked above"
        first, *members = self._comparable((item, *listed.members), call.at)
        return replace(call, args=(first, replace(listed, members=tuple(members))))

    def _like(self, call: Call) -> Call:
        item, pattern = call.args
        return replace(call, args=(self._of(("text",), item), self._pattern(pattern)))

    def _pattern(self, node: Node) -> Node:
        match node:
            case Call("casei" | "accenti", (inner,)):
                return replace(node, args=(self._pattern(inner),))
            case Text(text):
                # PostgreSQL fails on a pattern whose last backslash escapes nothing.
                if (len(text) - len(text.rstrip("\\"))) % 2:
                    raise refuse("filter.like-escape", at=node.at)
                return node
        raise refuse("filter.like-pattern", at=node.at or "$")

    def _nullable(self, node: Node) -> Node:
        return self._property(node) if isinstance(node, Property) else self._value(node)

    def _of(self, wanted: tuple[Kind, ...], node: Node) -> Node:
        made = self._value(node)
        kind = self._kind(made)
        if kind not in wanted:
            raise refuse("filter.kind", at=node.at or "$", expected=wanted[-1], found=kind)
        return made

    def _value(self, node: Node) -> Node:
        match node:
            case Property():
                return self._property(node)
            case Call():
                return self._call(node)
            case Array() | Interval() | OpenEnd() | Geometry() | Box():
                raise refuse("filter.not-scalar", at=node.at or "$")
        return node

    def _property(self, node: Property) -> Property:
        if kinds.is_geometry(self.view, node.name) or kinds.is_id(self.view, node.name):
            return node
        prop = self.view.properties.get(node.name)
        if prop is None or not prop.filter:
            raise refuse(
                "filter.unknown-property", at=node.at or "$", name=node.name[:100], layer=self.view.id
            )
        return node

    def _kind(self, node: Node) -> Kind:
        return kinds.of(self.view, node)

    def _geometry(self, node: Node) -> Node:
        match node:
            case Geometry():
                return shapes.of_geometry(node, self.crs)
            case Box():
                return shapes.of_box(node, self.crs)
            case Property() if self._kind(self._property(node)) == "geometry":
                return node
            case Shape():
                return node
        raise refuse("filter.not-geometry", at=node.at or "$")

    def _time(self, node: Node) -> Node:
        if isinstance(node, Interval):
            start, end = self._loosened((node.start, node.end))
            return replace(node, start=self._end(start), end=self._end(end))
        return self._of(_TIMES, node)

    def _end(self, node: Node) -> Node:
        return node if isinstance(node, OpenEnd) else self._of(_TIMES, node)

    def _list(self, node: Node) -> Node:
        if isinstance(node, Array):
            return replace(node, members=tuple(self._of(("text",), member) for member in node.members))
        return self._of(("list",), node)

    def _loosened(self, args: tuple[Node, ...]) -> tuple[Node, ...]:
        """In cql-text, plain text beside a date or a timestamp is one, and 1 and 0 beside a boolean are."""
        if not self.loose:
            return args
        beside = {self._kind(self._property(arg)) for arg in args if isinstance(arg, Property)}
        return tuple(_loosened(arg, beside) for arg in args)


def _loosened(node: Node, beside: set[Kind]) -> Node:
    match node:
        case Text(text) if not beside.isdisjoint(_TIMES):
            return times.loose(text, node.at)
        case Number(0 | 1 as truth) if "boolean" in beside:
            return Truth(bool(truth), node.at)
    return node
