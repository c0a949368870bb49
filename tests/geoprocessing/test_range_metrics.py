"""Extent of occurrence and area of occupancy: answers by hand, GeographicLib, PROJ, and what always holds."""

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.nearest import GEOD
from gis_service.geoprocessing.range_metrics import (
    CELL_M,
    KM2,
    STEPS,
    Extent,
    Occupancy,
    RangeMetrics,
    Thresholds,
    extent,
    occupancy,
    projected,
    range_metrics,
    thresholds,
)

TO_GRID = Transformer.from_crs(4326, 6933, always_xy=True)
FROM_GRID = Transformer.from_crs(6933, 4326, always_xy=True)


def sites(*each: tuple[float, float]) -> Floats:
    return np.array(each, float).reshape(-1, 2)


def on_grid(*each: tuple[float, float]) -> Floats:
    """Sites by metres on the grid's projection."""
    x, y = np.array(each, float).T
    return np.column_stack(FROM_GRID.transform(x, y))


def hull_of(lonlat: Floats) -> Extent:
    found = extent(lonlat)
    assert found is not None
    return found


def geodesic_area(corners: Floats) -> float:
    """GeographicLib's own area, another implementation than the PROJ library's."""
    polygon = Geodesic.WGS84.Polygon()
    for lon, lat in corners:
        polygon.AddPoint(lat, lon)
    return abs(float(polygon.Compute()[2]))


def test_the_extent_is_the_area_of_the_geodesic_hull() -> None:
    corners = sites((105, 20), (106, 20), (106, 21), (105, 21))
    inside = sites((105.5, 20.5), (105.2, 20.9), (105.1, 20.3), (105, 20))
    found = range_metrics(np.vstack([corners, inside]))
    assert found.hull is not None
    assert set(found.hull.corners) == {(105, 20), (106, 20), (106, 21), (105, 21)}
    assert found.eoo_m2 == pytest.approx(geodesic_area(corners), rel=1e-12)
    assert (found.sites, found.places, found.raised) == (8, 7, False)


def test_a_geodesic_bulges_to_the_pole() -> None:
    # 40° of longitude apart on 50° N the geodesic runs 1.7° north of the parallel: a site at 51° is inside.
    found = hull_of(sites((0, 50), (40, 50), (20, 40), (20, 51)))
    assert set(found.corners) == {(0, 50), (40, 50), (20, 40)}


def test_a_hull_over_the_antimeridian_is_the_one_beside_it_turned() -> None:
    here = sites((-3, -17), (2, -18), (1, -15), (0, -16))
    there = (here + (180, 0) + 180) % 360 - 180
    there[:, 1] = here[:, 1]
    assert (there[:, 0] < 0).any()
    assert (there[:, 0] > 0).any()
    assert hull_of(there).area_m2 == pytest.approx(hull_of(here).area_m2, rel=1e-12)


def test_a_hull_around_the_pole() -> None:
    around = sites((0, 80), (90, 80), (180, 80), (-90, 80), (10, 89))
    found = hull_of(around)
    assert set(found.corners) == {(0, 80), (90, 80), (-180, 80), (-90, 80)}
    assert found.area_m2 == pytest.approx(geodesic_area(around[:4]), rel=1e-12)


def test_sites_all_over_the_earth_have_no_hull() -> None:
    found = range_metrics(sites((0, 0), (120, 0), (-120, 0), (0, 90)))
    assert (found.hull, found.eoo_m2) == (None, None)
    assert extent(sites((0, 0), (180, 0), (90, 0))) is None
    # 150° across is a hull still.
    assert hull_of(sites((0, -10), (150, -10), (75, 60))).area_m2 > 5e13


@pytest.mark.parametrize("few", [sites(), sites((105, 20)), sites((105, 20), (106, 20), (105, 20))])
def test_fewer_than_three_places_have_no_extent(few: Floats) -> None:
    found = range_metrics(few)
    assert (found.eoo_m2, found.raised, thresholds(found).eoo) == (None, False, None)
    assert found.aoo_m2 == 4 * KM2 * found.places


