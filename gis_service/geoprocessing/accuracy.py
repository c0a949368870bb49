"""Areas of a map's classes from reference points, with standard errors, instead of counting its cells.

A sample stratified by the map's classes says of each point which class the map gives it and which it truly is
(Olofsson and others 2014). Rows are classes of the map, columns the same classes by reference:
p_ij = W_i n_ij / n_i, W_i the share of the map that is class i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.sampling import FEWEST, refusal


@dataclass(frozen=True)
class Rate:
    """A share from 0 to 1 and its standard error; NaN where there is nothing to have a share of."""

    value: float
    se: float


@dataclass(frozen=True)
class ClassEstimate:
    """A class by reference: its area and standard error in the unit of the mapped areas.

    users: of what the map calls so, the share that is. producers: of what is so, the share that the map has.
    """

    mapped: float
    area: float
    se: float
    users: Rate
    producers: Rate


@dataclass(frozen=True)
class Accuracy:
    """The classes in the order of the table, and the share of the map that is right."""

    classes: tuple[ClassEstimate, ...]
    overall: Rate


def class_estimates(points: Integers, mapped: Floats) -> Accuracy:
    """Areas and accuracies of classes from counts of points and the mapped areas.

    A_j = A Σ_i p_ij, SE = A √(Σ_i W_i² q_ij (1 - q_ij) / (n_i - 1)) with q_ij = n_ij / n_i. NoEstimate where
    a class of the map has fewer than two points.
    """
    table, areas = np.asarray(points, float), np.asarray(mapped, float)
    if table.shape != (len(areas), len(areas)) or (table < 0).any() or not (areas > 0).all():
        raise ValueError("a table of counts, as many rows and columns as there are mapped areas above 0")
    counts = table.sum(axis=1)
    if (counts < FEWEST).any():
        at = int(np.argmax(counts < FEWEST))
        raise refusal("sampling.refused.few", name=at + 1, n=int(counts[at]))
    whole, weights = float(areas.sum()), areas / areas.sum()
    rates = table / counts[:, None]
    spread = rates * (1 - rates) / (counts - 1)[:, None]  # variance of each rate
    shares = weights @ rates
    errors = np.sqrt(weights**2 @ spread)
    right = np.diag(rates)
    classes = [
        ClassEstimate(
            float(areas[j]), whole * float(shares[j]), whole * float(errors[j]),
            Rate(float(right[j]), float(np.sqrt(spread[j, j]))), _producers(j, weights, rates, spread),
        )
        for j in range(len(areas))
    ]  # fmt: skip
    overall = Rate(float(weights @ right), float(np.sqrt(weights**2 @ np.diag(spread))))
    return Accuracy(tuple(classes), overall)


def _producers(j: int, weights: Floats, rates: Floats, spread: Floats) -> Rate:
    share = float(weights @ rates[:, j])
    if share == 0:
        return Rate(float("nan"), float("nan"))
    value = float(weights[j] * rates[j, j]) / share
    parts = weights**2 * spread[:, j] * value**2
    parts[j] = weights[j] ** 2 * spread[j, j] * (1 - value) ** 2
    return Rate(value, float(np.sqrt(parts.sum())) / share)
