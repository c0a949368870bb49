"""Exact area on WGS 84 of polygons whose edges are straight in longitude and latitude.

The area is a line integral of the authalic function Q along the edges, so the parts of a planar overlay
add up to the whole, and vectors, raster cells and boxes share one definition. Web workers don't import
this module: it is the one place below `geoprocessing` that needs numpy.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Offsets = npt.NDArray[np.int64]

METHOD: Final = "ellipsoidal-wgs84-lonlat-edges/1"
SPHERE: Final = (
    "mollweide-sphere-lonlat-edges/1"  # as ESRI:54009, which PROJ computes on a sphere of radius a
)

_A: Final = 6378137.0
_F: Final = 1 / 298.257223563
_E2: Final = _F * (2 - _F)
_E: Final = math.sqrt(_E2)
_B2: Final = (_A * (1 - _F)) ** 2

# Below this rise of an edge (rad) the corrected trapezoid rule is good to 2e-14 of Q; above it, 3-point
# Gauss on pieces of at most _PIECE is good to 1e-16.
_STEEP: Final = 0.002
_PIECE: Final = 0.02
_GAUSS: Final = ((0.5 - math.sqrt(0.15), 5 / 18), (0.5, 8 / 18), (0.5 + math.sqrt(0.15), 5 / 18))
_BLOCK: Final = 1 << 15  # edges at a time: the scratch arrays stay in the processor's cache


def box(west: float, south: float, east: float, north: float) -> float:
    """The area in m² of a box in degrees, such as a raster cell."""
    low, high = authalic(np.radians(np.array([south, north])))
    return math.radians(east - west) * float(high - low)


def areas(coords: Floats, *offsets: Offsets) -> Floats:
    """Areas in m² of polygons, or of multipolygons, given as in `shapely.to_ragged_array`.

    `coords` is (n, 2) in degrees; `offsets` are those of the rings, of the polygons and, for
    multipolygons, of the geometries. Rings are closed; their direction doesn't matter, the first ring of
    each polygon is its shell.
    """
    ring_starts, polygon_starts, *more = (np.asarray(each, np.int64) for each in offsets)
    signed = -np.abs(rings(coords, ring_starts))
    shells = polygon_starts[:-1][np.diff(polygon_starts) > 0]
    signed[shells] = -signed[shells]
    total = _sums(signed, polygon_starts)
    for starts in more:
        total = _sums(total, starts)
    return total


def rings(coords: Floats, offsets: Offsets) -> Floats:
    """Signed areas in m² of closed rings: positive where the ring runs clockwise."""
    points = np.radians(np.asarray(coords, np.float64)[:, :2])
    lengths = np.diff(offsets)
    origins = np.repeat(points[np.minimum(offsets[:-1], max(len(points) - 1, 0))], lengths, axis=0)
    terms = np.zeros(len(points))
    for start in range(0, len(points) - 1, _BLOCK):
        stop = min(start + _BLOCK, len(points) - 1)
        terms[start:stop] = _edges(points[start : stop + 1], origins[start:stop, 1])
    last = offsets[1:][lengths > 0] - 1
    terms[last] = 0.0  # a ring's last point begins no edge
    return _exact_sums(terms, offsets)


def authalic(phi: Floats) -> Floats:
    """Q in m² per radian of longitude between the equator and the latitude `phi` (rad)."""
    return _authalic(np.sin(phi))


def _authalic(s: Floats) -> Floats:
    es2 = _E2 * s * s
    return (_B2 / 2) * (s / (1 - es2) + np.arctanh(_E * s) / _E)


def authalic_slope(phi: Floats, method: str = METHOD) -> Floats:
    """The derivative of Q: m² per radian of longitude and radian of latitude."""
    return _A * _A * np.cos(phi) if method == SPHERE else _slope(phi, np.sin(phi))


def _slope(phi: Floats, s: Floats) -> Floats:
    return _B2 * np.cos(phi) / (1 - _E2 * s * s) ** 2


def _edges(points: Floats, base: Floats) -> Floats:
    """The integral of Q over longitude along each edge, less Q at the ring's first vertex."""
    lon, phi = points[:, 0], points[:, 1]
    s = np.sin(phi)
    q = _authalic(s)
    slope = _slope(phi, s)
    run, rise = np.diff(lon), np.diff(phi)
    floor = authalic(base)
    # Taking Q of the first vertex away from both ends leaves small numbers, so nothing cancels in the sum.
    mean = ((q[1:] - floor) + (q[:-1] - floor)) / 2 - rise * np.diff(slope) / 12
    steep = np.flatnonzero(np.abs(rise) >= _STEEP)
    if steep.size:
        mean[steep] = _gauss(phi[steep], rise[steep]) - floor[steep]
    return np.asarray(run * mean)


def _gauss(phi: Floats, rise: Floats) -> Floats:
    """The mean of Q along edges that rise steeply, by 3-point Gauss on short pieces."""
    pieces = np.ceil(np.abs(rise) / _PIECE).astype(np.int64)
    edge = np.repeat(np.arange(len(rise)), pieces)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (rise / pieces)[edge]
    start = phi[edge] + nth * step
    values = sum((weight * authalic(start + at * step) for at, weight in _GAUSS), np.zeros(len(edge)))
    return np.bincount(edge, values, len(rise)) / pieces


def _exact_sums(terms: Floats, offsets: Offsets) -> Floats:
    """Sums per segment, compensated: leading bits are cut off so that they add without rounding.

    The extraction of Rump, Ogita and Oishi (2008): with a power of two above n times the largest term,
    (power + term) - power keeps exactly the bits whose sum is exact; what is left is summed apart.
    """
    lengths = np.diff(offsets)
    full = lengths > 0
    result = np.zeros(len(lengths))
    if not full.any():
        return result
    starts = offsets[:-1][full]
    largest = np.maximum.reduceat(np.abs(terms), starts)
    power = np.exp2(np.frexp(largest)[1] + np.frexp(lengths[full] + 2.0)[1])
    spread = np.repeat(power, lengths[full])
    high = (spread + terms) - spread
    result[full] = np.add.reduceat(high, starts) + np.add.reduceat(terms - high, starts)
    return result


def _sums(values: Floats, offsets: Offsets) -> Floats:
    full = np.diff(offsets) > 0
    result = np.zeros(len(full))
    if full.any():
        result[full] = np.add.reduceat(values, offsets[:-1][full])
    return result
