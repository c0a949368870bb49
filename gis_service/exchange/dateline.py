"""Split polygons at 180° of longitude, where a ring drawn across it would run round the whole globe."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

Geometries = npt.NDArray[np.object_]

_WEST: Final = shapely.box(-180, -90, 180, 90)
_EAST: Final = shapely.box(180, -90, 540, 90)


def crosses(polygons: Geometries) -> npt.NDArray[np.bool_]:
    """Which polygons must be looked at: wider than half the globe, or drawn past 180° E."""
    west, _, east, _ = shapely.bounds(polygons).T
    return np.asarray((east - west > 180) | (east > 180))


def split(polygon: BaseGeometry) -> BaseGeometry | None:
    """The same area within ±180°; None where a part jumps and still spans half the globe, so that nobody
    can tell which side is meant.

    A part has jumped where an edge spans more than 180°: its negative longitudes are raised by 360, the part
    is cut at 180 and its eastern half brought back. An edge of exactly 360° closes a polar cap and stays.
    """
    parts = [_split(part) for part in shapely.get_parts(polygon)]
    if any(part is None for part in parts):
        return None
    pieces = [piece for part in parts for piece in shapely.get_parts(part)]
    return shapely.MultiPolygon([p for p in pieces if p.geom_type == "Polygon" and not p.is_empty])


def _split(part: BaseGeometry) -> BaseGeometry | None:
    if _jumps(part):
        part = shapely.transform(part, _raised)
        if part.bounds[2] - part.bounds[0] > 180:
            return None
    if part.bounds[2] <= 180:
        return part
    part = part if part.is_valid else shapely.make_valid(part, method="structure", keep_collapsed=False)
    east = translate(shapely.intersection(part, _EAST), xoff=-360)
    return shapely.union_all([shapely.intersection(part, _WEST), east])


def _raised(coords: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    coords = coords.copy()
    coords[coords[:, 0] < 0, 0] += 360
    return coords


def _jumps(part: BaseGeometry) -> bool:
    return any(
        bool(((step > 180) & (step < 360)).any())
        for ring in shapely.get_rings(part)
        for step in [np.abs(np.diff(shapely.get_coordinates(ring)[:, 0]))]
    )
