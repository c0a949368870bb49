"""The nearest features by geodesic distance between edges: found by bounds, so none nearer is missed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Proj
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.clip import Piece, box_of
from gis_service.geoprocessing.measure import Geometries

GEOD = Geod(ellps="WGS84")
FARTHEST_M = 1_500_000.0  # what is farther away is no neighbour
_PAGE = 12
_PIECE_EDGES = 32
_FLATTEST_DEGREE_M = 110_574.0  # a degree of latitude at the equator, the shortest there is
_EQUATOR_DEGREE_M = 111_319.49
_EDGE_STEP = 0.01  # degrees; between cuts an edge strays 7 mm from the line it is at most, at 16° north


@dataclass(frozen=True)
class Gap:
    """The shortest way from one geometry to another; no bearing where they meet."""

    distance_m: float
    bearing_deg: float | None
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Search:
    """How many features are looked for, which of them, and the properties that come with them."""

    n: int
    names: Sequence[str]
    wanted: Callable[[int, Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Near:
    """A feature and the way to it."""

    piece: Piece
    gap: Gap


def nearest(
    db: SyncDatabase, view: ViewedLayer, search: Search, project: BaseGeometry, budget: Budget
) -> tuple[Near, ...]:
    """The nearest features that the search wants, nearest first, none beyond FARTHEST_M.

    Candidates come by their distance in degrees to the project's box, which is never above the true one;
    the search ends when no candidate left can be nearer than the last of those found.
    """
    seen = [name for name in search.names if name in view.properties]
    box, outline = box_of(project), Outline(project)
    best: list[Near] = []
    looked: set[int] = set()
    for most in (_PAGE * 4**power for power in range(10)):
        budget.check()
        page = db.run(report_sql.nearest(view, seen, box, most))
        for degrees, key, feature_id, basis, dataset_id, wkb, *values in page:
            budget.check()
            if _settled(best, search.n, degrees, box):
                return _within_reach(best)
            if key in looked:
                continue
            looked.add(key)
            properties = dict(zip(seen, values, strict=True))
            if search.wanted(key, properties):
                shape = shapely.from_wkb([wkb])[0]
                piece = Piece(key, str(feature_id), basis, dataset_id, properties, shape, 0.0, 0.0)
                found = [*best, Near(piece, outline.gap(shape))]
                best = nsmallest(search.n, found, key=lambda near: near.gap.distance_m)
        if len(page) < most:
            break
    return _within_reach(best)


def _within_reach(best: Sequence[Near]) -> tuple[Near, ...]:
    return tuple(near for near in best if near.gap.distance_m <= FARTHEST_M)


def _settled(best: Sequence[Near], n: int, degrees: float, box: BBox) -> bool:
    """Whether no candidate that many degrees away, or more, can be nearer than the last of the best."""
    farthest = min(best[-1].gap.distance_m, FARTHEST_M) if len(best) == n else FARTHEST_M
    return least_m(degrees, box, farthest) > farthest


def least_m(degrees: float, box: BBox, reach_m: float) -> float:
    """The least geodesic distance that so many degrees can mean on any way no longer than `reach_m`."""
    farthest = max(abs(box.south), abs(box.north)) + reach_m / _FLATTEST_DEGREE_M
    if farthest >= 90:
        return 0.0
    return degrees * min(_FLATTEST_DEGREE_M, _EQUATOR_DEGREE_M * math.cos(math.radians(farthest)))


class Outline:
    """The outline of a geometry, cut into short pieces and indexed, so that only near ones are looked at."""

    def __init__(self, geometry: BaseGeometry) -> None:
        self._geometry = geometry
        shapely.prepare(geometry)
        south, north = geometry.bounds[1], geometry.bounds[3]
        # Longitude shrunk makes degrees nearly alike both ways, as far as choosing pieces goes.
        self._shrink = max(math.cos(math.radians((south + north) / 2)), 0.01)
        self._pieces = _pieces(geometry)
        self._tree = shapely.STRtree(self._shrunk(self._pieces))

    def gap(self, other: BaseGeometry) -> Gap:
        """The shortest geodesic to a geometry whose edges are straight in degrees.

        The pieces that may hold its ends are laid into an azimuthal projection around the middle of a first
        guess, again until the ends stay where they are: near its centre that projection keeps distances.
        """
        if shapely.intersects(self._geometry, other):
            at = shapely.point_on_surface(shapely.intersection(self._geometry, other))
            return Gap(0.0, None, (at.x, at.y), (at.x, at.y))
        mine, others, found = self._near(other)
        for _ in range(6):
            closer = _geodesic(*_ends(mine, others, _middle(found)))
            if closer.distance_m > found.distance_m - 1e-4:
                return min(found, closer, key=lambda each: each.distance_m)
            found = closer
        return found

    def _near(self, other: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry, Gap]:
        """The pieces of both outlines that may be nearest, and a first guess of the way."""
        theirs = _pieces(other)
        shrunk = self._shrunk(theirs)
        (which, nearest_mine), degrees = self._tree.query_nearest(
            shrunk, return_distance=True, all_matches=False
        )
        first = int(np.argmin(degrees))
        # Twice as far covers what the shrinking gets wrong over a thousand kilometres.
        reach = 2 * float(degrees[first]) + 2 * _EDGE_STEP
        close = which[degrees <= reach]
        mine = np.unique(self._tree.query(shrunk[close], predicate="dwithin", distance=reach)[1])
        pair = self._pieces[nearest_mine[first]], theirs[which[first]]
        start, end = shapely.get_coordinates(shapely.shortest_line(*pair))
        guess = _geodesic((float(start[0]), float(start[1])), (float(end[0]), float(end[1])))
        return _cut(self._pieces[mine]), _cut(theirs[close]), guess

    def _shrunk(self, pieces: Geometries) -> Geometries:
        shrunk: Geometries = shapely.transform(pieces, lambda xy: xy * (self._shrink, 1.0))
        return shrunk


def _pieces(geometry: BaseGeometry) -> Geometries:
    """The rings as lines of at most _PIECE_EDGES edges."""
    coords, ring = shapely.get_coordinates(_rings(geometry), return_index=True)
    begins = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    within = np.arange(len(coords)) - np.repeat(begins, np.diff(np.r_[begins, len(coords)]))
    last = np.r_[ring[1:] != ring[:-1], True]
    starts = np.flatnonzero((within % _PIECE_EDGES == 0) & ~last)
    lengths = np.diff(np.r_[starts, len(coords)])
    # A piece ends at the vertex that the next one begins with, but at its ring's end.
    ends_ring = np.r_[ring[starts[1:]] != ring[starts[:-1]], True]
    counts = np.where(ends_ring, lengths, lengths + 1)
    index = np.repeat(np.arange(len(starts)), counts)
    offsets = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    lines: Geometries = shapely.linestrings(coords[starts[index] + offsets], indices=index)
    # Points drawn twice make lines of no length, which GEOS can't cut.
    return lines[shapely.length(lines) > 0]


def _cut(pieces: Geometries) -> BaseGeometry:
    whole: BaseGeometry = shapely.segmentize(shapely.multilinestrings(list(pieces)), _EDGE_STEP)
    return whole


def length(geometry: BaseGeometry) -> float:
    """The geodesic length in metres of all edges of a polygon or line."""
    coords, index = shapely.get_coordinates(shapely.get_parts(_rings(geometry)), return_index=True)
    same = index[1:] == index[:-1]
    (lon, lat), (lon2, lat2) = coords[:-1][same].T, coords[1:][same].T
    return float(np.sum(GEOD.inv(lon, lat, lon2, lat2)[2]))


def _rings(geometry: BaseGeometry) -> Geometries:
    found: Geometries = shapely.get_rings(shapely.get_parts(geometry))
    return found


def _ends(
    one: BaseGeometry, other: BaseGeometry, centre: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    # A transformer between systems does the same and takes 10 ms to make.
    local = Proj(f"+proj=aeqd +lon_0={centre[0]!r} +lat_0={centre[1]!r} +ellps=WGS84")
    flat = [shapely.transform(each, lambda xy: np.column_stack(local(*xy.T))) for each in (one, other)]
    x, y = shapely.get_coordinates(shapely.shortest_line(*flat)).T
    (x1, x2), (y1, y2) = local(x, y, inverse=True)
    return (float(x1), float(y1)), (float(x2), float(y2))


def _geodesic(start: tuple[float, float], end: tuple[float, float]) -> Gap:
    azimuth, _, metres = GEOD.inv(*start, *end)
    return Gap(float(metres), float(azimuth) % 360, start, end)


def _middle(way: Gap) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(*way.start, way.bearing_deg or 0.0, way.distance_m / 2)
    return float(lon), float(lat)
