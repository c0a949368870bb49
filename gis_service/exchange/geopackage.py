"""GeoPackage, written by GDAL into a file from a stream of Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyogrio

from gis_service.exchange import arrow
from gis_service.exchange.bulk import Bulk
from gis_service.exchange.frames import Batch


class TooLong(Exception):
    """The file grew past the bytes that one export may fill."""


def write(bulk: Bulk, batches: Iterable[Batch], path: Path, most_bytes: int) -> None:
    """The whole file; TooLong where it would grow past `most_bytes`. It's the caller's to delete."""
    schema = _schema(bulk)
    reader = pa.RecordBatchReader.from_batches(schema, _read(bulk, schema, batches, path, most_bytes))
    pyogrio.write_arrow(
        reader,
        path,
        layer=bulk.name,
        driver="GPKG",
        geometry_name=arrow.GEOMETRY if bulk.geometry_type else None,
        geometry_type=bulk.geometry_type,
        crs=f"EPSG:{bulk.srid}" if bulk.geometry_type else None,
        layer_metadata=_metadata(bulk),
        layer_options={"IDENTIFIER": bulk.title, "DESCRIPTION": bulk.description, "GEOMETRY_NAME": "geom"},
    )


def _schema(bulk: Bulk) -> pa.Schema:
    made = [arrow.field(each, lists=False) for each in bulk.fields]
    if bulk.geometry_type is not None:
        made.append(pa.field(arrow.GEOMETRY, pa.binary()))
    return pa.schema(made)


def _read(
    bulk: Bulk, schema: pa.Schema, batches: Iterable[Batch], path: Path, most_bytes: int
) -> Iterator[pa.RecordBatch]:
    for records, lengths in batches:
        if path.exists() and path.stat().st_size > most_bytes:
            raise TooLong
        arrays, shapes = arrow.arrays(bulk.fields, records, lengths, lists=False)
        if bulk.geometry_type is not None:
            arrays.append(arrow.wkb(shapes))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _metadata(bulk: Bulk) -> dict[str, str]:
    """Licence, citation and the like; GDAL writes them into the tables of gpkg_metadata."""
    return {name: value for name, value in bulk.metadata.items() if isinstance(value, str)} | {
        "metadata": bulk.metadata_json
    }
