"""Polygons on the cells of a raster: for each row the cells inside, and how much of those at the boundary.

Polygons come in columns and rows of cells, y down. Scanline accumulation: each edge adds, in the cells that
it crosses, what lies to its right; a sum along the row then says what is inside. It sums square metres
instead of heights, by the row's polynomial, so that parts of cells are as exact as whole ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import shapely

from gis_service.geo import areas
from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.engine.kernel import strip
from gis_service.geoprocessing.measure import Geometries

_DEGREE: Final = 4
_FEW: Final = 32  # what is quickest put in order by insertion
_NOTHING: Final = 1e-13  # of a cell: what rounding leaves of cells outside

FRACTIONS: Final = np.array(
    [[1.0, 0.0, 0.0, 0.0]]
)  # a row's coefficients where shares of cells are asked for


@dataclass(frozen=True)
class Outlines:
    """Edges of polygons in columns and rows, from west to east; `sign` is +1 where the inside is east of it.

    `starts` is where each feature's edges begin, and their end.
    """

    x1: Floats
    y1: Floats
    x2: Floats
    y2: Floats
    sign: Floats
    starts: Integers


class Spans(NamedTuple):
    """`per_cell` of each cell from column `start` up to `end` of a row, by feature, row and column."""

    row: Integers
    start: Integers
    end: Integers
    per_cell: Floats
    first: Integers


class _Marks(NamedTuple):
    """What edges leave in cells: `cover` for all cells to the right of it, `area` for the cell itself."""

    row: Integers
    column: Integers
    cover: Floats
    area: Floats


def rows_below(north: float, step: float, width: float, first: int, last: int) -> Floats:
    """For rows of a grid in degrees the coefficients of u, u² …: m² between a row's top and u of a cell.

    Row i begins at latitude `north` + i · `step` (negative southward); a cell is `width` degrees wide.
    """
    # By Gauss's rule over the derivative: differences of Q itself would lose digits.
    nodes, weights = np.polynomial.legendre.leggauss(8)
    heights = (1 - np.cos(np.pi * np.arange(1, _DEGREE + 1) / _DEGREE)) / 2
    top = np.radians(north + step * np.arange(first, last))
    at = top[:, None, None] + math.radians(step) * heights[:, None] * (nodes + 1) / 2
    cell = math.radians(abs(step)) * math.radians(abs(width))
    values = cell * heights / 2 * (areas.authalic_slope(at) @ weights)
    powers = heights[:, None] ** np.arange(1, _DEGREE + 1)
    return np.ascontiguousarray(np.linalg.solve(powers, values.T).T)


def outlines_of(polygons: Geometries) -> Outlines:
    """The edges of valid (multi)polygons in columns and rows; those along a row vanish."""
    parts, features = shapely.get_parts(polygons, return_index=True)
    rings, owners = shapely.get_rings(shapely.orient_polygons(parts, exterior_cw=True), return_index=True)
    coords, of_ring = shapely.get_coordinates(rings, return_index=True)
    x, y = coords.T
    begins = np.flatnonzero((of_ring[1:] == of_ring[:-1]) & (y[1:] != y[:-1]))
    west = x[begins + 1] < x[begins]
    first, second = begins + west, begins + ~west
    of_feature = features[owners[of_ring[begins]]]
    return Outlines(
        x[first], y[first], x[second], y[second], np.where(west, -1.0, 1.0),
        np.searchsorted(of_feature, np.arange(len(polygons) + 1)).astype(np.int64),
    )  # fmt: skip


def within(outlines: Outlines, first: int, last: int) -> Outlines:
    """The edges that have a part in rows `first` up to `last`, of the same features."""
    kept, starts = _within(outlines.y1, outlines.y2, outlines.starts, first, last)
    return Outlines(
        outlines.x1[kept],
        outlines.y1[kept],
        outlines.x2[kept],
        outlines.y2[kept],
        outlines.sign[kept],
        starts,
    )


@compiled
def _within(y1: Floats, y2: Floats, starts: Integers, first: int, last: int) -> tuple[Integers, Integers]:
    kept, begins, count = np.empty(len(y1), np.int64), np.empty_like(starts), 0
    for feature in range(len(starts) - 1):
        begins[feature] = count
        for edge in range(starts[feature], starts[feature + 1]):
            if min(y1[edge], y2[edge]) < last and max(y1[edge], y2[edge]) > first:
                kept[count] = edge
                count += 1
    begins[-1] = count
    return kept[:count], begins


def spans(outlines: Outlines, first: int, last: int, width: int, below: Floats) -> Spans:
    """The cells of rows `first` up to `last` that are inside; `below` has a row for each of these, or one."""
    return _spans(
        outlines.x1, outlines.y1, outlines.x2, outlines.y2, outlines.sign, outlines.starts,
        first, last, width, np.ascontiguousarray(np.broadcast_to(below, (last - first, _DEGREE))),
    )  # fmt: skip


@compiled
def _spans(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, sign: Floats, starts: Integers,
    first: int, last: int, width: int, below: Floats,
) -> Spans:  # fmt: skip
    features = len(starts) - 1
    marks = _marks(x1, y1, x2, y2, sign, starts, first, last, below)
    total = marks[1][features]
    found = Spans(
        np.empty(2 * total, np.int64), np.empty(2 * total, np.int64), np.empty(2 * total, np.int64),
        np.empty(2 * total), np.zeros(features + 1, np.int64),
    )  # fmt: skip
    begin, count = np.zeros(last - first + 1, np.int64), 0
    for feature in range(features):
        if marks[1][feature + 1] > marks[1][feature]:
            ordered = _in_order(marks[0], marks[1][feature], marks[1][feature + 1], begin)
            at = 0
            for row in range(ordered.row[0], ordered.row[-1] + 1):
                end = begin[row + 1]
                if end > at:
                    count = _along(ordered, at, end, first + row, width, below[row], found, count)
                at = end
        found.first[feature + 1] = count
    return Spans(
        found.row[:count], found.start[:count], found.end[:count], found.per_cell[:count], found.first
    )


@compiled
def _marks(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, sign: Floats, starts: Integers,
    first: int, last: int, below: Floats,
) -> tuple[_Marks, Integers]:  # fmt: skip
    """All that edges leave in these rows, feature by feature, and where each feature's begin."""
    room = 0
    for edge in range(len(x1)):
        crossed = min(max(y1[edge], y2[edge]), last) - max(min(y1[edge], y2[edge]), first)
        room += int(crossed) + int(x2[edge] - x1[edge]) + 4
    marks = _Marks(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room), np.empty(room))
    begins, count = np.zeros(len(starts), np.int64), 0
    for feature in range(len(starts) - 1):
        for edge in range(starts[feature], starts[feature + 1]):
            low, high = min(y1[edge], y2[edge]), max(y1[edge], y2[edge])
            for row in range(max(first, math.floor(low)), min(last, math.ceil(high))):
                count = _in_row(
                    marks, count, row - first, x1[edge], y1[edge] - row, x2[edge], y2[edge] - row,
                    sign[edge], below[row - first],
                )  # fmt: skip
        begins[feature + 1] = count
    return marks, begins


