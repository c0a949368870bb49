"""A file's rows in the terms of a layer's table, read as a load reads them, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from gis_service.db.loading import LoadSession
from gis_service.exchange import cleaning, mapping, planning, projecting
from gis_service.exchange.readers import open_source
from gis_service.exchange.reasons import Reason, refused
from gis_service.exchange.request import LoadRequest
from gis_service.exchange.source import Batch, Lost


@dataclass(frozen=True)
class ReadRow:
    """One row, numbered from 1. A load would set it aside for `value_fault` or `shape_fault`.

    A shape that can't be used stays as it is in the file where that is in WGS 84, so that one can say why.
    """

    number: int
    source_id: str | None
    values: Mapping[str, object]
    geometry: BaseGeometry | None = None
    value_fault: Reason | None = None
    shape_fault: Reason | None = None
    repair: cleaning.Repair | None = None


@dataclass(frozen=True)
class Reading:
    """All rows of a file, which of its fields fill which columns, and what a reader should know."""

    rows: tuple[ReadRow, ...]
    fields: mapping.FieldMap
    notes: tuple[str, ...]


def read(request: LoadRequest, dsn: str) -> Reading:
    """The file's rows; DataRefused where the file as a whole can't be used."""
    source, crs = open_source(request)
    with LoadSession(dsn) as session:
        _, fields = planning.plan(session, request, source)
    points = request.layer.geometry.type == "Point"
    aim = cleaning.Aim(points, None, request.points_from_polygons)
    rows: list[ReadRow] = []
    for batch in source.batches():
        if aim.operation is None and not projecting.is_wgs84(crs):
            way = planning.operation(request, source.name, crs, batch.wkb)
            aim = cleaning.Aim(points, way, request.points_from_polygons)
        rows += _rows(batch, fields, aim)
    rows += [_lost(each) for each in source.lost]
    if not rows:
        raise refused("empty", request.lang, name=source.name)
    return Reading(tuple(rows), fields, source.notes)


def _rows(batch: Batch, fields: mapping.FieldMap, aim: cleaning.Aim) -> Iterator[ReadRow]:
    mapped = mapping.apply(fields, batch)
    cleaned = cleaning.clean(batch.wkb, aim)
    as_drawn = cleaning.decoded(batch.wkb) if aim.operation is None else cleaned.geometries
    repairs = {each.row: each for each in cleaned.repairs}
    for at in range(len(batch.wkb)):
        refused_shape = cleaned.faults[at] is not None
        yield ReadRow(
            batch.first + at,
            mapped.ids[at],
            {name: column[at] for name, column in mapped.columns.items()},
            as_drawn[at] if refused_shape else cleaned.geometries[at],
            mapped.faults[at],
            cleaned.faults[at],
            repairs.get(at),
        )


def _lost(lost: Lost) -> ReadRow:
    return ReadRow(lost.row, None, {}, value_fault=lost.reason)
