"""What the geoprocessing engine reads: areas of whole tables, those written since, and what a view shows.

Areas are read by the service's own rights, of every row, as tiles are derived. What somebody is told of them
goes by a viewed layer: `seen` gives the rows whose area its reader sees, and no sum counts another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows, tile_tables
from gis_service.db.query import Binds, Query, ident, literal
from gis_service.db.tile_tables import Surface

WHOLE_TABLE: Final = -1  # in place of a key
_SCHEMA: Final = "gis_engine"
_EVENTS: Final = (
    ("insert", "new table as new_rows", "inserted"),
    ("update", "old table as old_rows new table as new_rows", "updated"),
    ("delete", "old table as old_rows", "deleted"),
)
# Snapshots of another database, or of one restored from an earlier state, mean nothing here.
NOW: Final = Query(
    "select pg_current_snapshot()::text, (select system_identifier || '.' from pg_control_system())"
    " || (select timeline_id || '.' from pg_control_checkpoint())"
    " || (select oid::text from pg_database where datname = current_database())"
)


def surfaces(layers: Iterable[Layer]) -> list[Surface]:
    """The tables of areas that the engine holds, by name."""
    return [each for each in tile_tables.surfaces(layers) if each.areas]


def statements(found: Sequence[Surface]) -> list[str]:
    """The triggers that mark what is written."""
    made = []
    for each in found:
        table, shape = ident(each.schema, each.table), literal(each.geometry)
        made += [
            f"create or replace trigger h_engine_{event} after {event} on {table} referencing {named}"
            f" for each statement execute function {_SCHEMA}.mark_{done}({shape})"
            for event, named, done in _EVENTS
        ]
        made.append(
            f"create or replace trigger h_engine_truncate after truncate on {table}"
            f" for each statement execute function {_SCHEMA}.mark_truncated()"
        )
    return made


def areas(surface: Surface, keys: Sequence[int] | None = None) -> Query:
    """Rows (key, WKB) of a table, or of these keys alone."""
    key, shape = ident(surface.key), ident(surface.geometry)
    found = f"select {key}, ST_AsBinary({shape}) from {ident(surface.schema, surface.table)}"
    if keys is None:
        return Query(f"{found} order by {shape}, {key}", timeout_ms=READ_MS)  # neighbours together
    return Query(f"{found} where {key} = any($1::bigint[]) order by {key}", (list(keys),), timeout_ms=READ_MS)


READ_MS: Final = 600_000


def written(surface: Surface, since: str) -> Query:
    """The keys of rows that were written after a snapshot."""
    return Query(
        f"select gid from {_SCHEMA}.written where table_name = $1"
        " and xact >= pg_snapshot_xmin($2::text::pg_snapshot)"
        " and not pg_visible_in_snapshot(xact, $2::text::pg_snapshot) order by gid",
        (surface.table, since),
    )


def seen(view: ViewedLayer, names: Sequence[str]) -> Query:
    """Rows (key, id, dataset_id, properties…) of which the view shows the area, in the order of their keys.

    Of the others it shows a point, if anything, which covers nothing.
    """
    binds = Binds()
    columns = [f"t.{ident(view.key)}", f"t.{ident(view.id_column)}::text", "t.dataset_id"]
    columns += [rows.column(view, name, binds) for name in names]
    conditions = [*rows.visible(view, binds), *_exact(view, binds)]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    order = f" order by t.{ident(view.key)}"
    relation = rows.relation(view, binds)
    return Query(f"select {', '.join(columns)} from {relation}{where}{order}", tuple(binds.values), view.role)


def _exact(view: ViewedLayer, binds: Binds) -> list[str]:
    if view.geometry == view.layer.geometry.column:
        return []
    return [(rows.own(view, binds) if view.exact else None) or "false"]


def count(surface: Surface) -> Query:
    """How many rows a table has, as the planner knows."""
    return Query(
        "select greatest(reltuples, 0)::bigint from pg_class where oid = $1::text::regclass",
        (f"{ident(surface.schema, surface.table)}",),
    )
