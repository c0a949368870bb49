"""Polygons cut into whole nodes and, in leaves that their boundary crosses, pieces of edges.

An edge counts for all leaves south of its own too: there it is the northern side of the leaf, and sums of
such sides are steps with whole numbers. A leaf without edges of its own is inside (1) or outside (0) of the
polygon altogether.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine import grid
from gis_service.geoprocessing.engine.compiled import compiled, room
from gis_service.geoprocessing.engine.edges import Edges
from gis_service.geoprocessing.engine.grid import ROWS, Floats, Integers, code
from gis_service.geoprocessing.engine.kernel import strip

Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Cut:
    """Features in nodes: `whole` ones, with their scale, and pieces, whose lines stand from start to end.

    Lines are (v1, u1, v2, u2) within their leaf, west to east, those of a piece from the west; signs as of
    edges.
    """

    whole_code: Integers
    whole_scale: Bytes
    whole_feature: Integers
    piece_code: Integers
    piece_feature: Integers
    piece_area: Floats
    piece_start: Integers
    lines: Floats
    signs: Bytes


class _Steps(NamedTuple):
    """The northern side of a leaf: where, from the west, the polygon begins (1) or ends (-1) north of it."""

    at: Floats
    by: Integers
    number: Integers


class _Drawn(NamedTuple):
    """Runs of whole leaves (feature, column, rows from and to), pieces (feature, code, first line), lines."""

    runs: Integers
    pieces: Integers
    areas: Floats
    lines: Floats
    signs: Bytes


def cut(edges: Edges, first: int = 0) -> Cut:
    """Cut features into the grid; the numbers of the features begin at `first`."""
    parts = _split(edges.x1, edges.y1, edges.x2, edges.y2, edges.sign, edges.starts)
    feature, column, row, lines, signs = parts
    # By feature and column, from the north, and within a leaf from the west.
    order = np.lexsort((lines[:, 0], ROWS - row, column, feature))
    drawn, (runs, pieces, count) = _sweep(
        feature[order], column[order], row[order], lines[order], signs[order], grid.below()
    )
    whole = _nodes(*np.ascontiguousarray(drawn.runs[:runs].T))
    owner, leaf, start = drawn.pieces[:pieces].T
    return Cut(
        whole[:, 0].copy(), whole[:, 1].astype(np.int8), whole[:, 2] + first,
        leaf.copy(), owner + first, drawn.areas[:pieces].copy(), np.append(start, count),
        drawn.lines[:count].copy(), drawn.signs[:count].copy(),
    )  # fmt: skip


@compiled
def _height(at: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """Where an edge is at a column's side; as the same edge of a neighbour is."""
    if at <= x1:
        return y1
    if at >= x2:
        return y2
    return y1 + (y2 - y1) * ((at - x1) / (x2 - x1))


@compiled
def _count(x1: float, y1: float, x2: float, y2: float) -> int:
    columns = int(np.floor(x2)) - int(np.floor(x1)) + 1
    return columns + abs(int(np.floor(y2)) - int(np.floor(y1))) + 2 * columns


@compiled
def _split(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, sign: Bytes, starts: Integers
) -> tuple[Integers, Integers, Integers, Floats, Bytes]:
    """Edges at the sides of leaves: of each part its feature, column, row, line and sign."""
    most = 0
    for at in range(len(x1)):
        most += _count(x1[at], y1[at], x2[at], y2[at])
    feature, column, row = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    lines, signs = np.empty((most, 4)), np.empty(most, np.int8)
    count = 0
    for owner in range(len(starts) - 1):
        for at in range(starts[owner], starts[owner + 1]):
            west = x1[at]
            for east_of in range(int(np.floor(x1[at])), int(np.ceil(x2[at]))):
                east = min(x2[at], east_of + 1.0)
                begun = count
                count = _rise(count, west, east, x1[at], y1[at], x2[at], y2[at], row, lines)
                for part in range(begun, count):
                    lines[part, 0] -= east_of
                    lines[part, 2] -= east_of
                    feature[part], column[part], signs[part] = owner, east_of, sign[at]
                west = east
    return feature[:count], column[:count], row[:count], lines[:count], signs[:count]


@compiled
def _rise(
    count: int, west: float, east: float,
    x1: float, y1: float, x2: float, y2: float,
    row: Integers, lines: Floats,
) -> int:  # fmt: skip
    """The parts of an edge within one column, leaf by leaf from the west; those of no width are left out."""
    v, u = west, _height(west, x1, y1, x2, y2)
    end = _height(east, x1, y1, x2, y2)
    up = end > u
    here = min(int(np.floor(u)), ROWS - 1)
    if not up and here == u and end < u:
        here -= 1
    while True:
        side = here + 1.0 if up else float(here)
        last = end <= side if up else end >= side
        to_v, to_u = east, end
        if not last:
            to_v, to_u = min(max(x1 + (x2 - x1) * ((side - y1) / (y2 - y1)), v), east), side
        if to_v > v:
            row[count], line = here, lines[count]
            line[0], line[1], line[2], line[3] = v, u - here, to_v, to_u - here
            count += 1
        if last:
            return count
        v, u = to_v, to_u
        here += 1 if up else -1


