"""The words of CQL2 text, each with the character at which it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gis_service.features.refusal import refuse

Kind = Literal["name", "quoted", "text", "number", "sign", "end"]

# CQL2 (21-065r2, annex B): a name may hold letters of any script, digits, _ : . and combining marks.
_NAME = r"(?:[^\W\d]|[:_])[\w.:\u0300-\u036f\u203f\u2040]*"
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SIGN = r"<=|>=|<>|[=<>+\-*/%^(),\[\]]"
_SPACE = r"[ \t\r\n\f]*"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(
        f'{_SPACE}(?:(?P<name>{_NAME})|(?P<quoted>"(?:[^"]|"")+")|(?P<text>{text})'
        rf"|(?P<number>{_NUMBER})|(?P<sign>{_SIGN})|(?P<end>\Z))"
    )


# The standard writes a quote inside a literal as '' or \'; GDAL's cql-text knows '' alone, and there
# a backslash before the closing quote is a character like any other.
_STANDARD = _pattern(r"'(?:[^'\\]|\\'|\\|'')*'")
_LOOSE = _pattern(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Token:
    """A word: for names and texts its meaning, for signs the sign; `word` is the upper-case name."""

    kind: Kind
    text: str
    at: int
    word: str = ""


def tokens(source: str, *, loose: bool) -> Iterator[Token]:
    """All words of the text and an end; 400 names the first character that begins none."""
    pattern, place = (_LOOSE if loose else _STANDARD), 0
    while (found := pattern.match(source, place)) is not None:
        kind = found.lastgroup
        begin = found.start(kind or 0)
        match kind:
            case "name":
                yield Token("name", found[kind], begin + 1, found[kind].upper())
            case "quoted":
                yield Token("quoted", found[kind][1:-1].replace('""', '"'), begin + 1)
            case "text":
                yield Token("text", _unquoted(found[kind], loose), begin + 1)
            case "number":
                yield Token("number", found[kind], begin + 1)
            case "sign":
                yield Token("sign", found[kind], begin + 1)
            case _:
                yield Token("end", "", begin + 1)
                return
        place = found.end()
    raise _unreadable(source, place)


def _unquoted(literal: str, loose: bool) -> str:
    inner = literal[1:-1].replace("''", "'")
    return inner if loose else inner.replace("\\'", "'")


def _unreadable(source: str, place: int) -> Exception:
    while source[place] in " \t\r\n\f":
        place += 1
    if source[place] in "'\"":
        return refuse("filter.unclosed-quote", at=place + 1, quote=source[place])
    return refuse("filter.unknown-character", at=place + 1, found=source[place])
