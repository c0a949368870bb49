"""The operators and functions of CQL2 by their names in JSON, with how many arguments each takes."""

from __future__ import annotations

from gis_service.db.cql2.nodes import At
from gis_service.features.refusal import refuse

COMPARISONS = frozenset({"=", "<>", "<", ">", "<=", ">="})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "div", "^"})
SPATIAL_FUNCTIONS = frozenset(
    "s_" + name
    for name in ("intersects", "equals", "disjoint", "touches", "within", "overlaps", "crosses", "contains")
)
TEMPORAL_FUNCTIONS = frozenset(
    "t_" + name
    for name in (
        *("after", "before", "contains", "disjoint", "during", "equals", "finishedBy", "finishes"),
        *("intersects", "meets", "metBy", "overlappedBy", "overlaps", "startedBy", "starts"),
    )
)
ARRAY_FUNCTIONS = frozenset({"a_equals", "a_contains", "a_containedBy", "a_overlaps"})
FOLDING_FUNCTIONS = frozenset({"casei", "accenti"})
_PAIRS = COMPARISONS | ARITHMETIC | SPATIAL_FUNCTIONS | TEMPORAL_FUNCTIONS | ARRAY_FUNCTIONS | {"like", "in"}

# Least and most arguments.
ARGUMENTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(_PAIRS, (2, 2)),
    **dict.fromkeys(FOLDING_FUNCTIONS, (1, 1)),
    "and": (2, 1_000),
    "or": (2, 1_000),
    "not": (1, 1),
    "between": (3, 3),
    "isNull": (1, 1),
}
_FUNCTIONS = SPATIAL_FUNCTIONS | TEMPORAL_FUNCTIONS | ARRAY_FUNCTIONS | FOLDING_FUNCTIONS
_BY_UPPER = {name.upper(): name for name in _FUNCTIONS}
_OPERATORS_BY_LOWER = {name.lower(): name for name in ARGUMENTS}


def function(name: str) -> str | None:
    """The JSON name of a function, whatever its case in the text; None where there's no such function."""
    return _BY_UPPER.get(name.upper())


def operator(name: str) -> str | None:
    """The name of an operator or function of the JSON encoding; in any case, for clients differ."""
    return _OPERATORS_BY_LOWER.get(name.lower())


def unknown_function(name: str, at: At) -> Exception:
    return refuse("filter.unknown-function", at=at, name=name[:100])


def check_arguments(op: str, count: int, at: At) -> None:
    """400 where a function has too few arguments, or too many."""
    least, most = ARGUMENTS.get(op, (2, 2))
    if not least <= count <= most:
        raise refuse("filter.arguments", at=at, name=op, count=count, expected=least)
