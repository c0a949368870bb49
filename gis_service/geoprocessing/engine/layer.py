"""A layer in the grid: which of its features hold a node whole, and the lines in all others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.cut import Bytes, Cut
from gis_service.geoprocessing.engine.grid import Floats, Integers, node_areas

Labels = npt.NDArray[np.int32]
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
