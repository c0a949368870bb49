"""Rules for the names of species, in records and ranges alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gis_service.checks.candidate import NOTE, WARNING
from gis_service.checks.row import Row
from gis_service.checks.rule import OURS, Hit, Rule
from gis_service.checks.scene import Scene

COLUMN: Final = {"occurrences": "scientific_name", "species-ranges": "sci_name"}


def unknown(row: Row, scene: Scene) -> Iterator[Hit]:
    """The name isn't among the taxa that the service knows."""
    column = COLUMN[row.layer]
    name = row.text(column)
    if scene.context.taxa is not None and name and scene.taxon(name) is None:
        yield Hit(column, {"value": name})


def synonym(row: Row, scene: Scene) -> Iterator[Hit]:
    """The name is a synonym of an accepted one."""
    column = COLUMN[row.layer]
    found = scene.taxon(row.text(column))
    if found is not None and found.accepted:
        yield Hit(column, {"value": row.text(column), "accepted": found.accepted})


RULES: Final = (
    Rule("taxon-unknown", WARNING, OURS, unknown),
    Rule("taxon-synonym", NOTE, OURS, synonym),
)
