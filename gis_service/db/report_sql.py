"""Statements behind the reports: candidates of a box, their geometry in batches, points, nearest, sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gis_service.catalog.view import ViewedLayer
from gis_service.db import boxes, rows
from gis_service.db.query import Binds, Query, ident
from gis_service.geo.bbox import BBox


def sizes(view: ViewedLayer, box: BBox) -> Query:
    """Rows (key, stored bytes of the geometry) that may meet the box; no geometry is read for it."""
    binds = Binds()
    shape = rows.geometry(view, binds)
    size = f"coalesce(pg_column_size({shape}), 0)"
    found = f"select t.{ident(view.key)}, {size} from {rows.relation(view, binds)}"
    return _finish(view, found, [_box(view, box, binds)], binds, f" order by t.{ident(view.key)}")


def by_key(view: ViewedLayer, names: Sequence[str], keys: Sequence[int]) -> Query:
    """Rows (key, id, basis, dataset_id, WKB, properties…) of these keys."""
    binds = Binds()
    found = f"select {_columns(view, names, binds)} from {rows.relation(view, binds)}"
    condition = f"t.{ident(view.key)} = any({binds.add(list(keys))}::bigint[])"
    return _finish(view, found, [condition], binds, f" order by t.{ident(view.key)}")


def attributes(view: ViewedLayer, names: Sequence[str], keys: Sequence[int]) -> Query:
    """Rows (key, properties…) of these keys, without geometry."""
    binds = Binds()
    columns = ", ".join([f"t.{ident(view.key)}", *(rows.column(view, name, binds) for name in names)])
    condition = f"t.{ident(view.key)} = any({binds.add(list(keys))}::bigint[])"
    return _finish(view, f"select {columns} from {rows.relation(view, binds)}", [condition], binds)


def sharing(view: ViewedLayer, name: str, values: Sequence[object], cast: str) -> Query:
    """Rows (key, dataset_id, value as text) of a property's values: a site's parcels, a species' ranges."""
    binds = Binds()
    column = rows.column(view, name, binds)
    found = f"select t.{ident(view.key)}, t.dataset_id, ({column})::text from {rows.relation(view, binds)}"
    return _finish(view, found, [f"{column} = any({binds.add(list(values))}::{cast}[])"], binds)


def points(view: ViewedLayer, names: Sequence[str], box: BBox) -> Query:
    """Rows (id, basis, dataset_id, longitude, latitude, generalised, properties…) of points in a box."""
    binds = Binds()
    shape = rows.geometry(view, binds)
    values = [rows.column(view, name, binds) for name in names]
    columns = [
        f"t.{ident(view.id_column)}", "t.basis", "t.dataset_id", f"ST_X({shape})", f"ST_Y({shape})",
        rows.generalised(view, binds), *values,
    ]  # fmt: skip
    found = f"select {', '.join(columns)} from {rows.relation(view, binds)}"
    return _finish(view, found, [_box(view, box, binds)], binds)


def places(view: ViewedLayer, name: str, since: date | None) -> Query:
    """Rows (dataset_id, longitude, latitude, generalised, records, last day) of where a species was found."""
    binds = Binds()
    shape = rows.geometry(view, binds)
    columns = ["t.dataset_id", f"ST_X({shape})", f"ST_Y({shape})", rows.generalised(view, binds)]
    day = f"({rows.column(view, 'eventDate', binds)})::date"
    found = f"select {', '.join(columns)}, count(*), max({day}) from {rows.relation(view, binds)}"
    conditions = [
        f"{rows.column(view, 'scientificName', binds)} = {binds.add(name)}",
        f"{rows.column(view, 'occurrenceStatus', binds)} is distinct from 'absent'",
        f"not ST_IsEmpty({shape})",
    ]
    if since is not None:
        conditions.append(f"{day} >= {binds.add(since)}")
    return _finish(view, found, conditions, binds, " group by 1, 2, 3, 4 order by 1, 2, 3, 4")


def nearest(view: ViewedLayer, names: Sequence[str], box: BBox, limit: int) -> Query:
    """Rows (degrees to the box, key, id, basis, dataset_id, WKB, properties…), the fewest degrees first.

    In no other order: with the key behind it the index isn't used, which is 200 times slower.
    """
    binds = Binds()
    west, south, east, north = (f"{binds.add(v)}::float8" for v in box.as_tuple())
    away = f"t.{ident(view.geometry)} <-> ST_MakeEnvelope({west}, {south}, {east}, {north}, 4326)"
    found = f"select {away}, {_columns(view, names, binds)} from {rows.relation(view, binds)}"
    page = f" order by {away} limit {binds.add(limit)}"
    return _finish(view, found, [f"t.{ident(view.geometry)} is not null"], binds, page)


def coarse(view: ViewedLayer, feature_id: str | int) -> Query:
    """One row: whether the position of this feature that the reader sees may be coarser than the true one."""
    binds = Binds()
    found = f"select {rows.generalised(view, binds)} from {rows.relation(view, binds)}"
    return _finish(view, found, [rows.named(view, feature_id, binds.add(feature_id))], binds)


def datasets(view: ViewedLayer, ids: Sequence[int], release: int) -> Query:
    """Datasets with their newest load as of a release, in the order of their ids."""
    text = (
        "select d.dataset_id, d.slug, d.title, d.title_vi, d.licence, d.redistribution, d.citation,"
        " d.source_url, l.version, l.checksum, l.release, l.loaded_at, d.basis"
        " from gis.dataset d left join lateral (select version, checksum, release, loaded_at from gis.load"
        " where load.dataset_id = d.dataset_id and load.release <= $2"
        " order by load_id desc limit 1) l on true"
        " where d.dataset_id = any($1::int[]) order by d.dataset_id"
    )
    return Query(text, (list(ids), release), view.role)


def _finish(view: ViewedLayer, found: str, conditions: list[str], binds: Binds, tail: str = "") -> Query:
    where = " and ".join([*rows.visible(view, binds), *conditions])
    return Query(f"{found} where {where}{tail}", tuple(binds.values), view.role)


def _box(view: ViewedLayer, box: BBox, binds: Binds) -> str:
    return rows.meets(view, boxes.shape(box, view.srid, binds), binds, exactly=False)


def _columns(view: ViewedLayer, names: Sequence[str], binds: Binds) -> str:
    values = [rows.column(view, name, binds) for name in names]
    shape = f"ST_AsBinary({rows.geometry(view, binds)})"
    return ", ".join(
        [f"t.{ident(view.key)}", f"t.{ident(view.id_column)}", "t.basis", "t.dataset_id", shape, *values]
    )
