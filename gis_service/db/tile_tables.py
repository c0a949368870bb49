"""Derived tile tables: a geometry of a table, generalised for each zoom on the integer grid of its tiles.

A surface is a geometry column of a managed table of lines or areas. For every zoom of ZOOMS it has a table
with the geometry in units of 4096 to a tile, beside the few columns that tiles carry and those that say who
may see a row. Rows that were written since are marked dirty; tiles take them from the table itself.

Generalising: each zoom is simplified from the one two steps finer, by 1.8 units, so that what adds up stays
below 2.4 units, and snapping adds at most 0.71: 3.1 of 8 units to a pixel of a 512-pixel tile, under 0.4.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gis_service.catalog.layer import Layer
from gis_service.db.query import Query, ident, literal
from gis_service.geo import tiles

ZOOMS: Final = (*range(13), 14)
FINEST: Final = 14
UNCUT: Final = 5  # up to here features stay whole: few vertices, large tiles
FINEST_CELLS: Final = 9  # a large range isn't cut into more pieces than the tiles of this zoom
TOLERANCE_UNITS: Final = 1.8
PIXEL_UNITS: Final = 8  # of a 512-pixel tile
MARGIN: Final = tiles.BUFFER
EDITION: Final = 2  # of what is derived; raised when the statements here or gis_tiles.pieces change
_SCHEMA: Final = "gis_tiles"
_WORLD: Final = "ST_MakeEnvelope(-180, -85.06, 180, 85.06, 4326)"
_SYSTEM: Final = ("restricted", "sensitivity", "jurisdiction")
_EVENTS: Final = (
    ("insert", "new table as new_rows", "inserted"),
    ("update", "new table as new_rows", "updated"),
    ("delete", "old table as old_rows", "deleted"),
)


@dataclass(frozen=True)
class Surface:
    """A geometry column that tiles are derived from, and the columns that its tile tables carry."""

    schema: str
    table: str
    geometry: str
    key: str
    areas: bool
    carried: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.table}.{self.geometry}"

    def relation(self, zoom: int) -> str:
        """The tile table of a zoom."""
        return ident(_SCHEMA, f"{self.table}_{self.geometry}_{zoom:02d}")


def cells(zoom: int) -> int:
    """The zoom at whose tiles the shapes of a tile table are cut; 0 where they are whole."""
    return 0 if zoom <= UNCUT else min(zoom - 2, FINEST_CELLS)


def margin(zoom: int) -> int:
    """How far pieces reach beyond their cell: the buffer of its tiles, those of zoom 13 included."""
    return MARGIN * (2 if zoom == FINEST else 1)


def table_of(zoom: int) -> int | None:
    """The tile table that a zoom is served from; None where no table is fine enough."""
    if zoom > FINEST:
        return None
    return zoom if zoom in ZOOMS else FINEST


def surfaces(layers: Iterable[Layer]) -> list[Surface]:
    """The surfaces of the layers, by name: of managed tables whose layers share lines or areas."""
    by_table: defaultdict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        if layer.managed and not layer.geometry.type.endswith("Point") and layer.geometry.srid == 4326:
            by_table[layer.table].append(layer)
    return sorted((_surface(those) for those in by_table.values()), key=lambda each: each.name)


def surface_of(layer: Layer) -> str:
    """The name of the surface of a layer's own geometry."""
    return f"{layer.table_name}.{layer.geometry.column}"


def _surface(layers: Sequence[Layer]) -> Surface:
    carried: set[str] = set()
    for layer in layers:
        public = layer.access.public
        shown = {layer.column_of(name) for name in layer.tiles.properties}
        instead = (
            {public.replace[name] for name in layer.tiles.properties if name in public.replace}
            if public
            else set()
        )
        system = {name for name in _SYSTEM if name in layer.columns()}
        carried |= {layer.id_column, *layer.where, *shown, *instead, *system} - {layer.key}
    first = layers[0]
    return Surface(
        first.schema_name,
        first.table_name,
        first.geometry.column,
        first.key,
        first.geometry.type.endswith("Polygon"),
        tuple(sorted(carried)),
    )


