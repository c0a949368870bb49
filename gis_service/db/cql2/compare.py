"""Comparisons of two values; the column stays bare wherever the other side can be rewritten instead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from gis_service.db.cql2 import kinds, numeric, values
from gis_service.db.cql2.nodes import Date, Node, Number, OpenEnd, Text, Timestamp, Truth
from gis_service.db.cql2.scope import Scope

_FLIPPED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_LITERALS = (Text, Number, Truth, Date, Timestamp, OpenEnd)
_TEMPORAL = ("date", "timestamp", "interval")


def compare(scope: Scope, op: str, left: Node, right: Node) -> str:
    """SQL of `left op right`, in brackets where it is more than one comparison."""
    kind, other = kinds.of(scope.view, left), kinds.of(scope.view, right)
    if isinstance(left, _LITERALS) and not isinstance(right, _LITERALS):
        left, right, kind, other, op = right, left, other, kind, _FLIPPED[op]
    if kind in _TEMPORAL or other in _TEMPORAL:
        return _times(scope, op, left, right)
    if isinstance(right, Number):
        return _with_number(scope, op, left, right.value)
    if {kind, other} == {"integer", "number"}:
        return _mixed(scope, op, left, right, kind)
    return f"{values.value(scope, left)} {op} {values.value(scope, right)}"


def _with_number(scope: Scope, op: str, left: Node, number: float) -> str:
    if isinstance(left, Number):
        return "true" if numeric.holds(op, left.value, number) else "false"
    integral = kinds.of(scope.view, left) == "integer"
    found: tuple[str, float] | numeric.Outcome = (op, number)
    if integral and isinstance(number, float):
        found = numeric.against_integers(op, number)
    elif not integral and isinstance(number, int):
        found = numeric.against_floats(op, number)
    value = values.value(scope, left)
    if isinstance(found, str):
        # Null where the value is null, as every comparison is.
        return f"{value} = {value}" if found == "always" else f"{value} <> {value}"
    return f"{value} {found[0]} {scope.bind(found[1], 'int8' if integral else 'float8')}"


def _mixed(scope: Scope, op: str, left: Node, right: Node, kind: str) -> str:
    """An integer with a float, neither of them a literal."""
    if kind == "number":
        left, right, op = right, left, _FLIPPED[op]
    integer, number = values.value(scope, left), values.value(scope, right)
    return f"gis.cql2_compare(({integer})::numeric, ({number})::float8) {op} 0"


def _times(scope: Scope, op: str, left: Node, right: Node) -> str:
    """Days and instants; a day with an instant compares the instant's day in UTC."""
    kind, other = _time_kind(scope, left, right), _time_kind(scope, right, left)
    if kind == other:
        return f"{_end(scope, left, kind)} {op} {_end(scope, right, other)}"
    if isinstance(right, Date):
        return _on_day(op, values.value(scope, left), right.value, scope)
    if isinstance(left, Date):
        return _on_day(_FLIPPED[op], values.value(scope, right), left.value, scope)
    return f"{_day(scope, left, kind)} {op} {_day(scope, right, other)}"


def _time_kind(scope: Scope, node: Node, beside: Node) -> str:
    """`date` or `timestamp`; an open end is of the kind that stands beside it."""
    if not isinstance(node, OpenEnd):
        return kinds.of(scope.view, node)
    return "timestamp" if isinstance(beside, OpenEnd) else kinds.of(scope.view, beside)


def _end(scope: Scope, node: Node, kind: str) -> str:
    if isinstance(node, OpenEnd):
        infinity = "-infinity" if node.side == "start" else "infinity"
        return f"'{infinity}'::{'date' if kind == 'date' else 'timestamptz'}"
    return values.value(scope, node)


def _day(scope: Scope, node: Node, kind: str) -> str:
    if isinstance(node, Timestamp):
        return scope.bind(node.value.date(), "date")
    value = values.value(scope, node)
    return value if kind == "date" else f"({value} at time zone 'UTC')::date"


def _on_day(op: str, value: str, day: dt.date, scope: Scope) -> str:
    """An instant with a day, on the bare column: `=` is everything from its midnight to the next."""

    def begins() -> str:
        return scope.bind(_midnight(day), "timestamptz")

    def is_over() -> str:
        if day == dt.date.max:
            return "'infinity'::timestamptz"
        return scope.bind(_midnight(day + dt.timedelta(days=1)), "timestamptz")

    tests: dict[str, Callable[[], str]] = {
        "<": lambda: f"{value} < {begins()}",
        ">=": lambda: f"{value} >= {begins()}",
        "<=": lambda: f"{value} < {is_over()}",
        ">": lambda: f"{value} >= {is_over()}",
        "=": lambda: f"({value} >= {begins()} and {value} < {is_over()})",
        "<>": lambda: f"({value} < {begins()} or {value} >= {is_over()})",
    }
    return tests[op]()


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def among(scope: Scope, item: Node, members: tuple[Node, ...]) -> str:
    """`item in (members)`: literals of the item's own kind as one array, which an index answers."""
    kind = kinds.of(scope.view, item)
    bound = _array(kind, members)
    if bound is not None and not isinstance(item, Text | Number | Date | Timestamp):
        type_name, literals = bound
        return f"{values.value(scope, item)} = any({scope.bind(literals, type_name + '[]')})"
    return "(" + " or ".join(compare(scope, "=", item, member) for member in members) + ")"


def _array(kind: str, members: tuple[Node, ...]) -> tuple[str, list[object]] | None:
    if kind == "text" and all(isinstance(m, Text) for m in members):
        return "text", [m.value for m in members if isinstance(m, Text)]
    if kind == "date" and all(isinstance(m, Date) for m in members):
        return "date", [m.value for m in members if isinstance(m, Date)]
    if kind == "timestamp" and all(isinstance(m, Timestamp) for m in members):
        return "timestamptz", [m.value for m in members if isinstance(m, Timestamp)]
    if kind not in ("integer", "number") or not all(isinstance(m, Number) for m in members):
        return None
    numbers = [m.value for m in members if isinstance(m, Number)]
    if kind == "integer":
        return ("int8", list(numbers)) if all(isinstance(n, int) for n in numbers) else None
    return ("float8", [float(n) for n in numbers]) if all(float(n) == n for n in numbers) else None