@compiled
def _step(steps: _Steps, v: float, change: int) -> None:
    """Add a change at v; changes that cancel are gone."""
    at, by, count = steps.at, steps.by, steps.number[0]
    place = count
    while place > 0 and at[place - 1] >= v:
        place -= 1
    if place < count and at[place] == v:
        by[place] += change
        if by[place] == 0:
            for later in range(place, count - 1):
                at[later], by[later] = at[later + 1], by[later + 1]
            steps.number[0] = count - 1
        return
    for later in range(count, place, -1):
        at[later], by[later] = at[later - 1], by[later - 1]
    at[place], by[place] = v, change
    steps.number[0] = count + 1


@compiled
def _sweep(
    feature: Integers, column: Integers, row: Integers, lines: Floats, signs: Bytes, below: Floats
) -> tuple[_Drawn, Integers]:
    """Go down each column: what its leaves hold, and how many runs, pieces and lines that makes."""
    total = len(feature)
    drawn = _Drawn(
        np.empty((total + 16, 4), np.int64), np.empty((total + 16, 3), np.int64), np.empty(total + 16),
        np.empty((2 * total + 16, 4)), np.empty(2 * total + 16, np.int8),
    )  # fmt: skip
    counts = np.zeros(3, np.int64)
    steps = _Steps(np.empty(2 * total + 16), np.empty(2 * total + 16, np.int64), np.zeros(1, np.int64))
    place = 0
    while place < total:
        end = place + 1
        while end < total and _same(feature, column, place, end) and row[end] == row[place]:
            end += 1
        if place == 0 or not _same(feature, column, place - 1, place):
            steps.number[0] = 0
        elif _is_whole(steps):
            drawn = _enlarged(drawn, counts, 0)
            _run(drawn.runs, counts, feature[place], column[place], row[place] + 1, row[place - 1])
        elif steps.number[0]:
            for free in range(row[place - 1] - 1, row[place], -1):
                drawn = _leaf(
                    drawn, counts, steps, feature[place], column[place], free, lines, signs, 0, 0, below
                )
        _pass(steps, lines, signs, place, end, True)
        drawn = _leaf(
            drawn, counts, steps, feature[place], column[place], row[place], lines, signs, place, end, below
        )
        _pass(steps, lines, signs, place, end, False)
        place = end
    return drawn, counts


@compiled
def _is_whole(steps: _Steps) -> bool:
    return bool(steps.number[0] == 2 and steps.at[0] == 0.0 and steps.at[1] == 1.0 and steps.by[0] == 1)


@compiled
def _same(feature: Integers, column: Integers, one: int, other: int) -> bool:
    return feature[one] == feature[other] and column[one] == column[other]


@compiled
def _pass(steps: _Steps, lines: Floats, signs: Bytes, first: int, end: int, along: bool) -> None:
    """Go south of lines: of those along the northern side of their leaf, or of the others."""
    for at in range(first, end):
        if (lines[at, 1] == 1.0 and lines[at, 3] == 1.0) == along:
            _step(steps, lines[at, 0], signs[at])
            _step(steps, lines[at, 2], -signs[at])


@compiled
def _leaf(
    drawn: _Drawn, counts: Integers, steps: _Steps, feature: int, column: int, row: int,
    lines: Floats, signs: Bytes, first: int, end: int, below: Floats,
) -> _Drawn:  # fmt: skip
    """One leaf: a run where it is inside altogether, a piece where lines are in it."""
    drawn = _enlarged(drawn, counts, steps.number[0] + end - first)
    begun = counts[2]
    _sides(drawn, counts, steps)
    sides = counts[2]
    for at in range(first, end):
        u1, u2 = lines[at, 1], lines[at, 3]
        if not (u1 == 1.0 and u2 == 1.0) and not (u1 == 0.0 and u2 == 0.0):
            drawn.lines[counts[2]], drawn.signs[counts[2]] = lines[at], signs[at]
            counts[2] += 1
    if counts[2] == begun:
        return drawn
    whole = drawn.lines[begun, 0] == 0.0 and drawn.lines[begun, 2] == 1.0 and drawn.signs[begun] == 1
    if whole and sides == begun + 1 and counts[2] == sides:
        _run(drawn.runs, counts, feature, column, row, row + 1)
        counts[2] = begun
        return drawn
    _from_west(drawn.lines, drawn.signs, begun, sides, counts[2])
    piece = drawn.pieces[counts[1]]
    piece[0], piece[1], piece[2] = feature, code(column, row), begun
    drawn.areas[counts[1]] = _area(drawn.lines, drawn.signs, begun, counts[2], below[row])
    counts[1] += 1
    return drawn


