"""What a sample of plots tells of the whole region, with its standard error; nothing where there's no design.

Estimates rest on how plots were chosen (Cochran 1977): at random within each stratum, strata of known size.
Plots of unequal size, and clusters of plots, are ratios: sum of values by sum of sizes in each stratum. A
domain, such as a protected area inside the design, counts as zero outside; plots outside it still count.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from gis_service.errors import DataRefused
from gis_service.geoprocessing import student
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.texts import say

Selection = Literal["random", "opportunistic", "unknown"]
SELECTIONS: Final = get_args(Selection)
CONFIDENCE: Final = 0.95
FEWEST: Final = 2  # units in a stratum: of one there is no variance
Flags = npt.NDArray[np.bool_]


class NoEstimate(DataRefused):
    """{detail}"""

    code = "no-estimate"


def refusal(key: str, **values: object) -> NoEstimate:
    """The error in English; the web and the commands say the same key in the reader's language."""
    return NoEstimate(say(key, "en", **values), key=key, **values)


@dataclass(frozen=True)
class Stratum:
    """A part of the region: its size (area, or a count of plots), and how many units it would hold in all.

    `units` is for the finite population correction 1 - n / N; None where the sample is a vanishing part.
    """

    name: Hashable
    size: float
    units: float | None = None


@dataclass(frozen=True)
class Design:
    """How plots were chosen. A simple random sample is one stratum; a systematic grid is taken as that."""

    strata: tuple[Stratum, ...]
    selection: Selection = "random"

    @property
    def size(self) -> float:
        """Of the whole region."""
        return sum(stratum.size for stratum in self.strata)


@dataclass(frozen=True)
class Sample:
    """Values of plots. `sizes` of plots are in the unit of the strata's; None of plots of equal size.

    `clusters`: plots with the same number were chosen together. `inside`: which are in the domain.
    """

    values: Floats
    strata: Sequence[Hashable]
    sizes: Floats | None = None
    clusters: Sequence[Hashable] | None = None
    inside: Flags | None = None


@dataclass(frozen=True)
class Estimate:
    """A value for the region, its standard error, and the interval by Student's t with Satterthwaite's df.

    `plots` are all that were taken, `units` what was chosen by itself: plots, or clusters of them.
    """

    value: float
    se: float
    df: float
    low: float
    high: float
    confidence: float
    plots: int
    units: int


@dataclass(frozen=True)
class Description:
    """What plots hold that stand for nothing but themselves: no standard error, for there is no design."""

    plots: int
    mean: float
    median: float
    least: float
    greatest: float


def describe(values: Floats) -> Description:
    """Plots without a design; NoEstimate of none."""
    known = _finite(values)
    if not len(known):
        raise refusal("sampling.refused.none")
    return Description(
        len(known), float(known.mean()), float(np.median(known)), float(known.min()), float(known.max())
    )


def mean(sample: Sample, design: Design | None, confidence: float = CONFIDENCE) -> Estimate:
    """The mean per plot, or per unit of size where plots have sizes; of the domain, where there is one.

    Σ W_h r_h with W_h = size of stratum / size of region, r_h = Σy / Σx over its units, x = 1 of equal plots;
    variance Σ W_h² (1 - n_h/N_h) Σ(y - r_h x)² / ((n_h - 1) n_h x̄_h²). NoEstimate says what is missing.
    """
    units = _units(sample, design)
    if sample.inside is None:
        value, variance, df = _sum(units, units.values)
        return _estimate(units, (value, variance, df), 1.0, confidence)
    there, _, _ = _sum(units, units.inside)
    if not there > 0:
        raise refusal("sampling.refused.domain")
    value = _sum(units, units.values)[0] / there
    _, variance, df = _sum(units, units.values - value * units.inside)
    return _estimate(units, (value, variance / there**2, df), 1.0, confidence)


def total(sample: Sample, design: Design | None, confidence: float = CONFIDENCE) -> Estimate:
    """The total over the region, or over the domain: the region's size times the mean with zeros outside."""
    units = _units(sample, design)
    if sample.inside is not None and not units.inside.any():
        raise refusal("sampling.refused.domain")
    return _estimate(units, _sum(units, units.values), units.design.size, confidence)