def definition(surface: Surface) -> str:
    """A short hash of all that the contents of its tile tables depend on but the rows."""
    parts = (surface, ZOOMS, UNCUT, FINEST_CELLS, TOLERANCE_UNITS, MARGIN, EDITION)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def statements(found: Sequence[Surface]) -> list[str]:
    """Make what is missing of the tables and their triggers; those of another definition are made anew."""
    made = [_forget_others(found)]
    for each in found:
        made.append(_made_anew(each))
        made += [
            f"create or replace trigger f_tiles_{event} after {event} on {ident(each.schema, each.table)}"
            f" referencing {rows} for each statement execute function gis_tiles.mark_{done}()"
            for event, rows, done in _EVENTS
        ]
    return made


def _forget_others(found: Sequence[Surface]) -> str:
    """Tile tables of surfaces that no layer has any more go."""
    known = ", ".join(literal(each.name) for each in found) or "''"
    zooms = ", ".join(str(zoom) for zoom in ZOOMS)
    return (
        "do $forget$ declare gone text; z int; begin"
        " for gone in delete from gis_tiles.surface"
        f" where surface <> all (array[{known}]) returning surface loop"
        f" foreach z in array array[{zooms}] loop execute format('drop table if exists gis_tiles.%I',"
        " replace(gone, '.', '_') || '_' || lpad(z::text, 2, '0')); end loop; end loop; end $forget$"
    )


def _made_anew(surface: Surface) -> str:
    name, known = literal(surface.name), literal(definition(surface))
    tables = " ".join(_table(surface, zoom) for zoom in ZOOMS)
    return (
        "do $make$ begin if exists (select from gis_tiles.surface"
        f" where surface = {name} and definition = {known}) then return; end if; {tables}"
        f" delete from gis_tiles.portion where surface = {name};"
        f" insert into gis_tiles.surface (surface, table_name, definition)"
        f" values ({name}, {literal(surface.table)}, {known}) on conflict (surface) do update"
        " set definition = excluded.definition, ready = false, built_at = null; end $make$"
    )


def _table(surface: Surface, zoom: int) -> str:
    table = surface.relation(zoom)
    return (
        f"drop table if exists {table};"
        f" create table {table} as select {_columns(surface)}, 0 as tx, 0 as ty,"
        f" null::public.geometry as geom from {ident(surface.schema, surface.table)} with no data;"
        f" alter table {table} alter column geom set compression lz4;"
        f" create index on {table} using gist (geom);"
        f" create index on {table} ({ident(surface.key)});"
    )


def _columns(surface: Surface, alias: str = "") -> str:
    return ", ".join(f"{alias}{ident(name)}" for name in (surface.key, *surface.carried))


def cleared(surface: Surface) -> list[str]:
    """The statements that empty the tile tables of a surface for a build.

    The lock waits for writers who didn't see a build when they wrote, and so left no mark.
    """
    emptied = ", ".join(surface.relation(zoom) for zoom in ZOOMS)
    return [
        f"lock table {ident(surface.schema, surface.table)} in share row exclusive mode",
        f"select gis_tiles.forget({literal(surface.table)})",
        f"delete from gis_tiles.dirty where table_name = {literal(surface.table)}",
        f"truncate {emptied}",
    ]


def portions(surface: Surface, size: int) -> Query:
    """Cut the keys of a table into portions of that many rows, neighbours together (Hilbert order)."""
    key, geom = ident(surface.key), ident(surface.geometry)
    return Query(
        "insert into gis_tiles.portion (surface, number, gids)"
        f" select $1, n, array_agg(key) from (select {key} as key,"
        f" (row_number() over (order by {geom}, {key}) - 1) / $2::int as n"
        f" from {ident(surface.schema, surface.table)}) numbered group by n returning number",
        (surface.name, size),
    )


