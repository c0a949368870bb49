"""Measures of one geometry, taken once and read by many rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely import MultiPolygon
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
    return measure([shape])[0]


def measure(shapes: Sequence[BaseGeometry]) -> list[Measured]:
    """The measures of each of many shapes; all vertices go through one computation, which is much quicker."""
    # A multipolygon at the end makes the ragged form the same for every mixture of polygons.
    array = np.array([*map(_filled, shapes), _FORM], object)
    _, coords, offsets = shapely.to_ragged_array(array)
    rings, parts, wholes = (np.asarray(each, np.int64) for each in offsets)
    if not len(coords):
        return []
    ring_m2 = np.abs(areas.rings(coords, rings))
    ring_m = np.add.reduceat(lengths(coords, rings), rings[:-1])
    part_m2 = areas.areas(coords, rings, parts)
    made = []
    for first, last in pairwise(wholes[:-1]):
        one, other = parts[first], parts[last]
        start, end = rings[one], rings[other]
        made.append(
            Measured(
                coords[start:end],
                rings[one : other + 1] - start,
                parts[first : last + 1] - one,
                ring_m2[one:other],
                ring_m[one:other],
                part_m2[first:last],
            )
        )
    return made


_FORM: Final = shapely.from_wkt("MULTIPOLYGON EMPTY")


def _filled(shape: BaseGeometry) -> BaseGeometry:
    """The shape in two dimensions without empty parts."""
    flat: BaseGeometry = shapely.force_2d(shape) if shape.has_z else shape
    if flat.geom_type == "Polygon":
        return flat
    parts = shapely.get_parts(flat)
    empty = shapely.is_empty(parts)
    return MultiPolygon(parts[~empty].tolist()) if empty.any() else flat


def polygons(shape: BaseGeometry) -> Measured | None:
    """The measures of the polygons in any geometry, for overlays leave lines too; None without any."""
    parts = shapely.get_parts(shape)
    if shape.geom_type not in POLYGONS:
        parts = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
    parts = parts[~shapely.is_empty(parts)]
    return measured(MultiPolygon(shapely.get_parts(parts).tolist())) if len(parts) else None


def area_m2(shape: BaseGeometry) -> float:
    """The area of the polygons in any geometry."""
    found = polygons(shape)
    return 0.0 if found is None else found.m2


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
