"""The shortest ways between outlines, by chords through the earth: trees of boxes, nearest pairs of edges.

A chord is never longer than the way over the ground, so what it rules out is ruled out; among the ways that
are left it orders them as the ground does to 2 cm in 100 km.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.measure import Geometries

_STEP: Final = 0.01  # degrees; a chord of that length strays 7 mm from the edge, and 24 mm from the ground
_LEAF: Final = 8  # edges
_DEEP: Final = 128  # pairs of boxes that wait; a tree of a million edges is 17 levels deep
_A: Final = 6378137.0
_E2: Final = (2 - 1 / 298.257223563) / 298.257223563


class _Tree(NamedTuple):
    """Boxes around edges: `box` (low x, y, z, high x, y, z), `child` numbers or -1, `edges` first and end."""

    box: Floats
    child: Integers
    edges: Integers


@dataclass(frozen=True)
class Chords:
    """Outlines as edges in metres from the earth's centre, each with a tree; `root` has a box per feature."""

    start: Floats
    end: Floats
    lonlat: Floats  # of each edge: longitude and latitude of both ends
    tree: _Tree
    root: Integers

    @property
    def centres(self) -> Floats:
        box = self.tree.box[self.root]
        return (box[:, :3] + box[:, 3:]) / 2

    @property
    def radii(self) -> Floats:
        box = self.tree.box[self.root]
        return np.asarray(np.sqrt(((box[:, 3:] - box[:, :3]) ** 2).sum(axis=1)) / 2)


@dataclass(frozen=True)
class Ways:
    """For pairs of features the ends of the shortest way in degrees; NaN where none is that short."""

    start: Floats
    end: Floats


def chords_of(features: Geometries) -> Chords:
    """The outlines of (multi)polygons in longitude and latitude, none of them empty."""
    rings, owners = shapely.get_rings(shapely.segmentize(features, _STEP), return_index=True)
    coords, of_ring = shapely.get_coordinates(rings, return_index=True)
    begins = np.flatnonzero((of_ring[1:] == of_ring[:-1]) & (coords[1:] != coords[:-1]).any(axis=1))
    places = _placed(coords)
    owner = owners[of_ring[begins]]
    starts = np.searchsorted(owner, np.arange(len(features) + 1)).astype(np.int64)
    first, last = places[begins], places[begins + 1]
    tree, root = _planted(first, last, starts)
    return Chords(first, last, np.hstack([coords[begins], coords[begins + 1]]), tree, root)


def _placed(lonlat: Floats) -> Floats:
    """Metres from the earth's centre."""
    lon, lat = np.radians(lonlat.T)
    normal = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    return np.column_stack(
        [
            normal * np.cos(lat) * np.cos(lon),
            normal * np.cos(lat) * np.sin(lon),
            normal * (1 - _E2) * np.sin(lat),
        ]
    )


def ways(chords: Chords, pairs: Integers, longest: Floats) -> Ways:
    """The shortest way of each pair (rows of two features), where its chord is shorter than `longest`."""
    edges, along = _ways(chords.start, chords.end, chords.tree, chords.root, pairs, longest)
    return Ways(*(_at(chords.lonlat, edges[:, side], along[:, side]) for side in (0, 1)))


def _at(lonlat: Floats, edges: Integers, along: Floats) -> Floats:
    ends, share = lonlat[edges], along[:, None]
    found = ends[:, :2] + (ends[:, 2:] - ends[:, :2]) * share
    return np.where(edges[:, None] >= 0, found, np.nan)


