"""Temporal functions as comparisons of the ends of two intervals (CQL2, 7.4: Allen's relations)."""

from __future__ import annotations

from gis_service.db.cql2.compare import compare
from gis_service.db.cql2.nodes import Interval, Node
from gis_service.db.cql2.scope import Scope

# Which end of the first, how it compares, which end of the second: all must hold.
_RELATIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "t_after": (("start", ">", "end"),),
    "t_before": (("end", "<", "start"),),
    "t_contains": (("start", "<", "start"), ("end", ">", "end")),
    "t_during": (("start", ">", "start"), ("end", "<", "end")),
    "t_equals": (("start", "=", "start"), ("end", "=", "end")),
    "t_finishedBy": (("start", "<", "start"), ("end", "=", "end")),
    "t_finishes": (("start", ">", "start"), ("end", "=", "end")),
    "t_intersects": (("start", "<=", "end"), ("end", ">=", "start")),
    "t_meets": (("end", "=", "start"),),
    "t_metBy": (("start", "=", "end"),),
    "t_overlappedBy": (("start", ">", "start"), ("start", "<", "end"), ("end", ">", "end")),
    "t_overlaps": (("start", "<", "start"), ("end", ">", "start"), ("end", "<", "end")),
    "t_startedBy": (("start", "=", "start"), ("end", ">", "end")),
    "t_starts": (("start", "=", "start"), ("end", "<", "end")),
}


def condition(scope: Scope, op: str, left: Node, right: Node) -> str:
    """SQL of a temporal function of two instants or intervals; an instant is an interval of its own."""
    if op == "t_disjoint":
        return f"(not {condition(scope, 't_intersects', left, right)})"
    tests = [
        compare(scope, sign, _end(left, first), _end(right, second)) for first, sign, second in _RELATIONS[op]
    ]
    return "(" + " and ".join(dict.fromkeys(tests)) + ")"


def _end(node: Node, side: str) -> Node:
    if isinstance(node, Interval):
        return node.start if side == "start" else node.end
    return node
