"""The statistic `connectivity` as a document and a table: how much of a region is protected and connected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import shapely
from shapely import wkb
from shapely.geometry.base import BaseGeometry

from gis_service.db import engine_sql
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.geoprocessing import connectivity, coverage, overlap, patches
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.connectivity import Fractions, Importance, ProtConn
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.patches import Choice, Landscape
from gis_service.geoprocessing.project import ProjectLimits, read_project
from gis_service.geoprocessing.seen import Seen
from gis_service.reports.grouping import AREAS
from gis_service.reports.statistic import Moment, Reader, day_of, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits

_COLUMNS: Final = (
    "table", "median_m", "prot", "protconn", "unconnected", "relconn", "within", "contig", "trans", "unprot",
    "eca_m2", "patch", "areas", "area_m2", "dpc", "intra", "flux", "connector", "protconn_points",
)  # fmt: skip
_DEGREE_M: Final = 110_000.0  # below the length of any degree of latitude


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    limits: Limits,
    tell: Tell,
) -> Table:
    """The connectivity of the areas that the reader sees in a region, at one moment of the database."""
    budget = Budget(limits.report_seconds)
    which = Filter(inputs["status_filter"], day_of(inputs) or datetime.now(UTC).date())
    choice = Choice(inputs["least_m2"], inputs["beyond_m"])
    layers = [AREAS, inputs["zones"]] if "zones" in inputs else [AREAS]
    with moment(database, keeper, reader, layers, "ellipsoidal", tell) as now:
        rows = now.seen(AREAS, coverage.PROPERTIES)
        region, used = _region(now, inputs, limits)
        ids, shapes = _areas(now, rows, which, region, choice.beyond_m)
        method = now.method_document(
            [rows, *used], status_filter=which.status, as_of=which.as_of, zones=inputs.get("zones"),
            zone=inputs.get("zone"), least_m2=choice.least_m2, beyond_m=choice.beyond_m,
        )  # fmt: skip
    found = patches.landscape(shapes, region, choice, budget)
    return _table(found, _connected(found, inputs, budget), ids, method)


def _region(now: Moment, inputs: Mapping[str, Any], limits: Limits) -> tuple[BaseGeometry, list[Seen]]:
    """The drawn area, or that of one feature of a layer; NotFound alike where it isn't seen."""
    if "area" in inputs:
        return read_project(inputs["area"], ProjectLimits(vertices=limits.report_vertices)).geometry, []
    rows = now.seen(inputs["zones"], ())
    label = dict(zip(rows.ids, rows.labels.tolist(), strict=True)).get(inputs["zone"], -1)
    if label < 0:
        raise refusal(NotFound, "statistic.no-zone", id=inputs["zone"][:100], layer=inputs["zones"])
    return _shapes(now, inputs["zones"], [label])[0], [rows]


def _shapes(now: Moment, layer: str, labels: Sequence[int]) -> list[BaseGeometry]:
    """The areas of these labels, in their order."""
    keys = [int(now.index(layer).keys[label]) for label in labels]
    found: dict[int, bytes] = dict(now.database.run(engine_sql.areas(now.reader.surfaces[layer], keys)))
    return [wkb.loads(found[key]) for key in keys]


def _areas(
    now: Moment, rows: Seen, which: Filter, region: BaseGeometry, beyond_m: float
) -> tuple[list[str], list[BaseGeometry]]:
    """The areas that count and are in the region's box or near it, with their ids."""
    counted = [
        (name, label)
        for name, label, values in zip(
            rows.ids, rows.labels.tolist(), rows.records(coverage.PROPERTIES), strict=True
        )
        if label >= 0 and overlap.excluded(values, which) is None
    ]
    shapes = _shapes(now, AREAS, [label for _, label in counted])
    box = _around(region, beyond_m)
    kept = [at for at, shape in enumerate(shapes) if shapely.intersects(shape, box)]
    return [counted[at][0] for at in kept], [shapes[at] for at in kept]


def _around(region: BaseGeometry, metres: float) -> BaseGeometry:
    """The box of what is so near; the whole world where that goes over the antimeridian or near a pole."""
    west, south, east, north = region.bounds
    high = metres / _DEGREE_M
    top = max(abs(south - high), abs(north + high))
    wide = high / math.cos(math.radians(top)) if top < 85 else math.inf
    if metres > 0 and (west - wide < -180 or east + wide > 180):
        return shapely.box(-180, -90, 180, 90)
    return shapely.box(
        west - (wide if metres else 0), south - high, east + (wide if metres else 0), north + high
    )


def _connected(
    found: Landscape, inputs: Mapping[str, Any], budget: Budget
) -> list[tuple[ProtConn, Fractions]]:
    medians, delta = inputs["medians_m"], inputs["delta"]
    reach = connectivity.REACH * max(medians)
    whole, inside = (
        connectivity.protconn(
            some.areas_m2, patches.links(some.shapes, reach, wanted, budget), found.area_m2, medians, wanted
        )
        for some, wanted in ((found.whole, delta), (found.inside, False))
    )
    return [
        (one, connectivity.fractions(one, other, found.inside.areas_m2, found.sites))
        for one, other in zip(whole, inside, strict=True)
    ]


def _table(
    found: Landscape,
    results: Sequence[tuple[ProtConn, Fractions]],
    ids: Sequence[str],
    method: Mapping[str, Any],
) -> Table:
    made = [_entry(whole, parts, found, ids) for whole, parts in results]
    document = {
        "type": "connectivity",
        "area_m2": found.area_m2,
        "protected_m2": float(found.inside.areas_m2.sum()),
        "patches": len(found.inside.areas_m2),
        "small": {"patches": found.small, "area_m2": found.small_m2},
        "distances": made,
        "method": method,
    }
    return Table(document, _COLUMNS, list(_rows(made)))


def _entry(whole: ProtConn, parts: Fractions, found: Landscape, ids: Sequence[str]) -> dict[str, Any]:
    return {
        "median_m": whole.median_m,
        "prot": whole.prot,
        "protconn": whole.protconn,
        "unconnected": whole.unconnected,
        "relconn": whole.relconn,
        "within": parts.within,
        "contig": parts.contig,
        "trans": parts.trans,
        "unprot": parts.unprot,
        "eca_m2": whole.eca_m2,
        "delta": [
            _patch(each, [ids[at] for at in members], size)
            for each, members, size in zip(
                whole.importance, found.whole.members, found.whole.areas_m2.tolist(), strict=False
            )
        ],
    }


def _patch(each: Importance, areas: Sequence[str], size: float) -> dict[str, Any]:
    return {
        "areas": list(areas),
        "area_m2": size,
        "dpc": each.dpc,
        "intra": each.intra,
        "flux": each.flux,
        "connector": each.connector,
        "protconn_points": each.protconn_points,
    }


def _rows(made: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, object]]:
    """A row for each distance, and one for each patch where its importance was asked for."""
    for entry in made:
        yield {"table": "protconn", **{name: value for name, value in entry.items() if name != "delta"}}
        for number, patch in enumerate(entry["delta"], 1):
            told = {**patch, "areas": " ".join(patch["areas"])}
            yield {"table": "delta", "median_m": entry["median_m"], "patch": number, **told}
