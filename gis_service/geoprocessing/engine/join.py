"""How much of each label of one layer lies in each of another: sums over nodes and leaves."""

from __future__ import annotations

import numpy as np

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.cut import Bytes
from gis_service.geoprocessing.engine.grid import Floats, Integers, below, rows_of_codes
from gis_service.geoprocessing.engine.kernel import lower
from gis_service.geoprocessing.engine.layer import Labels, Layer


def join(one: Layer, other: Layer, of_one: Labels | None = None, of_other: Labels | None = None) -> Floats:
    """m² shared by the groups of one layer's labels and of another's, as a matrix.

    `of_one` and `of_other` say the group of each label (-1: none); without them each label is one. It takes
    as long as the smaller layer is large, and as much is shared.
    """
    if len(one.whole_code) + len(one.share_code) > len(other.whole_code) + len(other.share_code):
        return np.ascontiguousarray(join(other, one, of_other, of_one).T)
    assert one.method == other.method, "areas of one kind"
    first, second = _groups(one, of_one), _groups(other, of_other)
    out = np.zeros((int(first.max(initial=-1)) + 1, int(second.max(initial=-1)) + 1))
    wholes = other.whole_code, other.whole_scale, other.whole_label
    _inside(
        one.whole_code, one.whole_scale, one.whole_label, first,
        *wholes, other.whole_area, other.share_code, other.share_label, other.share_area, second, out,
    )  # fmt: skip
    around = *wholes, other.whole_within, second, out
    _around(one.whole_code, one.whole_scale, one.whole_label, one.whole_area, first, *around)
    leaf = np.full(len(one.share_code), -1, np.int8)  # below the scale of any node
    _around(one.share_code, leaf, one.share_label, one.share_area, first, *around)
    _crossing(
        one.leaf_code, one.leaf_start, one.lines, first[one.south], first[one.north],
        other.leaf_code, other.leaf_start, other.lines, other.south, other.north, second,
        below(one.method), rows_of_codes(one.leaf_code), out,
    )  # fmt: skip
    return out


def _groups(layer: Layer, of: Labels | None) -> Labels:
    """The group of each label, and -1 for NOBODY, which is the last place."""
    groups = np.arange(layer.labels) if of is None else of
    return np.append(groups, -1).astype(np.int32)


@compiled
def _inside(
    code: Integers, scale: Bytes, label: Labels, group: Labels,
    whole_code: Integers, whole_scale: Bytes, whole_label: Labels, whole_area: Floats,
    share_code: Integers, share_label: Labels, share_area: Floats, other_group: Labels, out: Floats,
) -> None:  # fmt: skip
    """What of the other layer lies in nodes of the first."""
    for at in range(len(code)):
        row = group[label[at]]
        if row < 0:
            continue
        end = code[at] + (1 << (2 * scale[at]))
        for each in range(np.searchsorted(whole_code, code[at]), np.searchsorted(whole_code, end)):
            column = other_group[whole_label[each]]
            if column >= 0 and whole_scale[each] <= scale[at]:
                out[row, column] += whole_area[each]
        for each in range(np.searchsorted(share_code, code[at]), np.searchsorted(share_code, end)):
            column = other_group[share_label[each]]
            if column >= 0:
                out[row, column] += share_area[each]


@compiled
def _around(
    code: Integers, scale: Bytes, label: Labels, area: Floats, group: Labels,
    whole_code: Integers, whole_scale: Bytes, whole_label: Labels, whole_within: Labels,
    other_group: Labels, out: Floats,
) -> None:  # fmt: skip
    """What of the first layer lies in larger nodes of the other."""
    for at in range(len(code)):
        row = group[label[at]]
        if row < 0:
            continue
        around = np.searchsorted(whole_code, code[at], side="right") - 1
        while around >= 0:
            holds = code[at] < whole_code[around] + (1 << (2 * whole_scale[around]))
            if holds and whole_scale[around] > scale[at]:
                column = other_group[whole_label[around]]
                if column >= 0:
                    out[row, column] += area[at]
            around = whole_within[around]


@compiled
def _crossing(
    codes: Integers, starts: Integers, lines: Floats, south: Labels, north: Labels,
    other_codes: Integers, other_starts: Integers, other_lines: Floats,
    other_south: Labels, other_north: Labels, other_group: Labels,
    below: Floats, rows: Integers, out: Floats,
) -> None:  # fmt: skip
    """What is shared in leaves that have lines of both."""
    for at in range(len(codes)):
        same = np.searchsorted(other_codes, codes[at])
        if same == len(other_codes) or other_codes[same] != codes[at]:
            continue
        row_below = below[rows[at]]
        first, end = other_starts[same], other_starts[same + 1]
        for a in range(starts[at], starts[at + 1]):
            for b in range(first, end):
                if other_lines[b, 0] >= lines[a, 2]:
                    break
                if other_lines[b, 2] <= lines[a, 0]:
                    continue
                plus, minus = other_group[other_south[b]], other_group[other_north[b]]
                if plus == minus:
                    continue
                shared = lower(
                    row_below, lines[a, 0], lines[a, 1], lines[a, 2], lines[a, 3],
                    other_lines[b, 0], other_lines[b, 1], other_lines[b, 2], other_lines[b, 3],
                )  # fmt: skip
                _add(out, south[a], plus, minus, shared)
                _add(out, north[a], plus, minus, -shared)


@compiled
def _add(out: Floats, row: int, plus: int, minus: int, value: float) -> None:
    if row < 0:
        return
    if plus >= 0:
        out[row, plus] += value
    if minus >= 0:
        out[row, minus] -= value
