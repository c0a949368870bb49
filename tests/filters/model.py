"""A second engine for filters: pandas with its three truth values, GeoPandas and Shapely, no SQL.

What CQL2 leaves to the server is told as the documentation tells it: a day beside an instant means the
instant's day in UTC, `div` and `%` cut towards zero, a quotient by zero and a root of a negative are unknown.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable
from functools import reduce
from operator import and_, eq, ge, gt, invert, le, lt, ne, or_
from typing import Any, TypeAlias

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry import shape as from_geojson

Values: TypeAlias = "pd.Series[Any]"
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, ">": gt, "<=": le, ">=": ge}
_LOGIC: dict[str, Callable[..., Values]] = {"and": and_, "or": or_, "not": invert}
_LETTERS = str.maketrans("đĐðÐøØłŁħĦŧŦ", "dDdDoOlLhHtT")
# Allen's relations (OGC 21-065r2, 7.4) as comparisons of the ends of two intervals.
_RELATIONS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "t_after": lambda a, b, c, d: [(a, gt, d)],
    "t_before": lambda a, b, c, d: [(b, lt, c)],
    "t_contains": lambda a, b, c, d: [(a, lt, c), (b, gt, d)],
    "t_during": lambda a, b, c, d: [(a, gt, c), (b, lt, d)],
    "t_equals": lambda a, b, c, d: [(a, eq, c), (b, eq, d)],
    "t_finishedBy": lambda a, b, c, d: [(a, lt, c), (b, eq, d)],
    "t_finishes": lambda a, b, c, d: [(a, gt, c), (b, eq, d)],
    "t_intersects": lambda a, b, c, d: [(a, le, d), (b, ge, c)],
    "t_meets": lambda a, b, c, d: [(b, eq, c)],
    "t_metBy": lambda a, b, c, d: [(a, eq, d)],
    "t_overlappedBy": lambda a, b, c, d: [(a, gt, c), (b, gt, d), (a, lt, d)],
    "t_overlaps": lambda a, b, c, d: [(a, lt, c), (b, gt, c), (b, lt, d)],
    "t_startedBy": lambda a, b, c, d: [(a, eq, c), (b, gt, d)],
    "t_starts": lambda a, b, c, d: [(a, eq, c), (b, lt, d)],
}


def matching(frame: gpd.GeoDataFrame, sentence: Any) -> list[int]:
    """The ids of the rows of which the sentence is true."""
    answers = Engine(frame).truth(sentence)
    return sorted(int(i) for i in frame.loc[answers.fillna(False).astype(bool), "id"])


class Engine:
    """Answers sentences over one frame; a value is a column of objects, None where it is null."""

    def __init__(self, frame: gpd.GeoDataFrame) -> None:
        self.frame = frame

    def truth(self, sentence: Any) -> Values:
        """True, false or NA a row."""
        return self.value(sentence).astype("boolean")

    def value(self, sentence: Any) -> Values:
        if isinstance(sentence, list):
            return self._all(frozenset(sentence))
        if not isinstance(sentence, dict):
            return self._all(sentence)
        if "op" in sentence:
            return self._call(sentence["op"], sentence["args"])
        if "property" in sentence:
            return self._property(sentence["property"])
        member = next(name for name in _LITERALS if name in sentence)
        return self._all(_LITERALS[member](sentence))

    def _property(self, name: str) -> Values:
        column = self.frame.geometry if name == "geom" else self.frame[name]
        return pd.Series(list(column), self.frame.index, dtype=object)

    def _all(self, value: Any) -> Values:
        return pd.Series([value] * len(self.frame), self.frame.index, dtype=object)

    def _each(self, function: Callable[..., Any], *columns: Values) -> Values:
        """The function of each row; null where any of its values is."""
        rows = zip(*columns, strict=True)
        answers = [None if any(map(_is_null, row)) else function(*row) for row in rows]
        return pd.Series(answers, self.frame.index, dtype=object)

    def _call(self, op: str, args: list[Any]) -> Values:
        if op in _LOGIC:
            return _LOGIC[op](*map(self.truth, args))
        if op == "isNull":
            return self.value(args[0]).map(_is_null).astype("boolean")
        if op == "between":
            return self._compare(ge, args[0], args[1]) & self._compare(le, args[0], args[2])
        if op == "in":
            return reduce(or_, (self._compare(eq, args[0], member) for member in args[1]))
        if op in _COMPARE:
            return self._compare(_COMPARE[op], *args)
        return self._during(op, *args) if op.startswith("t_") else self._function(op, args)

    def _function(self, op: str, args: list[Any]) -> Values:
        columns = [self.value(arg) for arg in args]
        if op.startswith("s_"):
            return self._spatial(op, *columns)
        if op in _ARITHMETIC:
            return self._each(_ARITHMETIC[op], *columns)
        return self._each(_FUNCTIONS[op], *columns)

    def _compare(self, test: Callable[[Any, Any], bool], left: Any, right: Any) -> Values:
        compared = self._each(lambda a, b: test(*_alike(a, b)), self.value(left), self.value(right))
        return compared.astype("boolean")

    def _spatial(self, op: str, left: Values, right: Values) -> Values:
        first, second = gpd.GeoSeries(left), gpd.GeoSeries(right)
        name = {"s_equals": "geom_equals"}.get(op, op.removeprefix("s_"))
        answers: Values = getattr(first, name)(second, align=False).astype("boolean")
        return answers.mask(first.isna() | second.isna())

    def _during(self, op: str, left: Any, right: Any) -> Values:
        if op == "t_disjoint":
            return ~self._during("t_intersects", left, right)
        ends = (*self._ends(left), *self._ends(right))
        tests = [
            self._each(lambda a, b, test=test: test(*_alike(a, b)), a, b).astype("boolean")
            for a, test, b in _RELATIONS[op](*ends)
        ]
        return reduce(and_, tests)

    def _ends(self, sentence: Any) -> tuple[Values, Values]:
        if "interval" not in sentence:
            return self.value(sentence), self.value(sentence)
        start, end = (self._end(end, side) for side, end in zip((-1, 1), sentence["interval"], strict=True))
        return start, end

    def _end(self, end: Any, side: int) -> Values:
        if end == "..":
            return self._all(_Open(side))
        if isinstance(end, str):
            return self._all(_instant(end) if "T" in end else dt.date.fromisoformat(end))
        return self.value(end)


class _Open(int):
    """An open end: -1 before everything, 1 after everything."""


def _is_null(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Two values that Python compares as CQL2 means it."""
    if isinstance(a, _Open) or isinstance(b, _Open):
        return (int(a) if isinstance(a, _Open) else 0), (int(b) if isinstance(b, _Open) else 0)
    if isinstance(a, dt.datetime) != isinstance(b, dt.datetime) and isinstance(a, dt.date):
        return _day(a), _day(b)
    return a, b


