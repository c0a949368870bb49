"""Areas against closed forms, an independent quadrature and GeographicLib."""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis_service.geo import areas
from gis_service.geoprocessing.measure import area, areas_of

Point = tuple[float, float]
WHOLE_ELLIPSOID = 510_065_621_724_088.4  # m², GeographicLib's value for WGS 84


def independent(ring: list[Point]) -> float:
    """The ring's area by mpmath's quadrature of Q along each edge, in 40 digits."""
    with mpmath.workdps(40):
        a, f = mpmath.mpf(6378137), 1 / mpmath.mpf("298.257223563")
        e2 = f * (2 - f)
        e, b2 = mpmath.sqrt(e2), (a * (1 - f)) ** 2

        def q(phi: mpmath.mpf) -> mpmath.mpf:
            s = mpmath.sin(phi)
            return b2 / 2 * (s / (1 - e2 * s * s) + mpmath.atanh(e * s) / e)

        total = mpmath.mpf(0)
        for (lon1, lat1), (lon2, lat2) in pairwise([*ring, ring[0]]):
            low, high = mpmath.radians(mpmath.mpf(lat1)), mpmath.radians(mpmath.mpf(lat2))
            mean = mpmath.quad(lambda t, p=low, r=high - low: q(p + t * r), [0, 1])
            total += mpmath.radians(mpmath.mpf(lon2) - mpmath.mpf(lon1)) * mean
        return float(abs(total))


def geographiclib(ring: list[Point], step: float) -> float:
    """The ring's area by GeographicLib, its edges cut into pieces of at most `step` degrees."""
    polygon = Geodesic.WGS84.Polygon()
    for (lon1, lat1), (lon2, lat2) in pairwise([*ring, ring[0]]):
        pieces = max(1, math.ceil(max(abs(lon2 - lon1), abs(lat2 - lat1)) / step))
        for k in range(pieces):
            t = k / pieces
            polygon.AddPoint(lat1 + t * (lat2 - lat1), lon1 + t * (lon2 - lon1))
    return float(abs(polygon.Compute()[2]))


def richardson(ring: list[Point], step: float) -> float:
    """GeographicLib at two steps, extrapolated: the error of a cut edge falls with its length squared."""
    coarse, fine = geographiclib(ring, step), geographiclib(ring, step / 2)
    return fine + (fine - coarse) / 3


@pytest.mark.parametrize(
    ("west", "south", "km2"),
    [(105, 10, 12_108.188648), (105, 15, 11_872.598634), (105, 20, 11_548.376596), (107, 22, 11_394.287308)],
)
def test_a_cell_of_one_degree_has_the_area_of_the_closed_form(west: float, south: float, km2: float) -> None:
    cell = shapely.box(west, south, west + 1, south + 1)
    assert area(cell) / 1e6 == pytest.approx(km2, abs=5e-7)
    assert areas.box(west, south, west + 1, south + 1) == pytest.approx(area(cell), rel=1e-13)


def test_the_box_of_the_whole_world_is_the_whole_ellipsoid() -> None:
    assert area(shapely.box(-180, -90, 180, 90)) == pytest.approx(WHOLE_ELLIPSOID, rel=1e-14)


def test_a_polar_cap_is_the_band_between_two_parallels() -> None:
    assert area(shapely.box(-180, 80, 180, 90)) == pytest.approx(areas.box(-180, 80, 180, 90), rel=1e-13)


IRREGULAR: list[list[Point]] = [
    [(105.0, 10.0), (107.3, 10.4), (106.1, 12.9)],
    [(105.01, 20.3), (105.037, 20.291), (105.044, 20.33), (105.02, 20.341), (105.015, 20.32)],
    [(-70.0, -50.0), (-60.0, -48.0), (-55.0, 10.0), (-65.0, 40.0), (-75.0, -10.0)],
    [(108.0, 15.0), (108.0001, 15.00013), (108.00004, 15.0002)],
    [(20.0, 60.0), (40.0, 62.0), (39.0, 79.0), (30.0, 70.0), (21.0, 78.0)],
]


@pytest.mark.parametrize("ring", IRREGULAR)
def test_irregular_coarse_shapes_agree_with_a_quadrature_of_40_digits_to_1e_9(ring: list[Point]) -> None:
    assert area(Polygon(ring)) == pytest.approx(independent(ring), rel=1e-9)


@pytest.mark.parametrize(("ring", "step"), [(IRREGULAR[0], 0.01), (IRREGULAR[1], 0.001), (IRREGULAR[4], 0.1)])
def test_irregular_coarse_shapes_agree_with_geographiclib_on_cut_edges(
    ring: list[Point], step: float
) -> None:
    ours, theirs = area(Polygon(ring)), richardson(ring, step)
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert abs(ours - theirs) < max(0.1, 1e-9 * theirs)


def test_a_small_coarse_polygon_agrees_with_geographiclib_within_a_tenth_of_a_square_metre() -> None:
    ring = IRREGULAR[1]
    assert abs(area(Polygon(ring)) - richardson(ring, 0.0005)) < 0.1


def test_a_hole_is_taken_away_whichever_way_its_ring_runs() -> None:
    shell, hole = shapely.box(105, 10, 106, 11), shapely.box(105.2, 10.2, 105.4, 10.4)
    either = [
        Polygon(shell.exterior.coords, [ring]) for ring in (hole.exterior.coords, hole.exterior.coords[::-1])
    ]
    for polygon in either:
        assert area(polygon) == pytest.approx(area(shell) - area(hole), rel=1e-13)


def test_many_geometries_are_measured_at_once_and_an_empty_one_is_nothing() -> None:
    one, two = shapely.box(105, 10, 106, 11), shapely.box(107, 22, 108, 23)
    found = areas_of([one, MultiPolygon([one, two]), Polygon(), two])
    assert found == pytest.approx([area(one), area(one) + area(two), 0.0, area(two)], rel=1e-14)


def test_no_geometry_at_all_is_an_empty_answer() -> None:
    assert len(areas_of([])) == 0


def test_a_ring_longer_than_a_block_of_edges_is_summed_whole() -> None:
    turn = np.linspace(0, 2 * np.pi, 100_001)
    ring = np.column_stack([106 + 0.5 * np.cos(turn), 16 + 0.5 * np.sin(turn)])
    ring[-1] = ring[0]
    halves = [Polygon([*ring[:50_001], ring[0]]), Polygon([*ring[50_000:], ring[50_000]])]
    assert area(Polygon(ring)) == pytest.approx(sum(map(area, halves)), rel=1e-12)


def star(centre: Point, radii: list[float]) -> BaseGeometry:
    turns = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return Polygon(
        [(centre[0] + r * np.cos(t), centre[1] + r * np.sin(t)) for r, t in zip(radii, turns, strict=True)]
    )


RADII = st.lists(st.floats(0.01, 2.0), min_size=3, max_size=12)
CENTRES = st.tuples(st.floats(104, 108), st.floats(9, 22))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CENTRES, RADII, RADII, st.floats(-1, 1), st.floats(-1, 1))
def test_the_parts_of_an_overlay_add_up_to_the_whole(
    centre: Point, one: list[float], two: list[float], dx: float, dy: float
) -> None:
    a, b = star(centre, one), star((centre[0] + dx, centre[1] + dy), two)
    parts = area(shapely.intersection(a, b)) + area(shapely.difference(a, b))
    assert parts == pytest.approx(area(a), rel=1e-9, abs=0.01)
