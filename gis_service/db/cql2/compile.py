"""A filter as a condition of SQL: literals become parameters, names become columns of the viewed layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.cql2 import compare, kinds, spatial, temporal, values
from gis_service.db.cql2.nodes import Array, Call, Filter, Node, Property
from gis_service.db.cql2.scope import Scope
from gis_service.db.query import Binds

_ARRAYS = {"a_contains": "@>", "a_containedBy": "<@", "a_overlaps": "&&"}


def condition(view: ViewedLayer, wanted: Filter, binds: Binds) -> str:
    """SQL that is true for the rows that match; null, so no match, where a value that it needs is hidden."""
    return _condition(Scope(view, binds, _condition), wanted.tree)


def _condition(scope: Scope, node: Node) -> str:
    if not isinstance(node, Call):
        return values.value(scope, node)
    if node.op in ("and", "or"):
        return "(" + f" {node.op} ".join(_condition(scope, arg) for arg in node.args) + ")"
    if node.op == "not":
        return f"(not {_condition(scope, node.args[0])})"
    if (test := _TESTS.get(node.op)) is not None:
        return test(scope, *node.args)
    return _function(scope, node, *node.args)


def _function(scope: Scope, call: Call, left: Node, right: Node) -> str:
    """A comparison or a function of two arguments."""
    if call.op.startswith("s_"):
        return spatial.condition(scope, call)
    if call.op.startswith("t_"):
        return temporal.condition(scope, call.op, left, right)
    if call.op.startswith("a_"):
        return _arrays(scope, call.op, left, right)
    return compare.compare(scope, call.op, left, right)


def _between(scope: Scope, item: Node, low: Node, high: Node) -> str:
    return f"({compare.compare(scope, '>=', item, low)} and {compare.compare(scope, '<=', item, high)})"


def _among(scope: Scope, item: Node, listed: Node) -> str:
    assert isinstance(listed, Array), "the filter was checked"
    return compare.among(scope, item, listed.members)


def _like(scope: Scope, item: Node, pattern: Node) -> str:
    return f"({values.value(scope, item)} like {values.value(scope, pattern)})"


def _ilike(scope: Scope, item: Node, pattern: Node) -> str:
    return f"({values.value(scope, item)} ilike {values.value(scope, pattern)})"


def _is_null(scope: Scope, item: Node) -> str:
    return f"({_nullable(scope, item)} is null)"


def _nullable(scope: Scope, node: Node) -> str:
    if isinstance(node, Property) and kinds.is_geometry(scope.view, node.name):
        return f"({rows.geometry(scope.view, scope.binds)})"
    return values.value(scope, node)


def _arrays(scope: Scope, op: str, left: Node, right: Node) -> str:
    """Arrays are compared as sets."""
    one, other = values.value(scope, left), values.value(scope, right)
    if op == "a_equals":
        return f"({one} @> {other} and {one} <@ {other})"
    return f"({one} {_ARRAYS[op]} {other})"


_TESTS: Mapping[str, Callable[..., str]] = {
    "between": _between,
    "in": _among,
    "like": _like,
    "ilike": _ilike,
    "isNull": _is_null,
}
