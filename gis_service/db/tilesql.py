"""Vector tiles from PostGIS: the statement is composed once per view, only the tile is bound.

Measured rules kept here: no `geom is not null` around ST_AsMVTGeom (it would run twice); the column is
never transformed in the filter; lines and areas are cut at the tile, then thinned to a quarter of a pixel,
and projected last.
Features stand in the order of their key: the heap's order tells of edits to rows that the caller can't see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.db import pointsql, rows, tile_tables
from gis_service.db.query import Binds, Query, ident, literal
from gis_service.geo import tiles
from gis_service.geo.tiles import Tile

TOLERANCE_UNITS = 2  # of 4096 to a tile: a quarter of a pixel of a 512-pixel tile
_SLOTS = 8  # $1 z, $2 x, $3 y, $4 tolerance in degrees, $5..$8 the buffered tile in degrees
_BOX = "ST_MakeEnvelope($5::float8, $6::float8, $7::float8, $8::float8, 4326)"


@dataclass(frozen=True)
class TileStatement:
    """The SQL of one or several layers in a tile; `at` binds the tile."""

    sql: str
    constants: tuple[object, ...]
    role: str

    def at(self, tile: Tile, full_detail: bool = False) -> Query:
        """One row, two values: the uncompressed tile, empty where no feature meets it; and its counts.

        Counts are two for each layer: visible rows, if they are counted, and features.
        """
        tolerance = 0.0 if full_detail else TOLERANCE_UNITS * tiles.degrees_per_unit(tile.z)
        box = tile.lonlat(margin=tiles.BUFFER / tiles.EXTENT).as_tuple()
        return Query(self.sql, (tile.z, tile.x, tile.y, tolerance, *box, *self.constants), self.role)


def compose(views: Sequence[ViewedLayer], zoom: int, derived: bool = True) -> TileStatement:
    """The statement of a zoom for layers that one role reads; layers of a tile are joined as bytes.

    With `derived` false every shape is read from its own table, as it must be for full detail.
    """
    binds = Binds([None] * _SLOTS)
    layers = [_layer(view, zoom, binds, derived) for view in views]
    return TileStatement(joined(layers), tuple(binds.values[_SLOTS:]), views[0].role)


def joined(layers: Sequence[str]) -> str:
    """One statement of layers: their tiles as one, and the counts of all."""
    bodies = " || ".join(f"coalesce(l{n}.body, '')" for n in range(len(layers)))
    counts = ", ".join(f"l{n}.matched, l{n}.returned" for n in range(len(layers)))
    found = ", ".join(f"({sql}) l{n} (body, matched, returned)" for n, sql in enumerate(layers))
    return f"select {bodies}, array[{counts}]::bigint[] from {found}"


def _layer(view: ViewedLayer, zoom: int, binds: Binds, derived: bool) -> str:
    """Three values: the layer's tile, how many rows match where that is counted, how many features it has."""
    if pointsql.is_reduced(view, zoom):
        return pointsql.layer(view, zoom, binds, _BOX, derived)
    if pointsql.applies(view):
        return pointsql.all_points(view, _from_table(view, binds))
    table = tile_tables.table_of(zoom) if derived and _is_derived(view) else None
    return features(view, _from_table(view, binds) if table is None else _from_both(view, zoom, table, binds))


def features(view: ViewedLayer, source: str) -> str:
    """The statement of a layer of whatever shapes its source gives."""
    # In the order of the key: heap or index order would tell of changes to rows that the caller doesn't see.
    made = f"ST_AsMVT(f, {literal(view.id)}, {tiles.EXTENT}, 'geom', 'gid')"
    # What was clipped to nothing would be a feature without geometry, for which MapLibre rejects the tile.
    drawn = "filter (where not ST_IsEmpty(geom))"
    return f"select {made} {drawn}, null::bigint, count(*) {drawn} from ({source} order by gid) as f"


def _is_derived(view: ViewedLayer) -> bool:
    """Whether there are tile tables of what the view shows: of present shapes, seen as they are."""
    layer = view.layer
    own = view.geometry == layer.geometry.column and view.exact is None and view.release is None
    return own and layer.managed and view.srid == 4326 and not layer.geometry.type.endswith("Point")


