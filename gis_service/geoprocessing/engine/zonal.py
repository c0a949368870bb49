"""What a raster holds in spans of cells: area of each class, or sums of values; all cells weighed by area."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.engine.spans import Spans

Values = npt.NDArray[Any]  # cells of a window, of whatever type the file has

LONG: Final = 48  # cells: spans from here on are counted by class before they are multiplied
COUNTED: Final = 256  # classes at most, so that the counts of a row stay in the processor's cache
# What `values` sums: area with a value, area × value, area × value², least, greatest, share of the cell ×
# value, share of the cell, area without.
SUMS: Final = 8


@compiled
def classes(
    spans: Spans,
    feature: int,
    values: Values,
    weights: Floats,
    top: int,
    left: int,
    lowest: int,
    areas: Floats,
) -> None:
    """Add the area of each value, from `lowest` on, that a feature covers in a window of cells.

    `weights`, if it isn't empty, has for each cell of the window what its share is multiplied by.
    """
    counts = np.zeros((4, COUNTED if len(areas) <= COUNTED else 1), np.int64)
    for at in range(spans.first[feature], spans.first[feature + 1]):
        row, start, end = spans.row[at] - top, spans.start[at] - left, spans.end[at] - left
        each = spans.per_cell[at]
        if weights.size:
            for column in range(start, end):
                areas[int(values[row, column]) - lowest] += each * weights[row, column]
        elif end - start < LONG or len(areas) > COUNTED:
            for column in range(start, end):
                areas[int(values[row, column]) - lowest] += each
        else:
            _counted(values[row, start:end], lowest, counts)
            for place in range(len(areas)):
                found = counts[0, place] + counts[1, place] + counts[2, place] + counts[3, place]
                areas[place] += each * found
                counts[0, place] = counts[1, place] = counts[2, place] = counts[3, place] = 0


@compiled
def _counted(cells: Values, lowest: int, counts: Integers) -> None:
    """Count classes into four tables by turns: neighbours are often alike, and one would wait for itself."""
    whole = len(cells) & ~3
    for at in range(0, whole, 4):
        counts[0, int(cells[at]) - lowest] += 1
        counts[1, int(cells[at + 1]) - lowest] += 1
        counts[2, int(cells[at + 2]) - lowest] += 1
        counts[3, int(cells[at + 3]) - lowest] += 1
    for at in range(whole, len(cells)):
        counts[0, int(cells[at]) - lowest] += 1


@compiled
def values(
    spans: Spans, feature: int, cells: Values, weights: Floats, whole: Floats, top: int, left: int,
    nodata: float, sums: Floats,
) -> None:  # fmt: skip
    """Add to the SUMS of a feature; NaN and `nodata` (NaN where there is none) are cells without a value.

    `whole` is for each row of the window what a span has for a cell that is inside altogether.
    """
    for at in range(spans.first[feature], spans.first[feature + 1]):
        row, start, end = spans.row[at] - top, spans.start[at] - left, spans.end[at] - left
        share = spans.per_cell[at] / whole[row]
        for column in range(start, end):
            value = float(cells[row, column])
            each = spans.per_cell[at]
            if weights.size:
                each *= weights[row, column]
            if value == nodata or value != value:  # noqa: PLR0124 - NaN alone isn't itself
                sums[7] += each
            else:
                sums[0] += each
                sums[1] += each * value
                sums[2] += each * value * value
                sums[3] = min(sums[3], value)
                sums[4] = max(sums[4], value)
                sums[5] += share * value
                sums[6] += share


@compiled
def present(cells: Values, lowest: int, found: npt.NDArray[np.bool_]) -> None:
    """Mark each value that occurs, at [value - lowest]."""
    for row in range(cells.shape[0]):
        for column in range(cells.shape[1]):
            found[int(cells[row, column]) - lowest] = True


@compiled
def paired(
    before: Values,
    after: Values,
    ranks: Integers,
    lowest: int,
    other: Integers,
    other_lowest: int,
    kinds: int,
) -> npt.NDArray[np.uint16]:
    """For each cell the number of its pair of classes: rank of the one × `kinds` + rank of the other.

    `ranks` and `other` say at [value - lowest] which class of how many a value is.
    """
    pairs = np.empty(before.shape, np.uint16)
    for row in range(before.shape[0]):
        for column in range(before.shape[1]):
            first = ranks[int(before[row, column]) - lowest]
            pairs[row, column] = first * kinds + other[int(after[row, column]) - other_lowest]
    return pairs
