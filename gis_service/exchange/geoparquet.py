"""GeoParquet 1.1, written in row groups while the rows come in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gis_service.exchange import arrow
from gis_service.exchange.bulk import WGS84_SRID, Bulk
from gis_service.exchange.frames import Batch
from gis_service.exchange.records import Column

VERSION = "1.1.0"
COVERING = "bbox"
GROUP_ROWS = 50_000
GROUP_BYTES = 16_000_000
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_BOX = pa.struct([(name, pa.float64()) for name in _CORNERS])

Bounds = npt.NDArray[np.float64]


class Counted:
    """A pipe as a file that knows how much was written to it, which Parquet's footer needs."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._at, self.closed = out, 0, False

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self.closed = True


class _Groups:
    """Collects batches until they fill a row group."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema
        self._held: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._held:
            table = pa.Table.from_batches(self._held, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._held, self._rows, self._bytes = [], 0, 0


def write(bulk: Bulk, batches: Iterable[Batch], out: BinaryIO) -> None:
    """The whole file into a pipe or a file."""
    schema = _schema(bulk)
    whole = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pq.ParquetWriter(Counted(out), schema, compression="zstd") as writer:
        groups = _Groups(writer, schema)
        for records, lengths in batches:
            arrays, shapes = arrow.arrays(bulk.fields, records, lengths, lists=True)
            if bulk.geometry_type is not None:
                bounds = _bounds(bulk, shapes)
                whole = _grown(whole, bounds)
                arrays += [_boxes(bounds), arrow.wkb(shapes)]
            groups.add(pa.RecordBatch.from_arrays(arrays, schema=schema))
        groups.flush()
        writer.add_key_value_metadata(_metadata(bulk, whole))


def _schema(bulk: Bulk) -> pa.Schema:
    made = [arrow.field(each, lists=True) for each in bulk.fields]
    if bulk.geometry_type is not None:
        made += [pa.field(COVERING, _BOX), pa.field(arrow.GEOMETRY, pa.binary())]
    return pa.schema(made)


def _bounds(bulk: Bulk, shapes: Column) -> Bounds:
    if bulk.geometry_type == "Point":
        return arrow.points(shapes)
    import shapely  # noqa: PLC0415  # 20 MB that points don't need

    made: Bounds = shapely.bounds(shapely.from_wkb(arrow.wkb(shapes).to_numpy(zero_copy_only=False)))
    return made


def _grown(whole: Bounds, bounds: Bounds) -> Bounds:
    seen = bounds[~np.isnan(bounds[:, 0])]
    if not len(seen):
        return whole
    return np.concatenate(
        [np.minimum(whole[:2], seen[:, :2].min(axis=0)), np.maximum(whole[2:], seen[:, 2:].max(axis=0))]
    )


def _boxes(bounds: Bounds) -> pa.Array:
    valid = ~np.isnan(bounds[:, 0])
    corners = [arrow.fixed(pa.float64(), bounds[:, place], valid) for place in range(4)]
    return pa.StructArray.from_buffers(_BOX, len(bounds), [arrow.bitmap(valid)], children=corners)


def _metadata(bulk: Bulk, whole: Bounds) -> dict[str, str]:
    """What the standard asks for, and where the data come from."""
    told = {name: _text(value) for name, value in bulk.metadata.items()}
    if bulk.geometry_type is None:
        return told
    column: dict[str, object] = {"encoding": "WKB", "geometry_types": [bulk.geometry_type]}
    if np.isfinite(whole).all():
        column["bbox"] = whole.tolist()
    if bulk.srid != WGS84_SRID:  # without, it is CRS84
        column["crs"] = _projjson(bulk.srid)
    column["covering"] = {"bbox": {corner: [COVERING, corner] for corner in _CORNERS}}
    geo = {"version": VERSION, "primary_column": arrow.GEOMETRY, "columns": {arrow.GEOMETRY: column}}
    return {**told, "geo": json.dumps(geo)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _projjson(srid: int) -> object:
    import pyproj  # noqa: PLC0415  # 30 MB that CRS84 doesn't need

    return pyproj.CRS.from_epsg(srid).to_json_dict()
