"""What is settled before a file's rows are read: which field fills which column, and the way to WGS 84."""

from __future__ import annotations

from collections.abc import Sequence

import pyproj

from gis_service.catalog.layer import Layer
from gis_service.db.loading import LoadSession, Table
from gis_service.exchange import cleaning, mapping, projecting, schemas, values
from gis_service.exchange.reasons import refused
from gis_service.exchange.request import LoadRequest
from gis_service.exchange.source import Source


def plan(session: LoadSession, request: LoadRequest, source: Source) -> tuple[Table, mapping.FieldMap]:
    """Pair the file's fields with the table's columns, or refuse the file with what it would need."""
    layer = request.layer
    table = session.table(layer.schema_name, layer.table_name, layer.where) if layer.managed else None
    if table is None:
        raise refused("no_table", request.lang, layer=layer.id, table=layer.table)
    fields = ", ".join(source.fields)
    try:
        schema = schemas.schema_for(table.name, [f for f in source.fields if f not in request.maps])
        maps = {a: b for a, b in request.maps.items() if b not in ("lon", "lat", "x", "y", "wkt")}
        found = mapping.plan(
            source.fields, _targets(table, layer), schema, maps, request.id_field, source.cut_names
        )
    except schemas.Ambiguous as err:
        raise refused("ambiguous", request.lang, old=", ".join(err.old), new=", ".join(err.new)) from err
    except mapping.Unmappable as err:
        columns = ", ".join(column.name for column in table.columns)
        raise refused(f"map_{err.side}", request.lang, name=err.name, fields=fields, columns=columns) from err
    if found.missing:
        example = f"{found.leftover[0] if found.leftover else 'NAME'}={found.missing[0]}"
        columns = ", ".join(found.missing)
        raise refused("missing", request.lang, columns=columns, fields=fields, example=example)
    return table, found


def _targets(table: Table, layer: Layer) -> list[mapping.Target]:
    """The columns that a file may fill, each also by the name that the layer gives it."""
    names: dict[str, list[str]] = {}
    for name in layer.properties:
        names.setdefault(layer.column_of(name), []).append(name)
    return [
        mapping.Target(c.name, c.kind, c.not_null and c.default is None, tuple(names.get(c.name, ())))
        for c in table.columns
        if c.kind in values.CONVERT
    ]


def operation(
    request: LoadRequest, name: str, crs: pyproj.CRS, wkb: Sequence[bytes | None]
) -> projecting.Operation:
    """The operation to WGS 84 where these rows lie; DataRefused where their metres are degrees."""
    bounds = cleaning.bounds(wkb)
    if projecting.are_degrees(crs, bounds):
        raise refused("degrees", request.lang, name=name, crs=projecting.label(crs))
    return projecting.operation(crs, bounds)
