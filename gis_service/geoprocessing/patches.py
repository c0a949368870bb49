"""Areas as patches of a landscape: flat, those that touch as one, cut at its border, and how far apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.geoprocessing import clip
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.connectivity import NO_LINKS, Links, Sites
from gis_service.geoprocessing.engine import gaps, paths
from gis_service.geoprocessing.engine.gaps import Chords
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.measure import Geometries, areas_of, polygons_of
from gis_service.geoprocessing.nearest import GEOD

_NEIGHBOURS: Final = (
    12  # whose distances are measured first; what is not nearer than ways over these is left out
)
_CHUNK: Final = 20_000  # pairs between two looks at the time


@dataclass(frozen=True)
class Patches:
    """Patches in longitude and latitude with their areas in the region (m²), 0 of those beyond its border.

    `members` are the numbers of the areas that each patch is made of.
    """

    shapes: Geometries
    areas_m2: Floats
    members: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Landscape:
    """A region's patches, `whole` with what is beyond the border, `inside` cut off there.

    `sites` are the single areas that the patches inside are made of. `small` patches were left out.
    """

    area_m2: float
    whole: Patches
    inside: Patches
    sites: Sites
    small: int
    small_m2: float


@dataclass(frozen=True)
class Choice:
    """Patches below `least_m2` don't count; those so near beyond the border are stepping stones."""

    least_m2: float = 0.0
    beyond_m: float = 0.0


def landscape(
    areas: Sequence[BaseGeometry], region: BaseGeometry, choice: Choice, budget: Budget
) -> Landscape:
    """The patches that valid polygons make in a region; those far from it may be among them."""
    flat = _parts(clip.union(list(areas))) if len(areas) else _parts(shapely.MultiPolygon())
    budget.check()
    groups = _touching(flat)
    sizes = np.bincount(groups, areas_of(flat), minlength=groups.max(initial=-1) + 1)
    inside = clip.clipped(region, flat, budget)
    kept = sizes[groups] >= choice.least_m2
    small = np.unique(groups[~kept & (areas_of(inside) > 0)])
    owners = _owners(areas, flat)
    home = _home(inside[kept], [owners[at] for at in np.flatnonzero(kept)])
    whole = home
    if choice.beyond_m > 0:
        near = _within_reach(flat, areas_of(inside), groups, kept, region, choice.beyond_m)
        whole = _grouped(
            flat[near], groups[near], areas_of(inside[near]), [owners[at] for at in np.flatnonzero(near)]
        )
    return Landscape(
        float(areas_of([region])[0]), whole, home, _sites(areas, home, region, budget),
        len(small), float(areas_of(inside)[~kept].sum()),
    )  # fmt: skip


def links(shapes: Geometries, reach_m: float, every: bool, budget: Budget) -> Links:
    """The geodesic distances from edge to edge of patches up to a reach.

    Without `every`, those are left out that can't be on a shortest way through patches: where even the least
    that they may be is above a way over nearer neighbours.
    """
    if len(shapes) < 2:
        return NO_LINKS
    chords = gaps.chords_of(shapes)
    pairs, least = gaps.near(chords.centres, chords.radii, reach_m)
    limits = np.full(len(pairs), reach_m)
    if every:
        return _measured(chords, pairs, limits, budget)
    near = _nearest_of_each(pairs, least, len(shapes))
    first = _measured(chords, pairs[near], limits[near], budget)
    known = paths.lengths(paths.network(len(shapes), first.pairs, first.metres))
    limits = np.minimum(known[pairs[:, 0], pairs[:, 1]], reach_m)
    open_still = ~near & (least < limits)
    more = _measured(chords, pairs[open_still], limits[open_still], budget)
    return Links(np.concatenate([first.pairs, more.pairs]), np.concatenate([first.metres, more.metres]))


def _measured(chords: Chords, pairs: Integers, limits: Floats, budget: Budget) -> Links:
    """The distances of pairs where they are below their limits."""
    found = [NO_LINKS]
    for start in range(0, len(pairs), _CHUNK):
        budget.check()
        some = slice(start, start + _CHUNK)
        ways = gaps.ways(chords, pairs[some], limits[some])
        there = np.flatnonzero(np.isfinite(ways.start[:, 0]))
        metres = GEOD.inv(*ways.start[there].T, *ways.end[there].T)[2]
        found.append(Links(pairs[some][there], np.asarray(metres)))
    return Links(
        np.concatenate([each.pairs for each in found]), np.concatenate([each.metres for each in found])
    )


