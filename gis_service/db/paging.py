"""Keyset paging: the order of a page, and the condition that a row lies beyond a cursor.

Nulls stand where PostgreSQL puts them (after everything upwards, before everything downwards), and ties
are broken by the layer's key in the direction of the last sort key. So one index over (column, key),
read forwards or backwards, answers every page of a single sort key at any depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.query import Binds, ident


@dataclass(frozen=True, slots=True)
class SortKey:
    """One property to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row beyond which a page begins: its sort values and its key; backwards for the page before it."""

    values: tuple[object, ...]
    key: int
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class _Term:
    """One column of the order, as SQL, with the value that the cursor holds of it."""

    sql: str
    descending: bool


def order_by(view: ViewedLayer, sort: Sequence[SortKey], binds: Binds, backwards: bool = False) -> str:
    """The terms of ORDER BY, the key last; reversed for a page that is read backwards."""
    return ", ".join(
        f"{term.sql} desc" if term.descending else term.sql for term in _terms(view, sort, binds, backwards)
    )


def beyond(view: ViewedLayer, sort: Sequence[SortKey], cursor: Cursor, binds: Binds) -> list[str]:
    """The conditions of the rows beyond a cursor, as one or two ranges that follow each other.

    Two where the first sort key passes from values to nulls (or back): as one OR they would cost the index.
    """
    terms = _terms(view, sort, binds, cursor.backwards)
    key = binds.add(cursor.key)
    if not sort:
        return [f"{terms[0].sql} {_sign(terms[0])} {key}"]
    marks = [None if value is None else binds.add(value) for value in cursor.values]
    rest = _beyond([*terms], [*marks, key])
    first, mark = terms[0], marks[0]
    if mark is None:
        here = f"{first.sql} is null and ({rest})"
        return [here, f"{first.sql} is not null"] if first.descending else [here]
    if len(sort) == 1:
        here = f"({first.sql}, {terms[1].sql}) {_sign(first)} ({mark}, {key})"
    else:
        here = f"{first.sql} {_sign(first)}= {mark} and ({rest})"
    return [here] if first.descending else [here, f"{first.sql} is null"]


def marks(view: ViewedLayer, sort: Sequence[SortKey], binds: Binds) -> list[str]:
    """SQL of what a cursor holds of a row: its sort values; days and instants as text, which has all years.

    Python's own end at the years 1 and 9999, and it has no infinite ones.
    """
    values = [(rows.column(view, key.name, binds), view.properties[key.name].type) for key in sort]
    return [f"({value})::text" if kind in ("date", "timestamp") else value for value, kind in values]


def _terms(view: ViewedLayer, sort: Sequence[SortKey], binds: Binds, backwards: bool) -> list[_Term]:
    terms = [_Term(rows.column(view, key.name, binds), key.descending != backwards) for key in sort]
    downwards = sort[-1].descending != backwards if sort else backwards
    return [*terms, _Term(f"t.{ident(view.key)}", downwards)]


def _sign(term: _Term) -> str:
    return "<" if term.descending else ">"


def _beyond(terms: Sequence[_Term], marks: Sequence[str | None]) -> str:
    """Beyond in the first term, or equal in it and beyond in the rest: a > x or (a = x and (b > y or …))."""
    term, mark = terms[0], marks[0]
    if len(terms) == 1:
        return f"{term.sql} {_sign(term)} {mark}"  # the key, which is never null
    after, equal = _after(term, mark), f"{term.sql} is null" if mark is None else f"{term.sql} = {mark}"
    tied = f"({equal} and ({_beyond(terms[1:], marks[1:])}))"
    return tied if after == "false" else f"({after} or {tied})"


def _after(term: _Term, mark: str | None) -> str:
    """Strictly beyond in one term; null is greater than every value."""
    if mark is None:
        return f"{term.sql} is not null" if term.descending else "false"
    return f"{term.sql} < {mark}" if term.descending else f"({term.sql} > {mark} or {term.sql} is null)"
