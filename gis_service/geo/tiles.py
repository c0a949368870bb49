"""The tile grid WebMercatorQuad of OGC Two Dimensional Tile Matrix Set: z, x, y and their boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gis_service.geo.bbox import BBox

WORLD_METRES = 2 * math.pi * 6378137.0
EXTENT = 4096
BUFFER = 64
MAX_ZOOM = 24


@dataclass(frozen=True)
class Tile:
    """One tile; ValueError where z, x, y are outside the grid."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not 0 <= self.z <= MAX_ZOOM:
            raise ValueError(f"zoom must be 0 to {MAX_ZOOM}")
        side = 1 << self.z
        if not (0 <= self.x < side and 0 <= self.y < side):
            raise ValueError(f"column and row of zoom {self.z} must be 0 to {side - 1}")

    def lonlat(self, margin: float = 0.0) -> BBox:
        """The tile's box in degrees, widened by a share of its side but never beyond the world."""
        side = 1 << self.z
        return BBox(
            max(-180.0, (self.x - margin) / side * 360 - 180),
            _latitude(self.y + 1 + margin, side),
            min(180.0, (self.x + 1 + margin) / side * 360 - 180),
            _latitude(self.y - margin, side),
        )


def _latitude(row: float, side: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / side))))


def units_per_metre(zoom: int) -> float:
    """Tile units (1/4096 of a tile) per metre of Web Mercator."""
    return EXTENT * (1 << zoom) / WORLD_METRES


def degrees_per_unit(zoom: int) -> float:
    """Degrees of longitude in one tile unit."""
    return 360.0 / (EXTENT * (1 << zoom))


def covering(box: BBox, zoom: int) -> tuple[int, int, int, int]:
    """The tile columns and rows (first x, first y, last x, last y) that meet a box."""
    side = 1 << zoom

    def column(lon: float) -> int:
        return min(side - 1, max(0, int((lon + 180) / 360 * side)))

    def row(lat: float) -> int:
        lat = math.radians(min(85.0511287798066, max(-85.0511287798066, lat)))
        return min(side - 1, max(0, int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * side)))

    return column(box.west), row(box.north), column(box.east), row(box.south)
