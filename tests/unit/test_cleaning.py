"""Geometry is brought to WGS 84, 2D, valid and split at 180°, or set aside with its reason."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gis_service.exchange import cleaning, densify, projecting
from gis_service.exchange.cleaning import Aim, Cleaned, clean

POLYGONS, POINTS = Aim(points=False), Aim(points=True)


def cleaned(*wkt: str, aim: Aim = POLYGONS) -> Cleaned:
    return clean([shapely.to_wkb(shapely.from_wkt(text), output_dimension=3) for text in wkt], aim)


def fault(wkt: str, aim: Aim = POLYGONS) -> str | None:
    found = cleaned(wkt, aim=aim)
    assert (found.faults[0] is None) == (found.geometries[0] is not None)
    return found.faults[0].code if found.faults[0] else None


def test_a_good_polygon_becomes_a_multipolygon_and_counts_as_unchanged() -> None:
    found = cleaned("POLYGON ((0 0, 1 0, 1 1, 0 0))")
    assert found.geometries[0].wkt == "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"
    assert not found.changed[0]


def test_a_bowtie_keeps_both_halves() -> None:
    found = cleaned("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))")
    assert found.geometries[0].area == 0.5
    assert found.changed[0]
    assert found.repairs[0].before_m2 == pytest.approx(0, abs=1)
    assert found.repairs[0].after_m2 == pytest.approx(cleaning.area(found.geometries[0]))


def test_overlapping_parts_count_once() -> None:
    found = cleaned("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 1, 0 0)), ((0.5 0, 1.5 0, 1.5 1, 0.5 1, 0.5 0)))")
    assert found.geometries[0].area == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("wkt", "why"),
    [
        ("POLYGON EMPTY", "empty_geometry"),
        ("POINT (1 1)", "not_polygon"),
        ("LINESTRING (0 0, 1 1)", "not_polygon"),
        ("POLYGON ((0 0, 1 0, 2 0, 0 0))", "beyond_repair"),
        ("POLYGON ((0 0, 1 0, 1 91, 0 0))", "off_the_globe"),
        ("POLYGON ((-181 0, 1 0, 1 1, -181 0))", "off_the_globe"),
    ],
)
def test_a_polygon_that_cannot_be_used_says_why(wkt: str, why: str) -> None:
    assert fault(wkt) == why


@pytest.mark.parametrize(
    ("wkt", "why"),
    [
        ("POINT (106 21)", None),
        ("POINT (181 0)", "off_the_globe"),
        ("POINT (0 0)", "null_island"),
        ("POINT EMPTY", "empty_geometry"),
        ("MULTIPOINT (106 21)", None),
        ("MULTIPOINT (106 21, 107 21)", "not_point"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0))", "polygon_among_points"),
    ],
)
def test_a_point_that_cannot_be_used_says_why(wkt: str, why: str | None) -> None:
    assert fault(wkt, POINTS) == why


@pytest.mark.parametrize("endless", [math.nan, math.inf])
def test_an_endless_coordinate_is_a_fault(endless: float) -> None:
    ring = np.array([(0, 0), (1, endless), (1, 1), (0, 0)], float)
    with np.errstate(invalid="ignore"):
        wkb = shapely.to_wkb(shapely.Polygon(ring))
    found = clean([wkb], POLYGONS).faults[0]
    assert found is not None
    assert found.code == "not_finite"


def test_missing_and_unreadable_geometry_are_told_apart() -> None:
    found = clean([None, b"", b"\x01\x03"], POLYGONS)
    assert [each.code for each in found.faults if each] == [
        "no_geometry", "unreadable_geometry", "unreadable_geometry",
    ]  # fmt: skip


def test_heights_go_and_the_change_is_known() -> None:
    found = cleaned("POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5))")
    assert not found.geometries[0].has_z
    assert found.changed[0]


def test_a_box_across_180_is_cut_in_two() -> None:
    found = cleaned("POLYGON ((179 0, -179 0, -179 2, 179 2, 179 0))")
    assert found.geometries[0].area == pytest.approx(4)
    assert sorted(part.bounds[0] for part in found.geometries[0].geoms) == [-180, 179]


def test_a_polygon_drawn_past_180_is_brought_back() -> None:
    found = cleaned("POLYGON ((170 0, 190 0, 190 10, 170 10, 170 0))")
    assert found.geometries[0].area == pytest.approx(200)
    assert found.geometries[0].bounds == (-180, 0, 180, 10)


def test_a_polar_cap_stays() -> None:
    cap = "POLYGON ((-180 -90, 180 -90, 180 -60, 0 -70, -180 -60, -180 -90))"
    assert not cleaned(cap).changed[0]


def test_a_jump_that_leaves_half_the_globe_is_a_fault() -> None:
    assert fault("POLYGON ((-100 0, 100 0, 5 1, -100 0))") == "half_the_globe"


def test_a_point_is_taken_inside_a_polygon() -> None:
    ring = "POLYGON ((0 0, 3 0, 3 3, 2 3, 2 1, 1 1, 1 3, 0 3, 0 0))"
    found = cleaned(ring, aim=Aim(points=True, points_from_polygons=True))
    assert shapely.from_wkt(ring).contains(found.geometries[0])
    assert found.changed[0]


VN2000 = projecting.operation(projecting.parse("EPSG:3405"), (4e5, 1.7e6, 7e5, 2.3e6))


def test_the_datum_operation_is_named_with_its_code() -> None:
    assert VN2000.name == (
        "EPSG:3405 VN-2000 / UTM zone 48N → WGS 84: "
        "Inverse of UTM zone 48N + VN-2000 to WGS 84 (2) (EPSG:6960)"
    )
    assert not VN2000.guessed


def test_vn2000_lies_some_225_metres_from_wgs84() -> None:
    same_numbers = projecting.operation(projecting.parse("EPSG:32648"), (4e5, 1.7e6, 7e5, 2.3e6))
    place = np.array([(500_000.0, 2_300_000.0)])
    ((lon, lat),), ((other_lon, other_lat),) = VN2000.apply(place), same_numbers.apply(place)
    assert Geod(ellps="WGS84").inv(lon, lat, other_lon, other_lat)[2] == pytest.approx(225, abs=10)


def strays(shape: shapely.Polygon, drawn: shapely.Polygon) -> float:
    """The largest distance (m) of the drawn edges from the polygon in degrees, measured at many places."""
    places = np.array(
        [drawn.exterior.interpolate(s, normalized=True).coords[0] for s in np.linspace(0, 1, 4001)]
    )
    points = shapely.points(VN2000.apply(places))
    return (
        float(np.max(shapely.distance(shape.boundary, points))) * 111_320
    )  # metres of a degree, or a little less


def test_long_edges_stay_within_the_tolerance() -> None:
    drawn = shapely.Polygon([(4e5, 1.7e6), (7e5, 1.75e6), (6.5e5, 2.3e6), (4.2e5, 2.2e6)])
    found = clean([shapely.to_wkb(drawn)], Aim(points=False, operation=VN2000)).geometries[0]
    bare = shapely.transform(drawn, VN2000.apply)
    assert strays(bare, drawn) > 100
    assert strays(found, drawn) <= densify.TOLERANCE_M * 1.1


def test_short_edges_get_no_points() -> None:
    drawn = shapely.box(500_000, 2_000_000, 500_100, 2_000_100)
    found = clean([shapely.to_wkb(drawn)], Aim(points=False, operation=VN2000))
    assert shapely.get_num_coordinates(found.geometries[0]) == 5


def test_neighbours_share_the_points_of_their_edge() -> None:
    left, right = shapely.box(4e5, 1.7e6, 5e5, 2.3e6), shapely.box(5e5, 1.7e6, 7e5, 2.3e6)
    west, east = clean(
        [shapely.to_wkb(left), shapely.to_wkb(right)], Aim(points=False, operation=VN2000)
    ).geometries
    assert shapely.intersection(west, east).area == 0
    union = shapely.union_all([west, east])
    assert union.area == pytest.approx(west.area + east.area, rel=1e-12)
    (whole,) = shapely.get_parts(union)
    assert shapely.get_num_interior_rings(whole) == 0


def test_a_place_where_the_system_is_not_defined_is_a_fault() -> None:
    wkb = shapely.to_wkb(shapely.Point(1e12, 1e12))
    found = clean([wkb], Aim(points=True, operation=VN2000)).faults[0]
    assert found is not None
    assert found.code in ("outside_crs", "off_the_globe")


ORDINATE = st.one_of(
    st.floats(-200, 200), st.sampled_from([0.0, 90.0, -90.0, 180.0, -180.0, math.nan, math.inf, 179.0, 360.0])
)
VERTEX = st.tuples(ORDINATE, ORDINATE)
CORNER = st.tuples(st.floats(-180, 180), st.floats(-90, 90))  # a ring that begins with NaN can't be closed
RING = st.tuples(CORNER, st.lists(VERTEX, min_size=2, max_size=8)).map(
    lambda ring: [ring[0], *ring[1], ring[0]]
)


@st.composite
def shapes(draw: st.DrawFn) -> bytes | None:
    """WKB of anything: rings that cross themselves, endless numbers, points, bytes cut short, nothing."""
    kind = draw(st.sampled_from(["polygon", "multi", "point", "collection", "cut", "none"]))
    with np.errstate(invalid="ignore"):
        polygon = shapely.Polygon(draw(RING), [draw(RING)] if draw(st.booleans()) else [])
        made = {
            "polygon": polygon,
            "multi": shapely.MultiPolygon([polygon, shapely.Polygon(draw(RING))]),
            "point": shapely.Point(draw(VERTEX)),
            "collection": shapely.GeometryCollection([shapely.Point(draw(VERTEX)), polygon]),
            "cut": polygon,
        }
        if kind == "none":
            return None
        wkb: bytes = shapely.to_wkb(made[kind])
    return wkb[: draw(st.integers(0, len(wkb)))] if kind == "cut" else wkb


@settings(deadline=None)
@given(
    st.lists(shapes(), max_size=4),
    st.sampled_from([POLYGONS, POINTS, Aim(points=True, points_from_polygons=True)]),
)
def test_whatever_is_drawn_comes_out_clean_or_set_aside(wkb: list[bytes | None], aim: Aim) -> None:
    found = clean(wkb, aim)
    assert len(found.geometries) == len(found.faults) == len(wkb)
    for shape, why in zip(found.geometries, found.faults, strict=True):
        assert (shape is None) == (why is not None)
        if shape is not None:
            west, south, east, north = shape.bounds
            assert shape.is_valid
            assert not shape.is_empty
            assert not shape.has_z
            assert shape.geom_type == ("Point" if aim.points else "MultiPolygon")
            assert west >= -180
            assert east <= 180
            assert south >= -90
            assert north <= 90


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(-5e6, 5e6), st.floats(-1e7, 1e7)), min_size=3, max_size=8))
def test_projected_polygons_come_out_clean_or_set_aside(corners: list[tuple[float, float]]) -> None:
    found = clean([shapely.to_wkb(shapely.Polygon(corners))], Aim(points=False, operation=VN2000))
    shape = found.geometries[0]
    assert (shape is None) == (found.faults[0] is not None)
    assert shape is None or shape.is_valid


def test_a_curve_does_not_stop_its_batch() -> None:
    curve = bytes.fromhex("010a000000010000000108000000030000000000000000000000000000000000000000000000")
    point = shapely.to_wkb(shapely.Point(1, 2))
    found = clean([curve + bytes(32), point], POINTS)
    assert [each and each.code for each in found.faults] == ["unreadable_geometry", None]