def _day(value: dt.date) -> dt.date:
    return value.astimezone(dt.UTC).date() if isinstance(value, dt.datetime) else value


def _box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    if west > east:
        return shapely.union(shapely.box(west, south, 180, north), shapely.box(-180, south, east, north))
    if west == east or south == north:
        line = shapely.LineString([(west, south), (east, north)])
        return shapely.Point(west, south) if (west, south) == (east, north) else line
    return shapely.box(west, south, east, north)


_LITERALS: dict[str, Callable[[Any], Any]] = {
    "date": lambda it: dt.date.fromisoformat(it["date"]),
    "timestamp": lambda it: _instant(it["timestamp"]),
    "bbox": lambda it: _box(*it["bbox"]),
    "type": from_geojson,
}


def _like(text: str, pattern: str) -> bool:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    made = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(made, text, re.DOTALL) is not None


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return "".join(char for char in letters if not "\u0300" <= char <= "\u036f").translate(_LETTERS)


def _finite(value: float | int) -> float | int | None:
    return value if isinstance(value, int) or abs(value) < 8e307 else None


def _arithmetic(
    of_integers: Callable[[int, int], Any] | None, of_floats: Callable[[float, float], Any]
) -> Any:
    def reckoned(a: Any, b: Any) -> Any:
        whole = of_integers is not None and isinstance(a, int) and isinstance(b, int)
        try:
            made = of_integers(a, b) if whole and of_integers else of_floats(float(a), float(b))
        except (ZeroDivisionError, OverflowError):
            return None
        return None if made is None or isinstance(made, complex) else _finite(made)

    return reckoned


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _power(a: float, b: float) -> float | None:
    return None if a == 0 and b < 0 else a**b


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _arithmetic(lambda a, b: a + b, lambda a, b: a + b),
    "-": _arithmetic(lambda a, b: a - b, lambda a, b: a - b),
    "*": _arithmetic(lambda a, b: a * b, lambda a, b: a * b),
    "/": _arithmetic(None, lambda a, b: a / b),
    "div": _arithmetic(_quotient, lambda a, b: float(math.trunc(a / b))),
    "%": _arithmetic(lambda a, b: a - b * _quotient(a, b), lambda a, b: a - b * math.trunc(a / b)),
    "^": _arithmetic(None, _power),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "like": _like,
    "casei": str.lower,
    "accenti": _without_accents,
    "a_equals": eq,
    "a_contains": ge,
    "a_containedBy": le,
    "a_overlaps": lambda a, b: bool(a & b),
}