@dataclass(frozen=True)
class _Units:
    """What was chosen: values and sizes summed over each cluster, by the place of its stratum.

    `inside` is the size in the domain; values outside it are zero.
    """

    design: Design
    values: Floats
    sizes: Floats
    inside: Floats
    stratum: Integers
    plots: int


def _units(sample: Sample, design: Design | None) -> _Units:
    known = _stated(design)
    values = _finite(sample.values)
    sizes = np.ones(len(values)) if sample.sizes is None else _finite(sample.sizes)
    inside = np.ones(len(values), bool) if sample.inside is None else sample.inside
    if not len(values) == len(sizes) == len(inside) == len(sample.strata):
        raise ValueError("each plot has a value, a stratum and a size")
    if not (sizes > 0).all():
        raise refusal("sampling.refused.size")
    place = {stratum.name: at for at, stratum in enumerate(known.strata)}
    for name in sample.strata:
        if name not in place:
            raise refusal("sampling.refused.stratum", name=name)
    of_plot = [place[name] for name in sample.strata]
    within = values * inside, sizes, sizes * inside
    chosen: Sequence[Hashable] = range(len(values)) if sample.clusters is None else sample.clusters
    numbers, stratum = _clusters(chosen, of_plot)
    y, x, d = (np.bincount(numbers, each, len(stratum)).astype(float) for each in within)
    units = _Units(known, y, x, d, stratum, len(values))
    _check_counts(units)
    return units


def _stated(design: Design | None) -> Design:
    if design is None or design.selection == "unknown":
        raise refusal("sampling.refused.no_design")
    if design.selection == "opportunistic":
        raise refusal("sampling.refused.opportunistic")
    if not design.strata or not all(0 < each.size < math.inf for each in design.strata):
        raise ValueError("strata have a size")
    return design


def _clusters(chosen: Sequence[Hashable], of_plot: Sequence[int]) -> tuple[Integers, Integers]:
    """The number of each plot's cluster, and the stratum of each cluster: a name in two strata is two."""
    known: dict[tuple[int, Hashable], int] = {}
    numbers = [known.setdefault(key, len(known)) for key in zip(of_plot, chosen, strict=True)]
    return np.array(numbers, np.int64), np.array([stratum for stratum, _ in known], np.int64)


def _check_counts(units: _Units) -> None:
    counts = np.bincount(units.stratum, minlength=len(units.design.strata))
    for stratum, n in zip(units.design.strata, counts.tolist(), strict=True):
        if n < FEWEST:
            raise refusal("sampling.refused.few", name=stratum.name, n=n)
        if stratum.units is not None and stratum.units < n:
            raise refusal("sampling.refused.units", name=stratum.name, n=n, units=stratum.units)


def _sum(units: _Units, values: Floats) -> tuple[float, float, float]:
    """Σ W_h Σz/Σx with its variance and Satterthwaite's degrees of freedom."""
    whole, value = units.design.size, 0.0
    parts: list[tuple[float, int]] = []
    for at, stratum in enumerate(units.design.strata):
        mine = units.stratum == at
        z, x, n = values[mine], units.sizes[mine], int(mine.sum())
        rate = float(z.sum() / x.sum())
        unseen = 1.0 if stratum.units is None else 1 - n / stratum.units
        spread = float(((z - rate * x) ** 2).sum()) / ((n - 1) * n * float(x.mean()) ** 2)
        weight = stratum.size / whole
        value += weight * rate
        parts.append((weight**2 * unseen * spread, n - 1))
    variance = sum(part for part, _ in parts)
    if variance <= 0:
        return value, 0.0, float(sum(df for _, df in parts))
    # By shares of the whole: squares of small variances would vanish.
    return value, variance, 1 / sum((part / variance) ** 2 / df for part, df in parts)


def _estimate(units: _Units, found: tuple[float, float, float], times: float, confidence: float) -> Estimate:
    value, variance, df = found
    value, se = times * value, times * math.sqrt(variance)
    reach = student.quantile(confidence, df) * se
    return Estimate(value, se, df, value - reach, value + reach, confidence, units.plots, len(units.values))


def _finite(values: Floats) -> Floats:
    known = np.asarray(values, np.float64)
    if known.ndim != 1 or not np.isfinite(known).all():
        raise refusal("sampling.refused.number")
    return known
