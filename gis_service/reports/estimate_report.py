"""The statistic `estimate` as a document and a table: what measured plots tell of their region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import sampling
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.sampling import Design, Estimate, NoEstimate, Sample, Stratum
from gis_service.reports.statistic import Reader
from gis_service.reports.table import Table
from gis_service.settings import Limits

ONE: Final = "all"  # the stratum of plots that say none
METHOD: Final = "design-based-stratified-ratio/1"
_COLUMNS: Final = (
    "estimate", "value", "se", "low", "high", "df", "confidence", "plots", "units", "median",
    "least", "greatest",
)  # fmt: skip
_NO_DESIGN: Final = ("sampling.refused.no_design", "sampling.refused.opportunistic")


def compute(
    _database: SyncDatabase,
    _keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    _limits: Limits,
    _tell: Tell,
) -> Table:
    """Mean and total with their errors; plots without a design are described; else NoEstimate."""
    sample = _sample(inputs["plots"])
    design = Design(_strata(inputs), inputs["selection"])
    try:
        found = {"mean": sampling.mean(sample, design, inputs["confidence"])}
        if inputs["strata"]:
            found["total"] = sampling.total(sample, design, inputs["confidence"])
        refused = None
    except NoEstimate as err:
        if err.values.get("key") not in _NO_DESIGN:
            raise
        found, refused = {}, str(err.values["key"]).rpartition(".")[2]
    document = {
        "type": "estimate",
        **{name: found.get(name) for name in ("mean", "total")},
        "refused": refused,
        "description": sampling.describe(sample.values),
        "method": {
            "estimator": METHOD,
            "selection": design.selection,
            "strata": [asdict(each) for each in design.strata],
            "per": "plot" if sample.sizes is None else "unit of size",
            "tier": reader.principal.policy_class,
        },
    }
    return Table(document, _COLUMNS, list(_rows(found, sample)))


def _rows(found: Mapping[str, Estimate], sample: Sample) -> list[dict[str, object]]:
    described = asdict(sampling.describe(sample.values))
    rows: list[dict[str, object]] = [{"estimate": name, **asdict(each)} for name, each in found.items()]
    return [*rows, {"estimate": "description", "value": described.pop("mean"), **described}]


def _strata(inputs: Mapping[str, Any]) -> tuple[Stratum, ...]:
    """The strata that were given; one for all plots where none was."""
    if not inputs["strata"]:
        return (Stratum(ONE, 1.0),)
    found = []
    for number, entry in enumerate(inputs["strata"], 1):
        size, units = _number(entry, "size", number), _number(entry, "units", number)
        if size is None or not size > 0 or (units is not None and not units > 0):
            raise sampling.refusal("sampling.refused.strata", n=number)
        found.append(Stratum(_name(entry, "name"), size, units))
    if len({each.name for each in found}) < len(found):
        raise sampling.refusal("sampling.refused.strata", n=len(found))
    return tuple(found)


def _sample(entries: Sequence[Mapping[str, Any]]) -> Sample:
    """The plots that were given: sizes of all of them or of none, clusters likewise."""
    values = _column(entries, "value")
    if values is None:
        raise sampling.refusal("sampling.refused.none")
    clustered = any("cluster" in entry for entry in entries)
    inside = np.array([entry.get("inside", True) is True for entry in entries])
    return Sample(
        values,
        [_name(entry, "stratum") for entry in entries],
        _column(entries, "size"),
        [_name(entry, "cluster") for entry in entries] if clustered else None,
        None if inside.all() else inside,
    )


def _column(entries: Sequence[Mapping[str, Any]], name: str) -> Floats | None:
    """Numbers of all plots; None where no plot has one."""
    found = [_number(entry, name, at) for at, entry in enumerate(entries, 1)]
    if all(each is None for each in found):
        return None
    if None in found:
        raise sampling.refusal("sampling.refused.entry", n=found.index(None) + 1, name=name)
    return np.array(found, np.float64)


def _number(entry: Mapping[str, Any], name: str, number: int) -> float | None:
    value = entry.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e15:
        raise sampling.refusal("sampling.refused.entry", n=number, name=name)
    return float(value)


def _name(entry: Mapping[str, Any], name: str) -> str:
    return str(entry.get(name, ONE))[:200]
