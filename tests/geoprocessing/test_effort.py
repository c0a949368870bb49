"""Effort of plots: answers by hand, and circles around plots against Monte Carlo by geodesics."""

from datetime import date, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.geo import areas
from gis_service.geoprocessing.effort import Rules, State, effort, overdue, share_within
from gis_service.geoprocessing.nearest import GEOD
from gis_service.geoprocessing.sampling import NoEstimate

RULES = Rules(date(2026, 6, 30), timedelta(days=365), years=2)


def test_effort_by_hand() -> None:
    plots = [
        State("p1", "forest", ("park",), 1000, 4, date(2026, 1, 1), True),
        State("p2", "forest", ("park", "reserve"), 1000, 2, date(2024, 1, 1), False),
        State("p3", "scrub", (), 500, 0, None, True),
        State("p4"),
    ]
    found = effort(plots, 2e8, RULES, ("forest", "scrub", "swamp"), ("park", "reserve", "lake"))
    assert (found.plots, found.per_100_km2) == (4, 2)
    assert found.sampled_share == pytest.approx(2500 / 2e8)
    assert found.visits_per_year == pytest.approx(6 / (3 * 2))
    assert (found.overdue, found.never_visited) == (("p2",), ("p3", "p4"))
    assert found.complete_share == pytest.approx(2 / 3)
    assert (found.empty_strata, found.thin_strata) == (("swamp",), ("scrub",))
    assert found.strata_ready == pytest.approx(1 / 3)
    assert found.empty_sites == ("lake",)


def test_what_isn_t_known_is_not_zero() -> None:
    found = effort([State("p")], 0, RULES)
    assert found.per_100_km2 is None
    assert found.sampled_share is None
    assert found.visits_per_year is None
    assert found.complete_share is None
    assert found.strata_ready is None
    assert effort([], 1e8, RULES).per_100_km2 == 0


@pytest.mark.parametrize(
    ("last", "due"),
    [(date(2025, 6, 30), False), (date(2025, 6, 29), True), (date(2026, 7, 30), False), (None, False)],
)
def test_a_plot_is_overdue_the_day_after_its_interval(last: date | None, due: bool) -> None:
    assert overdue(last, RULES) is due


def test_the_share_within_reach_of_a_plot() -> None:
    region = shapely.box(105, 20, 106, 21)
    whole = areas.box(105, 20, 106, 21)
    one = share_within(region, [(105.5, 20.5)], 10_000)
    assert one is not None
    assert one * whole == pytest.approx(np.pi * 1e8, rel=2e-4)
    assert share_within(region, [(105.5, 20.5), (105.5, 20.5), (120, 20)], 10_000) == pytest.approx(one)
    apart = share_within(region, [(105.3, 20.5), (105.7, 20.5)], 10_000)
    assert apart == pytest.approx(2 * one, rel=1e-4)
    assert share_within(region, [(105.5, 20.5)], 200_000) == pytest.approx(1)
    assert share_within(region, [], 10_000) == 0
    assert share_within(shapely.Polygon(), [(105.5, 20.5)], 10_000) is None


def test_the_share_within_reach_by_counting_places() -> None:
    chance = np.random.default_rng(9)
    region = shapely.Polygon([(105, 20), (107, 20.2), (106.5, 21.5), (105.2, 21)])
    plots = np.column_stack([chance.uniform(105, 107, 8), chance.uniform(20, 21.5, 8)])
    places = np.column_stack([chance.uniform(105, 107, 40_000), chance.uniform(20, 21.5, 40_000)])
    places = places[shapely.contains_xy(region, places)]
    weights = np.cos(np.radians(places[:, 1]))  # of area by degrees; the ellipsoid's 1e-4 is below the noise
    near = np.zeros(len(places), bool)
    for lon, lat in plots:
        metres = GEOD.inv(np.full(len(places), lon), np.full(len(places), lat), *places.T)[2]
        near |= metres <= 25_000
    known = (weights * near).sum() / weights.sum()
    found = share_within(region, [(float(lon), float(lat)) for lon, lat in plots], 25_000)
    assert found == pytest.approx(known, abs=4 * 0.5 / np.sqrt(len(places)))


def test_reach_goes_over_the_antimeridian() -> None:
    east, west = shapely.box(178, -18, 180, -16), shapely.box(-180, -18, -178, -16)
    there = share_within(east, [(179.99, -17)], 50_000)
    beyond = share_within(west, [(179.99, -17)], 50_000)
    assert there is not None
    assert beyond is not None
    whole = areas.box(178, -18, 180, -16)
    assert (there + beyond) * whole == pytest.approx(np.pi * 2.5e9, rel=3e-4)
    with pytest.raises(NoEstimate, match="pole"):
        share_within(east, [(0, 89.9)], 50_000)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(104, 107), st.floats(19, 22)), max_size=6), st.floats(100, 60_000))
def test_more_plots_and_longer_ways_reach_no_less(places: list[tuple[float, float]], metres: float) -> None:
    region = shapely.box(105, 20, 106, 21)
    found = share_within(region, places, metres)
    more = share_within(region, [*places, (105.5, 20.5)], metres)
    farther = share_within(region, places, 1.5 * metres)
    assert found is not None
    assert more is not None
    assert farther is not None
    assert 0 <= found <= more + 1e-12
    assert found <= farther + 1e-12
    assert farther <= 1 + 1e-9
