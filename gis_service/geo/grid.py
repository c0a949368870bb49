"""Tile matrix sets of any plane reference system (OGC 17-083r4): their matrices, tiles, and boxes.

Numbers are x before y here, as PostGIS has them, whatever order the system's authority gives its axes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gis_service.geo import tiles
from gis_service.geo.bbox import BBox, Box
from gis_service.geo.crs import WGS84, Crs, epsg

PIXEL_METRES: Final = 0.00028  # the standard's rendering pixel (Two Dimensional Tile Matrix Set, 6.1.1)
DEGREE_METRES: Final = tiles.WORLD_METRES / 360  # as the standard turns degrees into scales (6.2)
SAMPLES: Final = 16  # stretches of a side of a box between the points by which it is projected
SPARE: Final = 0.01  # of a projected box, for what bends between these points
_REGISTER: Final = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
_SCALES: Final = "http://www.opengis.net/def/wkss/OGC/1.0/"
_PIXELS: Final = 256

Range = tuple[int, int, int, int]
"""Columns and rows of a matrix: first column and row, last column and row."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The tiles of one scale; rows count downwards from the top left corner, or upwards from the bottom."""

    id: str
    scale: float
    cell: float
    corner: tuple[float, float]
    upwards: bool
    pixels: tuple[int, int]
    columns: int
    rows: int

    @property
    def span(self) -> tuple[float, float]:
        """Width and height of a tile in units of the system."""
        return self.pixels[0] * self.cell, self.pixels[1] * self.cell

    @property
    def metres(self) -> float:
        """Metres to the wider side of a tile, as the scale has them."""
        return max(self.pixels) * self.scale * PIXEL_METRES

    @property
    def level(self) -> int:
        """The zoom of WebMercatorQuad whose tiles are as wide, or nearly."""
        return max(0, round(math.log2(tiles.WORLD_METRES / self.metres)))

    def box(self, crs: Crs, at: Range, margin: float = 0.0) -> Box:
        """What tiles cover, widened by a share of a tile's sides. Neighbours have the very same border."""
        width, height = self.span
        x, y = self.corner
        low, high = (at[1], at[3] + 1) if self.upwards else (-at[3] - 1, -at[1])
        return Box(
            x + at[0] * width - margin * width,
            y + low * height - margin * height,
            x + (at[2] + 1) * width + margin * width,
            y + high * height + margin * height,
            crs,
        )

    def bounds(self, crs: Crs) -> Box:
        """All that the matrix covers."""
        return self.box(crs, (0, 0, self.columns - 1, self.rows - 1))

    def covering(self, box: Box) -> Range | None:
        """The tiles that meet a box; None where none does."""
        width, height = self.span
        x, y = self.corner
        first, last = math.floor((box.west - x) / width), math.floor((box.east - x) / width)
        low, high = math.floor((box.south - y) / height), math.floor((box.north - y) / height)
        top, bottom = (low, high) if self.upwards else (-high - 1, -low - 1)
        if last < 0 or bottom < 0 or first >= self.columns or top >= self.rows:
            return None
        return max(0, first), max(0, top), min(self.columns - 1, last), min(self.rows - 1, bottom)


@dataclass(frozen=True)
class Grid:
    """A tile matrix set, from the coarsest matrix to the finest."""

    id: str
    title: str
    crs: Crs
    matrices: tuple[Matrix, ...]
    axes: tuple[str, str]
    uri: str = ""
    scales: str = ""
    description: str = ""

    @cached_property
    def by_id(self) -> dict[str, Matrix]:
        return {matrix.id: matrix for matrix in self.matrices}

    def tile(self, matrix: str, row: int, column: int) -> GridTile:
        """One tile; ValueError where the grid has none there."""
        found = self.by_id.get(matrix)
        if found is None:
            raise ValueError(f"{self.id} has no tile matrix {matrix[:40]!r}")
        if not (0 <= column < found.columns and 0 <= row < found.rows):
            raise ValueError(
                f"row and column of tile matrix {matrix} must be 0 to {found.rows - 1} and 0 to"
                f" {found.columns - 1}"
            )
        return GridTile(self, found, row, column)


@dataclass(frozen=True)
class GridTile:
    """One tile of a grid."""

    grid: Grid
    matrix: Matrix
    row: int
    column: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.grid.id, self.matrix.id, self.row, self.column

    @property
    def level(self) -> int:
        return self.matrix.level

    def box(self, margin: float = 0.0) -> Box:
        here = (self.column, self.row, self.column, self.row)
        return self.matrix.box(self.grid.crs, here, margin)


def web_mercator_quad() -> Grid:
    """WebMercatorQuad, zooms 0 to 24."""
    half = tiles.WORLD_METRES / 2
    matrices = tuple(
        _quad(zoom, tiles.WORLD_METRES / (_PIXELS << zoom), 1.0, (-half, half), (1 << zoom, 1 << zoom))
        for zoom in range(tiles.MAX_ZOOM + 1)
    )
    return Grid(
        "WebMercatorQuad",
        "Google Maps Compatible for the World",
        epsg(3857),
        matrices,
        ("X", "Y"),
        _REGISTER + "WebMercatorQuad",
        _SCALES + "GoogleMapsCompatible",
    )