def _nearest_of_each(pairs: Integers, least: Floats, patches: int) -> npt.NDArray[np.bool_]:
    """Which pairs are among the nearest of one of their patches, as far as the bounds say."""
    chosen = np.zeros(len(pairs), bool)
    both = np.concatenate([pairs[:, 0], pairs[:, 1]])
    order = np.lexsort((np.concatenate([least, least]), both))
    first = np.searchsorted(both[order], np.arange(patches))
    place = np.arange(len(order)) - first[both[order]]
    chosen[order[place < _NEIGHBOURS] % max(len(pairs), 1)] = True
    return chosen


def _parts(shape: BaseGeometry) -> Geometries:
    return shapely.get_parts(polygons_of(np.array([shape], dtype=object)))


def _touching(parts: Geometries) -> Integers:
    """A number for each polygon; polygons that meet, in a point even, have the same."""
    above = list(range(len(parts)))

    def top(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    one, other = shapely.STRtree(parts).query(parts, predicate="intersects")
    for first, second in zip(one.tolist(), other.tolist(), strict=True):
        above[top(first)] = top(second)
    tops = np.array([top(at) for at in range(len(parts))], np.int64)
    return np.asarray(np.unique(tops, return_inverse=True)[1], np.int64)


def _home(inside: Geometries, owners: Sequence[Sequence[int]]) -> Patches:
    """The patches of what is inside of the region; one that its border cuts apart is several."""
    cut, of = shapely.get_parts(inside, return_index=True)
    sizes = areas_of(cut)
    there = sizes > 0
    return _grouped(
        cut[there], _touching(cut[there]), sizes[there], [owners[at] for at in of[there].tolist()]
    )


def _grouped(parts: Geometries, groups: Integers, sizes: Floats, owners: Sequence[Sequence[int]]) -> Patches:
    numbers, of = np.unique(groups, return_inverse=True)
    members: list[set[int]] = [set() for _ in numbers]
    for at, mine in zip(of.tolist(), owners, strict=True):
        members[at].update(mine)
    order = np.argsort(of, kind="stable")
    shapes = [
        shapely.multipolygons(some)
        for some in np.split(parts[order], np.searchsorted(of[order], np.arange(1, len(numbers))))
        if len(some)
    ]
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return Patches(
        made,
        np.bincount(of, sizes, minlength=len(numbers)).astype(float),
        tuple(tuple(sorted(each)) for each in members),
    )


def _within_reach(
    flat: Geometries, inside_m2: Floats, groups: Integers, kept: npt.NDArray[np.bool_],
    region: BaseGeometry, beyond_m: float,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """The parts of the patches that are inside or near enough to the region."""
    near = kept & (inside_m2 > 0)
    others = np.flatnonzero(kept & ~near)
    if others.size:
        outline = np.empty(len(others) + 1, dtype=object)
        outline[0], outline[1:] = region, flat[others]
        pairs = np.column_stack([np.zeros(len(others), np.int64), np.arange(1, len(outline))])
        ways = gaps.ways(gaps.chords_of(outline), pairs, np.full(len(others), beyond_m))
        near[others] = np.isfinite(ways.start[:, 0])
    wanted = np.unique(groups[near])
    return kept & np.isin(groups, wanted)


def _owners(areas: Sequence[BaseGeometry], flat: Geometries) -> list[list[int]]:
    """For each flat part the numbers of the areas that it is made of."""
    found: list[list[int]] = [[] for _ in flat]
    if len(flat):
        parts, of = shapely.get_parts(np.array(areas, dtype=object), return_index=True)
        which, part = shapely.STRtree(flat).query(shapely.point_on_surface(parts), predicate="intersects")
        for one, at in zip(of[which].tolist(), part.tolist(), strict=True):
            found[at].append(one)
    return found


def _sites(areas: Sequence[BaseGeometry], home: Patches, region: BaseGeometry, budget: Budget) -> Sites:
    """What the single polygons have inside of the region, and the patches there that they are part of."""
    if not len(home.shapes):
        return Sites(np.zeros(0), np.zeros(0, np.int64))
    near = shapely.STRtree([region]).query(np.array(areas, dtype=object), predicate="intersects")[0]
    parts = shapely.get_parts(
        clip.clipped(region, shapely.get_parts(np.array(areas, dtype=object)[near]), budget)
    )
    sizes = areas_of(parts)
    parts, sizes = parts[sizes > 0], sizes[sizes > 0]
    which, patch = shapely.STRtree(home.shapes).query(shapely.point_on_surface(parts), predicate="intersects")
    which, first = np.unique(which, return_index=True)
    return Sites(sizes[which], patch[first])
