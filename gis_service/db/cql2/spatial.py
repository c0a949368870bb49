"""Spatial functions over the geometry that the caller sees; always `column && constant and ST_…`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gis_service.db import rows
from gis_service.db.cql2 import unions
from gis_service.db.cql2.nodes import Call, Shape
from gis_service.db.cql2.scope import Scope
from gis_service.db.cql2.unions import Operand
from gis_service.db.query import ident

_FUNCTIONS = {
    "s_intersects": "ST_Intersects",
    "s_equals": "ST_Equals",
    "s_disjoint": "ST_Disjoint",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
    "s_contains": "ST_Contains",
}
_CONVERSE = {"s_within": "s_contains", "s_contains": "s_within"}
_DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2}


@dataclass(frozen=True)
class _Test:
    """A function of the visible geometry, or of a literal of one part, with the parts of a literal."""

    op: str
    constants: tuple[Operand, ...]

    def of(self, left: Operand) -> str:
        if len(self.constants) > 1:
            return unions.test(self.op, left, self.constants)
        constant = self.constants[0].sql
        exact = f"{_FUNCTIONS[self.op]}({left.sql}, {constant})"
        return exact if self.op == "s_disjoint" else f"{left.sql} && {constant} and {exact}"


def condition(scope: Scope, call: Call) -> str:
    """SQL of a spatial function of two geometries."""
    left, right = call.args
    if isinstance(left, Shape) and (not isinstance(right, Shape) or len(left.parts) > 1):
        left, right = right, left
        call = Call(_CONVERSE.get(call.op, call.op), (left, right))
    if not isinstance(right, Shape):
        return _seen(scope, lambda column: f"{_FUNCTIONS[call.op]}({column.sql}, {column.sql})")
    test = _Test(call.op, _constants(scope, right))
    if isinstance(left, Shape):
        return f"({test.of(_constants(scope, left)[0])})"
    return _seen(scope, test.of)


def _constants(scope: Scope, shape: Shape) -> tuple[Operand, ...]:
    """A literal's parts in the layer's own system, so that the column itself isn't transformed."""
    made, srid = [], scope.view.srid
    for part in shape.parts:
        bound = scope.bind(part.ewkb, "geometry")
        # As a sub-select it's transformed once a statement, never once a row.
        sql = bound if shape.srid == srid else f"(select gis.cql2_transformed({bound}, {srid:d}))"
        made.append(Operand(sql, part.dimension))
    return tuple(made)


def _seen(scope: Scope, test: Callable[[Operand], str]) -> str:
    """A test of the visible geometry: a hidden exact position must not answer."""
    view = scope.view
    mine = rows.own(view, scope.binds)
    seen = test(Operand(f"t.{ident(view.geometry)}", _dimension(view.geometry_type)))
    if view.exact is None or mine is None:
        return f"({seen})"
    exact = test(Operand(f"t.{ident(view.exact)}", _dimension(view.layer.geometry.type)))
    return f"(({mine} and ({exact})) or (not ({mine}) and ({seen})))"


def _dimension(geometry_type: str) -> int:
    return _DIMENSIONS[geometry_type.removeprefix("Multi")]
