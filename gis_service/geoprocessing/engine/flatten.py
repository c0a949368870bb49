"""A layer whose features lie over each other as atoms: areas that the same set of features covers.

In a leaf the lines are cut where they meet; between two such places they stand in one order from north to
south, and each that is passed adds or takes away one feature. Labels of the flat layer are numbers of atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine.compiled import compiled, room
from gis_service.geoprocessing.engine.cut import Bytes
from gis_service.geoprocessing.engine.grid import (
    BLOCK,
    BLOCK_SCALE,
    LEVEL,
    WORLD,
    Floats,
    Integers,
    node_areas,
)
from gis_service.geoprocessing.engine.layer import NOBODY, Labels, Layer, between, one_after_another, shares

Hashes = npt.NDArray[np.uint64]
SAME = 1e-12  # of a leaf's side, 5 nm: lines as near as this at both ends of a slab are one


class _Sets(NamedTuple):
    """Sets of features: their names, and their members from start to start."""

    names: Hashes
    start: Integers
    members: Labels


class _Lines(NamedTuple):
    """Lines between sets: their leaf, and the places of the sets south and north of them, or -1."""

    leaf: Integers
    lines: Floats
    sides: Integers


class _Slab(NamedTuple):
    """A leaf between two meetings: its lines, what each adds south and takes away; those that run here, from
    the north; where they are at both sides; and what each drew last.
    """

    lines: Floats
    change: Labels
    active: Integers
    ends: Floats
    drawn: Integers


@dataclass(frozen=True)
class Atoms:
    """The features of each atom, which stand from start to end in `members`; no two atoms have the same.

    `names` of atoms are the same whenever the members are: what is flattened apart is put together by them.
    """

    start: Integers
    members: Labels
    names: Hashes


@dataclass(frozen=True)
class Flat:
    """A layer with every place in one atom, so that its labels are numbers of atoms; what nothing covers is
    in none.
    """

    layer: Layer
    atoms: Atoms


def flatten(layer: Layer, first: int = 0, end: int = WORLD) -> Flat:
    """What of a layer lies between two codes, where blocks begin; its nodes are no larger than blocks."""
    keys = _keys(layer.labels)
    leaves = slice(*np.searchsorted(layer.leaf_code, (first, end)))
    codes, starts = layer.leaf_code[leaves], layer.leaf_start[leaves.start : leaves.stop + 1]
    whole_sets, nodes, (wholes, held), base_start, base = _filled(
        layer.whole_code, layer.whole_scale, layer.whole_label, codes, keys, (first, end)
    )
    leaf_sets, out, (drawn, found, named) = _drawn(
        starts, layer.lines, layer.south, layer.north, base_start, base, keys
    )
    number, atoms = _numbered([_sets(whole_sets, wholes, held), _sets(leaf_sets, found, named)])
    of_leaf = np.append(number[wholes:], NOBODY).astype(np.int32)  # the last one is where a side has no set
    sides = np.ascontiguousarray(of_leaf[out.sides[:drawn]].T)
    leaf, lines = out.leaf[:drawn], out.lines[:drawn].copy()
    code, scale = nodes[:wholes, 0].copy(), nodes[:wholes, 1].astype(np.int8)
    held_leaves, firsts = np.unique(leaf, return_index=True)
    flat = Layer(
        len(atoms.names),
        code, scale, number[:wholes], node_areas(code, scale), np.full(wholes, NOBODY, np.int32),
        *shares(leaf, lines, sides, codes),
        codes[held_leaves], np.append(firsts, drawn).astype(np.int64), lines, *sides,
    )  # fmt: skip
    return Flat(flat, atoms)


def together(parts: Sequence[Flat]) -> Flat:
    """Parts of one layer between codes that rise from part to part, as one."""
    return _together([part.layer for part in parts], range(len(parts)), [part.atoms for part in parts])


def replaced(flat: Flat, blocks: Integers, parts: Sequence[Layer]) -> Flat:
    """The flat layer with some blocks (their codes, in order) flattened anew, of their part of the layer."""
    kept, made, at = list[Layer](), list[Flat](), 0
    for block, part in zip(blocks.tolist(), parts, strict=True):
        kept.append(between(flat.layer, at, block))
        made.append(flatten(part, block, block + BLOCK))
        at = block + BLOCK
    kept.append(between(flat.layer, at, WORLD))
    layers = [part for pair in zip(kept, [each.layer for each in made], strict=False) for part in pair]
    of = [part for number in range(len(made)) for part in (0, number + 1)]
    return _together([*layers, kept[-1]], [*of, 0], [flat.atoms, *(each.atoms for each in made)])


def _together(layers: Sequence[Layer], of: Sequence[int], atoms: Sequence[Atoms]) -> Flat:
    """Layers one after the other; `of` says whose atoms are the labels of each. Atoms that none has go."""
    number, found = _numbered(atoms)
    begins = np.concatenate([[0], np.cumsum([len(each.names) for each in atoms])])
    numbers = [number[begins[at] : begins[at + 1]] for at in of]
    made = one_after_another(layers, numbers, len(found.names))
    used = np.zeros(len(found.names), bool)
    used[made.whole_label] = used[made.share_label] = True
    if used.all():
        return Flat(made, found)
    kept = np.flatnonzero(used)
    sizes = np.diff(found.start)
    start = np.concatenate([[0], np.cumsum(sizes[kept])]).astype(np.int64)
    left = Atoms(start, found.members[np.repeat(used, sizes)], found.names[kept])
    return Flat(one_after_another([made], [(np.cumsum(used) - 1).astype(np.int32)], len(kept)), left)


def _keys(labels: int) -> Hashes:
    """A random number for each label, always the same, and 0 for NOBODY, which is the last.

    A set is named by their sum (exclusive or): two of a million sets have one name once in 30 million layers.
    """
    with np.errstate(over="ignore"):
        mixed = np.arange(1, labels + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.append(mixed ^ (mixed >> np.uint64(31)), np.uint64(0))  # splitmix64


def _sets(sets: _Sets, count: int, written: int) -> Atoms:
    return Atoms(sets.start[: count + 1], sets.members[:written], sets.names[:count])


def _numbered(parts: Sequence[Atoms]) -> tuple[Labels, Atoms]:
    """One number for each set, however often it was found, and the sets by their numbers."""
    names = np.concatenate([sets.names for sets in parts])
    sizes = np.concatenate([np.diff(sets.start) for sets in parts])
    members = np.concatenate([sets.members for sets in parts])
    begins = np.concatenate([[0], np.cumsum(sizes)])
    names, first, number = np.unique(names, return_index=True, return_inverse=True)
    start = np.concatenate([[0], np.cumsum(sizes[first])]).astype(np.int64)
    taken = np.repeat(begins[first] - start[:-1], sizes[first]) + np.arange(start[-1])
    return number.astype(np.int32), Atoms(start, members[taken], names)


@compiled
def _filled(
    code: Integers, scale: Bytes, label: Labels, leaves: Integers, keys: Hashes, between: tuple[int, int]
) -> tuple[_Sets, Integers, Integers, Integers, Labels]:
    """Nodes (code, scale) without lines, as large as they have one set throughout, and the sets of them.

    And how many there are, with how many members; and what holds each leaf with lines: starts and labels.
    """
    nodes, counts = np.empty((64, 2), np.int64), np.zeros(3, np.int64)
    sets = _Sets(np.empty(64, np.uint64), np.empty(64, np.int64), np.empty(64, np.int32))
    base_start, base = np.zeros(len(leaves) + 1, np.int64), np.empty(64, np.int32)
    path = np.empty(len(code) + 1, np.int32)
    todo, waiting = np.empty((4 * LEVEL + 4, 3), np.int64), 1  # code, scale, how much of the path holds it
    todo[0] = 0, LEVEL, 0
    while waiting:
        waiting -= 1
        here, size, held = todo[waiting]
        end = here + (1 << (2 * size))
        if here >= between[1] or end <= between[0]:
            continue
        held, more = _holding(code, scale, label, here, size, path, held)
        leaf = np.searchsorted(leaves, here)
        detail = leaf < len(leaves) and leaves[leaf] < end
        if size == 0 and detail:
            base = room(base, counts[2] + held)
            base[counts[2] : counts[2] + held] = path[:held]
            counts[2] += held
            base_start[leaf + 1] = counts[2]
        elif more or detail or (held and size > BLOCK_SCALE):
            for child in range(3, -1, -1):
                todo[waiting] = here + (child << (2 * (size - 1))), size - 1, held
                waiting += 1
        elif held:
            nodes = room(nodes, counts[0] + 1)
            nodes[counts[0], 0], nodes[counts[0], 1] = here, size
            sets = _filled_by(sets, counts, path[:held], keys)
    for leaf in range(len(leaves)):
        base_start[leaf + 1] = max(base_start[leaf + 1], base_start[leaf])
    return sets, nodes, counts[:2].copy(), base_start, base[: counts[2]]


@compiled
def _holding(
    code: Integers, scale: Bytes, label: Labels, here: int, size: int, path: Labels, held: int
) -> tuple[int, bool]:
    """Put what fills just this node on the path; whether anything fills smaller ones in it."""
    at, last = np.searchsorted(code, here), np.searchsorted(code, here + (1 << (2 * size)))
    while at < last and code[at] == here and scale[at] > size:  # those around it, which begin here too
        at += 1
    while at < last and code[at] == here and scale[at] == size:
        path[held] = label[at]
        held, at = held + 1, at + 1
    return held, bool(at < last)


@compiled
def _filled_by(sets: _Sets, counts: Integers, held: Labels, keys: Hashes) -> _Sets:
    place, written = counts[0], counts[1]
    sets = _Sets(
        room(sets.names, place + 1), room(sets.start, place + 2), room(sets.members, written + len(held))
    )
    name = np.uint64(0)
    for at in range(len(held)):
        name ^= keys[held[at]]
    sets.names[place], sets.start[place] = name, written
    sets.members[written : written + len(held)] = np.sort(held)
    counts[0], counts[1] = place + 1, written + len(held)
    sets.start[place + 1] = counts[1]
    return sets


@compiled
def _drawn(
    starts: Integers, lines: Floats, south: Labels, north: Labels,
    base_start: Integers, base: Labels, keys: Hashes,
) -> tuple[_Sets, _Lines, Integers]:  # fmt: skip
    """The lines between sets in every leaf, the sets, and how many lines, sets and members there are."""
    total = len(lines) + 64
    sets = _Sets(np.empty(total, np.uint64), np.empty(total, np.int64), np.empty(total, np.int32))
    out = _Lines(np.empty(total, np.int64), np.empty((total, 4)), np.empty((total, 2), np.int64))
    counts, places = np.zeros(3, np.int64), np.empty(64)
    for leaf in range(len(starts) - 1):
        own, held = slice(starts[leaf], starts[leaf + 1]), base[base_start[leaf] : base_start[leaf + 1]]
        here, change = _with_base(lines[own], south[own], north[own], held)
        places = _meetings(here, places)
        active, drawn = np.empty(len(here), np.int64), np.full(len(here), -1, np.int64)
        slab = _Slab(here, change, active, np.empty((len(here), 2)), drawn)
        first, count, coming = counts[1], 0, 0
        for at in range(len(places) - 1):
            count, coming = _enter(slab, count, coming, places[at], places[at + 1])
            sets, out = _slab(slab, count, places[at], places[at + 1], leaf, first, sets, out, counts, keys)
    return sets, out, counts


@compiled
def _with_base(lines: Floats, south: Labels, north: Labels, base: Labels) -> tuple[Floats, Labels]:
    """The lines of a leaf; what holds it whole is a line along its northern side."""
    held = len(base)
    here, change = np.empty((held + len(lines), 4)), np.empty((held + len(lines), 2), np.int32)
    for at in range(held):
        here[at, 0], here[at, 1], here[at, 2], here[at, 3] = 0.0, 1.0, 1.0, 1.0
        change[at, 0], change[at, 1] = base[at], NOBODY
    here[held:], change[held:, 0], change[held:, 1] = lines, south, north
    return here, change


@compiled
def _enter(slab: _Slab, count: int, coming: int, west: float, east: float) -> tuple[int, int]:
    """Which lines run through a slab, from the north, and where they are at its sides."""
    active, lines, ends = slab.active, slab.lines, slab.ends
    count = _still(active, count, lines, west)
    while coming < len(lines) and lines[coming, 0] <= west:
        active[count] = coming
        count, coming = count + 1, coming + 1
    for at in range(count):
        line = active[at]
        ends[line, 0], ends[line, 1] = _at(lines[line], west), _at(lines[line], east)
    _from_north(active, count, ends)
    return count, coming


@compiled
def _slab(
    slab: _Slab, count: int, west: float, east: float, leaf: int, first: int,
    sets: _Sets, out: _Lines, counts: Integers, keys: Hashes,
) -> tuple[_Sets, _Lines]:  # fmt: skip
    """Go south through a slab: a group of lines that are one changes the set, and is drawn where it does."""
    name, above, at = np.uint64(0), -1, 0
    while at < count:
        before, head, group = name, slab.active[at], slab.active[at]
        while at < count and _alike(slab.ends[group], slab.ends[slab.active[at]]):
            line = slab.active[at]
            head = min(head, line)
            name ^= keys[slab.change[line, 0]] ^ keys[slab.change[line, 1]]
            at += 1
        if name != before:
            sets, here = _place(sets, counts, slab, name, at, first)
            out = _draw(out, counts, slab, head, west, east, leaf, here, above)
            above = here
    return sets, out


@compiled
def _place(
    sets: _Sets, counts: Integers, slab: _Slab, name: np.uint64, passed: int, first: int
) -> tuple[_Sets, int]:
    """Where a set stands among those of its leaf, which begin at `first`; it is added where it's new."""
    if name == 0:
        return sets, -1
    for place in range(first, counts[1]):
        if sets.names[place] == name:
            return sets, place
    place = counts[1]
    sets = _Sets(
        room(sets.names, place + 1), room(sets.start, place + 2), room(sets.members, counts[2] + passed)
    )
    sets.names[place], sets.start[place] = name, counts[2]
    counts[2] = _members(slab.active, passed, slab.change, sets.members, counts[2])
    sets.start[place + 1] = counts[2]
    counts[1] += 1
    return sets, place


