"""Files that must be whole before they are read, written by GDAL from a stream of Arrow batches.

GeoPackage, and FlatGeobuf with its index, for which GDAL needs to see all features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError

from gis_service.exchange import arrow
from gis_service.exchange.bulk import Bulk
from gis_service.exchange.frames import Batch

DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf"}


class TooLong(Exception):
    """The file grew past the bytes that one file may have."""


def write(form: str, bulk: Bulk, batches: Iterable[Batch], path: Path, most_bytes: int) -> None:
    """The whole file; TooLong where it would grow past `most_bytes`. It's the caller's to delete."""
    source = _Source(bulk, batches, path, most_bytes)
    try:
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(source.schema, source.read()),
            path,
            layer=bulk.name,
            driver=DRIVERS[form],
            geometry_name=arrow.GEOMETRY if bulk.geometry_type else None,
            geometry_type=bulk.geometry_type,
            crs=f"EPSG:{bulk.srid}" if bulk.geometry_type else None,
            layer_metadata=_metadata(bulk),
            layer_options=_options(form, bulk),
        )
    except (DataSourceError, RuntimeError) as err:
        raise source.failure or err from err
    if source.failure is not None:
        raise source.failure


class _Source:
    """The batches as Arrow. GDAL swallows what fails in them, so that it's kept here."""

    def __init__(self, bulk: Bulk, batches: Iterable[Batch], path: Path, most_bytes: int) -> None:
        self.failure: Exception | None = None
        self.schema = _schema(bulk)
        self._bulk, self._batches, self._path, self._most = bulk, batches, path, most_bytes

    def read(self) -> Iterator[pa.RecordBatch]:
        try:
            for records, lengths in self._batches:
                self._check()
                arrays, shapes = arrow.arrays(self._bulk.fields, records, lengths, lists=False)
                if self._bulk.geometry_type is not None:
                    arrays.append(arrow.wkb(shapes))
                yield pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        except Exception as err:
            self.failure = err
            raise

    def _check(self) -> None:
        if self._path.exists() and self._path.stat().st_size > self._most:
            raise TooLong


def _schema(bulk: Bulk) -> pa.Schema:
    made = [arrow.field(each, lists=False) for each in bulk.fields]
    if bulk.geometry_type is not None:
        made.append(pa.field(arrow.GEOMETRY, pa.binary()))
    return pa.schema(made)


def _options(form: str, bulk: Bulk) -> dict[str, str]:
    if form == "gpkg":
        named = {"GEOMETRY_NAME": "geom"} if bulk.geometry_type else {}
        return {"IDENTIFIER": bulk.title, "DESCRIPTION": bulk.description, **named}
    return {"TITLE": bulk.title, "DESCRIPTION": bulk.description, "SPATIAL_INDEX": "YES"}


def _metadata(bulk: Bulk) -> dict[str, str]:
    """Licence, citation and the like; in a GeoPackage they stand in the tables of gpkg_metadata."""
    texts = {name: value for name, value in bulk.metadata.items() if isinstance(value, str)}
    return {**texts, "metadata": bulk.metadata_json}
