"""Fill a Context from the database as a reader sees it, in a few statements for all candidates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import shapely

from gis_service.catalog.view import ViewedLayer
from gis_service.checks.candidate import Before, Candidate
from gis_service.checks.context import Context, Jurisdiction, Plot, Present, Spot, Taxon
from gis_service.checks.row import Row, day
from gis_service.checks.scene import name_key
from gis_service.checks.taxa import COLUMN
from gis_service.checks.thresholds import STANDARD
from gis_service.db import check_sql, report_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

Views = Mapping[str, ViewedLayer]

# Layers whose rows are held against neighbours, and properties by which rows elsewhere belong to them.
NEAR: Final = ("protected-areas", "occurrences", "plots")
SHARING: Final[Mapping[str, tuple[str, ...]]] = {
    "protected-areas": ("site_id", "site_pid"),
    "plots": ("location_id",),
    "species-ranges": ("sci_name",),
}
_BATCH: Final = 1000  # keys whose rows are fetched at once


def context(
    database: SyncDatabase,
    views: Views,
    candidates: Sequence[Candidate],
    today: dt.date,
    codes: Sequence[str] = (),
) -> Context:
    """What `run` may know of these candidates' surroundings, as far as these views show them.

    `codes` are the jurisdictions for which the rows are proposed; without them nobody's ground is asked.
    """
    rows = [Row(each) for each in candidates if each.operation != "delete"]
    made = _frame(Context(today), database, views)
    return replace(
        made,
        present={layer: _present(database, views[layer], rows) for layer in _layers(rows) if layer in views},
        taxa=_taxa(database, rows),
        jurisdiction=_jurisdiction(database, codes),
        plots=_plots(database, views, rows),
    )


def standing(
    database: SyncDatabase, view: ViewedLayer, slug: str, source_ids: Sequence[str]
) -> Mapping[str, Present]:
    """The rows that a data set holds now under these ids, as far as the view shows them."""
    found = database.run(check_sql.known(view.layer.table_name, slug, source_ids))
    rows = {each.gid: each for each in fetched(database, view, [gid for _, gid in found])}
    return {source_id: rows[gid] for source_id, gid in found if gid in rows}


def replacing(candidate: Candidate, present: Present | None) -> Candidate:
    """The candidate as a change of the row that stands, where one does."""
    if present is None:
        return candidate
    before = Before(present.values, present.geometry)
    return replace(candidate, operation="update", before=before, gid=present.gid)


def fetched(database: SyncDatabase, view: ViewedLayer, keys: Sequence[int]) -> list[Present]:
    """The rows of these keys, their values by column."""
    names = list(view.properties)
    columns = [view.layer.column_of(name) for name in names]
    rows = [
        row
        for start in range(0, len(keys), _BATCH)
        for row in database.run(report_sql.by_key(view, names, keys[start : start + _BATCH]))
    ]
    shapes = shapely.from_wkb([None if row[4] is None else bytes(row[4]) for row in rows])
    return [
        Present(row[0], dict(zip(columns, row[5:], strict=True)), shape)
        for row, shape in zip(rows, shapes, strict=True)
    ]


def _layers(rows: Iterable[Row]) -> list[str]:
    return sorted({row.layer for row in rows} & {*NEAR, *SHARING})


def _present(database: SyncDatabase, view: ViewedLayer, rows: Sequence[Row]) -> Sequence[Present]:
    mine = [row for row in rows if row.layer == view.id]
    keys: set[int] = set()
    for query in (*_by_box(view, mine), *_by_value(view, mine)):
        keys |= {row[0] for row in database.run(query)}
    return fetched(database, view, sorted(keys))


def _by_box(view: ViewedLayer, rows: Sequence[Row]) -> Iterable[Query]:
    step = STANDARD.same_place_degrees
    found = [row.sound.bounds for row in rows if row.sound is not None]
    if view.id in NEAR and found:
        yield check_sql.near(view, [(w - step, s - step, e + step, n + step) for w, s, e, n in found])


def _by_value(view: ViewedLayer, rows: Sequence[Row]) -> Iterable[Query]:
    for name in SHARING.get(view.id, ()):
        if name in view.properties and (values := _values(rows, name)):
            whole = view.properties[name].type == "integer"
            numbers = [int(value) for value in values if value.isdecimal() and len(value) < 19]
            cast = "bigint" if whole else "text"
            yield report_sql.sharing(view, name, numbers if whole else values, cast)
    if view.id == "protected-areas" and (names := _values(rows, "name")):
        yield check_sql.sharing_text(view, "name", [name.lower() for name in names])


def _values(rows: Iterable[Row], column: str) -> list[str]:
    return sorted({value for row in rows if (value := row.text(column))})


def _frame(made: Context, database: SyncDatabase, views: Views) -> Context:
    """Land, sea, the country's box and the centres of its units."""
    units = database.run(check_sql.shapes_today(views["provinces"])) if "provinces" in views else []
    seas = database.run(check_sql.shapes_today(views["sea-areas"])) if "sea-areas" in views else []
    land = shapely.from_wkb([bytes(row[1]) for row in units])
    west, south, east, north = shapely.total_bounds(land).tolist() if units else (0.0, 0.0, 0.0, 0.0)
    return replace(
        made,
        provinces=tuple(land),
        seas=tuple(shapely.from_wkb([bytes(row[1]) for row in seas])),
        country=(west, south, east, north) if units else None,
        spots=tuple(Spot(row[0], (row[2], row[3])) for row in units),
    )


def _taxa(database: SyncDatabase, rows: Sequence[Row]) -> Mapping[str, Taxon] | None:
    names = {name for row in rows if row.layer in COLUMN and (name := row.text(COLUMN[row.layer]))}
    if not names or not database.run(check_sql.ANY_TAXON)[0][0]:
        return None
    found = database.run(check_sql.taxa(sorted({name_key(name) for name in names})))
    return {key: Taxon(name, accepted, sea, land) for key, name, accepted, sea, land in found}


def _jurisdiction(database: SyncDatabase, codes: Sequence[str]) -> Jurisdiction | None:
    if not codes:
        return None
    (wkb,) = database.run(check_sql.ground(codes))[0]
    shape = shapely.MultiPolygon() if wkb is None else shapely.from_wkb(bytes(wkb))
    return Jurisdiction(tuple(codes), shape)


def _plots(database: SyncDatabase, views: Views, rows: Sequence[Row]) -> Mapping[str, Plot] | None:
    """The plots that visits name; None where there are no visits or where the plots may not be seen."""
    visited = _values([row for row in rows if row.layer == "visits"], "location_id")
    view = views.get("plots")
    if not visited or view is None or "location_id" not in view.properties:
        return None
    keys = [row[0] for row in database.run(report_sql.sharing(view, "location_id", visited, "text"))]
    found = fetched(database, view, keys)
    return {str(each.values["location_id"]): Plot(day(each.values.get("established"))) for each in found}
