"""Bulk files of a viewed layer for processes that have time: the command line and the job worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gis_service.catalog.view import ViewedLayer
from gis_service.db import bulk, select
from gis_service.db.paging import Cursor
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.exchange.bulk import Bulk
from gis_service.exchange.frames import Batch
from gis_service.features import provenance
from gis_service.features.documents import Dataset, Stats
from gis_service.features.formats import PARQUET, Format
from gis_service.links import Links

ROWS = 10_000
SHAPES = 200  # lines and areas weigh up to some 100 KB each


def encode(
    database: SyncDatabase, view: ViewedLayer, form: Format, path: Path, links: Links, most_bytes: int
) -> None:
    """Write all that the view shows as GeoPackage, GeoParquet, or FlatGeobuf with its index."""
    from gis_service.exchange import gdal_file, geoparquet  # noqa: PLC0415  # GDAL and Arrow are 100 MB

    found = _batches(database, view)
    told = _bulk(database, view, links)
    if form is PARQUET:
        with path.open("wb") as out:
            geoparquet.write(told, found, out)
    else:
        gdal_file.write(form.name, told, found, path, most_bytes)


def _bulk(database: SyncDatabase, view: ViewedLayer, links: Links) -> Bulk:
    rows = database.run(select.datasets(view)) if view.layer.managed else []
    stats = Stats(0, None, None, tuple(Dataset(*row) for row in rows))
    return Bulk(
        name=view.id,
        title=view.title.en,
        description=view.description.en,
        fields=bulk.fields(view, ItemsQuery().form, "en"),
        geometry_type=view.geometry_type,
        srid=ItemsQuery().form.crs.srid,
        metadata=provenance.provenance(view, stats, links, "en"),
    )


def _batches(database: SyncDatabase, view: ViewedLayer) -> Iterator[Batch]:
    query = ItemsQuery(limit=ROWS if view.geometry_type == "Point" else SHAPES)
    while True:
        count, key, records, lengths = database.run(bulk.records(view, query))[0]
        if count:
            yield records, lengths
        if count < query.limit:
            return
        query = replace(query, cursor=Cursor((), key))