@compiled
def near(centres: Floats, radii: Floats, reach: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """Pairs of features whose spheres are less than `reach` apart, and at least how far apart they are."""
    pairs, least, count = np.empty((1024, 2), np.int64), np.empty(1024), 0
    for one in range(len(radii)):
        for other in range(one + 1, len(radii)):
            apart = 0.0
            for axis in range(3):
                apart += (centres[one, axis] - centres[other, axis]) ** 2
            apart = max(math.sqrt(apart) - radii[one] - radii[other], 0.0)
            if apart >= reach:
                continue
            if count == len(least):
                wider, longer = np.empty((2 * count, 2), np.int64), np.empty(2 * count)
                wider[:count], longer[:count] = pairs, least
                pairs, least = wider, longer
            pairs[count, 0], pairs[count, 1], least[count] = one, other, apart
            count += 1
    return pairs[:count], least[:count]


@compiled
def _planted(start: Floats, end: Floats, starts: Integers) -> tuple[_Tree, Integers]:
    """A tree for each feature: leaves of edges that follow each other, joined by twos."""
    room = 0
    for feature in range(len(starts) - 1):
        # Each level has half of the one below, rounded up: twice the leaves, and one more a level.
        room += 2 * ((starts[feature + 1] - starts[feature]) // _LEAF + 1) + 64
    tree = _Tree(np.empty((room, 6)), np.full((room, 2), -1, np.int64), np.zeros((room, 2), np.int64))
    root, count = np.zeros(len(starts) - 1, np.int64), 0
    for feature in range(len(starts) - 1):
        low = count
        for first in range(starts[feature], starts[feature + 1], _LEAF):
            last = min(first + _LEAF, starts[feature + 1])
            tree.edges[count, 0], tree.edges[count, 1] = first, last
            for axis in range(3):
                tree.box[count, axis] = min(start[first:last, axis].min(), end[first:last, axis].min())
                tree.box[count, axis + 3] = max(start[first:last, axis].max(), end[first:last, axis].max())
            count += 1
        high = count
        while high - low > 1:
            for left in range(low, high, 2):
                right = min(left + 1, high - 1)
                tree.child[count, 0], tree.child[count, 1] = left, right if right > left else -1
                for axis in range(3):
                    tree.box[count, axis] = min(tree.box[left, axis], tree.box[right, axis])
                    tree.box[count, axis + 3] = max(tree.box[left, axis + 3], tree.box[right, axis + 3])
                count += 1
            low, high = high, count
        root[feature] = low
    return tree, root


@compiled
def _ways(
    start: Floats, end: Floats, tree: _Tree, root: Integers, pairs: Integers, longest: Floats
) -> tuple[Integers, Floats]:
    edges, along = np.full((len(pairs), 2), -1, np.int64), np.zeros((len(pairs), 2))
    waiting, apart = np.empty((_DEEP, 2), np.int64), np.empty(_DEEP)
    for pair in range(len(pairs)):
        best = longest[pair] ** 2
        waiting[0, 0], waiting[0, 1] = root[pairs[pair, 0]], root[pairs[pair, 1]]
        apart[0] = _apart(tree.box, waiting[0, 0], waiting[0, 1])
        count = 1
        while count:
            count -= 1
            if apart[count] >= best:
                continue
            one, other = waiting[count, 0], waiting[count, 1]
            if tree.child[one, 0] < 0 and tree.child[other, 0] < 0:
                best = _nearer(start, end, tree.edges[one], tree.edges[other], best, edges[pair], along[pair])
                continue
            count = _opened(tree, one, other, waiting, apart, count)
    return edges, along


@compiled
def _opened(tree: _Tree, one: int, other: int, waiting: Integers, apart: Floats, count: int) -> int:
    """Put the halves of the larger box in its place, the nearer one last, so that it comes first."""
    split_one = tree.child[other, 0] < 0 or (
        tree.child[one, 0] >= 0 and _width(tree.box[one]) >= _width(tree.box[other])
    )
    parent = one if split_one else other
    halves = 2 if tree.child[parent, 1] >= 0 else 1
    for place in range(halves):
        child = tree.child[parent, place]
        waiting[count + place, 0] = child if split_one else one
        waiting[count + place, 1] = other if split_one else child
        apart[count + place] = _apart(tree.box, waiting[count + place, 0], waiting[count + place, 1])
    if halves == 2 and apart[count] < apart[count + 1]:
        for side in range(2):
            waiting[count, side], waiting[count + 1, side] = waiting[count + 1, side], waiting[count, side]
        apart[count], apart[count + 1] = apart[count + 1], apart[count]
    return count + halves


@compiled
def _width(box: Floats) -> float:
    return max(box[3] - box[0], box[4] - box[1], box[5] - box[2])


@compiled
def _apart(box: Floats, one: int, other: int) -> float:
    """The square of the distance of two boxes."""
    total = 0.0
    for axis in range(3):
        gap = max(box[other, axis] - box[one, axis + 3], box[one, axis] - box[other, axis + 3], 0.0)
        total += gap * gap
    return total


@compiled
def _nearer(
    start: Floats, end: Floats, ones: Integers, others: Integers, best: float, edges: Integers, along: Floats
) -> float:
    """The square of the least distance of edges, with the edges and the places on them, if below `best`."""
    for one in range(ones[0], ones[1]):
        for other in range(others[0], others[1]):
            apart, s, t = _segments(start[one], end[one], start[other], end[other])
            if apart < best:
                best = apart
                edges[0], edges[1], along[0], along[1] = one, other, s, t
    return best


@compiled
def _segments(p: Floats, p_end: Floats, q: Floats, q_end: Floats) -> tuple[float, float, float]:
    """The square of the distance of two lines, and where on each (0 to 1) they are nearest."""
    a = e = b = c = f = 0.0
    for axis in range(3):
        d1, d2, r = p_end[axis] - p[axis], q_end[axis] - q[axis], p[axis] - q[axis]
        a, e, b = a + d1 * d1, e + d2 * d2, b + d1 * d2
        c, f = c + d1 * r, f + d2 * r
    across = a * e - b * b
    # Lines that run alike are nearest at an end of one of them.
    s = min(max((b * f - c * e) / across, 0.0), 1.0) if across > 1e-12 * a * e else 0.0
    t = (b * s + f) / e
    if t < 0.0:
        t, s = 0.0, min(max(-c / a, 0.0), 1.0)
    elif t > 1.0:
        t, s = 1.0, min(max((b - c) / a, 0.0), 1.0)
    total = 0.0
    for axis in range(3):
        gap = p[axis] + s * (p_end[axis] - p[axis]) - q[axis] - t * (q_end[axis] - q[axis])
        total += gap * gap
    return total, s, t
