"""Bring polygons from one reference system to another so that their edges stay where they were drawn.

A straight edge on a projected map is no straight line in longitude and latitude. Edges that would stray
further than the tolerance get points in between, in the map's own system, before they are transformed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[np.object_]
Transform = Callable[[Floats], Floats]

TOLERANCE_M: Final = 0.1

_EARTH_M: Final = 6_371_000.0
_DEGREE_M: Final = _EARTH_M * np.pi / 180
_MAX_PIECES: Final = 1024
_PASSES: Final = 4
_SAMPLES: Final = (0.25, 0.5, 0.75)


def transformed(polygons: Geometries, transform: Transform, tolerance_m: float = TOLERANCE_M) -> Geometries:
    """Give the polygons in longitude and latitude; no edge strays more than about the tolerance.

    `polygons` holds Polygons and MultiPolygons only, none empty, 2D. An edge that two polygons share gets the
    same points in both, whichever way each runs along it.
    """
    if not len(polygons):
        return polygons
    kind, coords, (starts, *others) = shapely.to_ragged_array(polygons)
    rings = np.asarray(starts, np.int64)
    lonlat = transform(coords)
    for _ in range(_PASSES):
        pieces = _pieces(coords, lonlat, rings, transform, tolerance_m)
        if pieces.max(initial=1) == 1:
            break
        coords, rings = _cut(coords, rings, pieces)
        lonlat = transform(coords)
    outer = tuple(np.asarray(each, np.int64) for each in others)
    whole: Geometries = shapely.from_ragged_array(kind, lonlat, (rings, *outer))
    return whole


def _pieces(coords: Floats, lonlat: Floats, rings: Ints, transform: Transform, tolerance_m: float) -> Ints:
    """Into how many pieces each edge must be cut; 1 for most, and at the last point of a ring."""
    pieces = np.ones(len(coords), np.int64)
    begins = np.ones(len(coords), bool)
    begins[rings[1:] - 1] = False
    begins[:-1] &= np.isfinite(lonlat[:-1]).all(axis=1) & np.isfinite(lonlat[1:]).all(axis=1)
    edges = np.flatnonzero(begins)
    edges = edges[_may_stray(lonlat[edges], lonlat[edges + 1], tolerance_m)]
    if edges.size:
        stray = _stray(coords[edges], coords[edges + 1], lonlat[edges], lonlat[edges + 1], transform)
        # The sagitta of a shallow arc falls with the square of the number of pieces.
        wanted = np.ceil(np.sqrt(np.maximum(stray / tolerance_m, 1.0) * 1.05))
        pieces[edges] = np.where(stray > tolerance_m, np.minimum(wanted, _MAX_PIECES), 1).astype(np.int64)
    return pieces


def _may_stray(start: Floats, end: Floats, tolerance_m: float) -> npt.NDArray[np.bool_]:
    """Whether an edge is long enough to stray.

    A line on a map bends against a line in degrees by about tan(lat)/R. Four times that bend is assumed, for
    systems far from their centre; shorter edges aren't looked at again.
    """
    east, north = _metres(start, end)
    steepest = np.minimum(np.maximum(np.abs(start[:, 1]), np.abs(end[:, 1])), 89.9)
    bend = 4 * (1 + np.tan(np.radians(steepest))) / _EARTH_M
    return np.asarray((east**2 + north**2) * bend / 8 > tolerance_m)


def _stray(a: Floats, b: Floats, start: Floats, end: Floats, transform: Transform) -> Floats:
    """How far (m) the drawn edge lies from the line between its transformed ends, at worst."""
    turn = _turn(end[:, 0] - start[:, 0])
    step = np.column_stack([turn, end[:, 1] - start[:, 1]])
    worst = np.zeros(len(a))
    for share in _SAMPLES:
        east, north = _metres(start + step * share, transform(a + (b - a) * share))
        worst = np.fmax(worst, np.hypot(east, north))
    return worst


def _metres(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    middle = np.radians((start[:, 1] + end[:, 1]) / 2)
    return _turn(end[:, 0] - start[:, 0]) * _DEGREE_M * np.cos(middle), (end[:, 1] - start[:, 1]) * _DEGREE_M


def _turn(degrees: Floats) -> Floats:
    """A difference of longitudes the short way round."""
    return np.asarray((degrees + 180) % 360 - 180)


def _cut(coords: Floats, rings: Ints, pieces: Ints) -> tuple[Floats, Ints]:
    starts = np.concatenate([[0], np.cumsum(pieces)])
    edge = np.repeat(np.arange(len(coords)), pieces)
    nth = np.arange(starts[-1]) - starts[edge]
    a, b = coords[edge], coords[np.minimum(edge + 1, len(coords) - 1)]
    # Always counted from the same end, so that the neighbour across the edge gets the very same numbers.
    backward = (b[:, 0] < a[:, 0]) | ((b[:, 0] == a[:, 0]) & (b[:, 1] < a[:, 1]))
    low, high = np.where(backward[:, None], b, a), np.where(backward[:, None], a, b)
    share = np.where(backward, pieces[edge] - nth, nth) / pieces[edge]
    points = np.where((nth == 0)[:, None], a, low + (high - low) * share[:, None])
    return points, starts[rings]
