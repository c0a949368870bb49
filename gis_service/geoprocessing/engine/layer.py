"""A layer in the grid: which of its features hold a node whole, and the lines in all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.cut import Bytes, Cut
from gis_service.geoprocessing.engine.grid import (
    METHOD,
    Floats,
    Integers,
    below,
    node_areas,
    rows_of_codes,
)
from gis_service.geoprocessing.engine.kernel import strip

Labels = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
NOBODY = -1


@dataclass(frozen=True)
class Layer:
    """Labels are numbers of features, or of what else fills areas; each part is in the order of its codes.

    whole_*: nodes that a label fills, outer ones before inner; `whole_within` is the next one around each.
    share_*: m² of a label in a leaf that it doesn't fill.
    leaf_code, leaf_start: leaves with lines, and where theirs begin; lines (v1, u1, v2, u2), in order of v1.
    south, north: the label that has its area south of a line, and the one that has it north; or NOBODY.
    """

    labels: int
    whole_code: Integers
    whole_scale: Bytes
    whole_label: Labels
    whole_area: Floats
    whole_within: Labels
    share_code: Integers
    share_label: Labels
    share_area: Floats
    leaf_code: Integers
    leaf_start: Integers
    lines: Floats
    south: Labels
    north: Labels
    method: str = METHOD  # of the areas

    def areas(self) -> Floats:
        """m² of each label."""
        whole = np.bincount(self.whole_label, self.whole_area, self.labels)
        return np.asarray(whole + np.bincount(self.share_label, self.share_area, self.labels))


def layer(cuts: Iterable[Cut], labels: int) -> Layer:
    """The layer of cut features; their numbers are its labels."""
    made = list(cuts)
    code, scale, owner = (
        np.concatenate([getattr(cut, name) for cut in made])
        for name in ("whole_code", "whole_scale", "whole_feature")
    )
    order = np.lexsort((owner, -scale, code))
    code, scale = code[order], scale[order]
    leaves, shares, (lines, south, north) = _gathered(made)
    return Layer(
        labels, code, scale, owner[order].astype(np.int32), node_areas(code, scale), within(code, scale),
        *shares, *leaves, lines, south, north,
    )  # fmt: skip


def shares(
    leaf: Integers, lines: Floats, sides: Labels, codes: Integers, method: str = METHOD
) -> tuple[Integers, Labels, Floats]:
    """m² of each label in each leaf, from what lies below its lines: codes, labels and areas in their order.

    `leaf` is the place of each line's leaf among `codes`, `sides` the labels south and north of each line.
    """
    areas = _below_each(lines, rows_of_codes(codes)[leaf], below(method))
    owners = sides.reshape(-1).astype(np.int64)
    leaves, signed = np.concatenate([leaf, leaf]), np.concatenate([areas, -areas])
    held = owners >= 0
    pairs, place = np.unique((leaves[held] << 32) | owners[held], return_inverse=True)
    summed = np.bincount(place, signed[held], len(pairs)).astype(np.float64)
    return codes[pairs >> 32], (pairs & 0xFFFFFFFF).astype(np.int32), summed


@compiled
def _below_each(lines: Floats, rows: Integers, below: Floats) -> Floats:
    areas = np.empty(len(lines))
    for at in range(len(lines)):
        width = lines[at, 2] - lines[at, 0]
        areas[at] = width * strip(below[rows[at]], lines[at, 1], lines[at, 3])
    return areas


def measured(layer: Layer, method: str) -> Layer:
    """The same layer with its areas by another method; what is joined must have one method."""
    if layer.method == method:
        return layer
    leaf = np.repeat(np.arange(len(layer.leaf_code)), np.diff(layer.leaf_start))
    found = shares(leaf, layer.lines, np.stack([layer.south, layer.north]), layer.leaf_code, method)
    return replace(
        layer,
        whole_area=node_areas(layer.whole_code, layer.whole_scale, method),
        share_code=found[0],
        share_label=found[1],
        share_area=found[2],
        method=method,
    )


def between(layer: Layer, first: int, end: int) -> Layer:
    """What begins between two codes; nothing is copied."""
    whole, share, leaf = (
        slice(*np.searchsorted(codes, (first, end)))
        for codes in (layer.whole_code, layer.share_code, layer.leaf_code)
    )
    starts = layer.leaf_start[leaf.start : leaf.stop + 1]
    lines = slice(int(starts[0]), int(starts[-1]))
    return Layer(
        layer.labels,
        layer.whole_code[whole], layer.whole_scale[whole], layer.whole_label[whole], layer.whole_area[whole],
        _moved(layer.whole_within[whole], -whole.start),
        layer.share_code[share], layer.share_label[share], layer.share_area[share],
        layer.leaf_code[leaf], starts - starts[0],
        layer.lines[lines], layer.south[lines], layer.north[lines],
    )  # fmt: skip


def one_after_another(parts: Sequence[Layer], numbers: Sequence[Labels], labels: int) -> Layer:
    """One layer of parts whose codes rise from part to part; `numbers` say what their labels become."""
    named = [np.append(each, NOBODY).astype(np.int32) for each in numbers]

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    def labelled(name: str) -> Labels:
        return np.concatenate([of[getattr(part, name)] for part, of in zip(parts, named, strict=True)])

    nodes = np.cumsum([0, *(len(part.whole_code) for part in parts)])
    lines = np.cumsum([0, *(len(part.lines) for part in parts)])
    within = [_moved(part.whole_within, int(at)) for part, at in zip(parts, nodes[:-1], strict=True)]
    starts = [part.leaf_start[:-1] + at for part, at in zip(parts, lines[:-1], strict=True)]
    return Layer(
        labels,
        column("whole_code"), column("whole_scale"), labelled("whole_label"), column("whole_area"),
        np.concatenate(within),
        column("share_code"), labelled("share_label"), column("share_area"),
        column("leaf_code"), np.append(np.concatenate(starts), lines[-1]).astype(np.int64),
        column("lines"), labelled("south"), labelled("north"),
    )  # fmt: skip


def _moved(places: Labels, by: int) -> Labels:
    return np.where(places == NOBODY, NOBODY, places + by).astype(np.int32)


def section(parts: Sequence[Layer], alive: Bools, first: int, end: int) -> Layer:
    """What of several layers lies between two codes, where blocks begin, as one layer; dead labels are left
    out. Nodes that hold the whole of it are there too.
    """
    cuts = [_section(part, alive, first, end) for part in parts]
    code, scale, label = (np.concatenate([cut[at] for cut in cuts]) for at in range(3))
    order = np.lexsort((label, -scale, code))
    code, scale, label = code[order], scale[order], label[order]
    leaf, lines, south, north = (np.concatenate([cut[at] for cut in cuts]) for at in range(3, 7))
    order = np.lexsort((lines[:, 0], leaf))
    leaf_code, starts = np.unique(leaf[order], return_index=True)
    none = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
    return Layer(
        len(alive), code, scale, label, node_areas(code, scale), within(code, scale),
        *none, leaf_code, np.append(starts, len(leaf)).astype(np.int64),
        lines[order], south[order], north[order],
    )  # fmt: skip


def _section(layer: Layer, alive: Bools, first: int, end: int) -> tuple[Any, ...]:
    inside = slice(*np.searchsorted(layer.whole_code, (first, end)))
    nodes = np.concatenate([_around(layer, inside.start, first), np.arange(inside.start, inside.stop)])
    nodes = nodes[alive[layer.whole_label[nodes]]].astype(np.int64)
    part = between(layer, first, end)
    living = np.append(alive, False)
    kept = living[part.south] | living[part.north]
    leaf = np.repeat(part.leaf_code, np.diff(part.leaf_start))[kept]
    return (
        layer.whole_code[nodes], layer.whole_scale[nodes], layer.whole_label[nodes],
        leaf, part.lines[kept], part.south[kept], part.north[kept],
    )  # fmt: skip


def _around(layer: Layer, place: int, code: int) -> Integers:
    """The nodes before a place that hold a code."""
    found, at = [], place - 1
    while at >= 0:
        if code < layer.whole_code[at] + (1 << (2 * int(layer.whole_scale[at]))):
            found.append(at)
        at = int(layer.whole_within[at])
    return np.array(found[::-1], np.int64)


def _gathered(
    cuts: list[Cut],
) -> tuple[tuple[Integers, Integers], tuple[Integers, Labels, Floats], tuple[Floats, Labels, Labels]]:
    """Pieces by their leaves, the lines of each leaf from the west."""
    code, owner, area = (
        np.concatenate([getattr(cut, name) for cut in cuts])
        for name in ("piece_code", "piece_feature", "piece_area")
    )
    counts = np.concatenate([np.diff(cut.piece_start) for cut in cuts])
    lines = np.concatenate([cut.lines for cut in cuts])
    signs = np.concatenate([cut.signs for cut in cuts])
    line_code, line_owner = np.repeat(code, counts), np.repeat(owner, counts).astype(np.int32)
    order = np.lexsort((lines[:, 0], line_code))
    line_code, line_owner, signs = line_code[order], line_owner[order], signs[order]
    leaf_code, first = np.unique(line_code, return_index=True)
    leaf_start = np.append(first, len(line_code)).astype(np.int64)
    south = np.where(signs > 0, line_owner, NOBODY).astype(np.int32)
    north = np.where(signs < 0, line_owner, NOBODY).astype(np.int32)
    by_code = np.lexsort((owner, code))
    shares = code[by_code], owner[by_code].astype(np.int32), area[by_code]
    return (leaf_code, leaf_start), shares, (lines[order], south, north)


@compiled
def within(code: Integers, scale: Bytes) -> Labels:
    """For each node the one before it that holds it, or NOBODY; they stand outer ones first."""
    found = np.empty(len(code), np.int32)
    for at in range(len(code)):
        around = at - 1
        while around >= 0 and code[at] >= code[around] + (1 << (2 * scale[around])):
            around = found[around]
        found[at] = around
    return found
