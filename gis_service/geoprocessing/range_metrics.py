"""Extent of occurrence and area of occupancy of a species' sites, with the IUCN thresholds that they meet.

A threshold is one of several conditions of criterion B: none of this is a Red List category.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.geo.areas import authalic
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.nearest import GEOD

Level = Literal["CR", "EN", "VU"]
Place = tuple[float, float]  # longitude and latitude
KM2: Final = 1e6  # m²
EOO_M2: Final[Mapping[Level, float]] = {"CR": 100 * KM2, "EN": 5_000 * KM2, "VU": 20_000 * KM2}
AOO_M2: Final[Mapping[Level, float]] = {"CR": 10 * KM2, "EN": 500 * KM2, "VU": 2_000 * KM2}
LOCATIONS: Final[Mapping[Level, int]] = {"CR": 1, "EN": 5, "VU": 10}

CELL_M: Final = 2_000.0
CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/6933"  # the grid's, with its origin at 0, 0
STEPS: Final = 20  # origins are tried by a twentieth of a cell in both directions
WIDEST: Final = math.radians(80)  # of the cap around all sites; a hull over half the earth has no inside
_NEAR: Final = 0.02  # of the hull's width: geodesics of 160° stray from great ellipses by half of that
_TURNS: Final = 500  # towards the middle of the smallest cap
_A: Final = 6378137.0
_E2: Final = (2 - 1 / 298.257223563) / 298.257223563
_PARALLEL: Final = math.radians(30)  # that EPSG:6933 keeps true
_SCALE: Final = _A * math.cos(_PARALLEL) / math.sqrt(1 - _E2 * math.sin(_PARALLEL) ** 2)  # m per radian


@dataclass(frozen=True)
class Extent:
    """The convex hull of sites: its corners in degrees, its area in m² between geodesic edges."""

    corners: tuple[Place, ...]
    area_m2: float


@dataclass(frozen=True)
class Occupancy:
    """Cells of 2 × 2 km that hold a site, on the grid of EPSG:6933 and on others with shifted origins.

    `least` and `most` are over STEPS × STEPS origins, the grid's own among them.
    """

    cells: int
    least: int
    most: int

    @property
    def area_m2(self) -> float:
        return _cells_m2(self.cells)

    @property
    def least_m2(self) -> float:
        return _cells_m2(self.least)

    @property
    def most_m2(self) -> float:
        return _cells_m2(self.most)


@dataclass(frozen=True)
class RangeMetrics:
    """What sites tell of a range; no `hull` of fewer than three places, or of places all over the earth."""

    sites: int
    places: int
    hull: Extent | None
    occupancy: Occupancy

    @property
    def aoo_m2(self) -> float:
        """Area of occupancy: 4 km² for each cell on the grid's own origin."""
        return self.occupancy.area_m2

    @property
    def eoo_m2(self) -> float | None:
        """Extent of occurrence: the hull's area, and never less than the area of occupancy."""
        return None if self.hull is None else max(self.hull.area_m2, self.aoo_m2)

    @property
    def raised(self) -> bool:
        """Whether the extent is the area of occupancy, the hull being smaller."""
        return self.hull is not None and self.hull.area_m2 < self.aoo_m2


@dataclass(frozen=True)
class Thresholds:
    """The strictest threshold of criterion B that each measure is below; None where it's below none.

    `least_aoo` and `most_aoo` are those of the least and the most cells: what the grid's origin may change.
    """

    eoo: Level | None
    aoo: Level | None
    least_aoo: Level | None
    most_aoo: Level | None
    locations: Level | None


def range_metrics(lonlat: Floats) -> RangeMetrics:
    """EOO and AOO of sites, rows of longitude and latitude; ValueError for what is no place on earth.

    EOO is the area on WGS 84 of the convex hull; AOO is 4 km² × the occupied cells of 2 × 2 km in an
    equal-area grid (IUCN Red List guidelines, 4.9 and 4.10).
    """
    places = np.unique(_checked(lonlat), axis=0)
    return RangeMetrics(len(lonlat), len(places), extent(places), occupancy(places))


def thresholds(metrics: RangeMetrics, locations: int | None = None) -> Thresholds:
    """Which thresholds of B1, B2 and B(a) are met; `locations` as an assessor counts them, by threat."""
    grid = metrics.occupancy
    found = None if locations is None else _up_to(locations)
    if not metrics.sites:
        return Thresholds(None, None, None, None, found)  # what was never found isn't rare
    return Thresholds(
        _below(metrics.eoo_m2, EOO_M2),
        _below(grid.area_m2, AOO_M2),
        _below(grid.least_m2, AOO_M2),
        _below(grid.most_m2, AOO_M2),
        found,
    )


def _below(area_m2: float | None, limits: Mapping[Level, float]) -> Level | None:
    if area_m2 is None:
        return None
    return next((level for level, limit in limits.items() if area_m2 < limit), None)


def _up_to(locations: int) -> Level | None:
    return next((level for level, most in LOCATIONS.items() if locations <= most), None)


def extent(lonlat: Floats) -> Extent | None:
    """The geodesic convex hull of places; None where there are fewer than three, or no cap holds them.

    The corners are found among those places that are near the hull's edge in the projection from the earth's
    centre, in which lines are nearly straight: great ellipses stray from geodesics by 66 m in 1,000 km.
    """
    places = np.unique(_checked(lonlat), axis=0)
    if len(places) < 3:
        return None
    spots = _directions(places)
    middle = _middle(spots)
    if (spots @ middle).min() < math.cos(WIDEST):
        return None
    flat = _flat(spots, middle)
    hull = shapely.convex_hull(shapely.multipoints(flat))
    assert isinstance(hull, BaseGeometry), "of one geometry"
    if hull.geom_type != "Polygon":
        return Extent((), 0.0)  # all on one line
    near = shapely.distance(hull.boundary, shapely.points(flat)) <= _NEAR * np.ptp(flat, axis=0).max()
    inside = np.array(shapely.get_coordinates(hull.centroid)[0]) @ _axes(middle) + middle
    corners = _around(places[near], _place(inside), _place(middle))
    area, _ = GEOD.polygon_area_perimeter(*np.array(corners).T)
    return Extent(tuple(corners), abs(area))


