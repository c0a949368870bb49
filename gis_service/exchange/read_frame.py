"""A GeoDataFrame in memory, read as if it were a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from gis_service.exchange.source import Batch, Source, batches

if TYPE_CHECKING:
    import geopandas

ROWS: Final = 2048


def open_frame(frame: geopandas.GeoDataFrame) -> Source:
    """Give the frame's rows; its checksum is that of its rows, so equal frames are equal loads."""
    table = pa.table(frame.to_arrow(index=False, geometry_encoding="WKB"))
    geometry = str(frame.geometry.name)
    fields = tuple(name for name in table.column_names if name != geometry)
    return Source(
        name="frame",
        fields=fields,
        crs=frame.crs,
        batches=lambda: _read(table, geometry, fields),
        rows=table.num_rows,
        checksum=_checksum(table),
    )


def _read(table: pa.Table, geometry: str, fields: tuple[str, ...]) -> Iterator[Batch]:
    return batches(iter(table.to_batches(max_chunksize=ROWS)), geometry, fields, None)


def _checksum(table: pa.Table) -> str:
    digest = hashlib.sha256()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None).combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()
