"""ProtConn against vectors from the literature, answers by hand, and every path tried one by one."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from gis_service.geoprocessing import patches
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.connectivity import (
    NO_LINKS,
    REACH,
    Fractions,
    Links,
    ProtConn,
    Sites,
    fractions,
    protconn,
)
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.measure import Geometries, area, areas_of
from gis_service.geoprocessing.nearest import GEOD, Outline
from gis_service.geoprocessing.patches import Choice, Landscape

KM = 1000.0
REGION = shapely.box(105, 15, 108, 18)


def areas(*each: float) -> Floats:
    return np.array(each, float)


def linked(*pairs: tuple[int, int, float]) -> Links:
    return Links(np.array([pair[:2] for pair in pairs]), np.array([pair[2] for pair in pairs]))


def shapes(*each: BaseGeometry) -> Geometries:
    return np.array(each, dtype=object)


def landscape(
    *each: BaseGeometry, region: BaseGeometry = REGION, least_m2: float = 0, beyond_m: float = 0
) -> Landscape:
    return patches.landscape(list(each), region, Choice(least_m2, beyond_m), Budget())


def connected(
    found: Landscape, median_m: float = 10 * KM, every: bool = False, importance: bool = False
) -> ProtConn:
    links = patches.links(found.whole.shapes, REACH * median_m, every or importance, Budget())
    [told] = protconn(found.whole.areas_m2, links, found.area_m2, (median_m,), importance)
    return told


def parts(found: Landscape) -> Fractions:
    links = patches.links(found.inside.shapes, REACH * 10 * KM, False, Budget())
    [inside] = protconn(found.inside.areas_m2, links, found.area_m2)
    return fractions(connected(found), inside, found.inside.areas_m2, found.sites)


def test_two_patches_one_median_apart() -> None:
    [told] = protconn(areas(100, 50), linked((0, 1, 10 * KM)), 10_000)
    assert told.eca_m2 == pytest.approx(132.2876, abs=5e-5)
    assert told.protconn == pytest.approx(1.3229, abs=5e-5)
    assert told.prot == 1.5
    assert told.relconn == pytest.approx(88.19, abs=5e-3)
    assert told.unconnected == pytest.approx(1.5 - 1.322876, abs=1e-6)


def test_the_published_example_s_numbers_fit_together() -> None:
    # Makurhini's: EC 130,189.18 ha, PC 1.2324e-3, Prot 7.460, ProtConn 3.511, RelConn 47.058.
    landscape_ha = 130_189.18 / math.sqrt(1.2324e-3)
    told = ProtConn(10 * KM, landscape_ha, 0.07460 * landscape_ha, 130_189.18)
    assert told.pc == pytest.approx(1.2324e-3, rel=1e-9)
    assert told.protconn == pytest.approx(3.511, abs=5e-4)
    assert told.relconn == pytest.approx(47.058, abs=5e-3)


def test_one_patch_is_connected_and_none_is_nothing() -> None:
    [one] = protconn(areas(70), NO_LINKS, 1000)
    [none] = protconn(areas(), NO_LINKS, 1000)
    assert (one.protconn, one.prot, one.relconn) == pytest.approx((7, 7, 100))
    assert (none.protconn, none.prot, none.relconn) == (0, 0, None)


def test_a_stepping_stone_between_two_patches_connects_them() -> None:
    chain = linked((0, 1, 10 * KM), (1, 2, 10 * KM), (0, 2, 40 * KM))
    [told] = protconn(areas(1, 1, 1), chain, 10, importance=True)
    # p*: 1/2 between neighbours and 1/4 by the middle; without the middle 1/16.
    assert told.eca_m2**2 == pytest.approx(3 + 4 * 0.5 + 2 * 0.25)
    middle = told.importance[1]
    assert middle.intra == pytest.approx(100 * 1 / 5.5)
    assert middle.flux == pytest.approx(100 * 2 / 5.5)
    assert middle.connector == pytest.approx(100 * 2 * (1 / 4 - 1 / 16) / 5.5)
    assert middle.protconn_points == pytest.approx(10 * (math.sqrt(5.5) - math.sqrt(2 + 2 / 16)))
    [stone] = protconn(areas(1, 0, 1), chain, 10, importance=True)
    assert stone.eca_m2**2 == pytest.approx(2 + 2 * 0.25)
    assert (stone.importance[1].intra, stone.importance[1].flux) == (0, 0)
    assert stone.importance[1].connector == middle.connector * 5.5 / 2.5


def by_force(of: Floats, metres: Floats, median_m: float) -> float:
    """Σ_i Σ_j a_i a_j p*_ij with every way through every patch."""
    best = metres.copy()
    for stone in range(len(of)):
        best = np.minimum(best, best[:, [stone]] + best[[stone], :])
    return float((np.outer(of, of) * 0.5 ** (best / median_m)).sum())


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10_000), st.floats(500, 200_000))
def test_every_way_and_every_loss_tried_one_by_one(count: int, seed: int, median_m: float) -> None:
    random = np.random.default_rng(seed)
    of = random.uniform(0.1, 50, count) * (random.random(count) > 0.2)
    metres = random.uniform(0, 60_000, (count, count)) * random.uniform(0.1, 3)
    metres = np.triu(metres, 1) + np.triu(metres, 1).T
    rows = np.column_stack(np.triu_indices(count, 1))
    [told] = protconn(of, Links(rows, metres[rows[:, 0], rows[:, 1]]), 1e4, (median_m,), importance=True)
    whole = by_force(of, metres, median_m)
    assert told.eca_m2**2 == pytest.approx(whole, rel=1e-12)
    assert told.protconn <= told.prot * (1 + 1e-12)
    for gone, found in enumerate(told.importance):
        left = np.arange(count) != gone
        lost = whole - by_force(of[left], metres[np.ix_(left, left)], median_m)
        assert found.dpc * whole / 100 == pytest.approx(lost, rel=1e-9, abs=1e-9 * max(whole, 1e-300))


def star(seed: int, x: float, y: float, radius: float, corners: int = 40) -> BaseGeometry:
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    away = radius * random.uniform(0.3, 1.0, corners)
    ring = np.column_stack([x + away * np.cos(angles), y + away * np.sin(angles)])
    return shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)


def scattered(seed: int, count: int = 40) -> list[BaseGeometry]:
    random = np.random.default_rng(seed)
    places = zip(*random.uniform([105, 15], [108, 18], (count, 2)).T, strict=True)
    return [star(seed + at, x, y, random.uniform(0.02, 0.25)) for at, (x, y) in enumerate(places)]


def test_distances_are_the_shortest_geodesics_between_edges() -> None:
    found = landscape(*scattered(3, 25)).whole.shapes
    links = patches.links(found, 2000 * KM, True, Budget())
    assert len(links.pairs) == len(found) * (len(found) - 1) // 2
    expected = [Outline(found[one]).gap(found[other]).distance_m for one, other in links.pairs[::7]]
    assert links.metres[::7] == pytest.approx(expected, rel=1e-7, abs=0.01)


@pytest.mark.parametrize(
    ("one", "other", "ends"),
    [
        (shapely.box(105, 15, 106, 16), shapely.box(105.2, 17, 105.4, 18), (105.3, 16, 105.3, 17)),
        (shapely.box(105, 15, 105.1, 15.1), shapely.box(105.3, 15.4, 106, 16), (105.1, 15.1, 105.3, 15.4)),
        (shapely.box(179.8, 1, 179.9, 2), shapely.box(-179.9, 2, -179.8, 3), (179.9, 2, -179.9, 2)),
        (shapely.box(0, 88, 10, 89), shapely.box(-180, 88, -170, 89), (10, 89, -180, 89)),
    ],
)
def test_distances_by_hand(
    one: BaseGeometry, other: BaseGeometry, ends: tuple[float, float, float, float]
) -> None:
    links = patches.links(shapes(one, other), 1000 * KM, True, Budget())
    assert links.metres == pytest.approx([GEOD.inv(*ends)[2]], rel=1e-6)


@pytest.mark.parametrize("median_m", [1 * KM, 10 * KM, 100 * KM])
def test_links_that_are_left_out_change_nothing(median_m: float) -> None:
    found = landscape(*scattered(5))
    few = patches.links(found.whole.shapes, REACH * median_m, False, Budget())
    every = patches.links(found.whole.shapes, REACH * median_m, True, Budget())
    assert len(few.pairs) <= len(every.pairs)
    assert len(few.pairs) < len(every.pairs) or median_m < 10 * KM
    assert connected(found, median_m).eca_m2 == pytest.approx(
        connected(found, median_m, True).eca_m2, rel=1e-12
    )


def test_areas_that_touch_or_overlap_are_one_patch() -> None:
    corner = [shapely.box(105, 15, 105.1, 15.1), shapely.box(105.1, 15.1, 105.2, 15.2)]
    overlap = [shapely.box(106, 15, 106.2, 15.1), shapely.box(106.1, 15, 106.3, 15.1)]
    found = landscape(*corner, *overlap)
    assert [sorted(each) for each in found.whole.members] == [[0, 1], [2, 3]]
    expected = areas_of(shapes(shapely.union_all(corner), shapely.union_all(overlap)))
    assert found.whole.areas_m2 == pytest.approx(expected, rel=1e-9)
    alone = connected(landscape(*corner))
    assert alone.protconn == pytest.approx(alone.prot, rel=1e-12)


def test_what_lies_inside_another_area_and_the_order_change_nothing() -> None:
    some = scattered(9, 15)
    inner = shapely.box(*some[4].representative_point().buffer(0.001).bounds)
    told = connected(landscape(*some))
    assert connected(landscape(*some, inner, some[2])).eca_m2 == pytest.approx(told.eca_m2, rel=1e-9)
    assert connected(landscape(*reversed(some))).eca_m2 == pytest.approx(told.eca_m2, rel=1e-9)


def test_more_areas_and_farther_dispersal_connect_more() -> None:
    some = scattered(11, 20)
    grown = [connected(landscape(*some[:count])).protconn for count in (5, 10, 20)]
    farther = [connected(landscape(*some), median_m) for median_m in (1 * KM, 10 * KM, 100 * KM)]
    assert grown == sorted(grown)
    assert [each.protconn for each in farther] == sorted(each.protconn for each in farther)
    assert all(each.protconn <= each.prot for each in farther)


def test_patches_are_cut_at_the_border_and_small_ones_left_out() -> None:
    half = shapely.box(104.9, 15, 105.1, 15.2)
    tiny = shapely.box(106, 16, 106.001, 16.001)
    found = landscape(half, tiny, shapely.box(110, 15, 111, 16), least_m2=1e6)
    assert found.whole.areas_m2 == pytest.approx([area(half) / 2], rel=1e-12)
    assert (found.small, found.small_m2) == pytest.approx((1, area(tiny)))
    assert found.area_m2 == area(REGION)


def test_a_patch_beyond_the_border_is_a_stepping_stone_if_it_is_near() -> None:
    south, north = shapely.box(105, 15, 105.1, 15.4), shapely.box(105, 15.9, 105.1, 16.3)
    beyond = shapely.box(104.8, 15.3, 104.95, 16.0)  # some 5 km west of both
    alone, near = (landscape(south, north, beyond, beyond_m=m) for m in (0.0, 20 * KM))
    assert len(landscape(south, north, beyond, beyond_m=2 * KM).whole.shapes) == 2
    assert sorted(near.whole.areas_m2 > 0) == [False, True, True]
    told = parts(near)
    assert told.trans == pytest.approx(connected(near).protconn - connected(alone).protconn)
    assert told.trans > 0
    assert told.within + told.contig + told.trans + told.unprot == pytest.approx(connected(near).protconn)
    assert parts(alone).trans == 0


def test_an_area_that_the_border_cuts_in_two_connects_them_from_beyond() -> None:
    horseshoe = shapely.union_all(
        [
            shapely.box(104.5, 15.0, 105.1, 15.1),
            shapely.box(104.5, 15, 104.6, 16),
            shapely.box(104.5, 15.9, 105.1, 16),
        ]
    )
    cut = landscape(horseshoe)
    whole = landscape(horseshoe, beyond_m=1 * KM)
    assert (len(cut.whole.shapes), len(whole.whole.shapes)) == (2, 1)
    assert connected(whole).protconn == pytest.approx(connected(whole).prot, rel=1e-12)
    assert parts(whole).trans == pytest.approx(connected(whole).protconn - connected(cut).protconn)


def test_fractions_of_areas_side_by_side_and_apart() -> None:
    # Areas 3 and 1 touch, 2 is apart at one median.
    [told] = protconn(areas(4, 2), linked((0, 1, 10 * KM)), 100)
    found = fractions(told, told, areas(4, 2), Sites(areas(3, 1, 2), np.array([0, 0, 1])))
    assert (found.within, found.within_published) == pytest.approx((math.sqrt(14), math.sqrt(14)))
    assert found.prot == pytest.approx(math.sqrt(20))
    assert found.unprot == pytest.approx(math.sqrt(28) - math.sqrt(20))


def test_the_same_area_drawn_twice_is_no_contiguity() -> None:
    [told] = protconn(areas(4, 2), linked((0, 1, 10 * KM)), 100)
    found = fractions(told, told, areas(4, 2), Sites(areas(4, 4, 2), np.array([0, 0, 1])))
    assert (found.within, found.contig) == pytest.approx((found.prot, 0))
    # The published factor for all areas alike makes more of it than there is.
    assert found.within_published == pytest.approx(math.sqrt(36 * 6 / 10))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 20))
def test_fractions_add_up_and_none_is_below_0(seed: int, count: int, sites: int) -> None:
    random = np.random.default_rng(seed)
    patch: Integers = np.concatenate([np.arange(count), random.integers(0, count, sites)])
    of = random.uniform(0.1, 10, len(patch))
    largest = np.array([of[patch == at].max() for at in range(count)])
    summed = np.bincount(patch, of)
    once = largest + (summed - largest) * random.random(count)
    pairs = list(itertools.combinations(range(count), 2))
    links = Links(np.array(pairs).reshape(-1, 2), random.uniform(1, 30_000, len(pairs)))
    [told] = protconn(once, links, 1000)
    found = fractions(told, told, once, Sites(of, patch))
    assert found.within + found.contig + found.trans + found.unprot == pytest.approx(told.protconn)
    assert min(found.within, found.contig, found.unprot) > -1e-9


@pytest.mark.parametrize(
    ("of", "metres", "landscape_m2", "median_m"),
    [
        ((1.0, -1.0), 5.0, 10.0, 1.0),
        ((1.0, 1.0), -5.0, 10.0, 1.0),
        ((1.0, 1.0), 5.0, 0.0, 1.0),
        ((1.0, 1.0), 5.0, 9.0, 0.0),
    ],
)
def test_numbers_that_mean_nothing_are_refused(
    of: Sequence[float], metres: float, landscape_m2: float, median_m: float
) -> None:
    with pytest.raises(ValueError, match=r"area|distance"):
        protconn(areas(*of), linked((0, 1, metres)), landscape_m2, (median_m,))


def test_real_parks_of_vancouver_island(shared_data: Path) -> None:
    parks = geopandas.read_parquet(shared_data / "bc-protected-areas" / "bc_protected_areas.parquet")
    region = shapely.box(-125.3, 48.3, -123.5, 49.3)
    near = parks.geometry.values[shapely.intersects(parks.geometry.values, region)]
    valid = shapely.make_valid(near, method="structure", keep_collapsed=False)
    found = landscape(*valid, region=region, least_m2=1e5)
    told = connected(found)
    flat = shapely.union_all(valid) & region
    assert told.protected_m2 + found.small_m2 == pytest.approx(area(flat), rel=1e-9)
    assert told.eca_m2 == pytest.approx(connected(found, every=True).eca_m2, rel=1e-12)
    assert 0 < told.protconn < told.prot