def _around(places: Floats, inside: Place, middle: Place) -> list[Place]:
    """The corners of places, clockwise: no place lies left of the geodesic from one corner to the next."""
    lon, lat = places.T
    _, metres = _seen_from(middle, lon, lat)
    first = int(np.argmax(metres))  # no geodesic between nearer places goes that far
    azimuth, _ = _seen_from(inside, lon, lat)
    order = np.argsort((azimuth - azimuth[first]) % 360, kind="stable")
    ring: list[Place] = []
    for place in (*order.tolist(), first):
        corner = float(lon[place]), float(lat[place])
        while len(ring) > 1 and not _right_of(ring[-2], ring[-1], corner):
            ring.pop()
        ring.append(corner)
    return ring[:-1]


def _seen_from(place: Place, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """The azimuths in degrees and the distances of places."""
    azimuth, _, metres = GEOD.inv(np.full(len(lon), place[0]), np.full(len(lon), place[1]), lon, lat)
    return azimuth, metres


def _right_of(start: Place, end: Place, place: Place) -> bool:
    there, _, _ = GEOD.inv(*start, *end)
    aside, _, _ = GEOD.inv(*start, *place)
    return math.sin(math.radians(aside - there)) > 0


def _directions(lonlat: Floats) -> Floats:
    """Unit vectors from the earth's centre to places on the ellipsoid."""
    lon, lat = np.radians(lonlat.T)
    across, up = np.cos(lat), (1 - _E2) * np.sin(lat)
    spots = np.column_stack([across * np.cos(lon), across * np.sin(lon), up])
    return np.asarray(spots / np.linalg.norm(spots, axis=1)[:, None])


def _place(spot: Floats) -> Place:
    """Longitude and latitude of a direction."""
    x, y, z = spot.tolist()
    return math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, (1 - _E2) * math.hypot(x, y)))


def _middle(spots: Floats) -> Floats:
    """The middle of about the smallest cap around places: steps towards the farthest, ever shorter."""
    middle = spots[0].copy()
    for turn in range(2, _TURNS):
        farthest = np.argmin(spots @ middle)  # all are of length 1
        middle += (spots[farthest] - middle) / turn
    length = float(np.linalg.norm(middle))
    return np.asarray(middle / length) if length > 1e-9 else spots[0]


def _flat(spots: Floats, middle: Floats) -> Floats:
    """Places projected from the earth's centre onto the plane that touches it in the middle."""
    return np.asarray((spots @ _axes(middle).T) / (spots @ middle)[:, None])


def _axes(middle: Floats) -> Floats:
    """Two directions at right angles to a third and to each other, as rows."""
    aside = np.cross(middle, np.eye(3)[np.argmin(np.abs(middle))])
    aside /= np.linalg.norm(aside)
    return np.vstack([aside, np.cross(middle, aside)])


def occupancy(lonlat: Floats) -> Occupancy:
    """The occupied cells of 2 × 2 km on the grid of EPSG:6933, and the range over shifted origins.

    Where all places are within half of the earth around the antimeridian, the grid goes on over it.
    """
    step = CELL_M / STEPS
    # The twentieths that hold a place tell its cell on every origin that is tried.
    parts = np.unique(np.floor(projected(_checked(lonlat)) / step).astype(np.int64), axis=0)
    counts = [
        count for shift in range(STEPS) for count in _counts((parts[:, 0] + shift) // STEPS, parts[:, 1])
    ]
    return Occupancy(counts[0], min(counts), max(counts))


def _counts(columns: Integers, parts: Integers) -> list[int]:
    """How many cells are occupied on each origin along the columns; the parts of a cell tell the row."""
    order = np.lexsort((parts, columns))
    columns, parts = columns[order], parts[order]
    # In this order places of one cell follow each other, whatever the shift.
    next_column = np.diff(columns, prepend=columns[:1] - 1) != 0
    rows = ((parts + shift) // STEPS for shift in range(STEPS))
    return [int((next_column | (np.diff(row, prepend=row[:1]) != 0)).sum()) for row in rows]


def projected(lonlat: Floats) -> Floats:
    """Places in metres on EPSG:6933."""
    x = _SCALE * np.radians(_over_the_antimeridian(lonlat[:, 0]))
    y = authalic(np.radians(lonlat[:, 1])) / _SCALE
    return np.column_stack([x, y])


def _over_the_antimeridian(lon: Floats) -> Floats:
    """Longitudes above 180 west of the antimeridian, where all fit into a half of the earth around it."""
    known = np.unique(lon)
    gaps = np.diff(known)
    if not len(gaps) or gaps.max() <= 180:
        return lon
    return np.where(lon <= known[int(np.argmax(gaps))], lon + 360, lon)


def _checked(lonlat: Floats) -> Floats:
    places = np.array(lonlat, np.float64).reshape(-1, 2)
    if not np.isfinite(places).all() or (np.abs(places) > (180, 90)).any():
        raise ValueError("a site is a longitude from -180 to 180 and a latitude from -90 to 90")
    places[:, 0] = np.where(places[:, 0] == 180, -180.0, places[:, 0])
    return places


def _cells_m2(cells: int) -> float:
    return cells * CELL_M * CELL_M
