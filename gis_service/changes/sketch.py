"""What a change does on the ground: shapes before and after, what comes to it and what goes, in hectares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.changes.reading import Shown
from gis_service.geoprocessing import measure

SQUARE_METRES: Final = 10_000.0
MOST_VERTICES: Final = 200_000  # of both shapes; more are drawn, but not overlaid


@dataclass(frozen=True)
class Sketch:
    """The shapes of a change, and areas in hectares on the WGS 84 ellipsoid; None where there is none."""

    before: BaseGeometry | None
    after: BaseGeometry | None
    added: BaseGeometry | None = None
    removed: BaseGeometry | None = None
    hectares_before: float | None = None
    hectares_after: float | None = None
    hectares_added: float | None = None
    hectares_removed: float | None = None


def sketch(change: Shown) -> Sketch | None:
    """The sketch of a change that draws or withdraws a shape; None where no shape changes or is seen."""
    before = change.before
    after = None if change.operation == "delete" else change.after
    if change.operation == "update" and not change.moved:
        return None
    if before is None and after is None:
        return None
    added, removed = _overlaid(before, after)
    return Sketch(
        before,
        after,
        added,
        removed,
        _hectares(before),
        _hectares(after),
        _hectares(added),
        _hectares(removed),
    )


def _overlaid(
    before: BaseGeometry | None, after: BaseGeometry | None
) -> tuple[BaseGeometry | None, BaseGeometry | None]:
    """What only the new shape covers, and what only the old one; None where they can't be compared."""
    if before is None or after is None or not (before.area and after.area):
        return None, None
    if shapely.get_num_coordinates([before, after]).sum() > MOST_VERTICES:
        return None, None
    return after.difference(before), before.difference(after)


def _hectares(shape: BaseGeometry | None) -> float | None:
    """Areas are told of areas alone: a point has none, which isn't zero."""
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon", "GeometryCollection"):
        return None
    return measure.area(shape) / SQUARE_METRES
