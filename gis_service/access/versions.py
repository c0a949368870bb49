"""Triggers that raise the version of a class when what it sees of a table changes, and at no other change.

They compare the rows before and after a statement as each class sees them, by the columns and conditions of
the wall, and are made anew with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gis_service.access import sight
from gis_service.access.policy import ROLE_FULL, ROLE_JURISDICTION, ROLE_PUBLIC
from gis_service.catalog.layer import Layer
from gis_service.db.query import ident, literal

# Bookkeeping that no answer shows: it changes with every edit, a hidden one too.
_BOOKKEEPING = frozenset({"rev", "release_from", "jurisdiction"})
_SEEN = ("public", "full")
_EVENTS: Mapping[str, str] = {
    "insert": "new table as new_rows",
    "update": "old table as old_rows new table as new_rows",
    "delete": "old table as old_rows",
}


def statements(table: str, layers: Sequence[Layer]) -> list[str]:
    """The functions and triggers of one table that its layers share."""
    made = []
    for event, tables in _EVENTS.items():
        function, trigger = _name(table, event), ident(f"d_versions_{event}")
        made.append(_function(function, table, layers, event))
        made.append(
            f"create or replace trigger {trigger} after {event} on {ident(*table.split('.'))}"
            f" referencing {tables} for each statement execute function {function}()"
        )
    return made


def _name(table: str, event: str) -> str:
    return ident("gis", f"versions_{table.split('.')[1]}_{event}")


def _function(name: str, table: str, layers: Sequence[Layer], event: str) -> str:
    pairs = _pairs(layers, event)
    tests = [f"select '{role}' where exists (select {pairs} where {_differs(role)})" for role in _SEEN]
    tests.append(
        f"select 'j:' || code {pairs}, unnest(o.jurisdiction || n.jurisdiction) code"
        f" where {_differs('own')} or o.jurisdiction is distinct from n.jurisdiction"
    )
    body = f"array({' union '.join(tests)})"
    return (
        f"create or replace function {name}() returns trigger language plpgsql security definer"
        " set search_path = public, pg_temp as $versions$ begin"
        f" perform gis.raise_class_versions({literal(table.split('.')[1])}, {body});"
        " return null; end $versions$"
    )


def _differs(role: str) -> str:
    return f"o.{role} is distinct from n.{role}"


def _pairs(layers: Sequence[Layer], event: str) -> str:
    """Each row before and after the statement, side by side; one side is empty where it came or went."""
    key = ident(layers[0].key)
    old = _rows(layers, "old_rows") if event != "insert" else _none(layers)
    new = _rows(layers, "new_rows") if event != "delete" else _none(layers)
    return f"from ({old}) o full join ({new}) n on o.{key} = n.{key}"


def _rows(layers: Sequence[Layer], source: str) -> str:
    """The rows as each class sees them: null where it doesn't see the row at all."""
    columns, conditions = sight.columns(layers), sight.conditions(layers)
    public = _row(columns[ROLE_PUBLIC]) if columns[ROLE_PUBLIC] else "null"
    own = _row(columns[ROLE_JURISDICTION]) if columns[ROLE_JURISDICTION] else "null"
    return (
        f"select {ident(layers[0].key)}, jurisdiction, {own} as own, {_row(columns[ROLE_FULL])} as full,"
        f" case when {conditions[ROLE_PUBLIC]} then {public} end as public from {source}"
    )


def _none(layers: Sequence[Layer]) -> str:
    seen = ", ".join(f"null::record as {name}" for name in ("own", "full", "public"))
    key = ident(layers[0].key)
    return f"select null::bigint as {key}, null::text[] as jurisdiction, {seen} where false"


def _row(columns: set[str]) -> str:
    return f"row({', '.join(ident(column) for column in sorted(columns - _BOOKKEEPING))})"