@compiled
def _draw(
    out: _Lines, counts: Integers, slab: _Slab, head: int,
    west: float, east: float, leaf: int, south: int, north: int,
) -> _Lines:  # fmt: skip
    """Draw a line between two sets, or make that of the slab before longer."""
    last = slab.drawn[head]
    alike = last >= 0 and out.sides[last, 0] == south and out.sides[last, 1] == north
    if alike and out.lines[last, 2] == west:
        out.lines[last, 2], out.lines[last, 3] = east, slab.ends[head, 1]
        return out
    at = counts[0]
    out = _Lines(room(out.leaf, at + 1), room(out.lines, at + 1), room(out.sides, at + 1))
    line = out.lines[at]
    line[0], line[1], line[2], line[3] = west, slab.ends[head, 0], east, slab.ends[head, 1]
    out.leaf[at], out.sides[at, 0], out.sides[at, 1] = leaf, south, north
    slab.drawn[head] = at
    counts[0] += 1
    return out


@compiled
def _still(active: Integers, count: int, lines: Floats, west: float) -> int:
    kept = 0
    for at in range(count):
        if lines[active[at], 2] > west:
            active[kept] = active[at]
            kept += 1
    return kept


@compiled
def _from_north(active: Integers, count: int, ends: Floats) -> None:
    """Sort lines by their height in the slab; they are nearly sorted from the slab before."""
    for at in range(1, count):
        line = active[at]
        height, place = ends[line, 0] + ends[line, 1], at
        while place > 0 and ends[active[place - 1], 0] + ends[active[place - 1], 1] < height:
            active[place] = active[place - 1]
            place -= 1
        active[place] = line