def test_an_extent_is_never_less_than_the_occupied_area() -> None:
    # Along a meridian, which is a geodesic.
    line = range_metrics(sites((105, 20), (105, 20.5), (105, 21)))
    assert line.hull is not None
    assert line.hull.area_m2 == pytest.approx(0, abs=1)
    assert (line.eoo_m2, line.aoo_m2, line.raised) == (12 * KM2, 12 * KM2, True)


def test_occupied_cells_by_hand() -> None:
    # Cells of 2 km from the origin: two sites share the first, one is in the next, one below the origin.
    found = occupancy(on_grid((100, 100), (1_900, 1_900), (2_100, 100), (100, -100)))
    assert (found.cells, found.area_m2) == (3, 12 * KM2)
    # The first and the third are a cell's width apart, and so in two on any origin. What parts three of the
    # four along one axis leaves two together along the other.
    assert (found.least, found.most) == (2, 3)


def test_the_least_and_the_most_by_trying_every_origin() -> None:
    chance = np.random.default_rng(6)
    metres = chance.uniform(0, 12_000, (60, 2)) + np.array([1.15e7, 2.5e6])
    step = CELL_M / STEPS
    counts = [
        len(np.unique(np.floor((metres + np.array([i, j]) * step) / CELL_M), axis=0))
        for i in range(STEPS)
        for j in range(STEPS)
    ]
    assert occupancy(on_grid(*metres.tolist())) == Occupancy(counts[0], min(counts), max(counts))


def test_the_grid_is_that_of_epsg_6933() -> None:
    chance = np.random.default_rng(7)
    places = np.column_stack([chance.uniform(-180, 180, 500), chance.uniform(-89.9, 89.9, 500)])
    known = np.column_stack(TO_GRID.transform(*places.T))
    assert projected(places) == pytest.approx(known, abs=1e-3)


def test_cells_go_on_over_the_antimeridian() -> None:
    metre = 180 / TO_GRID.transform(180, 0)[0]
    pair = sites((180 - 10 * metre, -17), (-180 + 10 * metre, -17))
    assert occupancy(pair).least == 1
    assert occupancy(np.vstack([pair, [[179.9, -17]]])).least == 2
    assert occupancy(sites((180, -17), (-180, -17))).most == 1
    # Of sites around the earth the grid is EPSG:6933's own, which ends there.
    assert occupancy(np.vstack([pair, [[0, 0]], [[90, 0]], [[-90, 0]]])).cells == 5


@pytest.mark.parametrize(
    ("km2", "level"),
    [
        (99.9, "CR"),
        (100, "EN"),
        (4_999, "EN"),
        (5_000, "VU"),
        (19_999, "VU"),
        (20_000, None),
    ],
)
def test_thresholds_of_the_extent(km2: float, level: str | None) -> None:
    told = thresholds(RangeMetrics(9, 9, Extent((), km2 * KM2), Occupancy(1, 1, 1)))
    assert told.eoo == level


@pytest.mark.parametrize(
    ("cells", "level"),
    [(2, "CR"), (3, "EN"), (124, "EN"), (125, "VU"), (499, "VU"), (500, None)],
)
def test_thresholds_of_the_occupied_area(cells: int, level: str | None) -> None:
    told = thresholds(RangeMetrics(9, 9, None, Occupancy(cells, 1, 10_000)))
    assert (told.aoo, told.least_aoo, told.most_aoo) == (level, "CR", None)


@pytest.mark.parametrize(
    ("count", "level"), [(None, None), (1, "CR"), (2, "EN"), (5, "EN"), (6, "VU"), (10, "VU"), (11, None)]
)
def test_thresholds_of_locations(count: int | None, level: str | None) -> None:
    assert thresholds(range_metrics(sites((105, 20))), count).locations == level


def test_what_was_never_found_meets_no_threshold() -> None:
    assert thresholds(range_metrics(sites())) == Thresholds(None, None, None, None, None)


@pytest.mark.parametrize("wrong", [(181, 0), (0, 91), (math.nan, 0), (0, math.inf)])
def test_what_is_no_place_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="longitude"):
        range_metrics(sites(wrong))


