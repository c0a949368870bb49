"""SQL of a single value: a column, a bound literal, folded text, arithmetic."""

from __future__ import annotations

from gis_service.db.cql2 import kinds
from gis_service.db.cql2.nodes import Array, Call, Date, Node, Number, Property, Text, Timestamp, Truth
from gis_service.db.cql2.scope import Scope

_TYPES = {Text: "text", Truth: "boolean", Date: "date", Timestamp: "timestamptz"}


def value(scope: Scope, node: Node) -> str:
    """SQL of a value; what is true or false stands in brackets."""
    match node:
        case Property(name):
            return scope.column(name)
        case Array(members):
            return _array(scope, members)
        case Call(op, args):
            return _call(scope, op, args, node)
        case Number(number):
            return scope.bind(number, "int8" if isinstance(number, int) else "float8")
        case Text() | Truth() | Date() | Timestamp():
            return scope.bind(node.value, _TYPES[type(node)])
    raise TypeError(f"{type(node).__name__} is no value")


def _call(scope: Scope, op: str, args: tuple[Node, ...], call: Call) -> str:
    if op == "casei":
        return f"lower({value(scope, args[0])})"
    if op == "accenti":
        return f"gis.unaccented({value(scope, args[0])})"
    if op in _OF_FLOATS:
        return _arithmetic(scope, op, *args)
    return f"({scope.condition(scope, call)})"


def _array(scope: Scope, members: tuple[Node, ...]) -> str:
    if all(isinstance(member, Text) for member in members):
        return scope.bind([member.value for member in members if isinstance(member, Text)], "text[]")
    return f"array[{', '.join(value(scope, member) for member in members)}]::text[]"


def _arithmetic(scope: Scope, op: str, left: Node, right: Node) -> str:
    """Integers are reckoned with as numeric, all else as floats by functions that can't fail."""
    if op in _OF_INTEGERS and kinds.of(scope.view, Call(op, (left, right))) == "integer":
        return _OF_INTEGERS[op].format(_numeric(scope, left), _numeric(scope, right))
    return f"gis.cql2_{_OF_FLOATS[op]}({_float(scope, left)}, {_float(scope, right)})"


def _numeric(scope: Scope, node: Node) -> str:
    made = value(scope, node)
    return made if isinstance(node, Call) else f"{made}::numeric"


def _float(scope: Scope, node: Node) -> str:
    made = value(scope, node)
    if isinstance(node, Call) and kinds.of(scope.view, node) == "integer":
        return f"gis.cql2_float({made})"
    return f"{made}::float8"


_OF_INTEGERS = {
    "+": "({} + {})",
    "-": "({} - {})",
    "*": "({} * {})",
    "div": "div({}, nullif({}, 0))",
    "%": "mod({}, nullif({}, 0))",
}
_OF_FLOATS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "over",
    "div": "div",
    "%": "modulo",
    "^": "power",
}
