"""The statistic `representation` as a document and a table: species' ranges against targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import coverage, representation
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.coverage import Areas
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.engine.index import Grouped, shared
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.representation import CLASSES, SAME, Representation, Spi
from gis_service.geoprocessing.seen import Seen
from gis_service.geoprocessing.sharing import TOUCHING_M2
from gis_service.reports.country import Country, country
from gis_service.reports.grouping import AREAS, NAMES, RANGES, grouped
from gis_service.reports.statistic import Moment, Reader, day_of, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits

_COLUMNS: Final = (
    "id", "species", "category", "class", "range_m2", "protected_m2", "share", "target", "target_m2",
    "achievement", "missing_m2", "whole_m2", "spi_score", "spi_weight",
)  # fmt: skip


@dataclass(frozen=True)
class _Ranges:
    """Species with a range that has an area, and what is protected of each.

    `range_m2` is the country's part where there is a country, else the whole range.
    """

    rows: Seen
    first: tuple[int, ...]
    whole_m2: Floats
    range_m2: Floats
    protected_m2: Floats

    def __len__(self) -> int:
        return len(self.first)

    def only(self, wanted: Sequence[int]) -> _Ranges:
        first = tuple(self.first[at] for at in wanted)
        areas = (each[wanted] for each in (self.whole_m2, self.range_m2, self.protected_m2))
        return _Ranges(self.rows, first, *areas)

    def name(self, at: int) -> str:
        return coverage.name_of(self.rows, self.first[at])


@dataclass(frozen=True)
class _Asked:
    """Which areas count, on which day, and the layer of zones that make the country."""

    which: Filter
    day: date
    zones: str | None
    budget: Budget


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    limits: Limits,
    tell: Tell,
) -> Table:
    """How well the species that the reader sees a range of are represented, at one moment of the database."""
    day = day_of(inputs) or datetime.now(UTC).date()
    zones = inputs.get("country")
    asked = _Asked(Filter(inputs["status_filter"], day), day, zones, Budget(limits.report_seconds))
    layers = [AREAS, RANGES, *([zones] if zones else [])]
    with moment(database, keeper, reader, layers, inputs["area_method"], tell) as now:
        rows, sites = now.seen(RANGES, NAMES[RANGES]), now.seen(AREAS, NAMES[AREAS])
        found = _ranges(now, rows, sites, asked)
        kept = grouped(now, RANGES, rows, day).rows
        method = now.method_document(
            [rows, sites],
            rule=inputs["rule"],
            target_range="whole",
            country=zones,
            status_filter=asked.which.status,
            as_of=day,
            excluded_rows=len(rows) - sum(len(each) for each in kept),
        )
    chosen = _chosen(found, inputs["species"])
    rule = inputs["rule"]
    told = representation.representation(chosen.range_m2, chosen.protected_m2, rule, chosen.whole_m2)
    index = representation.spi(chosen.range_m2, chosen.protected_m2, chosen.whole_m2, rule) if zones else None
    return _table(chosen, told, index, method)


def _ranges(now: Moment, rows: Seen, sites: Seen, asked: _Asked) -> _Ranges:
    """The species by name, with what is protected of the range of each: every place once."""
    of = now.kept(
        ("areas", "category", asked.which),
        sites,
        lambda: coverage.areas(now.index(AREAS), sites, "category", asked.which),
    )
    if asked.zones is None:
        return now.kept(
            ("ranges", asked.which, sites.state), rows, lambda: _measured(now, rows, of, asked, None)
        )
    zones = now.seen(asked.zones, coverage.ZONE_PROPERTIES)
    land = now.kept(
        ("country", asked.which, asked.day, sites.state),
        zones,
        lambda: country(now, zones, asked.day, of, asked.budget),
    )
    state = "ranges", asked.which, asked.day, sites.state, zones.state
    return now.kept(state, rows, lambda: _measured(now, rows, of, asked, land))


def _measured(now: Moment, rows: Seen, of: Areas, asked: _Asked, land: Country | None) -> _Ranges:
    assert of.index.flat is not None, "protected areas are laid flat"
    groups = grouped(now, RANGES, rows, asked.day)
    flat: Grouped = [(of.index.flat.layer, of.profiles.of_atom)]
    protected = of.profiles.any_of(shared(groups.layers, flat, (len(groups), len(of.profiles.several))))
    # What rounding leaves of neighbours that only touch is nothing, and a part is never more than its whole.
    least, sizes = np.maximum(TOUCHING_M2, SAME * groups.areas), groups.areas
    if land is not None:
        sizes, protected = land.has_of(groups), protected - land.protected_beyond(groups)
    protected = np.where(protected > least, np.minimum(protected, sizes), 0.0)
    first = [members[0] for members in groups.rows]
    names = [coverage.name_of(rows, at) for at in first]
    order = [at for at in sorted(range(len(groups)), key=lambda at: names[at]) if sizes[at] > least[at]]
    return _Ranges(rows, tuple(first), groups.areas, sizes, protected).only(order)


def _chosen(found: _Ranges, names: Sequence[str]) -> _Ranges:
    """The species that were asked for, or all."""
    if not names:
        return found
    wanted = set(names)
    return found.only([at for at in range(len(found)) if found.name(at) in wanted])


def _table(found: _Ranges, told: Representation, index: Spi | None, method: Mapping[str, Any]) -> Table:
    species = list(_species(found, told, index))
    document = {
        "type": "representation",
        "species": species,
        "counts": told.counts,
        "mean_target_achievement": told.mean_target_achievement,
        "species_protection_index": None if index is None else index.index,
        "method": method,
    }
    return Table(document, _COLUMNS, species)


def _species(found: _Ranges, told: Representation, index: Spi | None) -> Iterator[dict[str, Any]]:
    category = found.rows.column("category")
    for at, row in enumerate(found.first):
        size, target = float(found.range_m2[at]), float(told.targets[at])
        entry = {
            "id": found.rows.ids[row],
            "species": found.name(at),
            "category": category[row],
            "class": CLASSES[told.classes[at]],
            "range_m2": size,
            "protected_m2": float(found.protected_m2[at]),
            "share": float(told.shares[at]),
            "target": target,
            "target_m2": target * size,
            "achievement": float(told.achievements[at]),
            "missing_m2": float(told.missing_m2[at]),
        }
        if index is not None:
            entry["whole_m2"] = float(found.whole_m2[at])
            entry["spi_score"], entry["spi_weight"] = float(index.scores[at]), float(index.weights[at])
        yield entry
