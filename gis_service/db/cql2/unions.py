"""Spatial functions of a geometry with a literal that has several parts, as one with their union.

PostGIS's own functions refuse collections but for ST_Intersects; a box over the antimeridian is one too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Operand:
    """SQL of a geometry, and how many dimensions it has."""

    sql: str
    dimension: int


Parts = Sequence[Operand]


def test(op: str, left: Operand, parts: Parts) -> str:
    """SQL of the function `op` of the left geometry with the union of the parts."""
    return _TESTS[op](left, parts)


def _any(tests: Sequence[str]) -> str:
    return "(" + " or ".join(tests) + ")"


def _all(tests: Sequence[str]) -> str:
    return "(" + " and ".join(tests) + ")"


def _intersects(left: Operand, parts: Parts) -> str:
    return _any([f"({left.sql} && {p.sql} and ST_Intersects({left.sql}, {p.sql}))" for p in parts])


def _disjoint(left: Operand, parts: Parts) -> str:
    return f"(not {_intersects(left, parts)})"


def _relates(left: Operand, parts: Parts, pattern: str) -> str:
    """Whether the interiors meet with any of the parts, as the DE-9IM pattern asks."""
    return _any([f"({left.sql} && {p.sql} and ST_Relate({left.sql}, {p.sql}, '{pattern}'))" for p in parts])


def _covers(left: Operand, parts: Parts) -> str:
    return _all([f"{left.sql} && {p.sql} and ST_Covers({left.sql}, {p.sql})" for p in parts])


def _covered(left: Operand, parts: Parts) -> str:
    rest = left.sql
    for part in parts:
        rest = f"ST_Difference({rest}, {part.sql})"
    return f"ST_IsEmpty({rest})"


def _never(left: Operand, parts: Parts) -> str:
    """False, or null where any of the geometries is; every parameter of a statement must stand in it."""
    return _any([f"({operand.sql} is null and null)" for operand in (left, *parts)])


_INTERIORS = "T********"


def _touches(left: Operand, parts: Parts) -> str:
    return f"({_intersects(left, parts)} and not {_relates(left, parts, _INTERIORS)})"


def _within(left: Operand, parts: Parts) -> str:
    return _all([_relates(left, parts, _INTERIORS), _covered(left, parts)])


def _contains(left: Operand, parts: Parts) -> str:
    return _all([_covers(left, parts), _relates(left, parts, _INTERIORS)])


def _equals(left: Operand, parts: Parts) -> str:
    return _all([_covers(left, parts), _covered(left, parts)])


def _overlaps(left: Operand, parts: Parts) -> str:
    """Interiors that share something of their own dimension, and each reaches beyond the other."""
    if left.dimension != max(part.dimension for part in parts):
        return _never(left, parts)
    pattern = "1********" if left.dimension == 1 else _INTERIORS
    apart = f"not {_covered(left, parts)} and not {_covers(left, parts)}"
    return f"({_relates(left, parts, pattern)} and {apart})"


def _crosses(left: Operand, parts: Parts) -> str:
    """Interiors meet, and the one of fewer dimensions isn't within the other; two lines meet in points."""
    greatest = max(part.dimension for part in parts)
    if left.dimension < greatest:
        return f"({_relates(left, parts, _INTERIORS)} and not {_covered(left, parts)})"
    if left.dimension > greatest:
        return f"({_relates(left, parts, _INTERIORS)} and not {_covers(left, parts)})"
    if greatest != 1:
        return _never(left, parts)
    return f"({_relates(left, parts, '0********')} and not {_relates(left, parts, '1********')})"


_TESTS: dict[str, Callable[[Operand, Parts], str]] = {
    "s_intersects": _intersects,
    "s_disjoint": _disjoint,
    "s_touches": _touches,
    "s_within": _within,
    "s_contains": _contains,
    "s_equals": _equals,
    "s_overlaps": _overlaps,
    "s_crosses": _crosses,
}
