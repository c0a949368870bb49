"""What rasters hold in polygons: area of each class, means of values, change between two years.

Every cell counts with the part of it that is inside, measured like any other area: exact on WGS 84 between
edges straight in longitude and latitude. So classes, cells without data and what lies beyond the raster add
up to the polygon. Nothing is resampled, and no cell is in or out by its middle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.engine import spans, zonal
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.engine.spans import Outlines, Spans
from gis_service.geoprocessing.measure import Geometries, areas_of, polygons_of
from gis_service.geoprocessing.raster_refusal import refusal
from gis_service.geoprocessing.rasters import Grid, Raster

MOST_CLASSES: Final = 65_536
_CELLS: Final = 1 << 24  # of a window in memory at a time
_ROWS: Final = 256  # at least, at a time, where memory allows

Table = dict[Any, float]  # area in m² by class, or by class before and after


@dataclass(frozen=True)
class ClassAreas:
    """The area in m² of each class in a polygon (domain guide, 2.10: A_k = Σ f_c a_c over cells of class k).

    classes + nodata + outside = area; `outside_m2` lies beyond the raster.
    """

    area_m2: float
    classes: Mapping[int, float]
    nodata_m2: float
    outside_m2: float

    @property
    def residual(self) -> float:
        """By which part of the polygon the parts miss the whole; 0 for an empty one."""
        return _residual(self.area_m2, sum(self.classes.values()) + self.nodata_m2 + self.outside_m2)


@dataclass(frozen=True)
class ValueMeans:
    """Values in a polygon, cells weighed by the area inside: mean = Σ f a v / Σ f a (domain guide, 2.10).

    `total` is Σ f v: of a raster whose cells hold amounts, such as people, what is inside. All are None where
    no cell has a value. The deviation is that of the cells' values by area, not an error of the mean.
    """

    area_m2: float
    valid_m2: float
    nodata_m2: float
    outside_m2: float
    mean: float | None
    deviation: float | None
    least: float | None
    greatest: float | None
    total: float | None


@dataclass(frozen=True)
class ClassChanges:
    """The area in m² of each pair of classes, before and after; None stands for cells without data."""

    area_m2: float
    pairs: Mapping[tuple[int | None, int | None], float]
    outside_m2: float

    @property
    def residual(self) -> float:
        return _residual(self.area_m2, sum(self.pairs.values()) + self.outside_m2)


def class_areas(raster: Raster, polygons: Geometries, budget: Budget) -> tuple[ClassAreas, ...]:
    """The area of each class in valid polygons in longitude and latitude; RasterRefused without classes."""
    _check_classes(raster)
    tables: list[Table] = [defaultdict(float) for _ in polygons]
    outside = _each_window(
        raster.grid, raster.block, polygons, budget,
        lambda window: _add(window, *_codes(raster, window), tables),
    )  # fmt: skip
    return tuple(
        _classes(area, beyond, table, raster.empty)
        for table, (area, beyond) in zip(tables, outside, strict=True)
    )


def _classes(area: float, beyond: float, table: Table, empty: int | None) -> ClassAreas:
    found = {value: m2 for value, m2 in sorted(table.items(), key=_by_class) if value not in (None, empty)}
    nodata = sum(m2 for value, m2 in table.items() if value not in found)
    return ClassAreas(area, found, nodata, beyond)


def value_means(raster: Raster, polygons: Geometries, budget: Budget) -> tuple[ValueMeans, ...]:
    """Area-weighted means of a raster's values in valid polygons in longitude and latitude."""
    sums = np.zeros((len(polygons), zonal.SUMS))
    sums[:, 3], sums[:, 4] = np.inf, -np.inf

    def add(window: _Window) -> None:
        cells, nodata = _numbers(raster, window)
        whole = np.broadcast_to(window.below.sum(axis=1), (window.bottom - window.top,)).copy()
        for feature in window.features.tolist():
            zonal.values(
                window.spans,
                feature,
                cells,
                window.weights,
                whole,
                window.top,
                window.left,
                nodata,
                sums[feature],
            )

    outside = _each_window(raster.grid, raster.block, polygons, budget, add)
    return tuple(
        _means(area, beyond, found, raster) for (area, beyond), found in zip(outside, sums, strict=True)
    )


