"""The statistic `plots` as a document and a table: how well monitoring plots cover a drawn region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import shapely

from gis_service.db import engine_sql
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.geoprocessing import coverage, effort, overlap, plots
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.effort import Effort, Rules, State
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.plots import Plot
from gis_service.geoprocessing.project import Project, ProjectLimits, read_project
from gis_service.geoprocessing.seen import Seen
from gis_service.geoprocessing.sharing import hits
from gis_service.reports.grouping import AREAS, NAMES, grouped
from gis_service.reports.statistic import Moment, Reader, day_of, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits

PLOTS: Final = "plots"
_COLUMNS: Final = (
    "table", "id", "name", "stratum", "last_visit", "overdue", "plots", "area_m2", "per_100_km2",
    "sampled_share", "share_within_reach",
)  # fmt: skip


@dataclass(frozen=True)
class _Site:
    """A protected area that counts and lies in the region, with the plots in it."""

    site: str
    name: str
    plots: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """The plots of the region; of coarse places it isn't known in which protected areas they lie."""

    plots: tuple[Plot, ...]
    sites: tuple[_Site, ...] | None
    within_reach: float | None

    @property
    def coarse(self) -> int:
        return sum(plot.generalised for plot in self.plots)


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    limits: Limits,
    tell: Tell,
) -> Table:
    """The effort of the plots that the reader sees in a region, at one moment of the database."""
    if PLOTS not in reader.views:
        raise refusal(NotFound, "statistic.no-layer", id=PLOTS)
    project = read_project(inputs["area"], ProjectLimits(vertices=limits.report_vertices))
    day = day_of(inputs) or datetime.now(UTC).date()
    which = Filter(inputs["status_filter"], day)
    with moment(database, keeper, reader, [AREAS], inputs["area_method"], tell) as now:
        rows = now.seen(AREAS, NAMES[AREAS])
        inside = plots.plots(database, reader.views[PLOTS], project.geometry, Budget(limits.report_seconds))
        found = _found(now, rows, project, inside, which, inputs.get("reach_m"))
        shape = engine.measured(engine.of_shapes(np.array([project.geometry], object)), now.method)
        size = float(shape.areas[0])
        method = now.method_document(
            [rows, _datasets_of(reader, found.plots)],
            status_filter=which.status,
            as_of=day,
            interval_days=inputs["interval_days"],
            reach_m=inputs.get("reach_m"),
            small_count=limits.small_count,
        )
    told: dict[str, Any] = {"type": "plots", "area_m2": size, "coarse": found.coarse > 0}
    if found.coarse and len(found.plots) < limits.small_count:
        return Table(
            {**told, "withheld": True, "method": method}, _COLUMNS, [{"table": "region", "area_m2": size}]
        )
    rules = Rules(day, timedelta(days=inputs["interval_days"]))
    strata = inputs["strata"] or sorted(
        {str(each.stratum) for each in _states(found) if each.stratum is not None}
    )
    result = effort.effort(_states(found), size, rules, strata, [each.site for each in found.sites or ()])
    return _table(told, found, result, strata, method)


def _found(
    now: Moment, rows: Seen, project: Project, inside: tuple[Plot, ...], which: Filter, reach: float | None
) -> _Found:
    if any(plot.generalised for plot in inside):
        return _Found(inside, None, None)
    places = [plot.place for plot in inside]
    near = None if reach is None else effort.share_within(project.geometry, places, reach)
    return _Found(inside, tuple(_sites(now, rows, project, inside, which)), near)


def _sites(
    now: Moment, rows: Seen, project: Project, inside: Sequence[Plot], which: Filter
) -> Iterator[_Site]:
    """The protected areas that share area with the region, in the order of their ids."""
    polygon = engine.of_shapes(np.array([project.geometry], object))
    assert which.as_of is not None, "said by the caller"
    (met,) = hits(polygon, grouped(now, AREAS, rows, which.as_of))
    places = shapely.points(np.array([plot.place for plot in inside], float).reshape(-1, 2))
    for hit in sorted(met, key=lambda hit: rows.ids[hit.rows[0]]):
        counted = [at for at in hit.rows if overlap.excluded(rows.record(at), which) is None]
        if not counted:
            continue
        keys = now.index(AREAS).keys[rows.labels[counted]].tolist()
        shapes = [shape for _, shape in now.database.run(engine_sql.areas(now.reader.surfaces[AREAS], keys))]
        there = np.zeros(len(inside), bool)
        for shape in shapely.from_wkb(shapes):
            there |= shapely.intersects(shape, places)
        named = coverage.name_of(rows, counted[0])
        reached = tuple(inside[at].feature_id for at in np.flatnonzero(there).tolist())
        yield _Site(rows.ids[counted[0]], named, reached)


def _states(found: _Found) -> list[State]:
    sites = found.sites or ()
    return [
        State(
            plot=plot.feature_id,
            stratum=plot.values.get("stratum"),
            sites=[each.site for each in sites if plot.feature_id in each.plots],
            size_m2=None if plot.values.get("area_m2") is None else float(plot.values["area_m2"]),
            last_visit=plot.last_visit,
        )
        for plot in found.plots
    ]


def _datasets_of(reader: Reader, inside: Sequence[Plot]) -> Seen:
    ids = [plot.feature_id for plot in inside]
    datasets = np.array([plot.dataset_id for plot in inside], np.int64)
    return Seen(reader.views[PLOTS], ids, datasets, {}, np.full(len(ids), -1, np.int32), np.zeros(len(ids)))


def _table(
    told: Mapping[str, Any], found: _Found, result: Effort, strata: Sequence[str], method: Mapping[str, Any]
) -> Table:
    counts = Counter(plot.values.get("stratum") for plot in found.plots)
    late = set(result.overdue)
    document = {
        **told,
        "withheld": False,
        "plots": result.plots,
        "coarse_plots": found.coarse,
        "per_100_km2": result.per_100_km2,
        "sampled_share": result.sampled_share,
        "share_within_reach": found.within_reach,
        "overdue": [_visit(plot) for plot in found.plots if plot.feature_id in late],
        "never_visited": result.never_visited,
        "strata": [{"stratum": name, "plots": counts[name]} for name in strata],
        "without_stratum": counts[None],
        "empty_strata": result.empty_strata,
        "thin_strata": result.thin_strata,
        "strata_ready": result.strata_ready,
        "sites": found.sites,
        "empty_sites": None if found.sites is None else result.empty_sites,
        "method": method,
    }
    return Table(document, _COLUMNS, list(_rows(document, found, late)))


def _visit(plot: Plot) -> dict[str, str | date | None]:
    return {"id": plot.feature_id, "last_visit": plot.last_visit}


def _rows(document: Mapping[str, Any], found: _Found, late: set[str]) -> Iterator[dict[str, object]]:
    """A row for the region, one for each stratum, each protected area and each plot."""
    yield {
        "table": "region",
        **{name: document[name] for name in _COLUMNS if name in document and name != "overdue"},
    }
    for stratum in document["strata"]:
        yield {"table": "stratum", **stratum}
    for site in found.sites or ():
        yield {"table": "site", "id": site.site, "name": site.name, "plots": len(site.plots)}
    for plot in found.plots:
        told = {"stratum": plot.values.get("stratum"), "overdue": plot.feature_id in late}
        yield {"table": "plot", **_visit(plot), **told}
