"""How well species are represented in protected areas: targets, gaps, and an index of many species.

A is the area of a species' range, p the share of it that is protected, t the share that should be. All sums
are over arrays with one entry per species; areas are m², shares go from 0 to 1, scores from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine.grid import Floats

Rule = Literal["rodrigues", "polak"]
Class = Literal["gap", "partial", "covered"]
RULES: Final = get_args(Rule)
CLASSES: Final[tuple[Class, ...]] = get_args(Class)
KM2: Final = 1e6  # m²
RARE_M2: Final = 1_000 * KM2  # of a range so small all should be protected
COMMON: Final = 0.1  # of a large range this much
COMMON_M2: Final[Mapping[str, float]] = {"rodrigues": 250_000 * KM2, "polak": 10_000 * KM2}
MOST_M2: Final = 1_000_000 * KM2  # is asked for of no species (Butchart and others 2015)
SAME: Final = 1e-9  # relative: what the engine's parts miss their whole by


@dataclass(frozen=True)
class Representation:
    """Species against their targets, one entry per species in the order that was given.

    targets: t, the share of the range that should be protected. shares: p, the share that is.
    classes: places in CLASSES: gap where p = 0, partial where 0 < p < t, covered where p ≥ t.
    achievements: min(1, p / t). missing_m2: what is still to protect, max(0, t A - protected).
    """

    rule: Rule
    targets: Floats
    shares: Floats
    classes: npt.NDArray[np.int8]
    achievements: Floats
    missing_m2: Floats

    @property
    def counts(self) -> dict[Class, int]:
        """How many species are of each class."""
        return {name: int((self.classes == at).sum()) for at, name in enumerate(CLASSES)}

    @property
    def mean_target_achievement(self) -> float | None:
        """The mean of min(1, p / t) over the species; None of none."""
        return float(self.achievements.mean()) if len(self.achievements) else None


@dataclass(frozen=True)
class Spi:
    """The Species Protection Index of a country, after Map of Life.

    scores: SPS = min(100, 100 · protected / (t · national range)), t by the global range; NaN where the
    species has no range in the country. weights: w = national range / global range. index: Σ w SPS / Σ w;
    None where no species has a range in the country.
    """

    scores: Floats
    weights: Floats
    index: float | None


def targets(range_m2: Floats, rule: Rule = "rodrigues") -> Floats:
    """The share of a range that should be protected, by the range's area.

    1 up to 1,000 km²; 0.1 from 250,000 km² on, in between 1 - 0.9 (log A - log 1,000) / (log 250,000 - log
    1,000) (Rodrigues and others 2004). `polak`: 0.1 from 10,000 km² on, in between linear in A (Polak and
    others 2015). Never more than 1,000,000 km² in all (Butchart and others 2015).
    """
    areas = _areas("ranges", range_m2)
    if not (areas > 0).all():
        raise ValueError("a range has an area")
    scale = np.log10 if rule == "rodrigues" else np.asarray
    low, high = float(scale(RARE_M2)), float(scale(COMMON_M2[rule]))
    rising = np.clip((scale(areas) - low) / (high - low), 0.0, 1.0)
    return np.minimum(1.0 - (1.0 - COMMON) * rising, MOST_M2 / areas)


def representation(
    range_m2: Floats, protected_m2: Floats, rule: Rule = "rodrigues", target_range_m2: Floats | None = None
) -> Representation:
    """Species by the area of their range and by how much of it is protected, each place once.

    `target_range_m2`: the areas that targets are set by, where they aren't the ranges themselves: for a
    country's part of a range, the global range (targets by the national part are stricter, and are another
    statistic). ValueError for areas that can't be.
    """
    ranges, protected = _areas("ranges", range_m2), _areas("protected parts", protected_m2)
    _check_within(protected, ranges, "what is protected of a range is a part of it")
    wanted = targets(ranges if target_range_m2 is None else target_range_m2, rule)
    if wanted.shape != ranges.shape or not (ranges > 0).all():
        raise ValueError("every species has a range with an area, and one to set its target by")
    shares = np.minimum(protected / ranges, 1.0)
    reached = shares >= wanted * (1 - SAME)
    classes = np.where(reached, 2, np.where(protected > 0, 1, 0)).astype(np.int8)
    achieved = np.where(reached, 1.0, shares / wanted)
    missing = np.where(reached, 0.0, wanted * ranges - protected)
    return Representation(rule, wanted, shares, classes, achieved, missing)


def spi(national_m2: Floats, protected_m2: Floats, global_m2: Floats, rule: Rule = "rodrigues") -> Spi:
    """The index by each species' range in the country, what of that is protected, and its range in all.

    ValueError for areas that can't be, such as more in the country than in all.
    """
    national, protected = _areas("national ranges", national_m2), _areas("protected parts", protected_m2)
    whole = _areas("global ranges", global_m2)
    _check_within(protected, national, "what is protected of a range is a part of it")
    _check_within(national, whole, "the national part of a range is a part of it")
    wanted = targets(whole, rule) * national
    there = national > 0
    scores = np.full(len(national), np.nan)
    scores[there] = np.minimum(100.0, 100.0 * protected[there] / wanted[there])
    weights = np.minimum(national / whole, 1.0)
    if not there.any():
        return Spi(scores, weights, None)
    return Spi(scores, weights, float((weights[there] * scores[there]).sum() / weights[there].sum()))


def _areas(name: str, given: Floats) -> Floats:
    areas = np.asarray(given, np.float64)
    if areas.ndim != 1 or not np.isfinite(areas).all() or (areas < 0).any():
        raise ValueError(f"areas of {name} are finite numbers from 0 on")
    return areas


def _check_within(part: Floats, whole: Floats, why: str) -> None:
    if part.shape != whole.shape or (part > whole * (1 + 1e-6)).any():
        raise ValueError(why)
