"""The statistic `range-metrics` as a document and a table: extent and occupancy of a species' records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.geoprocessing import range_metrics
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.range_metrics import RangeMetrics, Thresholds
from gis_service.geoprocessing.seen import Seen
from gis_service.reports.statistic import Moment, Reader, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits

RECORDS: Final = "occurrences"
METHOD: Final = "geodesic-hull-wgs84/1"
_COLUMNS: Final = (
    "taxon", "records", "places", "coarse_records", "last_date", "eoo_m2", "eoo_raised", "aoo_m2",
    "aoo_least_m2", "aoo_most_m2", "cells", "eoo_threshold", "aoo_threshold",
    "aoo_least_threshold", "aoo_most_threshold", "locations_threshold", "withheld",
)  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """Where a species was found, as the reader sees it: a row for each place of each dataset."""

    lonlat: np.ndarray[Any, np.dtype[np.float64]]
    datasets: np.ndarray[Any, np.dtype[np.int64]]
    records: int
    coarse: int
    last: date | None


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    limits: Limits,
    tell: Tell,
) -> Table:
    """The range metrics of a species' records at one moment; NotFound where the reader sees none."""
    if RECORDS not in reader.views:
        raise refusal(NotFound, "statistic.no-layer", id=RECORDS)
    view, taxon = reader.views[RECORDS], inputs["taxon"]
    since = date.fromisoformat(inputs["since"]) if "since" in inputs else None
    with moment(database, keeper, reader, [], "ellipsoidal", tell) as now:
        found = _found(database, view, taxon, since)
        if not found.records:
            raise refusal(NotFound, "statistic.no-records", taxon=taxon)
        method = _method(now, view, found, {"since": since, "small_count": limits.small_count})
    told: dict[str, Any] = {"taxon": taxon, "coarse": found.coarse > 0}
    if found.coarse and found.records < limits.small_count:
        told["withheld"] = True
    else:
        told |= _told(found, inputs.get("locations"))
    return Table({"type": "range-metrics", **told, "method": method}, _COLUMNS, [_row(told)])


def _found(database: SyncDatabase, view: ViewedLayer, taxon: str, since: date | None) -> _Found:
    rows = database.run(report_sql.places(view, taxon, since))
    return _Found(
        np.array([row[1:3] for row in rows], np.float64).reshape(-1, 2),
        np.array([row[0] for row in rows], np.int64),
        sum(row[4] for row in rows),
        sum(row[4] for row in rows if row[3]),
        max((row[5] for row in rows if row[5] is not None), default=None),
    )


def _told(found: _Found, locations: int | None) -> dict[str, Any]:
    """The measures; of coarse places no thresholds, for cells of 2 km can't be told from them."""
    metrics = range_metrics.range_metrics(found.lonlat)
    met = None if found.coarse else range_metrics.thresholds(metrics, locations)
    return {
        "withheld": False,
        "records": found.records,
        "places": metrics.places,
        "coarse_records": found.coarse,
        "last_date": found.last,
        "eoo": {"area_m2": metrics.eoo_m2, "raised_to_aoo": metrics.raised},
        "aoo": _occupied(metrics),
        "meets_threshold_of": None if met is None else asdict(met),
    }


def _occupied(metrics: RangeMetrics) -> dict[str, Any]:
    grid = metrics.occupancy
    return {
        "area_m2": grid.area_m2,
        "least_m2": grid.least_m2,
        "most_m2": grid.most_m2,
        "cells": grid.cells,
        "cell_m": range_metrics.CELL_M,
        "crs": range_metrics.CRS,
        "origin": [0, 0],
        "origins_tried": range_metrics.STEPS**2,
    }


def _row(told: Mapping[str, Any]) -> dict[str, object]:
    row = {name: told[name] for name in _COLUMNS if name in told}
    if told["withheld"]:
        return row
    eoo, aoo = told["eoo"], told["aoo"]
    met = told["meets_threshold_of"] or asdict(Thresholds(None, None, None, None, None))
    thresholds = {
        f"{name}_threshold": met[key]
        for name, key in (
            ("eoo", "eoo"), ("aoo", "aoo"), ("aoo_least", "least_aoo"), ("aoo_most", "most_aoo"),
            ("locations", "locations"),
        )
    }  # fmt: skip
    areas = {"aoo_m2": aoo["area_m2"], "aoo_least_m2": aoo["least_m2"], "aoo_most_m2": aoo["most_m2"]}
    extent = {"eoo_m2": eoo["area_m2"], "eoo_raised": eoo["raised_to_aoo"]}
    return {**row, **extent, **areas, "cells": aoo["cells"], **thresholds}


def _method(now: Moment, view: ViewedLayer, found: _Found, more: Mapping[str, Any]) -> dict[str, Any]:
    ids = [""] * len(found.datasets)
    nothing = np.full(len(ids), -1, np.int32)
    used = Seen(view, ids, found.datasets, {}, nothing, np.zeros(len(ids)))
    return now.method_document([used], **more, area_method=METHOD)
