"""GeoParquet, a batch of rows at a time (the pyogrio wheel has no driver for it)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyproj

from gis_service.exchange.reasons import refused
from gis_service.exchange.source import Batch, Source, batch_rows, batches, checksum


def open_parquet(path: Path, lang: str) -> Source:
    """Open the file; DataRefused where it is no Parquet or has no geometry column in WKB."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as err:
        raise refused("unreadable", lang, name=path.name, fault=str(err).splitlines()[0]) from err
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        raise refused("double_fields", lang, name=path.name, fields=", ".join(names))
    meta = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    geometry = meta.get("primary_column")
    if geometry not in names or meta["columns"][geometry].get("encoding") != "WKB":
        raise refused("no_geometry", lang, name=path.name, fields=", ".join(names))
    fields = tuple(name for name in names if name not in _hidden(meta["columns"]))
    return Source(
        name=path.name,
        fields=fields,
        crs=_crs(meta["columns"][geometry]),
        batches=lambda: _read(path, geometry, fields, lang),
        rows=file.metadata.num_rows,
        checksum=checksum(path),
    )


def _hidden(columns: dict[str, Any]) -> set[str]:
    """Geometries, the boxes that cover them, and the row numbers that pandas leaves behind."""
    covering = [entry for column in columns.values() for entry in column.get("covering", {}).values()]
    boxes = {path[0] for entry in covering for path in entry.values()}
    return {*columns, *boxes, "__index_level_0__"}


def _crs(column: dict[str, Any]) -> pyproj.CRS | None:
    """The format's rule: absent means OGC:CRS84, null means unknown."""
    if "crs" not in column:
        return pyproj.CRS.from_user_input("OGC:CRS84")
    return pyproj.CRS.from_json_dict(column["crs"]) if column["crs"] else None


def _read(path: Path, geometry: str, fields: tuple[str, ...], lang: str) -> Iterator[Batch]:
    try:
        with pq.ParquetFile(path) as file:
            groups = (file.metadata.row_group(at) for at in range(file.num_row_groups))
            rows = batch_rows(sum(group.total_byte_size for group in groups), file.metadata.num_rows)
            records = file.iter_batches(rows, columns=[*fields, geometry])
            yield from batches(records, geometry, fields, None)
    except (pa.ArrowInvalid, OSError) as err:
        raise refused("unreadable", lang, name=path.name, fault=str(err).splitlines()[0]) from err
