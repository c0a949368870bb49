"""Triggers that note for each class the boxes of what it sees change in tiles, and nothing else.

Whose tiles were thrown away is told by how long the next one takes: were the public's purged by an edit of
rows that are hidden from it, a patient reader would learn where something is. So a box is noted for a class
only if a tile of the class changes, and it holds the geometry that the class sees, not the exact one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gis_service.access import versions
from gis_service.access.versions import Rows
from gis_service.catalog.layer import ClassView, Layer
from gis_service.db.query import ident, literal

MOST_BOXES: Final = 64  # of a class in one statement; more are joined by eighths of their extent
_EVENTS: Final = {
    "insert": ("referencing new table as n", "from n", ("n",)),
    "update": (
        "referencing old table as o new table as n",
        "from o full join n on o.gid = n.gid",
        ("o", "n"),
    ),
    "delete": ("referencing old table as o", "from o", ("o",)),
}
_CELLS_A_DEGREE: Final = 64  # rows nearer than that share a box, which spares their clustering
_EXTENT = "min(west), min(south), max(east), max(north)"


@dataclass(frozen=True)
class _Kind:
    """How a class of rows is noted: its name, when it changed, and where the class sees the row."""

    name: str
    changed: Rows
    seen: ClassView
    shown: Sequence[tuple[Rows, str]]
    codes: bool = False


def statements(table: str, layers: Sequence[Layer]) -> list[str]:
    """The functions and triggers of one table that its layers share."""
    if not layers[0].managed:
        return []
    made: list[str] = []
    for event, (tables, _, _) in _EVENTS.items():
        schema, name = table.split(".")
        function = ident("gis_tiles", f"note_{name}_{event}")
        made.append(
            f"create or replace function {function}() returns trigger language plpgsql security definer"
            # To compile the statement takes a second, for rows that are done with in a tenth.
            " set search_path = public, pg_temp set jit = off as $note$ begin"
            f" {_insert(table, layers, event)}; return null; end $note$"
        )
        made.append(
            f"create or replace trigger {ident('g_note_' + event)} after {event} on {ident(schema, name)}"
            f" {tables} for each statement execute function {function}()"
        )
    return made


def of_others(layers: Iterable[Layer]) -> list[str]:
    """Triggers of tables on which layers over views depend: any change there changes the whole layer."""
    tables = {table for layer in layers for table in layer.tiles.depends_on}
    return [
        "create or replace trigger g_note_table after insert or update or delete or truncate"
        f" on {ident(*table.split('.'))} for each statement execute function gis_tiles.note_table()"
        for table in sorted(tables)
    ]


def _insert(table: str, layers: Sequence[Layer], event: str) -> str:
    """Boxes of single rows are joined by cells, and cells where there are still too many of them."""
    seen = " union all ".join(_seen(layer, kind, event) for layer in layers for kind in _kinds(layer))
    middle = [f"floor(({low} + {high}) * {_CELLS_A_DEGREE / 2})" for low, high in _SIDES]
    share = [
        f"case when many > {MOST_BOXES} then floor(({low} + {high} - 2 * {first}) * 4 / nullif({extent}, 0))"
        f" else {low} end"
        for (low, high), first, extent in zip(_SIDES, ("w", "s"), ("wide", "high"), strict=True)
    ]
    return (
        f"with seen as ({seen}),"
        f" cells (class, west, south, east, north) as materialized (select class, {_EXTENT} from seen"
        f" where west is not null group by class, {', '.join(middle)}),"
        " spread as (select *, count(*) over every as many, min(west) over every as w,"
        " min(south) over every as s, max(east) over every - min(west) over every as wide,"
        " max(north) over every - min(south) over every as high"
        " from cells window every as (partition by class)),"
        f" joined (class, west, south, east, north) as (select class, {_EXTENT} from spread"
        f" group by class, {', '.join(share)})"
        " insert into gis_tiles.change (table_name, class, boxes)"
        f" select {literal(table)}, class,"
        " array_agg(side order by west, south, east, north, n) from joined"
        " cross join lateral (values (1, west), (2, south), (3, east), (4, north)) sides (n, side)"
        " group by class order by class"
    )


_SIDES: Final = (("west", "east"), ("south", "north"))


def _kinds(layer: Layer) -> list[_Kind]:
    """The classes of a layer. Own rows may become others': then they are shown as the public sees them."""
    exact = layer.geometry.column
    public = versions.public_view(layer)
    coarse = public.geometry or exact
    kinds = [_Kind("full", versions.whole, versions.full_view(layer), [(versions.whole, exact)])]
    if layer.access.public is not None:
        kinds.append(_Kind("public", versions.opened, public, [(versions.opened, coarse)]))
    if layer.access.jurisdiction is not None:
        shown = [(versions.owned, exact)]
        shown += [(versions.opened, coarse)] if layer.access.public is not None else []
        kinds.append(_Kind("j:", versions.owned, versions.jurisdiction_view(layer), shown, codes=True))
    return kinds


def _seen(layer: Layer, kind: _Kind, event: str) -> str:
    """The boxes that a class sees of rows which changed for it: where they were, and where they are."""
    _, pairs, sides = _EVENTS[event]
    codes = " || ".join(f"{side}.jurisdiction" for side in sides)
    its = f" cross join lateral (select distinct unnest({codes})) its (code)" if kind.codes else ""
    name = f"{literal(kind.name)} || its.code" if kind.codes else literal(kind.name)
    places = ", ".join(
        f"(({rows(layer, side)}) is true, {_box(layer, side, column)})"
        for side in sides
        for rows, column in kind.shown
    )
    return (
        f"select {name} as class, ST_XMin(box) as west, ST_YMin(box) as south, ST_XMax(box) as east,"
        f" ST_YMax(box) as north {pairs}{its} cross join lateral (values {places}) places (shown, box)"
        f" where shown and ({_changed(layer, kind, sides)})"
    )


def _box(layer: Layer, side: str, column: str) -> str:
    shape = f"{side}.{ident(column)}"
    return f"{shape if layer.geometry.srid == 4326 else f'ST_Transform({shape}, 4326)'}::box2d"


def _changed(layer: Layer, kind: _Kind, sides: Sequence[str]) -> str:
    """Byte by byte, as versions are raised; of columns that tiles carry alone."""
    if len(sides) == 1:
        return str(kind.changed(layer, sides[0]))
    before, after = (f"(({kind.changed(layer, side)}) is true)" for side in sides)
    old, new = (
        f"row({', '.join(f'{side}.{ident(c)}' for c in sorted(_columns(layer, kind.seen)))})"
        for side in sides
    )
    return f"{before} <> {after} or ({before} and record_image_ne({old}, {new}))"


def _columns(layer: Layer, seen: ClassView) -> set[str]:
    """What tiles are made of, as the class reads it."""
    shown = (name for name in layer.tiles.properties if name not in seen.hide)
    columns = {seen.replace.get(name) or layer.column_of(name) for name in shown}
    return columns | {layer.key, layer.id_column, seen.geometry or layer.geometry.column}
