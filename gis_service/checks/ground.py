"""Rules that hold a row against the ground of its proposer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import shapely

from gis_service.checks import shapes
from gis_service.checks.candidate import FAULT, WARNING
from gis_service.checks.row import Row
from gis_service.checks.rule import OURS, Hit, Rule
from gis_service.checks.scene import Scene

WHOLE: Final = 0.9999  # what is left of an area whose boundary just touches isn't inside


def outside(row: Row, scene: Scene) -> Iterator[Hit]:
    """The row lies wholly outside the proposer's jurisdictions."""
    if scene.context.jurisdiction is not None and _share_outside(row, scene) > WHOLE:
        yield _hit(row, scene, 1.0)


def partly_outside(row: Row, scene: Scene) -> Iterator[Hit]:
    """More than `outside_share` of the area lies outside the proposer's jurisdictions."""
    if scene.context.jurisdiction is None:
        return
    share = _share_outside(row, scene)
    if scene.limits.outside_share < share <= WHOLE:
        yield _hit(row, scene, share)


def _hit(row: Row, scene: Scene, share: float) -> Hit:
    assert row.sound is not None  # only what is sound has a share
    assert scene.context.jurisdiction is not None
    shape = scene.context.jurisdiction.shape
    left = row.sound if share >= 1 else shapely.difference(row.sound, shape)
    point = shapely.point_on_surface(left)
    values = {"codes": ", ".join(scene.context.jurisdiction.codes), "percent": 100 * share}
    return Hit(values=values, place=(point.x, point.y))


def _share_outside(row: Row, scene: Scene) -> float:
    """0 inside, 1 outside; 0 too where the geometry can't be overlaid."""
    assert scene.context.jurisdiction is not None
    ground, shape = scene.context.jurisdiction.shape, row.sound
    if shape is None or ground.covers(shape):
        return 0.0
    if row.m2 is None or not ground.intersects(shape):
        return 1.0
    return 1 - shapes.area_m2(shapely.intersection(shape, ground)) / row.m2 if row.m2 else 0.0


RULES: Final = (
    Rule("jurisdiction-outside", FAULT, OURS, outside),
    Rule("jurisdiction-partly", WARNING, OURS, partly_outside),
)