@compiled
def _alike(one: Floats, other: Floats) -> bool:
    return abs(one[0] - other[0]) <= SAME and abs(one[1] - other[1]) <= SAME


@compiled
def _members(active: Integers, passed: int, change: Labels, members: Labels, written: int) -> int:
    """Write the features that hold the area south of the first lines, in order."""
    seen = np.sort(np.concatenate((change[active[:passed], 0], change[active[:passed], 1])))
    at = 0
    while at < len(seen):
        end = at
        while end < len(seen) and seen[end] == seen[at]:
            end += 1
        if seen[at] != NOBODY and (end - at) % 2:
            members[written] = seen[at]
            written += 1
        at = end
    return written


@compiled
def _meetings(lines: Floats, at: Floats) -> Floats:
    """Where lines of a leaf begin, end or cross, in order, each once."""
    count = 0
    for a in range(len(lines)):
        at = room(at, count + 2)
        at[count], at[count + 1] = lines[a, 0], lines[a, 2]
        count += 2
        for b in range(a + 1, len(lines)):
            if lines[b, 0] >= lines[a, 2]:
                break
            v = _crossing(lines[a], lines[b])
            if v >= 0.0:
                at = room(at, count + 1)
                at[count] = v
                count += 1
    return np.unique(at[:count])


@compiled
def _crossing(a: Floats, b: Floats) -> float:
    """Where two lines cross within both; -1 where they don't, or only touch."""
    west, east = max(a[0], b[0]), min(a[2], b[2])
    if west >= east:
        return -1.0
    over, after = _at(a, west) - _at(b, west), _at(a, east) - _at(b, east)
    if over * after >= 0.0:
        return -1.0
    v = west + (east - west) * (over / (over - after))
    return v if west < v < east else -1.0


@compiled
def _at(line: Floats, v: float) -> float:
    if v == line[0]:
        return line[1]
    if v == line[2]:
        return line[3]
    return line[1] + (line[3] - line[1]) * ((v - line[0]) / (line[2] - line[0]))