@compiled
def _in_row(
    marks: _Marks,
    count: int,
    row: int,
    x1: float,
    u1: float,
    x2: float,
    u2: float,
    sign: float,
    below: Floats,
) -> int:
    """The part of an edge between a row's top (u = 0) and bottom (u = 1), cell by cell."""
    slope = (x2 - x1) / (u2 - u1)
    ua, ub = min(max(u1, 0.0), 1.0), min(max(u2, 0.0), 1.0)
    xa = x1 if ua == u1 else min(max(x1 + slope * (ua - u1), x1), x2)
    xb = x2 if ub == u2 else min(max(x1 + slope * (ub - u1), xa), x2)
    if ua == ub:
        return count
    x, u, column = xa, ua, math.floor(xa)
    height = _height(below, u)
    while True:
        last = xb <= column + 1
        x_next = xb if last else column + 1.0
        u_next = ub if last else ua + (ub - ua) * ((x_next - xa) / (xb - xa))
        next_height = _height(below, u_next)
        rise = next_height - height
        mean = strip(below, u, u_next) - height
        right = rise * (column + 1.0 - x_next) + (x_next - x) * mean
        marks.row[count], marks.column[count] = row, column
        marks.cover[count], marks.area[count] = sign * rise, sign * right
        count += 1
        if last:
            return count
        x, u, height, column = x_next, u_next, next_height, column + 1