def class_changes(
    before: Raster, after: Raster, polygons: Geometries, budget: Budget
) -> tuple[ClassChanges, ...]:
    """The area of each pair of classes of two rasters; RasterRefused where their cells aren't the same."""
    _check_classes(before)
    _check_classes(after)
    if not before.grid.same_as(after.grid):
        raise refusal("raster.refused.grids", file=before.name, other=after.name)
    tables: list[Table] = [defaultdict(float) for _ in polygons]

    def add(window: _Window) -> None:
        cells, kinds = _pairs(before, after, window)
        _add(window, cells, 0, kinds, tables)

    outside = _each_window(before.grid, before.block, polygons, budget, add)
    return tuple(
        ClassChanges(area, dict(sorted(table.items(), key=_by_classes)), beyond)
        for table, (area, beyond) in zip(tables, outside, strict=True)
    )


@dataclass(frozen=True)
class _Window:
    """A part of the raster with the features that are in it, and the cells of all that are in its rows."""

    top: int
    bottom: int
    left: int
    right: int
    features: Integers
    spans: Spans
    below: Floats
    weights: Floats

    @property
    def sides(self) -> tuple[int, int, int, int]:
        return self.top, self.bottom, self.left, self.right


def _each_window(
    grid: Grid, block: tuple[int, int], polygons: Geometries, budget: Budget, add: Callable[[_Window], None]
) -> list[tuple[float, float]]:
    """Let `add` see every window; for each polygon its area and what of it lies beyond the raster."""
    polygons = polygons_of(np.asarray(polygons, dtype=object))
    cells, cut = grid.cells(polygons)
    inside = np.zeros(len(polygons))
    for window in _windows(grid, block, cells, budget):
        inside[window.features] += spans.covered(
            window.spans, window.features, window.weights, window.top, window.left
        )
        add(window)
    areas = areas_of(polygons)
    # What the raster holds whole has nothing outside: what rounding leaves there is told by the residual.
    beyond = np.where(cut, np.maximum(areas - inside, 0.0), 0.0)
    return list(zip(areas.tolist(), beyond.tolist(), strict=True))


