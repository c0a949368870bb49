"""Shortest ways through a network of patches, which cost nothing to go through, and what they add up to.

A network is symmetric: `first[i]` up to `first[i + 1]` are the links of patch i, to patch `to` over `length`
metres. A link's probability is exp(-k · length); so the best product of probabilities is the shortest way.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.grid import Floats, Integers


class Network(NamedTuple):
    """Links of patches both ways, sorted by the patch they begin at."""

    first: Integers
    to: Integers
    length: Floats


@dataclass(frozen=True)
class Sums:
    """Sums over ordered pairs of a_i a_j p*_ij for each decay k: all, those of a patch, those lost with it.

    `flux` counts both directions of the pairs that begin or end at a patch; `through` is what all other pairs
    lose when the patch is taken away, as their best ways lead through it.
    """

    whole: Floats
    flux: Floats
    through: Floats


def network(patches: int, pairs: Integers, lengths: Floats) -> Network:
    """The network of these pairs (rows of two patches)."""
    begin, end = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int64).T
    both = np.concatenate([lengths, lengths])
    order = np.lexsort((both, begin))
    first = np.searchsorted(begin[order], np.arange(patches + 1)).astype(np.int64)
    return Network(first, np.ascontiguousarray(end[order]), np.ascontiguousarray(both[order]))


def sums(links: Network, areas: Floats, decays: Floats, removed: bool) -> Sums:
    """The sums for each decay (per metre); `through` only where it's asked for, for it takes longer."""
    return Sums(*_sums(links, areas, decays, removed))


@compiled
def lengths(links: Network) -> Floats:
    """The shortest way between every two patches; infinite where there is none."""
    count = len(links.first) - 1
    found, parent, order = np.empty((count, count)), np.empty(count, np.int64), np.empty(count, np.int64)
    for source in range(count):
        _from(links, source, found[source], parent, order)
    return found


@compiled
def _from(links: Network, source: int, length: Floats, parent: Integers, order: Integers) -> int:
    """Dijkstra: lengths, the patch before each, and the patches in the order in which they are reached."""
    length[:] = np.inf
    length[source], parent[source], reached = 0.0, -1, 0
    waiting = [(0.0, source)]
    while waiting:
        here, patch = heapq.heappop(waiting)
        if here > length[patch]:
            continue
        order[reached] = patch
        reached += 1
        for at in range(links.first[patch], links.first[patch + 1]):
            there = here + links.length[at]
            if there < length[links.to[at]]:
                length[links.to[at]], parent[links.to[at]] = there, patch
                heapq.heappush(waiting, (there, links.to[at]))
    return reached


@compiled
def _sums(links: Network, areas: Floats, decays: Floats, removed: bool) -> tuple[Floats, Floats, Floats]:
    count, kinds = len(areas), len(decays)
    whole, flux, through = np.zeros(kinds), np.zeros((kinds, count)), np.zeros((kinds, count))
    length, parent = np.empty(count), np.empty(count, np.int64)
    order, again = np.empty(count, np.int64), np.empty(count)
    for source in range(count):
        if areas[source] <= 0:
            continue  # a stepping stone: its pairs weigh nothing
        reached = _from(links, source, length, parent, order)
        for kind in range(kinds):
            found = 0.0
            for at in range(1, reached):
                found += areas[order[at]] * math.exp(-decays[kind] * length[order[at]])
            whole[kind] += areas[source] * (areas[source] + found)
            flux[kind, source] = 2 * areas[source] * found
        if removed:
            _without_each(links, areas, decays, source, (length, parent, order[:reached]), again, through)
    return whole, flux, through


@compiled
def _without_each(
    links: Network, areas: Floats, decays: Floats, source: int,
    ways: tuple[Floats, Integers, Integers], again: Floats, through: Floats,
) -> None:  # fmt: skip
    """Take away each patch on the ways from a source, and add to `through` what is lost behind it."""
    length, parent, order = ways
    lost, behind = np.empty(len(order), np.int64), np.zeros(len(length), np.bool_)
    for place in range(1, len(order)):
        patch, number = order[place], 0
        behind[patch] = True
        for at in range(place + 1, len(order)):
            if behind[parent[order[at]]]:
                behind[order[at]] = True
                lost[number] = order[at]
                number += 1
        if number:
            behind[patch] = False
            _around(links, length, patch, lost[:number], behind, again)
            for kind in range(len(decays)):
                for at in range(number):
                    k = decays[kind]
                    less = math.exp(-k * length[lost[at]]) - math.exp(-k * again[lost[at]])
                    through[kind, patch] += areas[source] * areas[lost[at]] * less
        behind[patch] = False
        for at in range(number):
            behind[lost[at]] = False


@compiled
def _around(
    links: Network, length: Floats, gone: int, lost: Integers, behind: npt.NDArray[np.bool_], again: Floats
) -> None:
    """The lengths to the `lost` patches, marked in `behind`, by ways that avoid the one that is gone."""
    waiting = [(0.0, 0)]
    waiting.clear()
    for at in range(len(lost)):
        patch, best = lost[at], np.inf
        for link in range(links.first[patch], links.first[patch + 1]):
            near = links.to[link]
            if near != gone and not behind[near]:
                best = min(best, length[near] + links.length[link])
        again[patch] = best
        if best < np.inf:
            heapq.heappush(waiting, (best, patch))
    while waiting:
        here, patch = heapq.heappop(waiting)
        if here > again[patch]:
            continue
        for link in range(links.first[patch], links.first[patch + 1]):
            near, there = links.to[link], here + links.length[link]
            if near != gone and behind[near] and there < again[near]:
                again[near] = there
                heapq.heappush(waiting, (there, near))