@compiled
def _height(below: Floats, u: float) -> float:
    return (((below[3] * u + below[2]) * u + below[1]) * u + below[0]) * u


@compiled
def _in_order(marks: _Marks, first: int, end: int, begin: Integers) -> _Marks:
    """A feature's marks by row and column; `begin` becomes where those of each of its rows begin."""
    low, high = marks.row[first], marks.row[first]
    for at in range(first, end):
        low, high = min(low, marks.row[at]), max(high, marks.row[at])
    begin[low : high + 2] = 0
    for at in range(first, end):
        begin[marks.row[at] + 1] += 1
    for row in range(low, high + 1):
        begin[row + 1] += begin[row]
    order, free = np.empty(end - first, np.int64), begin[low : high + 1].copy()
    for at in range(first, end):
        row = marks.row[at] - low
        order[free[row]] = at
        free[row] += 1
    for row in range(low, high + 1):
        _by_column(order, begin[row], begin[row + 1], marks.column)
    return _Marks(marks.row[order], marks.column[order], marks.cover[order], marks.area[order])


@compiled
def _by_column(order: Integers, first: int, end: int, column: Integers) -> None:
    if end - first > _FEW:
        part = order[first:end].copy()
        order[first:end] = part[np.argsort(column[part], kind="mergesort")]
        return
    for at in range(first + 1, end):
        moved, place = order[at], at
        while place > first and column[order[place - 1]] > column[moved]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = moved


@compiled
def _along(
    marks: _Marks, at: int, end: int, row: int, width: int, below: Floats, found: Spans, count: int
) -> int:
    """Sum up the marks of a row from the west: cells with marks one by one, others between as one span."""
    whole, inside = _height(below, 1.0), 0.0
    while at < end:
        column, area = marks.column[at], inside
        while at < end and marks.column[at] == column:
            area += marks.area[at]
            inside += marks.cover[at]
            at += 1
        if 0 <= column < width and abs(area) > _NOTHING * whole:
            count = _span(found, count, row, column, column + 1, area)
        if abs(inside) <= 1e-9 * whole:
            inside = 0.0
        elif abs(inside - whole) <= 1e-9 * whole:
            inside = whole
        start, stop = max(column + 1, 0), min(marks.column[at], width) if at < end else 0
        if inside != 0.0 and stop > start:
            count = _span(found, count, row, start, stop, inside)
    return count


@compiled
def _span(found: Spans, count: int, row: int, start: int, end: int, per_cell: float) -> int:
    found.row[count], found.start[count], found.end[count] = row, start, end
    found.per_cell[count] = per_cell
    return count + 1


@compiled
def covered(found: Spans, features: Integers, weights: Floats, top: int, left: int) -> Floats:
    """What features cover; where spans are shares of cells, `weights` has the areas of a window's cells."""
    sums = np.zeros(len(features))
    for place in range(len(features)):
        for at in range(found.first[features[place]], found.first[features[place] + 1]):
            if not weights.size:
                sums[place] += found.per_cell[at] * (found.end[at] - found.start[at])
                continue
            for column in range(found.start[at] - left, found.end[at] - left):
                sums[place] += found.per_cell[at] * weights[found.row[at] - top, column]
    return sums
