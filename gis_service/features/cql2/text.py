"""CQL2 text, and the `cql-text` that GDAL writes, as a tree: one pass, by precedence of the operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gis_service.db.cql2.nodes import (
    Array,
    Box,
    Call,
    Geometry,
    Interval,
    Node,
    Number,
    OpenEnd,
    Property,
    Text,
    Truth,
)
from gis_service.features.cql2 import limits, names, numbers, times, wkt
from gis_service.features.cql2.cursor import Cursor
from gis_service.features.cql2.tokens import Token

# How tightly operators bind, loosest first; comparisons don't chain.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _POWER = range(1, 8)
_SIGNS = {
    **dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), _COMPARISON),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "%"), _PRODUCT),
    "^": _POWER,
}
_WORDS = {
    "OR": _OR,
    "AND": _AND,
    "DIV": _PRODUCT,
    **dict.fromkeys(("LIKE", "IN", "BETWEEN", "IS", "NOT"), _COMPARISON),
}
_RESERVED = frozenset(_WORDS) | {"NULL", "TRUE", "FALSE"}


def read(source: str, *, loose: bool = False) -> Node:
    """The tree of a filter; 400 names the character at which it stops making sense.

    `loose` reads GDAL's cql-text: it knows ILIKE, and a backslash doesn't escape a quote.
    """
    cursor = Cursor(source, loose=loose)
    tree = _expression(cursor, _OR)
    if cursor.now.kind != "end":
        raise cursor.unexpected("AND, OR")
    return tree


def _expression(cursor: Cursor, least: int) -> Node:
    """What stands here, with every operator behind it that binds as tightly as `least` or tighter."""
    with cursor.deeper():
        left = _negation(cursor, least) if cursor.at_word("NOT") else _operand(cursor)
        compared = False
        while (binding := _binding(cursor)) is not None and binding >= least:
            if binding == _COMPARISON:
                if compared:
                    raise cursor.unexpected("AND, OR")
                compared = True
            elif binding < _COMPARISON:
                compared = False
            left = _operation(cursor, left, binding)
        return left


def _binding(cursor: Cursor) -> int | None:
    """How tightly the operator here binds; None where there is none."""
    token = cursor.now
    if token.kind == "sign":
        return _SIGNS.get(token.text)
    if token.word == "ILIKE" and cursor.loose:
        return _COMPARISON
    return _WORDS.get(token.word)


def _operation(cursor: Cursor, left: Node, binding: int) -> Node:
    if binding < _NOT:
        return _chain(cursor, left, binding)
    if cursor.now.kind == "name" and binding == _COMPARISON:
        return _worded(cursor, left)
    token = cursor.take()
    right = _expression(cursor, binding + 1)
    return cursor.counted(Call(token.text.lower(), (left, right), token.at))


def _chain(cursor: Cursor, left: Node, binding: int) -> Node:
    """`a AND b AND c` is one operator with three arguments."""
    token = cursor.now
    op = token.word.lower()
    args = _flat(op, left)
    while cursor.skip_word(token.word):
        args += _flat(op, _expression(cursor, binding + 1))
    return cursor.counted(Call(op, tuple(args), token.at))


def _flat(op: str, node: Node) -> list[Node]:
    """The arguments of the same operator in brackets: clients nest every AND of a chain anew."""
    return list(node.args) if isinstance(node, Call) and node.op == op else [node]


def _negation(cursor: Cursor, least: int) -> Node:
    if least > _COMPARISON:
        raise cursor.unexpected()
    token = cursor.take()
    return cursor.counted(Call("not", (_expression(cursor, _NOT),), token.at))


def _worded(cursor: Cursor, left: Node) -> Node:
    """`[NOT] LIKE | IN | BETWEEN` and `IS [NOT] NULL` behind their first operand."""
    token = cursor.now
    if cursor.skip_word("IS"):
        negated = cursor.skip_word("NOT")
        cursor.require_word("NULL")
        made = Call("isNull", (left,), token.at)
    else:
        negated = cursor.skip_word("NOT")
        made = _test(cursor, left)
    cursor.counted(made)
    return cursor.counted(Call("not", (made,), token.at)) if negated else made


def _test(cursor: Cursor, left: Node) -> Call:
    token = cursor.now
    if cursor.skip_word("LIKE"):
        return Call("like", (left, _expression(cursor, _SUM)), token.at)
    if cursor.loose and cursor.skip_word("ILIKE"):
        return Call("ilike", (left, _expression(cursor, _SUM)), token.at)
    if cursor.skip_word("BETWEEN"):
        low = _expression(cursor, _SUM)
        cursor.require_word("AND")
        return Call("between", (left, low, _expression(cursor, _SUM)), token.at)
    if cursor.skip_word("IN"):
        at = cursor.now.at
        cursor.require("(")
        return Call("in", (left, Array(_list(cursor, ")"), at)), token.at)
    raise cursor.unexpected("LIKE, IN, BETWEEN")


def _list(cursor: Cursor, closing: str) -> tuple[Node, ...]:
    """Expressions parted by commas up to the closing bracket, which is taken too."""
    if cursor.skip(closing):
        return ()
    members = [_expression(cursor, _OR)]
    while cursor.skip(","):
        members.append(_expression(cursor, _OR))
        limits.check_members(len(members), cursor.now.at)
    cursor.require(closing)
    return tuple(members)


def _operand(cursor: Cursor) -> Node:
    token = cursor.now
    if (word := _LITERALS.get(token.kind)) is not None:
        return cursor.counted(word(cursor.take()))
    if token.kind == "name":
        return _named(cursor, cursor.take())
    if cursor.skip("("):
        return _bracketed(cursor, token)
    if cursor.skip("["):
        return cursor.counted(Array(_list(cursor, "]"), token.at))
    if token.text in ("-", "+"):
        return _signed(cursor, cursor.take())
    raise cursor.unexpected()


_LITERALS: Mapping[str, Callable[[Token], Node]] = {
    "number": lambda token: Number(numbers.from_text(token.text, token.at), token.at),
    "text": lambda token: Text(token.text, token.at),
    "quoted": lambda token: Property(token.text, token.at),
}


def _bracketed(cursor: Cursor, token: Token) -> Node:
    """One expression in brackets is itself; none, or several, are an array."""
    members = _list(cursor, ")")
    return members[0] if len(members) == 1 else cursor.counted(Array(members, token.at))


def _signed(cursor: Cursor, sign: Token) -> Node:
    """A signed number is a literal; `-a` is -1 times a, for the JSON encoding knows no sign."""
    minus = sign.text == "-"
    if cursor.now.kind == "number":
        text = cursor.take().text
        return cursor.counted(Number(numbers.from_text("-" + text if minus else text, sign.at), sign.at))
    operand = _expression(cursor, _POWER)
    if not minus:
        return operand
    return cursor.counted(Call("*", (Number(-1, sign.at), operand), sign.at))


def _named(cursor: Cursor, token: Token) -> Node:
    """A literal or a function if a bracket follows; else a property, or `true` and `false`."""
    if token.word in wkt.TYPES and (cursor.at("(") or cursor.now.word in wkt.DIMENSIONS):
        shape: Geometry | Box = wkt.read(cursor, token)
        return cursor.counted(shape)
    if cursor.at("(") and token.word not in _RESERVED:
        return _function(cursor, token)
    if token.word in ("TRUE", "FALSE"):
        return cursor.counted(Truth(token.word == "TRUE", token.at))
    if token.word in _RESERVED:
        raise cursor.unexpected(token=token)
    return cursor.counted(Property(token.text, token.at))


def _function(cursor: Cursor, token: Token) -> Node:
    if token.word == "INTERVAL":
        return _interval(cursor, token)
    cursor.require("(")
    if token.word in ("DATE", "TIMESTAMP"):
        literal = cursor.require_kind("text")
        cursor.require(")")
        read_time = times.date if token.word == "DATE" else times.timestamp
        return cursor.counted(read_time(literal.text, literal.at))
    op = names.function(token.text)
    if op is None:
        raise names.unknown_function(token.text, token.at)
    # A function's argument in brackets may be an array of one member: A_CONTAINS(names, ('x')).
    args = _arguments(cursor) if op in names.ARRAY_FUNCTIONS else _list(cursor, ")")
    return cursor.counted(Call(op, args, token.at))


def _arguments(cursor: Cursor) -> tuple[Node, ...]:
    args = [_array_argument(cursor)]
    while cursor.skip(","):
        args.append(_array_argument(cursor))
    cursor.require(")")
    return tuple(args)


def _array_argument(cursor: Cursor) -> Node:
    token = cursor.now
    if cursor.skip("("):
        return cursor.counted(Array(_list(cursor, ")"), token.at))
    return _expression(cursor, _OR)


def _interval(cursor: Cursor, token: Token) -> Node:
    cursor.require("(")
    start = _end_of_interval(cursor, "start")
    cursor.require(",")
    end = _end_of_interval(cursor, "end")
    cursor.require(")")
    return cursor.counted(Interval(start, end, token.at))


def _end_of_interval(cursor: Cursor, side: str) -> Node:
    token = cursor.now
    if token.kind == "text":
        cursor.take()
        if token.text == "..":
            return cursor.counted(OpenEnd("start" if side == "start" else "end", token.at))
        return cursor.counted(times.instant(token.text, token.at))
    return _operand(cursor)