def world_crs84_quad() -> Grid:
    """WorldCRS84Quad, two tiles of half the world at first; a tile is as wide as one of the next zoom."""
    matrices = tuple(
        _quad(zoom, 180 / (_PIXELS << zoom), DEGREE_METRES, (-180.0, 90.0), (2 << zoom, 1 << zoom))
        for zoom in range(tiles.MAX_ZOOM)
    )
    return Grid(
        "WorldCRS84Quad",
        "CRS84 for the World",
        WGS84,
        matrices,
        ("Lon", "Lat"),
        _REGISTER + "WorldCRS84Quad",
        _SCALES + "GoogleCRS84Quad",
    )


def _quad(
    zoom: int, cell: float, metres: float, corner: tuple[float, float], size: tuple[int, int]
) -> Matrix:
    pixels = (_PIXELS, _PIXELS)
    return Matrix(str(zoom), cell * metres / PIXEL_METRES, cell, corner, False, pixels, *size)


def in_degrees(longitudes: Sequence[float], latitudes: Sequence[float]) -> BBox:
    """The box around a plane box by its points, row by row, which it may cross the antimeridian with.

    A latitude is greatest or least inside a tile only at a pole, and then all longitudes meet there.
    """
    west, east = _between_widest_gap(sorted(longitudes))
    south, north = min(latitudes), max(latitudes)
    border = [latitudes[n] for n in range(len(latitudes)) if _on_border(n)]
    if max(border) < north or min(border) > south:
        west, east = -180.0, 180.0
        south, north = (south, 90.0) if max(border) < north else (-90.0, north)
    width = east - west + (360 if west > east else 0)
    wider, higher = width * SPARE, (north - south) * SPARE
    if width + 2 * wider >= 360:
        west, east = -180.0, 180.0
    elif west > east:
        west, east = west - wider, east + wider
    else:
        west, east = max(-180.0, west - wider), min(180.0, east + wider)
    return BBox(west, max(-90.0, south - higher), east, min(90.0, north + higher))


def _on_border(number: int) -> bool:
    row, column = divmod(number, SAMPLES + 1)
    return row in (0, SAMPLES) or column in (0, SAMPLES)


def _between_widest_gap(longitudes: Sequence[float]) -> tuple[float, float]:
    """The first and the last longitude, eastwards, of all; the widest gap between two lies outside."""
    gaps = [(after - before, n) for n, (before, after) in enumerate(itertools.pairwise(longitudes))]
    widest, n = max(gaps)
    if widest <= 360 - (longitudes[-1] - longitudes[0]):
        return longitudes[0], longitudes[-1]
    return longitudes[n + 1], longitudes[n]


def in_plane(xs: Sequence[float], ys: Sequence[float], crs: Crs) -> Box:
    """The box of a system around points, and some more."""
    west, south, east, north = min(xs), min(ys), max(xs), max(ys)
    wider, higher = (east - west) * SPARE, (north - south) * SPARE
    return Box(west - wider, south - higher, east + wider, north + higher, crs)


def in_mercator(box: BBox) -> Box:
    """A box of degrees, not over the antimeridian, in Web Mercator."""
    half = tiles.WORLD_METRES / 2
    return Box(
        box.west / 180 * half, _northing(box.south), box.east / 180 * half, _northing(box.north), epsg(3857)
    )


def _northing(latitude: float) -> float:
    return (
        math.asinh(math.tan(math.radians(min(85.0511287798066, max(-85.0511287798066, latitude)))))
        * 6378137.0
    )


def cells(box: BBox, zoom: int, cell: int) -> Range:
    """The units of WebMercatorQuad at a zoom about a box, of whole cells and one more on each side."""
    side = tiles.EXTENT << zoom
    plane = in_mercator(box)

    def column(x: float) -> int:
        return math.floor((x / tiles.WORLD_METRES + 0.5) * side / cell)

    def within(number: int) -> int:
        return min(side - 1, max(0, number))

    first, last = (column(plane.west) - 1) * cell, (column(plane.east) + 2) * cell - 1
    top, bottom = (column(-plane.north) - 1) * cell, (column(-plane.south) + 2) * cell - 1
    return within(first), within(top), within(last), within(bottom)


def of_cells(units: Range, zoom: int) -> BBox:
    """Where units of WebMercatorQuad lie."""
    side = tiles.EXTENT << zoom

    def latitude(row: int) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / side))))

    west, east = units[0] / side * 360 - 180, (units[2] + 1) / side * 360 - 180
    return BBox(west, latitude(units[3] + 1), east, latitude(units[1]))


def around(boxes: Iterable[BBox]) -> BBox:
    """One box around all, all longitudes where one crosses the antimeridian."""
    parts = [part for box in boxes for part in box.parts()]
    return BBox(
        min(part.west for part in parts),
        min(part.south for part in parts),
        max(part.east for part in parts),
        max(part.north for part in parts),
    )


def common(one: BBox, other: BBox) -> list[BBox]:
    """What two boxes have in common, without the antimeridian in it."""
    found = []
    for a in one.parts():
        for b in other.parts():
            west, south = max(a.west, b.west), max(a.south, b.south)
            east, north = min(a.east, b.east), min(a.north, b.north)
            if west <= east and south <= north:
                found.append(BBox(west, south, east, north))
    return found


def joined(ranges: Iterable[Range | None]) -> Range | None:
    """One range around all that there are."""
    found = [each for each in ranges if each is not None]
    if not found:
        return None
    return (
        min(each[0] for each in found),
        min(each[1] for each in found),
        max(each[2] for each in found),
        max(each[3] for each in found),
    )
