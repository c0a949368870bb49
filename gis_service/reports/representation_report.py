"""The statistic `representation` as a document and a table: species' ranges against targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import coverage, representation
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.engine.index import Grouped, shared
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.representation import CLASSES, Representation
from gis_service.geoprocessing.seen import Seen
from gis_service.geoprocessing.sharing import TOUCHING_M2
from gis_service.reports.grouping import AREAS, NAMES, RANGES, grouped
from gis_service.reports.statistic import Moment, Reader, day_of, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits

_COLUMNS: Final = (
    "id", "species", "category", "class", "range_m2", "protected_m2", "share", "target", "target_m2",
    "achievement", "missing_m2",
)  # fmt: skip


@dataclass(frozen=True)
class _Ranges:
    """Species with a range that has an area, and what is protected of each."""

    rows: Seen
    first: tuple[int, ...]
    range_m2: Floats
    protected_m2: Floats

    def __len__(self) -> int:
        return len(self.first)

    def only(self, wanted: Sequence[int]) -> _Ranges:
        return _Ranges(
            self.rows,
            tuple(self.first[at] for at in wanted),
            self.range_m2[wanted],
            self.protected_m2[wanted],
        )

    def name(self, at: int) -> str:
        return coverage.name_of(self.rows, self.first[at])


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    _limits: Limits,
    tell: Tell,
) -> Table:
    """How well the species that the reader sees a range of are represented, at one moment of the database."""
    day = day_of(inputs) or datetime.now(UTC).date()
    which = Filter(inputs["status_filter"], day)
    with moment(database, keeper, reader, [AREAS, RANGES], inputs["area_method"], tell) as now:
        rows, sites = now.seen(RANGES, NAMES[RANGES]), now.seen(AREAS, NAMES[AREAS])
        found = now.kept(
            ("protected", which, sites.state), rows, lambda: _ranges(now, rows, sites, which, day)
        )
        asked = {
            "rule": inputs["rule"],
            "target_range": "whole",
            "status_filter": which.status,
            "as_of": day,
            "excluded_rows": len(rows) - sum(len(each) for each in grouped(now, RANGES, rows, day).rows),
        }
        method = now.method_document([rows, sites], **asked)
    chosen = _chosen(found, inputs["species"])
    told = representation.representation(chosen.range_m2, chosen.protected_m2, inputs["rule"])
    return _table(chosen, told, method)


def _ranges(now: Moment, rows: Seen, sites: Seen, which: Filter, day: date) -> _Ranges:
    """The species by name, with what is protected of the range of each: every place once."""
    of = now.kept(
        ("areas", "category", which),
        sites,
        lambda: coverage.areas(now.index(AREAS), sites, "category", which),
    )
    assert of.index.flat is not None, "protected areas are laid flat"
    groups = grouped(now, RANGES, rows, day)
    flat: Grouped = [(of.index.flat.layer, of.profiles.of_atom)]
    met = shared(groups.layers, flat, (len(groups), len(of.profiles.several)))
    protected = of.profiles.any_of(met)
    # What rounding leaves of neighbours that only touch is no protection, and none is more than the range.
    protected = np.where(protected > TOUCHING_M2, np.minimum(protected, groups.areas), 0.0)
    first = [members[0] for members in groups.rows]
    names = [coverage.name_of(rows, at) for at in first]
    order = [at for at in sorted(range(len(groups)), key=lambda at: names[at]) if groups.areas[at] > 0]
    return _Ranges(rows, tuple(first), groups.areas, protected).only(order)


def _chosen(found: _Ranges, names: Sequence[str]) -> _Ranges:
    """The species that were asked for, or all."""
    if not names:
        return found
    wanted = set(names)
    return found.only([at for at in range(len(found)) if found.name(at) in wanted])


def _table(found: _Ranges, told: Representation, method: Mapping[str, Any]) -> Table:
    species = list(_species(found, told))
    document = {
        "type": "representation",
        "species": species,
        "counts": told.counts,
        "mean_target_achievement": told.mean_target_achievement,
        "method": method,
    }
    return Table(document, _COLUMNS, species)


def _species(found: _Ranges, told: Representation) -> Iterator[dict[str, Any]]:
    category = found.rows.column("category")
    for at, row in enumerate(found.first):
        size, target = float(found.range_m2[at]), float(told.targets[at])
        yield {
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
