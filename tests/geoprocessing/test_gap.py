"""The geodesic gap between two polygons, against a search over densely cut edges."""

import numpy as np
import pytest
import shapely
from pyproj import Geod
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from gis_service.geo.bbox import BBox
from gis_service.geoprocessing.nearest import Outline, least_m, length

GEOD = Geod(ellps="WGS84")


def searched(one: BaseGeometry, other: BaseGeometry, step: float) -> float:
    """The least distance between points put on both outlines every `step` degrees."""
    a, b = (shapely.get_coordinates(shapely.segmentize(each.boundary, step)) for each in (one, other))
    i, j = (each.ravel() for each in np.meshgrid(np.arange(len(a)), np.arange(len(b)), indexing="ij"))
    return float(GEOD.inv(*a[i].T, *b[j].T)[2].min())


COAST = Polygon([(105.0, 20.0), (105.6, 20.1), (105.3, 20.5), (105.1, 20.9)])
PAIRS = [
    (COAST, Polygon([(106.0, 20.0), (106.4, 20.6), (105.9, 20.9)])),
    (COAST, Polygon([(105.2, 21.6), (105.9, 21.3), (105.8, 21.9)])),
    (Polygon([(20, 69), (21, 69.4), (20.2, 69.9)]), Polygon([(22, 68.8), (23, 69.9), (22.4, 70)])),
    (COAST, Polygon([(105.31, 20.52), (105.4, 20.49), (105.5, 20.7)])),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_pair_of_points_on_the_outlines_is_nearer(one: BaseGeometry, other: BaseGeometry) -> None:
    found, fine = Outline(one).gap(other).distance_m, searched(one, other, 0.002)
    assert found <= fine + 0.001
    assert found == pytest.approx(fine, rel=0.02)


def test_outlines_of_many_vertices_and_rings_have_the_gap_of_their_nearest_parts() -> None:
    lake = Point(105, 20).buffer(0.5, 400).difference(Point(105, 20).buffer(0.4, 300))
    isle, far = Point(105.1, 20.05).buffer(0.05, 100), Point(109, 23).buffer(0.3, 90)
    for other in (isle, far, MultiPolygon([isle, far])):
        found = Outline(lake).gap(other).distance_m
        assert found == pytest.approx(searched(lake, other, 0.01), rel=0.002)


def test_points_drawn_many_times_do_no_harm() -> None:
    stutter = Polygon([(105, 10)] * 40 + [(106, 10)] + [(106, 11)] * 70 + [(105, 11)])
    assert Outline(stutter).gap(shapely.box(107, 10, 108, 11)).bearing_deg == pytest.approx(90, abs=0.3)


def test_the_gap_over_a_meridian_is_the_geodesic_and_points_east() -> None:
    west, east = shapely.box(105, 0, 106, 1), shapely.box(107, 0, 108, 1)
    found = Outline(west).gap(east)
    # The shortest way lies on the northern edge, where a degree of longitude is shortest.
    assert found.distance_m == pytest.approx(GEOD.inv(106, 1, 107, 1)[2], abs=0.001)
    assert found.bearing_deg == pytest.approx(90, abs=0.02)


def test_polygons_that_meet_have_no_gap_and_no_bearing() -> None:
    found = Outline(shapely.box(105, 10, 106, 11)).gap(shapely.box(106, 10, 107, 11))
    assert (found.distance_m, found.bearing_deg) == (0.0, None)


def test_the_least_distance_of_a_number_of_degrees_is_never_above_the_true_one() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        lon, lat, dlon, dlat = rng.uniform([0, -70, 0.01, -3], [100, 70, 3, 3])
        true = GEOD.inv(lon, lat, lon + dlon, lat + dlat)[2]
        degrees = float(np.hypot(dlon, dlat))
        assert least_m(degrees, BBox(lon, lat, lon, lat), true) <= true


def test_the_length_of_an_outline_is_that_of_its_geodesic_edges() -> None:
    square = shapely.multipolygons([shapely.box(105, 10, 106, 11)])
    edges = [(105, 10, 106, 10), (106, 10, 106, 11), (106, 11, 105, 11), (105, 11, 105, 10)]
    assert length(square) == pytest.approx(sum(GEOD.inv(*edge)[2] for edge in edges))
