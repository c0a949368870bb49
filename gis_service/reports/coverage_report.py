"""The statistic `coverage` as a document and a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import coverage
from gis_service.geoprocessing.coverage import Coverage, Spread, Zone
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine.index import Index
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.project import Project, ProjectLimits, read_project
from gis_service.geoprocessing.seen import Seen
from gis_service.reports.statistic import Moment, Reader, day_of, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits

AREAS: Final = "protected-areas"
_COLUMNS: Final = (
    "zone", "name", "area_m2", "by", "value", "first_m2", "inclusive_m2", "covered_m2", "share",
    "naive_m2", "several_m2", "target", "gap_m2",
)  # fmt: skip


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    limits: Limits,
    tell: Tell,
    *,
    spread: Spread = coverage.at_once,
) -> Table:
    """The coverage that was asked for, of one moment of the database."""
    by, day = inputs["by"], day_of(inputs) or datetime.now(UTC).date()
    which = Filter(inputs["status_filter"], day)
    drawn = (
        read_project(inputs["area"], ProjectLimits(vertices=limits.report_vertices))
        if "area" in inputs
        else None
    )
    layers = [AREAS] if drawn else [AREAS, inputs["zones"]]
    with moment(database, keeper, reader, layers, inputs["area_method"], tell) as now:
        sites = now.seen(AREAS, coverage.PROPERTIES)
        of = now.kept(("areas", by, which), sites, lambda: coverage.areas(now.index(AREAS), sites, by, which))
        zones, rows = _drawn(drawn, sites, now.method) if drawn else _of_layer(now, inputs["zones"])
        found = coverage.coverage(zones, rows, by, of, day, spread)
        used = [sites] if drawn else [sites, rows]
        method = now.method_document(used, **_asked(inputs, which, found, drawn))
    return _table(found, method, inputs["targets"])


def _of_layer(now: Moment, name: str) -> tuple[Index, Seen]:
    return now.index(name), now.seen(name, coverage.ZONE_PROPERTIES)


def _drawn(project: Project, like: Seen, method: str) -> tuple[Index, Seen]:
    """A drawn area as a layer with one zone."""
    made = engine.measured(engine.of_shapes(np.array([project.geometry], object)), method)
    rows = Seen(like.view, ["area"], np.zeros(0, np.int64), {}, np.zeros(1, np.int32), made.areas)
    return made, rows


def _asked(
    inputs: Mapping[str, Any], which: Filter, found: Coverage, drawn: Project | None
) -> dict[str, Any]:
    notes = [] if drawn is None else [{"key": note.key, "values": dict(note.values)} for note in drawn.notes]
    return {
        "zones": inputs.get("zones"),
        "status_filter": which.status,
        "as_of": which.as_of,
        "counted": found.counted.rows,
        "excluded": {key.rpartition(".")[2]: count for key, count in found.counted.excluded.items()},
        "notes": notes,
    }


def _table(found: Coverage, method: Mapping[str, Any], targets: Sequence[float]) -> Table:
    document = {
        "type": "coverage",
        "by": found.by,
        "zones": [_zone(zone, targets) for zone in found.zones],
        "together": None if found.together is None else _zone(found.together, targets),
        "method": method,
    }
    return Table(document, _COLUMNS, list(_rows(found, targets)))


def _zone(zone: Zone, targets: Sequence[float]) -> dict[str, Any]:
    return {
        "zone": zone.zone,
        "name": zone.name,
        "area_m2": zone.area_m2,
        "covered_m2": zone.covered_m2,
        "share": zone.share,
        "naive_m2": zone.naive_m2,
        "several_m2": zone.several_m2,
        "gaps": [{"target": target, "gap_m2": zone.gap_m2(target)} for target in targets],
        "parts": zone.parts,
    }


def _rows(found: Coverage, targets: Sequence[float]) -> Iterator[dict[str, object]]:
    """A row for each zone, one for each of its values, one for each of its targets."""
    for zone in (*found.zones, *([found.together] if found.together else [])):
        named: dict[str, object] = {"zone": zone.zone or "*", "name": zone.name, "area_m2": zone.area_m2}
        whole = {"covered_m2": zone.covered_m2, "share": zone.share, "naive_m2": zone.naive_m2}
        yield {**named, **whole, "several_m2": zone.several_m2}
        for part in zone.parts:
            told = {"by": found.by, "value": "" if part.value is None else part.value}
            yield {**named, **told, "first_m2": part.first_m2, "inclusive_m2": part.inclusive_m2}
        for target in targets:
            yield {**named, "target": target, "gap_m2": zone.gap_m2(target)}