def wrapped(places: Floats) -> list[tuple[float, float]]:
    """The hull by gift wrapping with GeographicLib: from each corner to what lies farthest to the left."""

    def towards(start: Sequence[float], end: Sequence[float]) -> float:
        line = Geodesic.WGS84.Inverse(start[1], start[0], end[1], end[0])
        return float(line["azi1"])

    known = sorted({(lon, lat) for lon, lat in places.tolist()})
    ring = [min(known, key=lambda place: place[1])]  # no geodesic here goes farther south than its ends
    while len(ring) == 1 or ring[-1] != ring[0]:
        others = [place for place in known if place != ring[-1]]
        best = others[0]
        for place in others[1:]:
            if math.sin(math.radians(towards(ring[-1], place) - towards(ring[-1], best))) < 0:
                best = place
        ring.append(best)
    return ring[:-1]


def test_real_vipers_by_other_ways(shared_data: Path) -> None:
    records = pd.read_csv(shared_data / "sea-vipers" / "sea_viper_occurrences.csv")
    records = records[records.decimalLatitude > 0]
    checked = 0
    for _, group in records.groupby("scientificName"):
        places = group[["decimalLongitude", "decimalLatitude"]].to_numpy()
        found = range_metrics(places)
        cells = {(x // CELL_M, y // CELL_M) for x, y in zip(*TO_GRID.transform(*places.T), strict=True)}
        assert found.aoo_m2 == 4e6 * len(cells)
        if found.hull is not None and found.places <= 60:
            hull = wrapped(places)
            assert set(found.hull.corners) == set(hull)
            assert found.hull.area_m2 == pytest.approx(geodesic_area(np.array(hull)), rel=1e-9, abs=1)
            checked += 1
    assert checked > 15


PLACES = st.lists(st.tuples(st.floats(-180, 180), st.floats(-85, 85)), min_size=1, max_size=25).map(
    lambda each: sites(*each)
)
NEAR = st.lists(st.tuples(st.floats(95, 115), st.floats(5, 25)), min_size=3, max_size=25).map(
    lambda each: sites(*each)
)


@settings(max_examples=40, deadline=None)
@given(PLACES, st.tuples(st.floats(-180, 180), st.floats(-85, 85)), st.randoms())
def test_what_always_holds(places: Floats, another: tuple[float, float], chance: Random) -> None:
    found = range_metrics(places)
    grid = found.occupancy
    assert 1 <= grid.least <= grid.cells <= grid.most <= found.places
    assert found.eoo_m2 is None or found.eoo_m2 >= found.aoo_m2
    order = list(range(len(places)))
    chance.shuffle(order)
    mixed = range_metrics(np.vstack([places[order], places[:1]]))
    assert mixed.occupancy == grid
    assert (mixed.hull is None) == (found.hull is None)
    if found.hull is not None and mixed.hull is not None:
        assert mixed.hull.area_m2 == pytest.approx(found.hull.area_m2, rel=1e-9, abs=1)
    more = np.vstack([places, [another]])
    # The grid goes on over the antimeridian where all sites are near it: one far away may part a cell.
    assert occupancy(more).cells >= grid.cells or (np.abs(places[:, 0]) > 179.9).any()


@settings(max_examples=40, deadline=None)
@given(NEAR, st.floats(-180, 180))
def test_a_hull_holds_every_site_and_turns_with_the_earth(places: Floats, turn: float) -> None:
    found = extent(places)
    if found is None or found.area_m2 < 1e6:
        return
    corners = np.array(found.corners)
    for (lon, lat), (to_lon, to_lat) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        there, _, _ = GEOD.inv(lon, lat, to_lon, to_lat)
        at = np.full(len(places), lon), np.full(len(places), lat)
        azimuths, _, metres = GEOD.inv(*at, *places.T)
        assert (np.sin(np.radians(azimuths - there)) * metres > -1e-3).all()  # none lies left of an edge
    assert found.area_m2 == pytest.approx(geodesic_area(corners), rel=1e-9, abs=1)
    turned = (places + (turn, 0) + 180) % 360 - 180
    turned[:, 1] = places[:, 1]
    assert hull_of(turned).area_m2 == pytest.approx(found.area_m2, rel=1e-6)