def derive(surface: Surface) -> str:
    """The statement that derives the rows of the keys $1 for all zooms.

    All in one snapshot, the marks that it takes away too: a row that is written meanwhile keeps its mark.
    """
    key, table = ident(surface.key), literal(surface.table)
    source = (
        f"its as materialized (select {_columns(surface)}, {_flat(ident(surface.geometry))} as shape"
        f" from {ident(surface.schema, surface.table)} where {key} = any ($1::bigint[]))"
    )
    steps = [_step(surface, zoom) for zoom in sorted(ZOOMS, reverse=True)]
    marks = (
        f"seen as materialized (select gid, mark from gis_tiles.dirty where table_name = {table}"
        " and gid = any ($1::bigint[])), unmarked as (delete from gis_tiles.dirty d using seen"
        f" where d.table_name = {table} and d.gid = seen.gid and d.mark = seen.mark)"
    )
    return f"with {source}, {', '.join(steps)}, {marks} select count(*)::int from its"


def _step(surface: Surface, zoom: int) -> str:
    key, before = ident(surface.key), finer(zoom)
    simplified = (
        f"s{zoom} as materialized (select {key}, {_simplified('shape', zoom)} as shape"
        f" from {'its' if before is None else f's{before}'})"
    )
    inserted = (
        f"i{zoom} as (insert into {surface.relation(zoom)} ({_columns(surface)}, tx, ty, geom)"
        f" select {_columns(surface, 'its.')}, p.tx, p.ty, p.geom"
        f" from s{zoom} s join its on its.{key} = s.{key}"
        f" cross join lateral {_cut(_shown('s.shape', zoom, 'its.shape', 'its.shape'), zoom)} p)"
    )
    return f"{simplified}, {inserted}"


def finer(zoom: int) -> int | None:
    """The zoom from whose shapes those of a zoom are simplified; None for the finest."""
    return next((each for each in (zoom + 2, FINEST) if each in ZOOMS and each > zoom), None)


def pieces(shape: str, zoom: int) -> str:
    """The very pieces that are derived of a shape (SQL, in degrees) for a tile table, made on the spot."""
    way = [zoom]
    while (before := finer(way[-1])) is not None:
        way.append(before)
    made = _flat(shape)
    for each in reversed(way):
        made = _simplified(made, each)
    return _cut(_shown(made, zoom, shape, _flat(f"ST_Envelope({shape})")), zoom)


def _flat(shape: str) -> str:
    """In Web Mercator, without the poles, which it doesn't have."""
    within = f"case when {shape} @ {_WORLD} then {shape} else ST_ClipByBox2D({shape}, {_WORLD}::box2d) end"
    return f"ST_Transform({within}, 3857)"


def _simplified(shape: str, zoom: int) -> str:
    return f"ST_SimplifyPreserveTopology({shape}, {TOLERANCE_UNITS / tiles.units_per_metre(zoom)!r})"


def _shown(simplified: str, zoom: int, shape: str, flat: str) -> str:
    """What is drawn of a shape: nothing of an area that fits into a pixel before it is simplified.

    `flat` has its sides in Web Mercator.
    """
    metres = PIXEL_UNITS / tiles.units_per_metre(zoom)
    sides = ", ".join(f"ST_{axis}Max({flat}) - ST_{axis}Min({flat})" for axis in "XY")
    large = f"ST_Dimension({shape}) < 2 or greatest({sides}) >= {metres!r}::float8"
    return f"case when {large} then {simplified} end"


def _cut(shape: str, zoom: int) -> str:
    return f"gis_tiles.pieces({shape}, {zoom}, {cells(zoom)}, {margin(zoom)})"


def removal(surface: Surface) -> str:
    """The statement that takes away what was derived of the keys $1, at all zooms."""
    where = f"where {ident(surface.key)} = any ($1::bigint[])"
    gone = ", ".join(f"d{zoom} as (delete from {surface.relation(zoom)} {where})" for zoom in ZOOMS)
    return f"with {gone} select cardinality($1::bigint[])"
