"""Which rules hold for which layer, in the order in which people read their findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gis_service.checks import (
    cells,
    geometry,
    ground,
    monitoring,
    occurrences,
    protected_areas,
    ranges,
    sites,
    taxa,
)
from gis_service.checks.rule import Rule

EVERYWHERE: Final = (*cells.RULES, *geometry.RULES, *ground.RULES)
TABLES: Final = cells.RULES  # what has no geometry of its own

LAYERS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "protected-areas": (*EVERYWHERE, *protected_areas.RULES, *sites.RULES),
    "management-zones": EVERYWHERE,
    "occurrences": (*EVERYWHERE, *taxa.RULES, *occurrences.RULES),
    "species-ranges": (*EVERYWHERE, *taxa.RULES, *ranges.RULES),
    "plots": (*EVERYWHERE, *monitoring.PLOT_RULES),
    "provinces": (*EVERYWHERE, *sites.UNIT_RULES),
    "communes": (*EVERYWHERE, *sites.UNIT_RULES),
    "sea-areas": EVERYWHERE,
    "ecoregions": EVERYWHERE,
    "visits": (*TABLES, *monitoring.VISIT_RULES),
    "measurements": (*TABLES, *monitoring.MEASUREMENT_RULES),
}
GROUPS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "Cells of every layer": cells.RULES,
    "Geometry of every layer": geometry.RULES,
    "Jurisdiction, every layer": ground.RULES,
    "Protected areas: attributes": protected_areas.RULES,
    "Protected areas: drawing, parcels, neighbours": sites.RULES,
    "Provinces and communes": sites.UNIT_RULES,
    "Names in occurrences and species ranges": taxa.RULES,
    "Occurrences": occurrences.RULES,
    "Species ranges": ranges.RULES,
    "Plots": monitoring.PLOT_RULES,
    "Visits": monitoring.VISIT_RULES,
    "Measurements": monitoring.MEASUREMENT_RULES,
}


def rules_of(layer: str) -> tuple[Rule, ...]:
    """The rules of a layer; of one that we don't know, those that hold everywhere."""
    return LAYERS.get(layer, EVERYWHERE)
