"""What lies below lines within a leaf, and below the lower of two: sums of these are areas of polygons.

Lines run from (v1, u1) to (v2, u2), v1 < v2, in sides of the leaf from its south-western corner; `below` are
the coefficients of its row (grid.below).
"""

from __future__ import annotations

from gis_service.geoprocessing.engine.compiled import compiled
from gis_service.geoprocessing.engine.grid import Floats


@compiled
def strip(below: Floats, low: float, high: float) -> float:
    """m² per leaf's width below a line that rises from u = low to high: the mean of a quartic, exactly."""
    s, p = low + high, low * high
    squares = s * s - p
    return (
        below[0] * s / 2
        + below[1] * squares / 3
        + below[2] * s * (squares - p) / 4
        + below[3] * (squares * squares - p * squares - p * p) / 5
    )


@compiled
def lower(
    below: Floats,
    v1: float, u1: float, v2: float, u2: float,
    w1: float, t1: float, w2: float, t2: float,
) -> float:  # fmt: skip
    """m² below the lower of two lines, where both run."""
    west, east = max(v1, w1), min(v2, w2)
    if west >= east:
        return 0.0
    slope, other = (u2 - u1) / (v2 - v1), (t2 - t1) / (w2 - w1)
    a1 = u1 if west == v1 else u1 + slope * (west - v1)
    a2 = u2 if east == v2 else u1 + slope * (east - v1)
    b1 = t1 if west == w1 else t1 + other * (west - w1)
    b2 = t2 if east == w2 else t1 + other * (east - w1)
    over, after = a1 - b1, a2 - b2
    if over <= 0 and after <= 0:
        return (east - west) * strip(below, a1, a2)
    if over >= 0 and after >= 0:
        return (east - west) * strip(below, b1, b2)
    part = over / (over - after)
    width, height = (east - west) * part, a1 + (a2 - a1) * part
    if over < 0:
        return width * strip(below, a1, height) + (east - west - width) * strip(below, height, b2)
    return width * strip(below, b1, height) + (east - west - width) * strip(below, height, a2)
