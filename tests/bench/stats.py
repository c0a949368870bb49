"""Percentiles, medians over rounds with their spread, and when a ratio may be printed."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the least value that `share` of the values don't exceed; nan for none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True)
class Spread:
    """A median over rounds with the least and the greatest of them."""

    median: float
    least: float
    greatest: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Spread":
        """The spread of one or more rounds; all nan for none."""
        known = [v for v in values if not math.isnan(v)]
        if not known:
            return cls(math.nan, math.nan, math.nan)
        return cls(statistics.median(known), min(known), max(known))

    @property
    def noise(self) -> float:
        """Half the range as a share of the median: 0.1 reads ±10 %."""
        return (self.greatest - self.least) / 2 / self.median if self.median else math.nan


def ratio(ours: float, theirs: float) -> float | None:
    """ours / theirs, or None where either is no number or zero."""
    if math.isnan(ours) or math.isnan(theirs) or theirs == 0 or ours == 0:
        return None
    return ours / theirs
