"""The areas of a table in the grid: made once, then kept up with what is written, one row after the other.

Labels are numbered as features come. A feature that is written anew gets another label, and its old one is
dead: what stands in the arrays is never changed, only left out of the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Final

import numpy as np

from gis_service.geoprocessing.engine.cut import cut
from gis_service.geoprocessing.engine.edges import edges_of
from gis_service.geoprocessing.engine.flatten import Flat, flatten, replaced, together
from gis_service.geoprocessing.engine.grid import BLOCK, WORLD, Floats, Integers
from gis_service.geoprocessing.engine.join import join
from gis_service.geoprocessing.engine.layer import Bools, Labels, Layer, layer, section
from gis_service.geoprocessing.engine.layer import measured as by_layer
from gis_service.geoprocessing.measure import Geometries

PORTIONS: Final = 64  # of a flattening: each is a task for a thread, and a step of the progress
MOST_PARTS: Final = (
    16  # each change adds one; more are put together, which takes as long as the table is large
)

_SERIALS: Final = count(1)
Keys = Integers
Rows = tuple[Keys, Geometries]


@dataclass(frozen=True)
class Index:
    """The features of each label, which of them still stand, their parts, and all of them laid flat.

    keys: the feature of each label. alive: whether that is its state of now. areas: m² of each label. serial:
    no other index of this process has it.
    """

    keys: Keys
    alive: Bools
    areas: Floats
    parts: tuple[Layer, ...]
    flat: Flat | None = None
    serial: int = field(default_factory=lambda: next(_SERIALS), compare=False)

    @property
    def labels(self) -> int:
        return len(self.keys)

    def labels_of(self, keys: Keys) -> Labels:
        """The living label of each feature, or -1 of one that has no area here."""
        living = np.flatnonzero(self.alive)
        order = living[np.argsort(self.keys[living], kind="stable")]
        if not len(order):
            return np.full(len(keys), -1, np.int32)
        held = self.keys[order]
        at = np.minimum(np.searchsorted(held, keys), len(order) - 1)
        return np.where(held[at] == keys, order[at], -1).astype(np.int32)


def measured(index: Index, method: str) -> Index:
    """The index with its areas by another method."""
    if index.parts[0].method == method:
        return index
    parts = tuple(by_layer(part, method) for part in index.parts)
    areas = np.zeros(index.labels)
    for part in parts:
        areas[: part.labels] += part.areas()
    flat = None if index.flat is None else Flat(by_layer(index.flat.layer, method), index.flat.atoms)
    return Index(index.keys, index.alive, areas, parts, flat)


def build(batches: Iterable[Rows], flat: bool, threads: Executor, tell: Callable[[float], None]) -> Index:
    """The index of features that come in batches; `tell` hears from 0 to 1 how far the flattening is."""
    made = _cut(batches, 0)
    return _with(made, _flattened(made.parts[0], threads, tell)) if flat else made


def of_shapes(shapes: Geometries) -> Index:
    """The index of shapes that are in no table, numbered as they come."""
    return _cut([(np.arange(len(shapes)), shapes)], 0)


def changed(index: Index, batches: Iterable[Rows], gone: Keys) -> Index:
    """The index after features were written (with their new shapes) or deleted (`gone`)."""
    added = _cut(batches, index.labels)
    dead = index.labels_of(np.concatenate([added.keys, gone]))
    alive = np.concatenate([index.alive, added.alive])
    alive[dead[dead >= 0]] = False
    parts = (*index.parts, *(part for part in added.parts if len(part.whole_code) or len(part.lines)))
    made = Index(
        np.concatenate([index.keys, added.keys]), alive, np.concatenate([index.areas, added.areas]), parts
    )
    if len(parts) > MOST_PARTS:
        made = Index(made.keys, alive, made.areas, (section(parts, alive, 0, WORLD),))
    if index.flat is None:
        return made
    blocks = np.unique(np.concatenate([_blocks(index.parts, dead), _blocks(added.parts, None)]))
    return _with(made, _refreshed(index.flat, made, blocks))


def alone(index: Index, labels: Labels) -> Index:
    """The index as if no feature but those of these labels had ever been in it.

    Where another one has area all is laid flat anew: merely to leave out its atoms would keep the cuts that
    its lines made, and with them the last bits of sums of what is left.
    """
    stands = np.zeros(index.labels, bool)
    stands[labels[labels >= 0]] = True
    others = np.flatnonzero(index.alive & ~stands).astype(np.int32)
    if not len(others):
        return index
    made = Index(index.keys, index.alive & stands, index.areas, index.parts)
    if index.flat is None:
        return made
    return _with(made, _refreshed(index.flat, made, _blocks(index.parts, others)))


def _with(made: Index, flat: Flat) -> Index:
    return Index(made.keys, made.alive, made.areas, made.parts, flat)


Grouped = Sequence[tuple[Layer, Labels]]
"""Layers with the group of each of their labels; what they hold of a group doesn't overlap."""


