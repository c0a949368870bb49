"""The nearest features by geodesic distance between edges: found by bounds, so none nearer is missed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.clip import Piece, box_of
from gis_service.geoprocessing.measure import Geometries

GEOD = Geod(ellps="WGS84")
_PAGE = 12
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
    """The nearest features that the search wants, nearest first.

    Candidates come by their distance in degrees to the project's box, which is never above the true one;
    the search ends when no candidate left can be nearer than the last of those found.
    """
    seen = [name for name in search.names if name in view.properties]
    box = box_of(project)
    best: list[Near] = []
    for offset in range(0, 1_000_000, _PAGE):
        budget.check()
        page = db.run(report_sql.nearest(view, seen, box, _PAGE, offset))
        for degrees, key, feature_id, basis, dataset_id, wkb, *values in page:
            if _settled(best, search.n, degrees, box):
                return tuple(best)
            properties = dict(zip(seen, values, strict=True))
            if search.wanted(key, properties):
                shape = shapely.from_wkb([wkb])[0]
                piece = Piece(key, str(feature_id), basis, dataset_id, properties, shape, 0.0, 0.0)
                found = [*best, Near(piece, gap(project, shape))]
                best = nsmallest(search.n, found, key=lambda near: near.gap.distance_m)
        if len(page) < _PAGE:
            break
    return tuple(best)


def _settled(best: Sequence[Near], n: int, degrees: float, box: BBox) -> bool:
    """Whether no candidate that many degrees away, or more, can be nearer than the last of the best."""
    if len(best) < n:
        return False
    farthest = best[-1].gap.distance_m
    return least_m(degrees, box, farthest) > farthest


def least_m(degrees: float, box: BBox, reach_m: float) -> float:
    """The least geodesic distance that so many degrees can mean on any way no longer than `reach_m`."""
    farthest = max(abs(box.south), abs(box.north)) + reach_m / _FLATTEST_DEGREE_M
    if farthest >= 90:
        return 0.0
    return degrees * min(_FLATTEST_DEGREE_M, _EQUATOR_DEGREE_M * math.cos(math.radians(farthest)))


def gap(one: BaseGeometry, other: BaseGeometry) -> Gap:
    """The shortest geodesic between two geometries whose edges are straight in degrees.

    A first guess in stretched degrees is made exact in an azimuthal projection laid on the middle of the
    guess, again until it stays where it is: near its centre that projection keeps distances.
    """
    if shapely.intersects(one, other):
        at = shapely.point_on_surface(shapely.intersection(one, other))
        return Gap(0.0, None, (at.x, at.y), (at.x, at.y))
    cut_one, cut_other = shapely.segmentize([one, other], _EDGE_STEP)
    start, end = _guess(one, other)
    found = _geodesic(start, end)
    for _ in range(6):
        start, end = _ends(cut_one, cut_other, _middle(found))
        closer = _geodesic(start, end)
        if closer.distance_m > found.distance_m - 1e-4:
            return min(found, closer, key=lambda each: each.distance_m)
        found = closer
    return found


def length(geometry: BaseGeometry) -> float:
    """The geodesic length in metres of all edges of a polygon or line."""
    coords, index = shapely.get_coordinates(shapely.get_parts(_rings(geometry)), return_index=True)
    same = index[1:] == index[:-1]
    (lon, lat), (lon2, lat2) = coords[:-1][same].T, coords[1:][same].T
    return float(np.sum(GEOD.inv(lon, lat, lon2, lat2)[2]))


def _rings(geometry: BaseGeometry) -> Geometries:
    found: Geometries = shapely.get_rings(shapely.get_parts(geometry))
    return found


def _guess(one: BaseGeometry, other: BaseGeometry) -> tuple[tuple[float, float], tuple[float, float]]:
    """The nearest points in degrees with longitude shrunk as at the latitude between the two."""
    shrink = max(math.cos(math.radians((one.centroid.y + other.centroid.y) / 2)), 0.01)
    scaled = [shapely.transform(each, lambda xy: xy * (shrink, 1.0)) for each in (one, other)]
    (x1, y1), (x2, y2) = shapely.get_coordinates(shapely.shortest_line(*scaled))
    return (x1 / shrink, y1), (x2 / shrink, y2)


def _ends(
    one: BaseGeometry, other: BaseGeometry, centre: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    pipeline = f"+proj=aeqd +lon_0={centre[0]!r} +lat_0={centre[1]!r} +ellps=WGS84"
    local = Transformer.from_crs("OGC:CRS84", pipeline, always_xy=True)
    flat = [
        shapely.transform(each, lambda xy: np.column_stack(local.transform(*xy.T))) for each in (one, other)
    ]
    x, y = shapely.get_coordinates(shapely.shortest_line(*flat)).T
    (x1, x2), (y1, y2) = local.transform(x, y, direction="INVERSE")
    return (float(x1), float(y1)), (float(x2), float(y2))


def _geodesic(start: tuple[float, float], end: tuple[float, float]) -> Gap:
    azimuth, _, metres = GEOD.inv(*start, *end)
    return Gap(float(metres), float(azimuth) % 360, start, end)


def _middle(way: Gap) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(*way.start, way.bearing_deg or 0.0, way.distance_m / 2)
    return float(lon), float(lat)
