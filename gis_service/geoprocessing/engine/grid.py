"""The grid of the engine: leaves of 360/2¹³ degrees, numbered along a Z curve, and areas below lines.

A node of scale k is a square of 2^k leaves a side; it stands for 4^k codes from its first leaf's on.
"""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gis_service.geo import areas
from gis_service.geoprocessing.engine.compiled import compiled

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LEVEL: Final = 13
COLUMNS: Final = 1 << LEVEL
ROWS: Final = COLUMNS // 2
SIDE: Final = 360 / COLUMNS  # degrees: 45/1024, so that its multiples are exact
METHOD: Final = areas.METHOD
WORLD: Final = 1 << (2 * LEVEL)  # the code after the last
BLOCK_SCALE: Final = 3  # 0.35 degrees: what is flattened anew when an area in it changes
BLOCK: Final = 1 << (2 * BLOCK_SCALE)

_DEGREE: Final = 4  # of the area below a line within a row of leaves; the next term is below 1e-15 of it


def columns_of(longitudes: Floats) -> Floats:
    """Longitudes in degrees as columns of leaves, 0 to 8192."""
    return (longitudes + 180.0) / SIDE


def rows_of(latitudes: Floats) -> Floats:
    """Latitudes in degrees as rows of leaves, 0 to 4096 from the south."""
    return (latitudes + 90.0) / SIDE


@compiled
def spread(value: int) -> int:
    """The bits of a number below 2¹³ with a zero between each two."""
    value = (value | (value << 8)) & 0x00FF00FF
    value = (value | (value << 4)) & 0x0F0F0F0F
    value = (value | (value << 2)) & 0x33333333
    return (value | (value << 1)) & 0x55555555


@compiled
def packed(value: int) -> int:
    """What `spread` spread."""
    value &= 0x55555555
    value = (value | (value >> 1)) & 0x33333333
    value = (value | (value >> 2)) & 0x0F0F0F0F
    value = (value | (value >> 4)) & 0x00FF00FF
    return (value | (value >> 8)) & 0x0000FFFF


@compiled
def code(column: int, row: int) -> int:
    """The number of a leaf on the Z curve."""
    return spread(column) | (spread(row) << 1)


@functools.cache
def below(method: str = METHOD) -> Floats:
    """For each row the coefficients of u, u², u³, u⁴: m² below height u (0 to 1) over one leaf's width."""
    # By Gauss's rule over the derivative: differences of Q itself would lose four digits.
    nodes, weights = np.polynomial.legendre.leggauss(8)
    heights = (1 - np.cos(np.pi * np.arange(1, _DEGREE + 1) / _DEGREE)) / 2
    south = np.radians(np.arange(ROWS) * SIDE - 90.0)
    side = math.radians(SIDE)
    at = south[:, None, None] + side * heights[:, None] * (nodes + 1) / 2
    values = side * side * heights / 2 * (areas.authalic_slope(at, method) @ weights)
    powers = heights[:, None] ** np.arange(1, _DEGREE + 1)
    return np.ascontiguousarray(np.linalg.solve(powers, values.T).T)


@functools.cache
def _south_of(method: str) -> Floats:
    """For each row the m² of one column of leaves south of it."""
    summed = np.cumsum(below(method).sum(axis=1), dtype=np.longdouble)
    return np.concatenate([[0.0], summed]).astype(np.float64)


def node_areas(codes: Integers, scales: npt.NDArray[np.int8], method: str = METHOD) -> Floats:
    """Areas in m² of nodes of 2^scale leaves a side."""
    side = np.int64(1) << scales.astype(np.int64)
    rows = rows_of_codes(codes)
    return np.asarray(side * (_south_of(method)[rows + side] - _south_of(method)[rows]))


@compiled
def rows_of_codes(codes: Integers) -> Integers:
    rows = np.empty(len(codes), np.int64)
    for at in range(len(codes)):
        rows[at] = packed(codes[at] >> 1)
    return rows
