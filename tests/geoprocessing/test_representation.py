"""Species against targets: the published vectors, answers by hand, and what must always hold."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.representation import (
    CLASSES,
    KM2,
    Rule,
    representation,
    spi,
    targets,
)


def km2(*each: float) -> Floats:
    return np.array(each, float) * KM2


@pytest.mark.parametrize(
    ("area", "percent"),
    [
        (500, 100),
        (1_000, 100),
        (2_500, 85.064),
        (5_000, 73.766),
        (10_000, 62.468),
        (25_000, 47.532),
        (50_000, 36.234),
        (100_000, 24.936),
        (250_000, 10),
        (10_000_000, 10),
        (20_000_000, 5),  # not more than 1,000,000 km² in all
    ],
)
def test_rodrigues_targets(area: float, percent: float) -> None:
    assert 100 * targets(km2(area))[0] == pytest.approx(percent, abs=5e-4)


@pytest.mark.parametrize(
    ("area", "percent"), [(1, 100), (1_000, 100), (5_500, 55), (10_000, 10), (20_000_000, 5)]
)
def test_polak_targets_are_linear(area: float, percent: float) -> None:
    assert 100 * targets(km2(area), "polak")[0] == pytest.approx(percent)


def test_gap_partial_and_covered() -> None:
    # Targets 100 %, 100 %, 10 % and 10 %.
    found = representation(km2(100, 100, 300_000, 300_000), km2(0, 50, 15_000, 30_000))
    assert [CLASSES[at] for at in found.classes] == ["gap", "partial", "partial", "covered"]
    assert found.counts == {"gap": 1, "partial": 2, "covered": 1}
    assert found.shares == pytest.approx([0, 0.5, 0.05, 0.1])
    assert found.achievements == pytest.approx([0, 0.5, 0.5, 1])
    assert found.mean_target_achievement == pytest.approx(0.5)
    assert found.missing_m2 / KM2 == pytest.approx([100, 50, 15_000, 0])


def test_a_national_range_is_held_against_the_target_of_the_global_one() -> None:
    national, protected = km2(1_000), km2(200)
    by_global = representation(national, protected, target_range_m2=km2(300_000))
    by_itself = representation(national, protected)
    assert (by_global.targets[0], CLASSES[by_global.classes[0]]) == (pytest.approx(0.1), "covered")
    assert (by_itself.targets[0], CLASSES[by_itself.classes[0]]) == (1, "partial")


def test_a_range_that_is_protected_whole_is_covered_for_all_rounding() -> None:
    found = representation(km2(100, 100), km2(100 * (1 - 1e-12), 100 * (1 + 1e-12)))
    assert found.counts["covered"] == 2
    assert found.shares.max() == 1
    assert found.missing_m2.tolist() == [0, 0]


def test_no_species_have_no_mean() -> None:
    none = km2()
    assert representation(none, none).mean_target_achievement is None
    assert spi(none, none, none).index is None


def test_the_index_weighs_species_by_what_the_country_has_of_them() -> None:
    # All of a small range, half protected: score 50, weight 1. A tenth of a large one, a twentieth of the
    # tenth protected: 100 · 0.05 / 0.1 = 50, weight 0.1. A third kind isn't there.
    # A fourth: more than its target, which counts as 100, weight 0.5.
    found = spi(
        km2(100, 30_000, 0, 500_000),
        km2(50, 1_500, 0, 200_000),
        km2(100, 300_000, 50, 1_000_000),
    )
    assert found.scores == pytest.approx([50, 50, math.nan, 100], nan_ok=True)
    assert found.weights == pytest.approx([1, 0.1, 0, 0.5])
    assert found.index == pytest.approx((50 + 5 + 50) / 1.6)


def test_areas_that_can_t_be_are_refused() -> None:
    with pytest.raises(ValueError, match="part of it"):
        representation(km2(10), km2(11))
    with pytest.raises(ValueError, match="part of it"):
        representation(km2(10, 20), km2(1))
    with pytest.raises(ValueError, match="has an area"):
        representation(km2(0), km2(0))
    with pytest.raises(ValueError, match="finite"):
        representation(km2(math.nan), km2(0))
    with pytest.raises(ValueError, match="one to set its target by"):
        representation(km2(10), km2(1), target_range_m2=km2(10, 20))
    with pytest.raises(ValueError, match="national part"):
        spi(km2(11), km2(1), km2(10))


SPECIES = st.lists(st.tuples(st.floats(1e-3, 1e8), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)
RULE: st.SearchStrategy[Rule] = st.sampled_from(["rodrigues", "polak"])


@settings(max_examples=150, deadline=None)
@given(SPECIES, RULE)
def test_more_protection_never_makes_it_worse(species: list[tuple[float, float, float]], rule: Rule) -> None:
    areas, some, more = np.array(species).T
    ranges = areas * KM2
    before = representation(ranges, ranges * some, rule)
    after = representation(ranges, ranges * np.maximum(some, more), rule)
    assert (after.classes >= before.classes).all()
    assert (after.achievements >= before.achievements).all()
    assert (after.missing_m2 <= before.missing_m2).all()
    assert sum(before.counts.values()) == len(ranges)
    assert ((before.achievements >= 0) & (before.achievements <= 1)).all()
    # What is missing, once protected, covers the species.
    helped = representation(ranges, np.minimum(ranges * some + before.missing_m2, ranges), rule)
    assert helped.counts["covered"] == len(ranges)


@settings(max_examples=100, deadline=None)
@given(SPECIES, RULE, st.randoms())
def test_species_are_judged_one_by_one_in_any_order(
    species: list[tuple[float, float, float]], rule: Rule, chance: Random
) -> None:
    ranges = np.array([each[0] for each in species]) * KM2
    protected = ranges * np.array([each[1] for each in species])
    order = list(range(len(species)))
    chance.shuffle(order)
    whole = representation(ranges, protected, rule)
    mixed = representation(ranges[order], protected[order], rule)
    assert (mixed.classes == whole.classes[order]).all()
    alone = [representation(ranges[[at]], protected[[at]], rule).achievements[0] for at in order]
    assert mixed.achievements == pytest.approx(alone, rel=1e-12)
    national = ranges * np.array([each[2] for each in species])
    known = spi(national, national * np.array([each[1] for each in species]), ranges, rule)
    assert known.index is None or -1e-9 <= known.index <= 100 + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-3, 1e8), st.floats(1, 1e3), RULE)
def test_the_larger_a_range_the_smaller_its_target(area: float, times: float, rule: Rule) -> None:
    smaller, larger = targets(km2(area, area * times), rule)
    assert larger <= smaller * (1 + 1e-12)
    # The area that is asked for is never above the cap.
    assert larger * area * times <= 1e6 * (1 + 1e-12)