def _windows(grid: Grid, block: tuple[int, int], cells: Geometries, budget: Budget) -> Iterator[_Window]:
    """Bands of rows from the top, each cut where nothing is in it for a block or more."""
    outlines = spans.outlines_of(cells)
    if not len(outlines.x1):
        return
    _, low, _, high = shapely.total_bounds(cells)
    first, last = int(np.floor(low)), min(int(np.ceil(high)), grid.height)
    rows, below = _band(grid, block[0]), grid.below(first, last)
    for top in range(first // rows * rows, last, rows):
        begin, end = max(top, first), min(top + rows, last)
        budget.reach(100 * (begin - first) // (last - first), "")
        band = spans.within(outlines, begin, end)
        of_rows = below[begin - first : end - first] if len(below) > 1 else below
        found = spans.spans(band, begin, end, grid.width, of_rows)
        for features, left, right in _together(band, block[1], grid.width):
            sides = begin, end, left, right
            yield _Window(*sides, features, found, of_rows, grid.weights(*sides))


def _band(grid: Grid, block: int) -> int:
    """How many rows to take at a time: whole blocks of the file where memory allows."""
    most = max(1, _CELLS // grid.width)
    wanted = -(-_ROWS // block) * block
    return min(wanted, most)


def _together(band: Outlines, block: int, width: int) -> Iterator[tuple[Integers, int, int]]:
    """Features of a band by windows of columns that overlap: (features, first column, end)."""
    there = np.flatnonzero(np.diff(band.starts))
    begins = band.starts[:-1][there]
    if not len(there):
        return
    left = np.floor(np.minimum.reduceat(band.x1, begins) / block).astype(np.int64) * block
    right = np.ceil(np.maximum.reduceat(band.x2, begins) / block).astype(np.int64) * block
    order = np.argsort(left, kind="stable")
    reach = np.maximum.accumulate(right[order])
    parted = np.flatnonzero(left[order][1:] >= reach[:-1]) + 1
    for group in np.split(order, parted):
        start, end = int(left[group].min()), min(int(right[group].max()), width)
        if end > start:
            yield np.sort(there[group]), start, end


def _check_classes(raster: Raster) -> None:
    if not raster.whole_numbers:
        raise refusal("raster.refused.classes", file=raster.name, type=str(raster.dtype))


def _codes(raster: Raster, window: _Window) -> tuple[npt.NDArray[Any], int, list[int | None]]:
    """The cells of a window, the lowest value that they may have, and what each from there on stands for."""
    cells = raster.read(*window.sides)
    lowest, highest = int(cells.min()), int(cells.max())
    if highest - lowest >= MOST_CLASSES:
        raise refusal("raster.refused.many", file=raster.name, n=highest - lowest + 1, most=MOST_CLASSES)
    meaning: list[int | None] = list(range(lowest, highest + 1))
    if raster.masked:
        hidden = raster.mask(*window.sides)
        cells = np.where(hidden, np.int64(highest + 1), cells)
        meaning.append(None)
    return cells, lowest, meaning


def _add(
    window: _Window, cells: npt.NDArray[Any], lowest: int, meaning: list[Any], tables: list[Table]
) -> None:
    """Add what each feature of a window covers of each class."""
    areas = np.zeros(len(meaning))
    for feature in window.features.tolist():
        areas[:] = 0.0
        zonal.classes(window.spans, feature, cells, window.weights, window.top, window.left, lowest, areas)
        for place in np.flatnonzero(areas).tolist():
            tables[feature][meaning[place]] += float(areas[place])


def _pairs(
    before: Raster, after: Raster, window: _Window
) -> tuple[npt.NDArray[np.uint16], list[tuple[int | None, int | None]]]:
    """The cells of a window as numbers of pairs of classes, and those pairs."""
    one, lowest, kinds = _ranked(before, window)
    other, other_lowest, other_kinds = _ranked(after, window)
    if len(kinds[1]) * len(other_kinds[1]) > MOST_CLASSES:
        n = len(kinds[1]) * len(other_kinds[1])
        raise refusal("raster.refused.many", file=after.name, n=n, most=MOST_CLASSES)
    cells = zonal.paired(one, other, kinds[0], lowest, other_kinds[0], other_lowest, len(other_kinds[1]))
    return cells, [(first, second) for first in kinds[1] for second in other_kinds[1]]


def _ranked(
    raster: Raster, window: _Window
) -> tuple[npt.NDArray[Any], int, tuple[Integers, list[int | None]]]:
    """The cells, their lowest value, and of those that occur their ranks and classes (None: no data)."""
    cells, lowest, meaning = _codes(raster, window)
    found = np.zeros(len(meaning), bool)
    zonal.present(cells, lowest, found)
    there = np.flatnonzero(found)
    ranks = np.zeros(len(meaning), np.int64)
    ranks[there] = np.arange(len(there))
    classes = [None if meaning[at] == raster.empty else meaning[at] for at in there.tolist()]
    return cells, lowest, (ranks, classes)


def _numbers(raster: Raster, window: _Window) -> tuple[npt.NDArray[Any], float]:
    """The cells of a window as numbers, and which number stands for no data."""
    cells = raster.read(*window.sides)
    if raster.masked:
        cells = np.where(raster.mask(*window.sides), np.nan, cells)
    nodata = np.nan if raster.nodata is None else raster.dtype.type(raster.nodata)
    return cells, float(nodata)


def _means(area: float, beyond: float, sums: Floats, raster: Raster) -> ValueMeans:
    valid, weighed, squared, least, greatest, total, cells, nodata = sums.tolist()
    if valid <= 0:
        return ValueMeans(area, 0.0, nodata, beyond, None, None, None, None, None)
    mean = weighed / valid
    spread = max(squared / valid - mean * mean, 0.0) ** 0.5
    scale, offset = raster.scale, raster.offset
    low, high = sorted((scale * least + offset, scale * greatest + offset))
    amount = scale * total + offset * cells
    return ValueMeans(
        area, valid, nodata, beyond, scale * mean + offset, abs(scale) * spread, low, high, amount
    )


def _by_class(entry: tuple[int | None, float]) -> tuple[bool, int]:
    return (entry[0] is None, entry[0] or 0)


def _by_classes(entry: tuple[Any, float]) -> tuple[tuple[bool, int], ...]:
    return tuple((each is None, each or 0) for each in entry[0])


def _residual(area: float, parts: float) -> float:
    return parts / area - 1 if area > 0 else 0.0
