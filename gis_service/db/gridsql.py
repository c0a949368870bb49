"""Tiles of any registered grid, drawn as they are asked for: rows are cut in degrees, then projected.

Points that are thinned or counted keep the cells of WebMercatorQuad at the zoom nearest to the matrix, and so
what was gathered of them: whoever stands for its cell there is placed on the grid. So every grid shows the
same choice, each bin lies in one tile, and over the tiles of a matrix bins sum to what the reader may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gis_service.catalog.view import ViewedLayer
from gis_service.db import point_tables, pointsql, rows, tile_tables, tilesql
from gis_service.db.pointsql import Source, Window
from gis_service.db.query import Binds, Query
from gis_service.geo import grid, tiles
from gis_service.geo.bbox import BBox
from gis_service.geo.grid import SAMPLES, Grid, GridTile, Range

# $1 tolerance in degrees, $2..$5 the tile in its system, $6 the longest straight stretch in degrees; then
# for each piece its box in degrees, its units of WebMercatorQuad, and the box of these in degrees.
_SLOTS: Final = 6
_PIECE: Final = 12
_BOUNDS: Final = "$2::float8, $3::float8, $4::float8, $5::float8"
_STRETCHES: Final = 32  # of a tile: a line that is straight in degrees bends by less than a unit in each
# Wider than the margin by what simplifying moves, so that whatever shows in the tile also purges it.
REACH: Final = (tiles.BUFFER + 64) / tiles.EXTENT


@dataclass(frozen=True)
class Piece:
    """What of a tile lies on one side of the antimeridian."""

    box: BBox
    units: Range
    cells: BBox


@dataclass(frozen=True)
class Spot:
    """Where a tile lies: its pieces, and one box around all that it depends on."""

    pieces: tuple[Piece, ...]
    place: BBox


@dataclass(frozen=True)
class GridStatement:
    """The SQL of one or several layers in a tile of a grid; `at` binds the tile."""

    sql: str
    constants: tuple[object, ...]
    role: str

    def at(self, tile: GridTile, spot: Spot) -> Query:
        """One row, as of tilesql: the tile before compression, and counts of each layer."""
        tolerance = tilesql.TOLERANCE_UNITS * tile.matrix.metres / tiles.EXTENT / grid.DEGREE_METRES
        sides = [max(each.box.east - each.box.west, each.box.north - each.box.south) for each in spot.pieces]
        bounds = (tolerance, *tile.box().as_tuple(), max(sides) / _STRETCHES)
        where = [
            n for each in spot.pieces for n in (*each.box.as_tuple(), *each.units, *each.cells.as_tuple())
        ]
        return Query(self.sql, (*bounds, *where, *self.constants), self.role)


def spot(box: BBox, level: int) -> Spot:
    """The spot of a tile with its margin."""
    pieces = []
    for part in box.parts():
        units = grid.cells(part, level, point_tables.CELL)
        pieces.append(Piece(part, units, grid.of_cells(units, level)))
    return Spot(tuple(pieces), grid.around([box, *(each.cells for each in pieces)]))


def sampled(box: Sequence[float], source: int, target: int) -> Query:
    """Points over a box, row by row, in another system: their x and their y, two arrays."""
    at = "ST_MakePoint($1::float8 + ($3::float8 - $1) * i / {n}, $2::float8 + ($4::float8 - $2) * j / {n})"
    point = f"ST_Transform(ST_SetSRID({at.format(n=SAMPLES)}, {source:d}), {target:d})"
    found = f"generate_series(0, {SAMPLES}) j, generate_series(0, {SAMPLES}) i"
    return Query(
        "select array_agg(ST_X(p) order by j, i), array_agg(ST_Y(p) order by j, i)"
        f" from (select i, j, {point} as p from {found}) its",
        tuple(box),
    )


def compose(views: Sequence[ViewedLayer], on: Grid, level: int, pieces: int) -> GridStatement:
    """The statement of a matrix for layers that one role reads, for tiles of so many pieces."""
    first = _SLOTS + _PIECE * pieces
    binds = Binds([None] * first)
    layers = [_Layer(view, on.crs.srid, level, pieces, binds).sql() for view in views]
    statement = tilesql.joined(layers)
    return GridStatement(statement, tuple(binds.values[first:]), views[0].role)


@dataclass(frozen=True)
class _Layer:
    view: ViewedLayer
    srid: int
    level: int
    pieces: int
    binds: Binds

    def sql(self) -> str:
        """The layer's tile, how many rows match where that is counted, and how many features it has."""
        if pointsql.is_reduced(self.view, self.level):
            return self._counted() if self.view.tiles.reduce == "bins" else self._thinned()
        if pointsql.applies(self.view):
            return pointsql.all_points(self.view, self._shapes())
        return tilesql.features(self.view, self._shapes())

    def _shapes(self) -> str:
        """Every row's shape, cut at the tile's box in degrees, simplified, and projected last."""
        view, binds = self.view, self.binds
        boxes = [self._box(n) for n in range(self.pieces)]
        stored = boxes if view.srid == 4326 else [f"(select ST_Transform({b}, {view.srid:d}))" for b in boxes]
        near = " or ".join(rows.meets(view, box, binds, exactly=False) for box in stored)
        conditions = [f"({near})", *rows.visible(view, binds), *self._large_enough()]
        bounds = f"ST_MakeEnvelope({_BOUNDS}, {self.srid:d})"
        drawn = f"ST_AsMVTGeom({self._projected(boxes)}, {bounds}, {tiles.EXTENT}, {tiles.BUFFER}, true)"
        return (
            f"select {tilesql.selected(view, binds)}, {drawn} as geom from {rows.relation(view, binds)}"
            f" where {' and '.join(conditions)}"
        )

    def _large_enough(self) -> list[str]:
        """Areas that fit into a pixel are left out, as of derived ones: by the whole shape, in every tile."""
        if self.view.srid != 4326 or "Polygon" not in self.view.geometry_type:
            return []
        shape = rows.geometry(self.view, self.binds)
        pixel = f"$1::float8 * {tile_tables.PIXEL_UNITS / tilesql.TOLERANCE_UNITS!r}"
        sides = [f"ST_{axis}Max({shape}) - ST_{axis}Min({shape})" for axis in "XY"]
        return [f"greatest({', '.join(sides)}) >= {pixel}"]

    def _projected(self, boxes: Sequence[str]) -> str:
        """Far parts aren't projected: there may be no place for them in the grid's system."""
        shape = rows.geometry(self.view, self.binds)
        if self.view.srid != 4326:
            shape = f"ST_Transform({shape}, 4326)"
        if self.view.geometry_type not in ("Point", "MultiPoint"):
            cuts = [f"ST_ClipByBox2D({shape}, {box}::box2d)" for box in boxes]
            cut = cuts[0] if len(cuts) == 1 else f"ST_Collect(array[{', '.join(cuts)}])"
            shape = f"case when {shape} @ {boxes[0]} then {shape} else {cut} end"
            shape = f"ST_Simplify({shape}, $1::float8, true)"
            if self.srid != 4326:  # there lines that are straight in degrees are straight
                shape = f"ST_Segmentize({shape}, $6::float8)"
            if len(cuts) > 1:
                kind = 3 if "Polygon" in self.view.geometry_type else 2
                shape = f"ST_CollectionExtract({shape}, {kind})"
        return f"ST_Transform({shape}, {self.srid:d})"

    def _thinned(self) -> str:
        """Who stands for the cells, where they are on the grid; the margin is that of shapes."""
        view = self.view
        # The middle of a unit, which a place was rounded down to.
        placed = f"select c.*, {self._metres('px + 0.5', 'py + 0.5')} as at from c"
        x, y = self._column("ST_X(at)"), self._row("ST_Y(at)")
        within = f"between -{tiles.BUFFER} and {tiles.EXTENT + tiles.BUFFER - 1}"
        drawn = f"select *, floor({x}) as ux, floor({y}) as uy from ({placed}) its"
        return (
            f"with c as materialized ({self._found()}),"
            f" p as materialized (select * from ({drawn}) drawn where ux {within} and uy {within}),"
            f" f as materialized (select {pointsql.names(view)}, ST_MakePoint(ux, uy) as geom from p"
            f" where shown order by gid) select {pointsql.mvt(view)},"
            " (select coalesce(sum(n), 0)::bigint from p), (select count(*) from f)"
        )

    def _counted(self) -> str:
        """The middle of each cell with the number of its rows, in the one tile that the middle lies in."""
        side, cell = 1 << (self.level + point_tables.SIDE_BITS), point_tables.CELL
        bins = (
            f"select px / {cell} as cx, py / {cell} as cy, sum(n)::bigint as total from c group by 1, 2"
            " having sum(n) > 0"
        )
        placed = f"select b.*, {self._metres(*(f'{c} * {cell} + {cell // 2}' for c in ('cx', 'cy')))} as at"
        # Compared as coordinates, for neighbours have the very same border.
        here = "ST_X(at) >= $2 and ST_X(at) < $4 and ST_Y(at) >= $3 and ST_Y(at) < $5"
        middle = f"ST_MakePoint(floor({self._column('ST_X(at)')}), floor({self._row('ST_Y(at)')}))"
        return (
            f"with c as materialized ({self._found()}), f as materialized (select"
            f" cy::bigint * {side} + cx as gid, total as {pointsql.COUNT}, {middle} as geom"
            f" from ({placed} from ({bins}) b offset 0) its where {here} order by 1)"
            f" select {pointsql.mvt(self.view)}, (select coalesce(sum({pointsql.COUNT}), 0)::bigint from f),"
            " (select count(*) from f)"
        )

    def _found(self) -> str:
        """Rows of cells about the tile, from what was gathered or from the rows, as for WebMercatorQuad."""
        parts: list[str] = []
        for n in range(self.pieces):
            window = Window(*(f"${self._slot(n) + 4 + k}::int" for k in range(4)))
            box = self._box(n, 8)
            parts += Source(self.view, self.level, self.binds, box, True, window).parts()
        return " union all ".join(parts)

    def _slot(self, piece: int) -> int:
        return _SLOTS + _PIECE * piece + 1

    def _box(self, piece: int, beyond: int = 0) -> str:
        first = self._slot(piece) + beyond
        return f"ST_MakeEnvelope({', '.join(f'${first + k}::float8' for k in range(4))}, 4326)"

    def _metres(self, column: str, row: str) -> str:
        """A place in units of WebMercatorQuad, in the grid's system."""
        unit, half = tiles.WORLD_METRES / (tiles.EXTENT << self.level), tiles.WORLD_METRES / 2
        point = (
            f"ST_MakePoint(({column}) * {unit!r}::float8 - {half!r}, {half!r} - ({row}) * {unit!r}::float8)"
        )
        return f"ST_Transform(ST_SetSRID({point}, 3857), {self.srid:d})"

    def _column(self, x: str) -> str:
        return f"({x} - $2) / ($4 - $2) * {tiles.EXTENT}"

    def _row(self, y: str) -> str:
        return f"($5 - {y}) / ($5 - $3) * {tiles.EXTENT}"
