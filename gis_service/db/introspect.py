"""What the database really holds, to hold the layer files against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gis_service.catalog.layer import Layer
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

_COLUMNS = Query(
    """
    select a.attname, t.typname,
           case when t.typname = 'geometry' then postgis_typmod_srid(a.atttypmod) end,
           case when t.typname = 'geometry' then postgis_typmod_type(a.atttypmod) end
      from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
    """
)
# Columns of valid indexes, with the access method and whether the index alone makes its column unique.
_INDEXES = Query(
    """
    select array_agg(a.attname::text order by k.place), m.amname, i.indisunique and i.indnkeyatts = 1
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_am m on m.oid = c.relam
      cross join lateral unnest(i.indkey::int2[]) with ordinality k (number, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
     where i.indrelid = to_regclass($1) and i.indisvalid and i.indpred is null and 0 <> all (i.indkey::int2[])
     group by i.indexrelid, m.amname, i.indisunique, i.indnkeyatts
    """
)
_LEAKPROOF = Query("select bool_and(proleakproof) from pg_proc where proname = 'geometry_overlaps'")
_KIND = Query("select relkind::text, relrowsecurity from pg_class where oid = to_regclass($1)")

TYPES: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "varchar", "bpchar", "uuid", "citext"}),
    "integer": frozenset({"int2", "int4", "int8"}),
    "number": frozenset({"float4", "float8", "numeric", "int2", "int4", "int8"}),
    "boolean": frozenset({"bool"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamptz", "timestamp"}),
    "list": frozenset({"_text", "_varchar"}),
}


@dataclass(frozen=True)
class Column:
    """A column's PostgreSQL type, and SRID and geometry type where it is a geometry."""

    type: str
    srid: int | None
    geometry: str | None


@dataclass(frozen=True)
class Index:
    columns: tuple[str, ...]
    method: str
    unique: bool

    @property
    def column(self) -> str:
        """The first column."""
        return self.columns[0]


@dataclass(frozen=True)
class Table:
    """What a relation has; `kind` is PostgreSQL's relkind (r table, v view, m materialised view)."""

    kind: str
    row_security: bool
    columns: Mapping[str, Column]
    indexes: frozenset[Index]


def table(database: SyncDatabase, name: str) -> Table | None:
    """The relation `schema.table`, or None where there is none."""
    kinds = database.run(Query(_KIND.sql, (name,)))
    if not kinds:
        return None
    columns = {c[0]: Column(*c[1:]) for c in database.run(Query(_COLUMNS.sql, (name,)))}
    indexes = frozenset(
        Index(tuple(names), method, unique)
        for names, method, unique in database.run(Query(_INDEXES.sql, (name,)))
    )
    return Table(kinds[0][0], kinds[0][1], columns, indexes)


def overlaps_is_leakproof(database: SyncDatabase) -> bool:
    """Whether `&&` may use the spatial index below a row policy."""
    return bool(database.run(_LEAKPROOF)[0][0])


def faults(layer: Layer, found: Table | None) -> Iterable[str]:
    """Each way in which a layer and its table disagree, as a sentence."""
    if found is None:
        yield f"table {layer.table} doesn't exist"
        return
    missing = sorted(layer.columns() - found.columns.keys())
    if missing:
        yield f"table {layer.table} has no column {', '.join(missing)}"
    yield from _type_faults(layer, found)
    yield from _geometry_faults(layer, found)
    if found.kind == "r":
        yield from _index_faults(layer, found)


def notes(layer: Layer, found: Table) -> Iterable[str]:
    """What works but slowly: sortables without an index that gives their order, ties by the key included."""
    if found.kind != "r":
        return
    ordered = [index.columns for index in found.indexes if index.method == "btree"]
    for name, prop in layer.properties.items():
        wanted = (layer.column_of(name), layer.key)
        if prop.sort and not any(_gives(columns, set(layer.where), wanted) for columns in ordered):
            yield f"property {name} says sort: true, but no index gives the order ({', '.join(wanted)})"


def _gives(columns: Sequence[str], fixed: set[str], wanted: tuple[str, ...]) -> bool:
    """Whether an index has the wanted columns first, apart from those that `where` holds to one value."""
    return tuple(c for c in columns if c not in fixed)[: len(wanted)] == wanted


def _type_faults(layer: Layer, found: Table) -> Iterable[str]:
    read = [(name, layer.column_of(name)) for name in layer.properties]
    read += layer.access.public.replace.items() if layer.access.public else ()
    for name, behind in read:
        column = found.columns.get(behind)
        if column is not None and column.type not in TYPES[layer.properties[name].type]:
            yield f"property {name} says {layer.properties[name].type}, its column {behind} is {column.type}"
    key = found.columns.get(layer.key)
    if key is not None and key.type not in TYPES["integer"]:
        yield f"key {layer.key} must be an integer column, it is {key.type}"
    identity = found.columns.get(layer.id_column)
    if identity is not None and identity.type not in TYPES[layer.id_type]:
        yield f"id_type says {layer.id_type}, column {layer.id_column} is {identity.type}"


def _geometry_faults(layer: Layer, found: Table) -> Iterable[str]:
    said = layer.geometry
    column = found.columns.get(said.column)
    if column is None:
        return
    if column.type != "geometry":
        yield f"geometry column {said.column} is {column.type}"
        return
    if column.srid != said.srid:
        yield f"geometry column {said.column} has SRID {column.srid}, the layer says {said.srid}"
    if (column.geometry or "").lower() != said.type.lower():
        yield f"geometry column {said.column} holds {column.geometry}, the layer says {said.type}"


def _index_faults(layer: Layer, found: Table) -> Iterable[str]:
    unique = {index.column for index in found.indexes if index.unique}
    for column in sorted({layer.key, layer.id_column} - unique):
        if column in found.columns:
            yield f"column {column} has no unique index"
    spatial = {index.column for index in found.indexes if index.method in ("gist", "spgist", "brin")}
    views = (layer.access.public, layer.access.jurisdiction)
    for column in sorted({layer.geometry.column, *(v.geometry for v in views if v and v.geometry)} - spatial):
        if column in found.columns:
            yield f"geometry column {column} has no spatial index"