def of_labels(index: Index, groups: Labels) -> Grouped:
    """An index by groups of its labels (-1: none); labels that are dead have none."""
    living = np.where(index.alive, groups, -1).astype(np.int32)
    return [(part, living[: part.labels]) for part in index.parts]


def shared(ones: Grouped, others: Grouped, shape: tuple[int, int]) -> Floats:
    """m² shared by each group of the one and each of the other; `shape` is how many groups there are."""
    total = np.zeros(shape)
    for left, of_left in ones:
        for right, of_right in others:
            found = join(left, right, of_left, of_right)
            total[: found.shape[0], : found.shape[1]] += found
    return total


def _cut(batches: Iterable[Rows], first: int) -> Index:
    cuts, keys = [], [np.empty(0, np.int64)]
    number = first
    for its_keys, shapes in batches:
        cuts.append(cut(edges_of(shapes), number))
        keys.append(np.asarray(its_keys, np.int64))
        number += len(its_keys)
    found = np.concatenate(keys)
    if not cuts:
        cuts.append(cut(edges_of(np.empty(0, object)), number))
    made = layer(cuts, number)
    return Index(found, np.ones(len(found), bool), made.areas()[first:], (made,))


def _flattened(made: Layer, threads: Executor, tell: Callable[[float], None]) -> Flat:
    bounds = _bounds(made)
    tell(0.0)
    parts = []
    for part in threads.map(lambda ends: flatten(made, *ends), pairwise(bounds)):
        parts.append(part)
        tell(len(parts) / (len(bounds) - 1))
    return together(parts)


def _bounds(made: Layer) -> list[int]:
    """Codes where portions begin, with about as many lines in each, and the end."""
    ends = np.linspace(0, len(made.lines), PORTIONS + 1)[1:-1]
    leaves = np.searchsorted(made.leaf_start[:-1], ends, side="right") - 1
    inner = made.leaf_code[leaves] // BLOCK * BLOCK if len(made.leaf_code) else np.empty(0, np.int64)
    return [int(code) for code in np.unique(np.concatenate([[0], inner, [WORLD]]))]


def _blocks(parts: Sequence[Layer], labels: Labels | None) -> Integers:
    """The blocks in which any of the labels (None: any at all) has area, in order."""
    return np.unique(
        np.concatenate([np.empty(0, np.int64), *(each for part in parts for each in _in(part, labels))])
    )


def _in(part: Layer, labels: Labels | None) -> Iterator[Integers]:
    def those(of: Labels) -> Bools:
        return np.ones(len(of), bool) if labels is None else np.isin(of, labels[labels >= 0])

    yield part.share_code[those(part.share_label)] // BLOCK * BLOCK
    whole = those(part.whole_label)
    codes, scales = part.whole_code[whole], part.whole_scale[whole].astype(np.int64)
    for code, scale in zip(codes.tolist(), scales.tolist(), strict=True):
        first = code // BLOCK * BLOCK
        yield np.arange(first, max(code + (1 << (2 * scale)), first + 1), BLOCK)


def _refreshed(flat: Flat, made: Index, blocks: Integers) -> Flat:
    parts = [section(made.parts, made.alive, block, block + BLOCK) for block in blocks.tolist()]
    return replaced(flat, blocks, parts)
