"""CQL2 text of a sentence in the JSON encoding: the inverse of a parser, made without looking at ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = Any  # what the grammar makes
_BETWEEN = (
    "=",
    "<>",
    "<",
    ">",
    "<=",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "div",
    "like",
    "ilike",
    "and",
    "or",
)
_FORMS = {"not": "not {}", "isNull": "{} is null", "between": "{} between {} and {}", "in": "{} in {}"}


def text(sentence: Json) -> str:
    """The sentence in text."""
    if isinstance(sentence, dict):
        member = next(name for name in _OBJECTS if name in sentence)
        return _OBJECTS[member](sentence)
    if isinstance(sentence, list):
        return f"({', '.join(map(text, sentence))})"
    if isinstance(sentence, str):
        return quoted(sentence)
    return repr(sentence).lower()


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def has_a_text(sentence: Json) -> bool:
    r"""Whether text can say it: \' is a quote there, so no literal may hold it, or end in a backslash."""
    match sentence:
        case str():
            return "\\'" not in sentence and not sentence.endswith("\\")
        case list():
            return all(map(has_a_text, sentence))
        case dict():
            return all(map(has_a_text, sentence.values()))
    return True


def _call(op: str, args: list[Json]) -> str:
    made = [_operand(arg) for arg in args]
    if op in _BETWEEN:
        return f" {op} ".join(made)
    if op in _FORMS:
        return _FORMS[op].format(*made)
    return f"{op.upper()}({', '.join(map(text, args))})"


def _operand(arg: Json) -> str:
    """In brackets where it is an operator itself."""
    op = arg.get("op", "") if isinstance(arg, dict) else ""
    return f"({text(arg)})" if op in _BETWEEN or op in _FORMS else text(arg)


def wkt(shape: Json) -> str:
    """Well-known text of a GeoJSON geometry."""
    kind = shape["type"].upper()
    if kind == "GEOMETRYCOLLECTION":
        return f"{kind}({', '.join(map(wkt, shape['geometries']))})"
    body = _coordinates(shape["coordinates"])
    return f"{kind}({body})" if kind == "POINT" else f"{kind}{body}"


def _coordinates(values: Json) -> str:
    if not isinstance(values[0], list | tuple):
        return " ".join(map(repr, values))
    return "(" + ", ".join(_coordinates(value) for value in values) + ")"


_OBJECTS: dict[str, Callable[[Json], str]] = {
    "op": lambda it: _call(it["op"], it["args"]),
    "property": lambda it: '"' + it["property"].replace('"', '""') + '"',
    "date": lambda it: f"DATE({quoted(it['date'])})",
    "timestamp": lambda it: f"TIMESTAMP({quoted(it['timestamp'])})",
    "interval": lambda it: f"INTERVAL({', '.join(map(text, it['interval']))})",
    "bbox": lambda it: f"BBOX({', '.join(map(repr, it['bbox']))})",
    "type": wkt,
}