@compiled
def _run(runs: Integers, counts: Integers, feature: int, column: int, low: int, high: int) -> None:
    """Add leaves to the run north of them, or begin one."""
    if low >= high:
        return
    last = runs[counts[0] - 1]
    if counts[0] and last[0] == feature and last[1] == column and last[2] == high:
        last[2] = low
        return
    run = runs[counts[0]]
    run[0], run[1], run[2], run[3] = feature, column, low, high
    counts[0] += 1


@compiled
def _enlarged(drawn: _Drawn, counts: Integers, lines: int) -> _Drawn:
    """With room for one more run and piece, and so many lines."""
    return _Drawn(
        room(drawn.runs, counts[0] + 1), room(drawn.pieces, counts[1] + 1), room(drawn.areas, counts[1] + 1),
        room(drawn.lines, counts[2] + lines), room(drawn.signs, counts[2] + lines),
    )  # fmt: skip


@compiled
def _sides(drawn: _Drawn, counts: Integers, steps: _Steps) -> None:
    """The northern side of a leaf as lines, where something lies north of it."""
    level = 0
    for step in range(steps.number[0] - 1):
        level += steps.by[step]
        if level != 0:
            line = drawn.lines[counts[2]]
            line[0], line[1], line[2], line[3] = steps.at[step], 1.0, steps.at[step + 1], 1.0
            drawn.signs[counts[2]] = level
            counts[2] += 1


@compiled
def _area(lines: Floats, signs: Bytes, first: int, end: int, below: Floats) -> float:
    total = 0.0
    for at in range(first, end):
        total += signs[at] * (lines[at, 2] - lines[at, 0]) * strip(below, lines[at, 1], lines[at, 3])
    return total


@compiled
def _from_west(lines: Floats, signs: Bytes, first: int, sides: int, end: int) -> None:
    """Merge the northern sides, which stand first, into the others by where they begin; both are in order."""
    for at in range(first + sides, end):
        v1, u1, v2, u2, sign = lines[at, 0], lines[at, 1], lines[at, 2], lines[at, 3], signs[at]
        place = at
        while place > first and lines[place - 1, 0] > v1:
            lines[place], signs[place] = lines[place - 1], signs[place - 1]
            place -= 1
        lines[place, 0], lines[place, 1], lines[place, 2], lines[place, 3] = v1, u1, v2, u2
        signs[place] = sign


@compiled
def _nodes(feature: Integers, column: Integers, low: Integers, high: Integers) -> Integers:
    """Runs of whole leaves as the fewest nodes (code, scale, feature): columns are joined by pairs."""
    nodes, found, scale = np.empty((64, 3), np.int64), 0, 0
    while len(feature):
        joined, after = 0, np.empty((len(feature), 4), np.int64)
        at = 0
        while at < len(feature):
            middle = _while_in(feature, column, at, at, column[at] & ~1)
            end = _while_in(feature, column, at, middle, column[at] | 1)
            begun = joined
            joined = _shared(low, high, at, middle, end, after, joined)
            for each in range(begun, joined):
                after[each, 0], after[each, 1] = feature[at], column[at] >> 1
            for each in range(at, end):
                nodes = room(nodes, found + high[each] - low[each])
                top = high[each]
                for run in range(begun, joined):  # what the next scale has is left out
                    if 2 * after[run, 2] < top and 2 * after[run, 3] > low[each]:
                        found = _emit(nodes, found, feature[at], column[each], 2 * after[run, 3], top, scale)
                        top = 2 * after[run, 2]
                found = _emit(nodes, found, feature[at], column[each], low[each], top, scale)
            at = end
        feature, column = after[:joined, 0].copy(), after[:joined, 1].copy()
        low, high = after[:joined, 2].copy(), after[:joined, 3].copy()
        scale += 1
    return nodes[:found]


@compiled
def _while_in(feature: Integers, column: Integers, like: int, at: int, wanted: int) -> int:
    while at < len(feature) and feature[at] == feature[like] and column[at] == wanted:
        at += 1
    return at


@compiled
def _shared(low: Integers, high: Integers, at: int, middle: int, end: int, out: Integers, count: int) -> int:
    """Runs of the next scale: where those of both columns (from the north) hold two rows of a pair."""
    left, right = at, middle
    while left < middle and right < end:
        first = (max(low[left], low[right]) + 1) >> 1
        last = min(high[left], high[right]) >> 1
        if last > first:
            out[count, 2], out[count, 3] = first, last
            count += 1
        if low[left] > low[right]:
            left += 1
        else:
            right += 1
    return count


@compiled
def _emit(nodes: Integers, found: int, feature: int, column: int, low: int, high: int, scale: int) -> int:
    for row in range(low, high):
        node = nodes[found]
        node[0], node[1], node[2] = code(column << scale, row << scale), scale, feature
        found += 1
    return found
