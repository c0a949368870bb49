"""Which rows of a layer are one thing: parcels of a site, ranges of a species; every other row is its own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Final

from gis_service.geoprocessing import coverage, species
from gis_service.geoprocessing.groups import Together, together
from gis_service.geoprocessing.seen import Seen
from gis_service.reports.statistic import Moment

AREAS: Final = "protected-areas"
RANGES: Final = "species-ranges"
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    AREAS: coverage.PROPERTIES,
    RANGES: (*species.RANGE_NAMES, "valid_from", "valid_to"),
}


def grouped(now: Moment, name: str, rows: Seen, day: date) -> Together:
    """The rows of a layer, read with NAMES, as groups; made once for each state of the rows."""
    surface = now.reader.surfaces[name]

    def made() -> Together:
        groups = _groups(name, rows, day)
        return together(now.database, surface, now.index(name), rows, groups, now.keeper.unions(surface))

    return now.kept(("together", day), rows, made)


def _groups(name: str, rows: Seen, day: date) -> list[Hashable]:
    """What each row belongs to: a site, a species, or itself; None of rows that don't count."""
    if name == AREAS:
        return coverage.sites_of(rows)
    if name == RANGES:
        kept = [species.kept(values) for values in rows.records(species.RANGE_NAMES)]
        names = zip(rows.datasets.tolist(), rows.column("sci_name"), rows.ids, strict=True)
        return [
            (dataset, species_name or row) if counts else None
            for (dataset, species_name, row), counts in zip(names, kept, strict=True)
        ]
    return [row if coverage.stands(rows, at, day) else None for at, row in enumerate(rows.ids)]
