"""Triggers that raise the version of a class when what it sees of a table changes, and at no other change.

They compare the rows before and after a statement as each layer shows them to each class, and are made anew
with the wall. What no answer shows (revision, release, jurisdictions, a key that the layer doesn't give out)
isn't compared: it changes with hidden values too, and a risen version would tell of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gis_service.access import sight
from gis_service.catalog.layer import ClassView, Layer
from gis_service.db.query import ident, literal

_EVENTS: Mapping[str, str] = {
    "insert": "new table as n",
    "update": "old table as o new table as n",
    "delete": "old table as o",
}
_SHOWN_OF_DATASETS = "title, title_vi, licence, citation, basis, source_url"

Rows = Callable[[Layer, str], str | None]
"""The condition under which a class sees a row by that alias; None where the layer is closed to it."""
Seen = Callable[[Layer], ClassView]


def statements(table: str, layers: Sequence[Layer]) -> list[str]:
    """The functions and triggers of one table that its layers share, of its history, and of its datasets."""
    schema, name = table.split(".")
    made: list[str] = []
    for event in _EVENTS:
        made += _trigger((schema, name), "", layers, event)
    # History is read as past releases; a row of it changes only with rights. What comes in left the table.
    for event in ("update", "delete"):
        made += _trigger((schema + "_history", name), "_past", layers, event)
    return made + _dataset_trigger((schema, name), layers)


def _trigger(table: tuple[str, str], suffix: str, layers: Sequence[Layer], event: str) -> list[str]:
    function = ident("gis", f"versions_{table[1]}{suffix}_{event}")
    pairs = {"insert": "from n", "delete": "from o"}.get(event) or _joined(suffix)
    body = _classes(pairs, layers, event, () if not suffix else ("release_from", "release_to"))
    trigger = (
        f"create or replace trigger {ident('d_versions_' + event)} after {event} on {ident(*table)}"
        f" referencing {_EVENTS[event]} for each statement execute function {function}()"
    )
    return [_function(function, table[1], body), trigger]


def _joined(suffix: str) -> str:
    """Each row before and after; a full join is hashed or merged, whatever the numbers."""
    keys = ("gid", "release_from") if suffix else ("gid",)
    return "from o full join n on " + " and ".join(f"o.{key} = n.{key}" for key in keys)


def _dataset_trigger(table: tuple[str, str], layers: Sequence[Layer]) -> list[str]:
    """Answers name the datasets of their rows: a new title is news to those who see such rows."""
    function = ident("gis", f"versions_{table[1]}_dataset")
    both = (table, (table[0] + "_history", table[1]))
    body = " union ".join(
        _classes(f"from {ident(*name)} n", layers, "insert", (), " and n.dataset_id = new.dataset_id")
        for name in both
    )
    shown = [f"({', '.join(f'{row}.{c}' for c in _SHOWN_OF_DATASETS.split(', '))})" for row in ("old", "new")]
    trigger = (
        f"create or replace trigger {ident('versions_' + table[1])} after update on gis.dataset"
        f" for each row when ({shown[0]} is distinct from {shown[1]}) execute function {function}()"
    )
    return [_function(function, table[1], body), trigger]


def _function(name: str, table: str, classes: str) -> str:
    return (
        f"create or replace function {name}() returns trigger language plpgsql security definer"
        " set search_path = public, pg_temp set jit = off as $versions$ begin"
        f" perform gis.raise_class_versions({literal(table)}, array({classes})); return null;"
        " end $versions$"
    )


def _classes(pairs: str, layers: Sequence[Layer], event: str, more: Sequence[str], among: str = "") -> str:
    """Selects the classes for which something changed among the pairs of rows."""
    public = _changed(layers, event, opened, public_view, more)
    full = _changed(layers, event, whole, full_view, more)
    own = _changed(layers, event, owned, jurisdiction_view, more)
    codes = {"insert": "n.jurisdiction", "delete": "o.jurisdiction"}.get(
        event, "o.jurisdiction || n.jurisdiction"
    )
    return (
        f"select 'public' where exists (select {pairs} where ({public}){among})"
        f" union select 'full' where exists (select {pairs} where ({full}){among})"
        f" union select 'j:' || its.code {pairs} cross join lateral unnest({codes}) its (code)"
        f" where ({own}){among}"
    )


def _changed(layers: Sequence[Layer], event: str, rows: Rows, seen: Seen, more: Sequence[str]) -> str:
    tests = [_differs(layer, event, rows, seen, more) for layer in layers if rows(layer, "n") is not None]
    return " or ".join(f"({test})" for test in tests) or "false"


def _differs(layer: Layer, event: str, rows: Rows, seen: Seen, more: Sequence[str]) -> str:
    """Byte by byte: 0 and -0 are equal and yet written differently."""
    if event != "update":
        return f"{rows(layer, 'n' if event == 'insert' else 'o')}"
    before, after = f"(({rows(layer, 'o')}) is true)", f"(({rows(layer, 'n')}) is true)"
    columns = sorted(_columns(layer, seen(layer)) | set(more))
    old, new = (f"row({', '.join(f'{row}.{ident(c)}' for c in columns)})" for row in ("o", "n"))
    return f"{before} <> {after} or ({before} and record_image_ne({old}, {new}))"


def _columns(layer: Layer, seen: ClassView) -> set[str]:
    """What answers of the layer are made of, for a class from which some of it is hidden."""
    shown = (name for name in layer.properties if name not in seen.hide)
    columns = {seen.replace.get(name) or layer.column_of(name) for name in shown}
    columns |= {layer.key, layer.id_column, seen.geometry or layer.geometry.column, "dataset_id"}
    if layer.time is not None:
        columns |= {layer.time.start, layer.time.end or layer.time.start}
    return columns


def public_view(layer: Layer) -> ClassView:
    return layer.access.public or ClassView()


def full_view(layer: Layer) -> ClassView:
    return layer.access.full.model_copy(update={"geometry": None})


def jurisdiction_view(layer: Layer) -> ClassView:
    """Own rows are whole, with their exact geometry."""
    return (layer.access.jurisdiction or ClassView()).model_copy(update={"geometry": None})


def whole(layer: Layer, row: str) -> str:
    """That the row is one of the layer's: several layers share a table, and some rows are in none."""
    equal = (f"{row}.{ident(column)} = {literal(str(value))}" for column, value in layer.where.items())
    return " and ".join([f"{row}.gid is not null", *equal])  # null where a full join has no such side


def opened(layer: Layer, row: str) -> str | None:
    if layer.access.public is None:
        return None
    return f"{whole(layer, row)} and {sight.open_rows(layer, row + '.')}"


def owned(layer: Layer, row: str) -> str | None:
    if layer.access.jurisdiction is None:
        return None
    return f"{whole(layer, row)} and its.code = any({row}.jurisdiction)"
