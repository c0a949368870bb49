"""Points gathered by cells: for each zoom and cell the one point that stands for it, and how many there are.

A gathering is what a class of readers sees of a layer of points: all rows at their exact place (`full`), or
the open ones where the public sees them (`public`). Who has jurisdictions sees its own rows at their exact
places, gathered for each set of jurisdictions (`own`), and others' as the public does; of the open rows its
own are counted where the public sees them (`taken`), to be taken off. Others' rows aren't parted by
jurisdiction: that would tell where in a coarse cell they lie. Nothing here depends on a row that the reader
doesn't see, nor on a place that it sees otherwise.

Cells are 64 of 4096 units to a tile wide (eight pixels of a 512-pixel tile), so a coarser cell is four finer
ones and the margin of a tile is a ring of whole cells. The point with the lowest rank stands for its cell,
hence for one of the four at the next zoom: what is drawn stays drawn, and neighbour tiles agree. The rank is
made of the key alone.

Writes gather their cells anew in their own transaction. Feature tables have one writer at a time
(gis.open_release), so no cell is counted from two sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gis_service.catalog.layer import Layer
from gis_service.db.query import ident, literal
from gis_service.geo import tiles

Kind = Literal["public", "full", "own", "taken"]

CELL: Final = 64  # units of a tile
SIDE_BITS: Final = 6  # cells to a side of a tile: 64
FINE: Final = 20  # the zoom whose units are the finest: 32 bits a side
EDITION: Final = 1  # raised when the contents of the tables would be others
MOST_ROWS: Final = 2000  # of one statement; more are gathered by the worker, all anew
FARTHEST: Final = 85.0511287798066  # degrees of latitude that Web Mercator shows
_SCHEMA: Final = "gis_tiles"
_LONGEST: Final = 40
_SYSTEM: Final = ("restricted", "sensitivity", "jurisdiction")
_SPARE: Final = 1e-9  # degrees about a box, for it is rounded and cells aren't
_EVENTS: Final = {
    "insert": ("new table as n", "n"),
    "update": ("old table as o new table as n", "on"),
    "delete": ("old table as o", "o"),
}


@dataclass(frozen=True)
class Gathering:
    """The points of a layer as readers of a kind see them, and the columns that tiles carry."""

    layer: str
    kind: Kind
    schema: str
    table: str
    geometry: str
    key: str
    finest: int
    carried: tuple[str, ...]
    where: tuple[tuple[str, str | int | bool], ...]
    withheld: tuple[int, ...] | None

    @property
    def name(self) -> str:
        short = self.layer
        if len(short) > _LONGEST:
            short = f"{short[:_LONGEST]}_{hashlib.sha256(short.encode()).hexdigest()[:8]}"
        return f"{short}.{self.kind}"

    @property
    def parted(self) -> tuple[str, ...]:
        """The column by which cells are gathered apart."""
        return ("jurisdiction",) if self.kind in ("own", "taken") else ()

    @property
    def zooms(self) -> range:
        return range(self.finest + 1)

    def relation(self, zoom: int) -> str:
        """The table of a zoom."""
        return ident(_SCHEMA, f"points_{self.name.replace('.', '_')}_{zoom:02d}")

    def function(self, suffix: str = "") -> str:
        return ident(_SCHEMA, f"gather_{self.name.replace('.', '_')}{suffix}")

    def rows(self, alias: str) -> str:
        """The condition of the rows that are gathered."""
        tests = [f"{alias}.{ident(column)} = {literal(str(value))}" for column, value in self.where]
        if self.withheld is not None:
            tests.append(f"not {alias}.restricted")
        if self.withheld:
            those = ", ".join(str(int(each)) for each in self.withheld)
            tests.append(f"{alias}.sensitivity <> all(array[{those}]::smallint[])")
        return " and ".join([*tests, placed(f"{alias}.{ident(self.geometry)}")])


def reduces(layer: Layer) -> bool:
    """Whether tiles of a layer show fewer points than there are: of managed points in degrees alone."""
    return layer.managed and layer.geometry.type == "Point" and layer.geometry.srid == 4326


def gatherings(layers: Iterable[Layer]) -> list[Gathering]:
    """All of the layers, by name."""
    found: list[Gathering] = []
    for layer in layers:
        if not reduces(layer) or layer.tiles.reduce == "none" or layer.tiles.all_from == 0:
            continue
        found += [gathering(layer, kind) for kind in kinds(layer)]
    return sorted(found, key=lambda each: each.name)


def kinds(layer: Layer) -> list[Kind]:
    """The kinds of readers that a layer has."""
    public, own = layer.access.public is not None, layer.access.jurisdiction is not None
    made: list[Kind] = ["full"]
    made += ["public"] if public else []
    made += ["own"] if own else []
    return [*made, "taken"] if public and own else made


def gathering(layer: Layer, kind: Kind) -> Gathering:
    """What readers of a kind see of a layer that has such readers."""
    public = layer.access.public if kind in ("public", "taken") else None
    seen = layer.access.jurisdiction if kind == "own" else public
    shown = [name for name in layer.tiles.properties if seen is None or name not in seen.hide]
    shown = [] if kind == "taken" else shown
    replaced = public.replace if public else {}
    columns = {replaced.get(name) or layer.column_of(name) for name in shown}
    columns |= {layer.id_column, *layer.where} | {name for name in _SYSTEM if name in layer.columns()}
    return Gathering(
        layer.id,
        kind,
        layer.schema_name,
        layer.table_name,
        (public.geometry if public else None) or layer.geometry.column,
        layer.key,
        layer.tiles.all_from - 1,
        tuple(sorted(columns - {layer.key})),
        tuple(sorted(layer.where.items())),
        None if public is None else public.withhold,
    )


def placed(shape: str) -> str:
    """That a point lies where tiles are."""
    return f"ST_Y({shape}) between -{FARTHEST} and {FARTHEST}"


def fine_x(shape: str) -> str:
    """The column of a point (SQL, in degrees) on the finest grid."""
    return f"least(floor((ST_X({shape}) + 180) / 360 * 4294967296), 4294967295)::bigint"


def fine_y(shape: str) -> str:
    """Its row, downwards."""
    mercator = f"0.5 - asinh(tan(radians(ST_Y({shape})))) / (2 * pi())"
    return f"least(greatest(floor(({mercator}) * 4294967296), 0), 4294967295)::bigint"


def rank(key: str) -> str:
    """A number of a key (SQL) that scatters them; no two of the first 2^31 keys share one."""
    return f"((({key}) & 2147483647) * 2654435761 & 2147483647)"


def definition(found: Gathering) -> str:
    """A short hash of all that the contents of its tables depend on but the rows."""
    return hashlib.sha256(repr((found, CELL, FINE, EDITION)).encode()).hexdigest()[:16]


def statements(found: Sequence[Gathering]) -> list[str]:
    """Make the tables that are missing, and what keeps them; those of another definition are made anew."""
    made = [_forget_others(found)]
    for each in found:
        made += [_made_anew(each), _gather(each)]
        for event, (tables, sides) in _EVENTS.items():
            function = each.function(f"_{event}")
            trigger = ident(f"f_gather_{each.name.replace('.', '_')}_{event}"[:63])
            made.append(_noticed(each, function, sides))
            made.append(
                f"create or replace trigger {trigger} after {event} on {ident(each.schema, each.table)}"
                f" referencing {tables} for each statement execute function {function}()"
            )
    return made


def _forget_others(found: Sequence[Gathering]) -> str:
    known = ", ".join(literal(each.name) for each in found) or "''"
    return (
        "do $forget$ declare gone record; own text; z int; begin"
        f" for gone in delete from gis_tiles.gathered where name <> all (array[{known}])"
        " returning replace(name, '.', '_') as name, finest loop"
        " foreach own in array array['_insert', '_update', '_delete', ''] loop"
        " execute format('drop function if exists gis_tiles.%I cascade', 'gather_' || gone.name || own);"
        " end loop;"
        " for z in 0 .. gone.finest loop execute format('drop table if exists gis_tiles.%I',"
        " 'points_' || gone.name || '_' || lpad(z::text, 2, '0')); end loop; end loop; end $forget$"
    )


def _made_anew(found: Gathering) -> str:
    name, known = literal(found.name), literal(definition(found))
    return (
        "do $make$ declare z int; begin if exists (select from gis_tiles.gathered"
        f" where name = {name} and definition = {known}) then return; end if;"
        f" for z in 0 .. coalesce((select finest from gis_tiles.gathered where name = {name}), -1) loop"
        " execute format('drop table if exists gis_tiles.%I',"
        f" {literal('points_' + found.name.replace('.', '_') + '_')} || lpad(z::text, 2, '0')); end loop;"
        f" {' '.join(_table(found, zoom) for zoom in found.zooms)}"
        " insert into gis_tiles.gathered (name, table_name, finest, definition)"
        f" values ({name}, {literal(found.table)}, {found.finest}, {known}) on conflict (name) do update"
        " set finest = excluded.finest, definition = excluded.definition, ready = false, built_at = null;"
        " end $make$"
    )


def _table(found: Gathering, zoom: int) -> str:
    table = found.relation(zoom)
    return (
        f"create table {table} as select {_columns(found)}, 0 as cx, 0 as cy, 0 as n,"
        f" null::public.geometry as geom from {ident(found.schema, found.table)} with no data;"
        f" alter table {table} add primary key ({_apart(found)}); create index on {table} using gist (geom);"
    )


def _columns(found: Gathering, alias: str = "") -> str:
    return ", ".join(f"{alias}{ident(name)}" for name in (found.key, *found.carried))


def _apart(found: Gathering, x: str = "cx", y: str = "cy") -> str:
    return ", ".join([x, y, *found.parted])


def cell(zoom: int, fine: str) -> str:
    """The cell of a zoom in which a number of the finest grid lies."""
    return f"({fine} >> {FINE + tiles.EXTENT.bit_length() - 1 - zoom - SIDE_BITS})"


def _stand(found: Gathering) -> str:
    """Who stands for the finest cells, straight from the rows; neighbours in neighbouring pages."""
    zoom, shape, key = found.finest, f"t.{ident(found.geometry)}", ident(found.key)
    shift, own = FINE - zoom, _apart(found)
    placed_rows = (
        f"select {_columns(found, 't.')}, {fine_x(shape)} as ux, {fine_y(shape)} as uy"
        f" from {ident(found.schema, found.table)} t where {found.rows('t')}"
    )
    return (
        f"insert into {found.relation(zoom)} ({_columns(found)}, cx, cy, n, geom)"
        f" select {_columns(found)}, cx, cy, n, ST_MakePoint(ux >> {shift}, uy >> {shift}) as geom"
        f" from (select distinct on ({own}) s.*, count(*) over (partition by {own})::int as n"
        f" from (select *, {cell(zoom, 'ux')}::int as cx, {cell(zoom, 'uy')}::int as cy"
        f" from ({placed_rows}) placed) s order by {own}, {rank(key)}, {key}) stand order by geom"
    )


def _rise(found: Gathering, zoom: int, condition: str = "true") -> str:
    """Who stands for the cells of a zoom: one of those who stand for its four of the next."""
    key, own = ident(found.key), _apart(found, "cx >> 1", "cy >> 1")
    return (
        f"insert into {found.relation(zoom)} ({_columns(found)}, cx, cy, n, geom)"
        f" select {_columns(found)}, px, py, total,"
        " ST_MakePoint(floor(ST_X(geom) / 2), floor(ST_Y(geom) / 2)) as geom from ("
        f"select distinct on ({own}) t.*, cx >> 1 as px, cy >> 1 as py,"
        f" (sum(n) over (partition by {own}))::int as total"
        f" from {found.relation(zoom + 1)} t where {condition}"
        f" order by {own}, {rank(f't.{key}')}, t.{key}) stand order by geom"
    )


def build(found: Gathering) -> list[str]:
    """All of it anew, in one transaction, which waits for the writer of the moment."""
    tables, name = ", ".join(found.relation(zoom) for zoom in found.zooms), literal(found.name)
    return [
        "select pg_advisory_xact_lock(hashtextextended('gis.release', 0))",
        f"truncate {tables}",
        _stand(found),
        *(_rise(found, zoom) for zoom in reversed(found.zooms[:-1])),
        *(f"analyze {found.relation(zoom)}" for zoom in found.zooms),
        f"update gis_tiles.gathered set ready = true, built_at = clock_timestamp() where name = {name}",
    ]


def _gather(found: Gathering) -> str:
    """The function that gathers cells of the finest zoom anew, and those that hold them."""
    last = found.finest
    steps = []
    for zoom in reversed(found.zooms):
        if zoom < last:
            steps.append(
                "touched := array("
                "select distinct (c >> 25 << 24) | ((c & 16777215) >> 1) from unnest(touched) c);"
            )
        steps.append(
            f"delete from {found.relation(zoom)} where (cx, cy) in"
            " (select (c >> 24)::int, (c & 16777215)::int from unnest(touched) c);"
        )
        steps.append(f"{_of_touched(found) if zoom == last else _rise(found, zoom, _CHILDREN)};")
    return (
        # Compiling takes longer than all of it.
        f"create or replace function {found.function()}(touched bigint[]) returns void language plpgsql"
        f" set search_path = public, pg_temp set jit = off as $gather$ begin {' '.join(steps)} end $gather$"
    )


_CHILDREN = (
    "(t.cx, t.cy) in (select ((c >> 24) * 2 + dx)::int, ((c & 16777215) * 2 + dy)::int"
    " from unnest(touched) c cross join (values (0), (1)) x (dx) cross join (values (0), (1)) y (dy))"
)


def _of_touched(found: Gathering) -> str:
    """As `_stand`, of cells that the index finds."""
    zoom, key = found.finest, f"t.{ident(found.key)}"
    shape, side = f"t.{ident(found.geometry)}", f"{1 << (found.finest + SIDE_BITS)}::float8"
    box = (
        f"ST_Expand(ST_MakeEnvelope(cx / {side} * 360 - 180, {_latitude(f'(cy + 1) / {side}')},"
        f" (cx + 1) / {side} * 360 - 180, {_latitude(f'cy / {side}')}, 4326), {_SPARE})"
    )
    here = f"{cell(zoom, fine_x(shape))} = its.cx and {cell(zoom, fine_y(shape))} = its.cy"
    first = "".join(f"t.{ident(name)}, " for name in found.parted)
    part = f"partition by {first[:-2]}" if first else ""
    once = f"distinct on ({first[:-2]}) " if first else ""
    made = f"ST_MakePoint({fine_x(shape)} >> {FINE - zoom}, {fine_y(shape)} >> {FINE - zoom})"
    return (
        f"insert into {found.relation(zoom)} ({_columns(found)}, cx, cy, n, geom)"
        f" select {_columns(found, 's.')}, its.cx, its.cy, s.n, s.geom"
        " from (select (c >> 24)::int as cx, (c & 16777215)::int as cy from unnest(touched) c) its"
        f" cross join lateral (select {once}{_columns(found, 't.')}, count(*) over ({part})::int as n,"
        f" {made} as geom"
        f" from {ident(found.schema, found.table)} t"
        f" where {shape} && {box} and {here} and {found.rows('t')}"
        f" order by {first}{rank(key)}, {key}{'' if found.parted else ' limit 1'}) s"
    )


def _latitude(row: str) -> str:
    return f"degrees(atan(sinh(pi() * (1 - 2 * {row}))))"


def _noticed(found: Gathering, function: str, sides: str) -> str:
    """The trigger's function: cells in which rows were or are, for those who are gathered."""
    shape, key = ident(found.geometry), ident(found.key)
    old, new = (
        f"row({', '.join(f'{side}.{ident(name)}' for name in (*found.carried, found.geometry))})"
        for side in "on"
    )
    # Most writes change nothing of what a kind of readers sees in tiles.
    changed = f"select o.{key} from o join n on o.{key} = n.{key} where record_image_ne({old}, {new})"
    changed = f" and {key} in ({changed})" if len(sides) == 2 else ""
    cells = " union ".join(
        f"select ({cell(found.finest, fine_x(f'{side}.{shape}'))} << 24)"
        f" | {cell(found.finest, fine_y(f'{side}.{shape}'))} from {side} where {found.rows(side)}{changed}"
        for side in sides
    )
    name = literal(found.name)
    return (
        f"create or replace function {function}() returns trigger language plpgsql security definer"
        " set search_path = public, pg_temp set jit = off as $noticed$ begin"
        f" if not exists (select from gis_tiles.gathered where name = {name} and ready) then"
        " return null; end if;"
        f" if (select count(*) from {sides[0]}) > {MOST_ROWS} then update gis_tiles.gathered"
        f" set ready = false, built_at = null where name = {name}; return null; end if;"
        f" perform {found.function()}(array({cells}));"
        " return null; end $noticed$"
    )
