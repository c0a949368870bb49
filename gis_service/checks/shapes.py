"""Measures of one geometry, taken once and read by many rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.geo import areas

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DEGREE_M: Final = 111_320.0  # of latitude, and of longitude at the equator: near enough for lengths
POLYGONS: Final = ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class Measured:
    """Vertices of a polygon or multipolygon, where its rings and parts begin, and their sizes in metres."""

    coords: Floats
    rings: Ints
    parts: Ints
    ring_m2: Floats
    ring_m: Floats
    part_m2: Floats

    @property
    def m2(self) -> float:
        return float(self.part_m2.sum())

    @property
    def shells(self) -> Ints:
        """The first ring of each part."""
        return self.parts[:-1]


def measured(shape: BaseGeometry) -> Measured:
    """The measures of polygons that aren't empty, valid or not."""
    filled = [part for part in shapely.get_parts(shapely.force_2d(shape)) if not part.is_empty]
    whole = shapely.multipolygons(filled)
    _, coords, (*offsets, _) = shapely.to_ragged_array([whole])
    rings, parts = (np.asarray(each, np.int64) for each in offsets)
    return Measured(
        coords,
        rings,
        parts,
        np.abs(areas.rings(coords, rings)),
        np.add.reduceat(lengths(coords, rings), rings[:-1]),
        areas.areas(coords, rings, parts),
    )


def area_m2(shape: BaseGeometry) -> float:
    """The area of the polygons in any geometry: overlays leave lines and points too."""
    found = [part for part in shapely.get_parts(shape) if part.geom_type in POLYGONS and not part.is_empty]
    return sum(measured(part).m2 for part in found)


def length_m(shape: BaseGeometry) -> float:
    """The length of all rings of the polygons in any geometry."""
    found = [part for part in shapely.get_parts(shape) if part.geom_type in POLYGONS and not part.is_empty]
    return sum(float(measured(part).ring_m.sum()) for part in found)


def lengths(coords: Floats, rings: Ints) -> Floats:
    """The length of the edge that each vertex begins; 0 for the last of a ring."""
    steps = np.zeros(len(coords))
    steps[:-1] = np.hypot(*metres(coords[:-1], coords[1:]).T)
    steps[rings[1:] - 1] = 0.0
    return steps


def metres(start: Floats, end: Floats) -> Floats:
    """East and north from one place to another, on a sphere, for short ways."""
    middle = np.radians((start[..., 1] + end[..., 1]) / 2)
    step = (end - start) * DEGREE_M
    return np.stack([step[..., 0] * np.cos(middle), step[..., 1]], axis=-1)


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The way between two places that are near each other."""
    return float(np.hypot(*metres(np.array(one), np.array(other))))


def spikes(shape: Measured, degrees: float, least_m: float) -> Ints:
    """Vertices where a ring turns back within that angle between edges of at least that length."""
    last = shape.rings[1:] - 1
    before = np.arange(len(shape.coords)) - 1
    before[shape.rings[:-1]] = last - 1
    after = np.arange(len(shape.coords)) + 1
    after[last] = shape.rings[:-1] + 1
    back = metres(shape.coords, shape.coords[before])
    forth = metres(shape.coords, shape.coords[np.minimum(after, len(shape.coords) - 1)])
    short = np.minimum(np.hypot(*back.T), np.hypot(*forth.T))
    cross = back[:, 0] * forth[:, 1] - back[:, 1] * forth[:, 0]
    angle = np.degrees(np.abs(np.arctan2(cross, (back * forth).sum(axis=1))))
    found = (angle < degrees) & (short >= least_m)
    found[last] = False  # the first vertex of the ring once more
    return np.flatnonzero(found)
