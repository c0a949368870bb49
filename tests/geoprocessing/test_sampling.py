"""Estimates from plots: known vectors, answers by hand, draws repeated many times, and what always holds."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.geoprocessing import student
from gis_service.geoprocessing.accuracy import class_estimates
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.sampling import (
    Design,
    NoEstimate,
    Sample,
    Stratum,
    describe,
    mean,
    total,
)

THREE = Design((Stratum("a", 600), Stratum("b", 300), Stratum("c", 100)))
IN_THREE = Sample(np.array([12, 15, 11, 14, 13, 13, 22, 25, 19, 40, 44], float), [*"aaaaaa", *"bbb", *"cc"])


def simple(*values: float, **more: object) -> Sample:
    return replace(Sample(np.array(values, float), ["all"] * len(values)), **more)  # type: ignore[arg-type]


def one(size: float = 1, units: float | None = None) -> Design:
    return Design((Stratum("all", size, units),))


def test_a_simple_random_sample() -> None:
    # Mean 5, s² = 20 / 3, SE = √(20 / 3 / 4); of 10 plots in all 6 / 10 of the variance is left.
    found = mean(simple(2, 4, 6, 8), one())
    assert (found.value, found.df, found.plots) == (5, 3, 4)
    assert found.se == pytest.approx(math.sqrt(20 / 3 / 4))
    assert found.high - found.value == pytest.approx(3.182446305 * found.se)
    of_ten = one(size=10, units=10)
    assert mean(simple(2, 4, 6, 8), of_ten).se == pytest.approx(found.se * math.sqrt(0.6))
    assert total(simple(2, 4, 6, 8), of_ten).value == 50
    assert mean(simple(2, 4), one(units=2)).se == 0


def test_a_stratified_mean() -> None:
    found = mean(IN_THREE, THREE)
    assert found.value == pytest.approx(18.6)
    assert found.se == pytest.approx(0.65574, abs=5e-6)
    assert 1.959964 * found.se == pytest.approx(1.285, abs=5e-4)
    # Satterthwaite: variances W² s² / n are 0.36 · 2 / 6, 0.09 · 9 / 3 and 0.01 · 8 / 2, of 5, 2 and 1 df.
    assert found.df == pytest.approx(0.43**2 / (0.12**2 / 5 + 0.27**2 / 2 + 0.04**2 / 1))
    assert found.high - found.value == pytest.approx(student.quantile(0.95, found.df) * found.se)
    assert total(IN_THREE, THREE).value == pytest.approx(18_600)
    assert total(IN_THREE, THREE).se == pytest.approx(1000 * found.se)


def test_a_ratio_of_plots_of_unequal_size() -> None:
    found = mean(simple(5, 3, 8, 2, 6, sizes=np.array([1, 0.5, 2, 0.5, 1])), one(size=100))
    assert found.value == pytest.approx(4.8)
    assert found.se == pytest.approx(0.47749, abs=5e-6)
    whole = total(simple(5, 3, 8, 2, 6, sizes=np.array([1, 0.5, 2, 0.5, 1])), one(size=100))
    assert (whole.value, whole.se) == pytest.approx((480, 100 * found.se))


def test_strata_with_plots_of_different_sizes_keep_their_weights() -> None:
    # 10 a hectare in the one half, on tenths of a hectare; 1 a hectare in the other, on whole ones.
    design = Design((Stratum("a", 1), Stratum("b", 1)))
    sample = Sample(np.array([1.0, 1, 1, 1]), ["a", "a", "b", "b"], np.array([0.1, 0.1, 1, 1]))
    assert mean(sample, design).value == pytest.approx(5.5)


def test_clusters_are_the_units() -> None:
    # Two plots in one cluster, one in the other: totals 6 and 6 of 2 and 1 plots, a mean of 4 a plot.
    found = mean(simple(2, 4, 6, clusters=["x", "x", "y"]), one())
    assert (found.value, found.units, found.plots, found.df) == (4, 2, 3, 1)
    # Residuals 6 - 8 and 6 - 4; (4 + 4) / (1 · 2 · 1.5²).
    assert found.se == pytest.approx(math.sqrt(8 / (2 * 1.5**2)))
    by_itself = mean(simple(2, 4, 6, clusters=[1, 2, 3]), one())
    assert by_itself == replace(mean(simple(2, 4, 6), one()))


def test_a_domain_is_zero_outside() -> None:
    inside = np.array([True, True, False, False])
    sample = simple(4, 8, 100, 100, inside=inside)
    whole = total(sample, one(size=10))
    # 4, 8, 0, 0: mean 3, s² = (1 + 25 + 9 + 9) / 3.
    assert whole.value == pytest.approx(30)
    assert whole.se == pytest.approx(10 * math.sqrt(44 / 3 / 4))
    found = mean(sample, one(size=10))
    # Residuals from 6: -2, 2, 0, 0, by a share of a half.
    assert found.value == pytest.approx(6)
    assert found.se == pytest.approx(math.sqrt(8 / 3 / 4) / 0.5)
    everywhere = replace(sample, inside=np.ones(4, bool))
    assert mean(everywhere, one()) == mean(replace(sample, inside=None), one())


@pytest.mark.parametrize(
    ("sample", "design", "told"),
    [
        (simple(1, 2), None, "isn't stated"),
        (simple(1, 2), replace(one(), selection="unknown"), "isn't stated"),
        (simple(1, 2), replace(one(), selection="opportunistic"), "by opportunity"),
        (simple(1), one(), "Stratum all has 1 sampled units"),
        (replace(IN_THREE, strata=[*"aaaaaaaaabb"]), THREE, "Stratum c has 0"),
        (simple(1, 2, 3, clusters=[1, 1, 1]), one(), "has 1 sampled units"),
        (replace(IN_THREE, strata=[*"aaaaaaaaabx"]), THREE, "stratum x"),
        (simple(1, 2), one(units=1), "more than the 1"),
        (simple(1, 2, sizes=np.array([1.0, 0.0])), one(), "size above 0"),
        (simple(1, math.nan), one(), "a number"),
        (simple(1, 2, inside=np.zeros(2, bool)), one(), "No plot lies"),
    ],
)
def test_without_a_design_or_enough_plots_there_is_no_estimate(
    sample: Sample, design: Design | None, told: str
) -> None:
    for estimate in (mean, total):
        with pytest.raises(NoEstimate, match=told):
            estimate(sample, design)


def test_plots_without_a_design_are_described() -> None:
    found = describe(np.array([1.0, 2, 9]))
    assert (found.plots, found.mean, found.median, found.least, found.greatest) == (3, 4, 2, 1, 9)
    with pytest.raises(NoEstimate, match="no plot"):
        describe(np.array([]))


def test_over_all_samples_that_could_be_drawn_mean_and_variance_are_right() -> None:
    # Every pair of 5 plots and every three of 6 in the other stratum: the variance of the estimates, and the
    # mean of the estimated variances, are equal where the sample is a part of a finite whole.
    first, second = [1.0, 4, 4, 7, 12], [20.0, 23, 29, 30, 30, 41]
    design = Design((Stratum("a", 5, 5), Stratum("b", 6, 6)))
    found = [
        mean(Sample(np.array([*one_half, *other]), ["a", "a", "b", "b", "b"]), design)
        for one_half in combinations(first, 2)
        for other in combinations(second, 3)
    ]
    values = np.array([each.value for each in found])
    assert values.mean() == pytest.approx(np.mean([*first, *second]))
    assert np.mean([each.se**2 for each in found]) == pytest.approx(values.var())


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(2)
    design = Design((Stratum("a", 3), Stratum("b", 1)))
    strata = [*"aaaa", *"bbbbbb"]
    held = 0
    for _ in range(1_000):
        values = np.concatenate([chance.normal(10, 2, 4), chance.normal(30, 5, 6)])
        found = mean(Sample(values, strata), design)
        held += found.low <= 15 <= found.high
    assert 930 <= held <= 975  # 95 % ± 3 standard errors of 0.7 %


@pytest.mark.parametrize("df", [1, 1.5, 2.3, 5, 30, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_student_s_t_against_the_incomplete_beta_function(df: float, confidence: float) -> None:
    t = student.quantile(confidence, df)
    known = 1 - mpmath.betainc(df / 2, 0.5, 0, df / (df + t * t), regularized=True)
    assert float(known) == pytest.approx(confidence, abs=1e-10)


@pytest.mark.parametrize(
    ("df", "t"), [(1, 12.706205), (2, 4.302653), (4, 2.776445), (10, 2.228139), (120, 1.979930)]
)
def test_student_s_t_of_the_tables(df: float, t: float) -> None:
    assert student.quantile(0.95, df) == pytest.approx(t, abs=1e-6)


# Olofsson and others 2014: deforestation, gain, stable forest, stable other land; cells of 0.09 ha.
POINTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09


def test_areas_from_reference_points_as_published() -> None:
    found = class_estimates(POINTS, MAPPED)
    areas = [(each.area, 1.96 * each.se) for each in found.classes]
    assert areas == [
        pytest.approx((21_158, 6_158), abs=1),
        pytest.approx((11_686, 3_756), abs=1),
        pytest.approx((285_770, 15_510), abs=1),
        pytest.approx((581_386, 16_282), abs=1),
    ]
    assert [each.users.value for each in found.classes] == pytest.approx([0.88, 0.73, 0.93, 0.96], abs=5e-3)
    assert [1.96 * each.users.se for each in found.classes] == pytest.approx(
        [0.07, 0.10, 0.04, 0.02], abs=5e-3
    )
    assert [each.producers.value for each in found.classes] == pytest.approx(
        [0.75, 0.85, 0.93, 0.96], abs=5e-3
    )
    assert (found.overall.value, 1.96 * found.overall.se) == pytest.approx((0.95, 0.02), abs=5e-3)


def test_errors_of_producers_accuracies_by_drawing_again() -> None:
    # Twenty times as many points, where the published first-order formula holds.
    chance, times = np.random.default_rng(4), 20
    counts = POINTS.sum(axis=1)
    drawn = np.stack(
        [
            chance.multinomial(times * n, row / n, 5_000) / (times * n)
            for n, row in zip(counts, POINTS, strict=True)
        ],
        axis=1,
    )
    weights = MAPPED / MAPPED.sum()
    rates = weights * np.einsum("kii->ki", drawn) / np.einsum("i,kij->kj", weights, drawn)
    found = class_estimates(times * POINTS, MAPPED)
    assert [each.producers.se for each in found.classes] == pytest.approx(rates.std(axis=0), rel=0.04)


def test_estimated_areas_add_up_to_the_map() -> None:
    found = class_estimates(np.array([[5, 3], [0, 9]]), np.array([10.0, 30.0]))
    assert sum(each.area for each in found.classes) == pytest.approx(40)
    assert found.classes[0].area == pytest.approx(10 * 5 / 8)
    never = class_estimates(np.array([[0, 3], [0, 9]]), np.array([10.0, 30.0])).classes[0]
    assert (never.area, math.isnan(never.producers.value)) == (0, True)
    with pytest.raises(NoEstimate, match="Stratum 2 has 1"):
        class_estimates(np.array([[5, 3], [0, 1]]), np.array([10.0, 30.0]))


VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 100), VALUES), min_size=1, max_size=5), st.randoms())
def test_what_always_holds(strata: list[tuple[float, list[float]]], chance: Random) -> None:
    design = Design(tuple(Stratum(at, size) for at, (size, _) in enumerate(strata)))
    names: Sequence[Hashable] = [at for at, (_, values) in enumerate(strata) for _ in values]
    values: Floats = np.array([value for _, each in strata for value in each])
    found = mean(Sample(values, names), design)
    assert values.min() - 1e-9 <= found.value <= values.max() + 1e-9
    assert found.low <= found.value <= found.high
    least = min(len(each) for _, each in strata) - 1
    assert least - 1e-6 <= found.df <= len(values) - len(strata) + 1e-6
    order = list(range(len(values)))
    chance.shuffle(order)
    mixed = mean(Sample(values[order], [names[at] for at in order]), design)
    assert (mixed.value, mixed.se) == pytest.approx((found.value, found.se), rel=1e-9, abs=1e-9)
    # Twice the sizes of plots: half as much a unit. Another unit for values: all in proportion.
    halved = mean(Sample(values, names, np.full(len(values), 2.0)), design)
    assert (halved.value, halved.se) == pytest.approx((found.value / 2, found.se / 2), abs=1e-9)
    # The totals of a domain and of what is outside it add up.
    inside = np.array([at % 2 == 0 for at in range(len(values))])
    parts = [total(Sample(values, names, inside=each), design).value for each in (inside, ~inside)]
    assert sum(parts) == pytest.approx(total(Sample(values, names), design).value, rel=1e-9, abs=1e-6)
