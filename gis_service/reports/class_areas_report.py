"""The statistic `class-areas` as a document and a table: a map's classes by checked points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import accuracy, sampling
from gis_service.geoprocessing.accuracy import Accuracy, Rate
from gis_service.geoprocessing.engine.grid import Integers
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.reports.statistic import Reader
from gis_service.reports.table import Table
from gis_service.settings import Limits

METHOD: Final = "stratified-area-estimator/1"
_COLUMNS: Final = (
    "class", "mapped", "area", "se", "low", "high", "users", "users_se", "producers", "producers_se",
    "points",
)  # fmt: skip


def compute(
    _database: SyncDatabase,
    _keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    _limits: Limits,
    _tell: Tell,
) -> Table:
    """Areas of classes with their errors; NoEstimate where points or classes don't fit together."""
    mapped = _mapped(inputs)
    names = list(mapped)
    table = _counted(inputs, names)
    found = accuracy.class_estimates(table, np.array(list(mapped.values())))
    reach = NormalDist().inv_cdf((1 + inputs["confidence"]) / 2)
    rows = [_row(name, found, at, int(table[at].sum()), reach) for at, name in enumerate(names)]
    document = {
        "type": "class-areas",
        "classes": rows,
        "overall": _told(found.overall),
        "matrix": {"classes": names, "points": table.tolist()},
        "method": {
            "estimator": METHOD,
            "confidence": inputs["confidence"],
            "tier": reader.principal.policy_class,
        },
    }
    return Table(document, _COLUMNS, rows)


def _mapped(inputs: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, entry in enumerate(inputs["classes"], 1):
        name, area = str(entry.get("class", ""))[:200], entry.get("area")
        numeric = isinstance(area, (int, float)) and not isinstance(area, bool)
        if not name or name in found or not numeric or not 0 < float(area) < 1e15:
            raise sampling.refusal("class_areas.refused.class", n=number)
        found[name] = float(area)
    if not found:
        raise sampling.refusal("class_areas.refused.class", n=1)
    return found


def _counted(inputs: Mapping[str, Any], names: list[str]) -> Integers:
    """How many points of each class of the map (rows) are of each class by reference (columns)."""
    place = {name: at for at, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), np.int64)
    for number, entry in enumerate(inputs["points"], 1):
        pair = [place.get(str(entry.get(side))) for side in ("mapped", "reference")]
        count = entry.get("count", 1)
        whole = isinstance(count, (int, float)) and not isinstance(count, bool) and 0 <= count <= 1e9
        if None in pair or not whole or count != int(count):
            raise sampling.refusal("class_areas.refused.point", n=number)
        table[tuple(pair)] += int(count)
    return table


def _row(name: str, found: Accuracy, at: int, points: int, reach: float) -> dict[str, object]:
    each = found.classes[at]
    users, producers = _told(each.users), _told(each.producers)
    return {
        "class": name,
        "mapped": each.mapped,
        "area": each.area,
        "se": each.se,
        "low": each.area - reach * each.se,
        "high": each.area + reach * each.se,
        "users": users["value"],
        "users_se": users["se"],
        "producers": producers["value"],
        "producers_se": producers["se"],
        "points": points,
    }


def _told(rate: Rate) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in asdict(rate).items()}