def _from_both(view: ViewedLayer, zoom: int, table: int, binds: Binds) -> str:
    """Derived shapes, the same made on the spot of what was written since, or all of the table's own.

    The bytes don't tell whether a shape was derived before: a write of what the caller doesn't see changes
    none. Which rows are derived is asked in the statement's own snapshot; what doesn't hold isn't run.
    """
    surface = literal(tile_tables.surface_of(view.layer))
    ready = f"(select ready from gis_tiles.surface where surface = {surface})"
    written = f"(select gid from gis_tiles.dirty where table_name = {literal(view.layer.table_name)})"
    key = f"t.{ident(view.key)}"
    derived = f"{ident('gis_tiles', f'{view.layer.table_name}_{view.geometry}_{table:02d}')} as t"
    pieces = tile_tables.pieces(f"t.{ident(view.geometry)}", table)
    near = f"t.{ident(view.geometry)} && ST_Expand({_BOX}, $4::float8)"
    since = f"{rows.relation(view, binds)} cross join lateral {pieces} p"
    parts = (
        _moved(view, (zoom, table), binds, (derived, "t"), f"{ready} and {key} not in {written}"),
        # Far ones aren't worth generalising; two units more than the tile, for snapping moves an outline.
        _moved(
            view, (zoom, table), binds, (since, "p"), f"{ready} and {near} and {key} = any (array{written})"
        ),
        _from_table(view, binds, f"not {ready}"),
    )
    return " union all ".join(parts)


def _moved(
    view: ViewedLayer, zooms: tuple[int, int], binds: Binds, source: tuple[str, str], condition: str
) -> str:
    """Shapes on the grid of their tile table, moved to the tile; clipped where they cross its buffer.

    `zooms` are the tile's and its table's; `source` is where the shapes are, and the alias that has them.
    """
    zoom, table = zooms
    relation, alias = source
    finer = 1 << (table - zoom)
    side, margin = tiles.EXTENT * finer, tiles.BUFFER * finer
    west, north = f"($2::int * {side})", f"($3::int * {side})"
    low, high = (f"{west} {by}, {north} {by}" for by in (f"- {margin}", f"+ {side + margin}"))
    box, geom = f"ST_MakeEnvelope({low}, {high})", f"{alias}.geom"
    areas = view.layer.geometry.type.endswith("Polygon")
    clipped = (
        f"ST_CollectionExtract(ST_SnapToGrid(ST_ClipByBox2D({geom}, {box}::box2d), 1), {3 if areas else 2})"
    )
    clipped = f"ST_ForcePolygonCCW({clipped})" if areas else clipped
    shape = f"case when {geom} @ {box} then {geom} else {clipped} end"
    moved = (
        f"ST_Translate({shape}, -{west}, -{north})"
        if finer == 1
        else f"ST_SnapToGrid(ST_TransScale({shape}, -{west}, -{north}, {1 / finer!r}, {1 / finer!r}), 1)"
    )
    here = [f"{geom} && {box}", *_in_cell(zoom, table, alias), *rows.visible(view, binds), condition]
    return f"select {selected(view, binds)}, {moved} as geom from {relation} where {' and '.join(here)}"


def _in_cell(zoom: int, table: int, alias: str) -> list[str]:
    """Of a shape that was cut only the piece of the tile's own cell, which holds the tile with its buffer."""
    if (cells := tile_tables.cells(table)) == 0:
        return []
    return [f"{alias}.tx = $2::int >> {zoom - cells}", f"{alias}.ty = $3::int >> {zoom - cells}"]


def _from_table(view: ViewedLayer, binds: Binds, condition: str = "") -> str:
    """Shapes of the table itself, simplified as they are read."""
    envelope = "ST_TileEnvelope($1::int, $2::int, $3::int)"
    box = _BOX if view.srid == 4326 else f"(select ST_Transform({_BOX}, {view.srid:d}))"
    conditions = [rows.meets(view, box, binds, exactly=False), *rows.visible(view, binds)]
    conditions += [condition] if condition else []
    return (
        f"select {selected(view, binds)},"
        f" ST_AsMVTGeom({_projected(view, binds)}, {envelope}, {tiles.EXTENT}, {tiles.BUFFER}, true) as geom"
        f" from {rows.relation(view, binds)} where {' and '.join(conditions)}"
    )


def selected(view: ViewedLayer, binds: Binds) -> str:
    """What a feature has beside its shape."""
    columns = [f"{rows.column(view, name, binds)} as {ident(name)}" for name in view.tiles.properties]
    return ", ".join([f"t.{ident(view.key)} as gid", f"t.{ident(view.id_column)} as id", *columns])


def _projected(view: ViewedLayer, binds: Binds) -> str:
    """The visible geometry in Web Mercator; what has more than points is cut at the tile and thinned.

    With tolerance 0 nothing is thinned; the constant true keeps small rings as specks. A large feature is cut
    before anything walks its vertices: for ranges at zoom 11 that takes 4 ms in place of 22. The cut also
    keeps the poles, which Web Mercator doesn't have, out of the projection.
    """
    shape = rows.geometry(view, binds)
    if view.srid != 4326:
        return f"ST_Transform({shape}, 3857)"
    if view.geometry_type not in ("Point", "MultiPoint"):
        shape = f"case when {shape} @ {_BOX} then {shape} else ST_ClipByBox2D({shape}, {_BOX}::box2d) end"
        shape = f"case when $4::float8 > 0 then ST_Simplify({shape}, $4::float8, true) else {shape} end"
    return f"ST_Transform({shape}, 3857)"
