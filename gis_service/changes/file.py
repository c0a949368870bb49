"""What a file asks for: each row with an id is a change of that feature, each without one a new feature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import shapely

from gis_service.catalog.view import ViewedLayer
from gis_service.changes.propose import Asked, columns
from gis_service.changes.refusal import refusal
from gis_service.changes.sheet import without_examples
from gis_service.db import introspect
from gis_service.db.sync import SyncDatabase
from gis_service.errors import DataRefused
from gis_service.exchange import cleaning, mapping, projecting, schemas, values
from gis_service.exchange.readers import open_source
from gis_service.exchange.reasons import Reason
from gis_service.exchange.request import DatasetInfo, LoadRequest
from gis_service.exchange.source import Batch, Source

# Columns of identity that files carry along and that say nothing of a feature's content.
CARRIED: Final = frozenset({"fid", "gid", "public_id", "id", "ogc_fid"})


@dataclass(frozen=True)
class Given:
    """A file, and what it doesn't say of itself."""

    path: Path
    id_column: str = "id"
    crs: str | None = None
    file_layer: str | None = None
    encoding: str | None = None
    lang: str = "en"


@dataclass(frozen=True)
class Read:
    """The rows, and the ids of those whose geometry had to be repaired."""

    asked: tuple[Asked, ...]
    repaired: tuple[str, ...]


def read(database: SyncDatabase, view: ViewedLayer, given: Given) -> Read:
    """The file's rows by the names of properties; DataRefused whole where one of them can't be understood."""
    request = LoadRequest(
        given.path, view.layer, DatasetInfo("proposal"), crs=given.crs, file_layer=given.file_layer,
        encoding=given.encoding, lang=given.lang,
    )  # fmt: skip
    source, crs = open_source(request)
    if given.id_column not in source.fields:
        known = ", ".join(source.fields)
        raise refusal(DataRefused, "change.no-id", name=source.name, id=given.id_column, fields=known)
    fields = _plan(database, view, source, given.id_column)
    asked: list[Asked] = []
    repaired: list[str] = []
    operation: projecting.Operation | None = None
    for batch in without_examples(source.batches(), given.id_column):
        if operation is None and not projecting.is_wgs84(crs):
            operation = projecting.operation(crs, cleaning.bounds(batch.wkb))
        cleaned = cleaning.clean(
            batch.wkb, cleaning.Aim(view.layer.geometry.type == "Point", operation, False)
        )
        name = operation.name if operation else None
        rows = _Rows(batch, mapping.apply(fields, batch), cleaned, projecting.srid_of(crs), name)
        names = {view.layer.column_of(each): each for each in view.properties}
        found = _asked(rows, given, source, names)
        repaired += [found[each.row].id or "–" for each in cleaned.repairs]
        asked += found
    return Read(tuple(asked), tuple(repaired))


@dataclass(frozen=True)
class _Rows:
    """A batch with its values and geometries in the table's terms."""

    batch: Batch
    mapped: mapping.Rows
    cleaned: cleaning.Cleaned
    srid: int | None
    operation: str | None


def _plan(database: SyncDatabase, view: ViewedLayer, source: Source, id_column: str) -> mapping.FieldMap:
    """Which field fills which column; refuses fields that the proposer can't set, whatever the reason."""
    table = introspect.table(database, view.layer.table)
    assert table is not None, "the layer's table is there, for the layer was viewed"
    writable = columns(view)
    targets = [
        mapping.Target(column, table.columns[column].type, aliases=(name,))
        for name, column in writable.items()
        if table.columns[column].type in values.CONVERT
    ]
    fields = [field for field in source.fields if field != id_column]
    schema = schemas.schema_for(view.layer.table_name, fields)
    found = mapping.plan(fields, targets, schema, {}, None, source.cut_names)
    seen = {name for name in view.properties if name not in writable}
    if strange := [field for field in found.leftover if field.lower() not in CARRIED and field not in seen]:
        known = ", ".join(sorted(writable))
        raise refusal(DataRefused, "change.columns", columns=", ".join(strange), layer=view.id, known=known)
    return replace(found, id_fields=())  # by which loads know rows; here a row is known by its id alone


def _asked(rows: _Rows, given: Given, source: Source, names: Mapping[str, str]) -> list[Asked]:
    ids = [_id(value) for value in rows.batch.attributes[given.id_column]]
    wkb: list[bytes | None] = shapely.to_wkb(rows.cleaned.geometries, byte_order=1).tolist()
    found = []
    for at, identity in enumerate(ids):
        fault = _fault(rows, at, identity)
        if fault is not None:
            row = rows.batch.first + at
            raise refusal(
                DataRefused, "change.bad-row", row=row, name=source.name, reason=fault.say(given.lang)
            )
        cells = {names[column]: _plain(cells[at]) for column, cells in rows.mapped.columns.items()}
        kept = (
            (rows.batch.wkb[at], rows.srid, rows.operation)
            if rows.cleaned.changed[at]
            else (None, None, None)
        )
        found.append(Asked("update" if identity else "insert", identity, cells, wkb[at], *kept))
    return found


def _fault(rows: _Rows, at: int, identity: str | None) -> Reason | None:
    """Why a row can't be taken; one without a geometry leaves its feature's as it is."""
    shape = rows.cleaned.faults[at]
    if shape is not None and shape.code == "no_geometry" and identity:
        shape = None
    return rows.mapped.faults[at] or shape


def _id(value: object) -> str | None:
    return None if values.missing(value, "text") else values.text(value)


def _plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value
