"""The statistic `overlap` as a document and a table: what polygons share with the features of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from gis_service.db import engine_sql
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.geoprocessing import clip, coverage, nearest, overlap, plots, species
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.coverage import Areas
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.engine.index import Index, of_labels, shared
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.project import Project, ProjectLimits, ProjectRefused, read_project
from gis_service.geoprocessing.seen import Seen
from gis_service.geoprocessing.sharing import Hit, hits, rings
from gis_service.reports.grouping import AREAS, NAMES, RANGES, grouped
from gis_service.reports.overlap_report import recorded_species
from gis_service.reports.statistic import Moment, Reader, day_of, moment
from gis_service.reports.table import Table
from gis_service.settings import Limits
from gis_service.texts import say

RECORDS, PLOTS = "occurrences", "plots"
USUAL: Final = (AREAS, "management-zones", "provinces", RANGES, RECORDS, PLOTS)
MOST_PROJECTS: Final = 100
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    AREAS: ("name_eng", "desig_eng", "iucn_cat", "status", "site_type"),
    RANGES: ("category",),
}
_COLUMNS: Final = (
    "project", "table", "id", "name", "overlap_m2", "share_of_project", "whole_m2", "share_of_whole",
    "excluded", "records", "last_date", "distance_m", "bearing_deg", "within_m",
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """A polygon that was asked about, by the name that it came with."""

    name: str
    project: Project


@dataclass(frozen=True)
class _Asked:
    """The question: whose data, of which day, about which polygons."""

    now: Moment
    polygons: Index
    projects: Sequence[Named]
    day: date
    budget: Budget
    small_count: int


def compute(
    database: SyncDatabase,
    keeper: Keeper,
    reader: Reader,
    inputs: Mapping[str, Any],
    limits: Limits,
    tell: Tell,
) -> Table:
    """The overlaps that were asked for, of one moment of the database."""
    projects = _projects(inputs["area"], limits)
    layers = _layers(reader, inputs.get("layers"))
    drawn = [name for name in layers if name in reader.surfaces]
    day = day_of(inputs) or datetime.now(UTC).date()
    which = Filter(inputs["status_filter"], day)
    with moment(database, keeper, reader, drawn, inputs["area_method"], tell) as now:
        shapes = np.array([each.project.geometry for each in projects], object)
        polygons = engine.measured(engine.of_shapes(shapes), now.method)
        budget = Budget(limits.report_seconds)
        asked = _Asked(now, polygons, projects, day, budget, limits.small_count)
        rows = {name: now.seen(name, NAMES.get(name, coverage.ZONE_PROPERTIES)) for name in drawn}
        told: list[dict[str, Any]] = [
            {"project": each.name, "area_m2": size, "notes": _notes(each.project), "layers": {}}
            for each, size in zip(projects, polygons.areas.tolist(), strict=True)
        ]
        for name, seen in rows.items():
            for entry, found in zip(told, _of_layer(asked, name, seen, which), strict=True):
                entry["layers"][name] = found
        if AREAS in rows:
            _protected(asked, told, rows[AREAS], which, inputs)
        _points(asked, told, layers)
        method = now.method_document(
            rows.values(), status_filter=which.status, as_of=which.as_of, small_count=limits.small_count
        )
    document = {"type": "overlap", "projects": told, "method": method}
    return Table(document, _COLUMNS, list(_rows(told)))


def _projects(document: object, limits: Limits) -> list[Named]:
    """Each feature of a collection by itself; anything else as one polygon."""
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features:
        return [Named("1", read_project(document, ProjectLimits(vertices=limits.report_vertices)))]
    if len(features) > MOST_PROJECTS:
        raise _refused("statistic.many-projects", n=len(features), most=MOST_PROJECTS)
    left, found = limits.report_vertices, []
    for number, feature in enumerate(features, 1):
        project = read_project(feature, ProjectLimits(vertices=left))
        left -= project.vertices
        found.append(Named(_name_of(feature, number), project))
    return found


def _name_of(feature: Any, number: int) -> str:
    given = feature.get("properties") if isinstance(feature, dict) else None
    name = given.get("name") if isinstance(given, dict) else None
    return str(name or feature.get("id") or number)[:200]


def _refused(key: str, **values: int) -> ProjectRefused:
    return ProjectRefused(say(key, "en", **values), key=key, **values)


def _notes(project: Project) -> list[dict[str, Any]]:
    return [{"key": note.key, "values": dict(note.values)} for note in project.notes]


def _layers(reader: Reader, asked: Sequence[str] | None) -> list[str]:
    """The layers that were asked for, or the usual ones as far as the reader sees them."""
    if asked is None:
        return [name for name in USUAL if name in reader.views]
    for name in asked:
        if name not in reader.views or not (name in reader.surfaces or name in (RECORDS, PLOTS)):
            raise refusal(NotFound, "statistic.no-layer", id=str(name)[:100])
    return list(dict.fromkeys(asked))


def _of_layer(asked: _Asked, name: str, rows: Seen, which: Filter) -> list[list[dict[str, Any]]]:
    """For each polygon the features of a layer that it shares area with."""
    groups = grouped(asked.now, name, rows, asked.day)
    return [
        [_hit(name, rows, hit, size, which) for hit in found]
        for found, size in zip(hits(asked.polygons, groups), asked.polygons.areas.tolist(), strict=True)
    ]


def _hit(name: str, rows: Seen, hit: Hit, size: float, which: Filter) -> dict[str, Any]:
    first = hit.rows[0]
    told = {
        "id": rows.ids[first],
        "name": coverage.name_of(rows, first),
        "overlap_m2": hit.overlap_m2,
        "share_of_project": hit.overlap_m2 / size,
        "whole_m2": hit.whole_m2,
        "share_of_whole": hit.overlap_m2 / hit.whole_m2,
        **{key: rows.column(key)[first] for key in _TOLD.get(name, ()) if key in rows.columns},
    }
    if name == AREAS:
        why = overlap.excluded(rows.record(first), which)
        told["excluded"] = None if why is None else why.rpartition(".")[2]
    return told


def _protected(
    asked: _Asked, told: Sequence[dict[str, Any]], rows: Seen, which: Filter, inputs: Mapping[str, Any]
) -> None:
    """Totals that count each place once, rings, the nearest areas and, if asked for, the shape."""
    of = asked.now.kept(
        ("areas", "category", which),
        rows,
        lambda: coverage.areas(asked.now.index(AREAS), rows, "category", which),
    )
    flat = _flat(asked.polygons, of)
    for number, entry in enumerate(told):
        covered = float(of.profiles.any_of(flat[number]))
        naive = sum(hit["overlap_m2"] for hit in entry["layers"][AREAS] if hit["excluded"] is None)
        zone = coverage.parts("category", of.profiles, flat[number])
        entry["protected"] = {
            "covered_m2": covered,
            "share": covered / entry["area_m2"],
            "naive_m2": naive,
            "several_m2": float(of.profiles.several_of(flat[number])),
            "parts": zone,
        }
        shape = asked.projects[number].project.geometry
        if inputs["rings"]:
            entry["rings"] = _rings(asked, shape, of, (entry["area_m2"], covered), inputs["rings"])
        met = _keys(asked, rows, entry["layers"][AREAS])
        entry["nearest"] = _nearest(asked, met, shape, which, inputs["nearest"])
        if inputs["geometry"]:
            counted = [hit for hit in entry["layers"][AREAS] if hit["excluded"] is None]
            entry["protected"]["geometry"] = _shape(asked, _keys(asked, rows, counted), shape)


def _flat(polygons: Index, of: Areas) -> Floats:
    assert of.index.flat is not None
    each = of_labels(polygons, np.arange(polygons.labels, dtype=np.int32))
    atoms = [(of.index.flat.layer, of.profiles.of_atom)]
    return shared(each, atoms, (polygons.labels, len(of.profiles.several)))


def _rings(
    asked: _Asked, shape: BaseGeometry, of: Areas, inside: tuple[float, float], metres: Sequence[float]
) -> list[dict[str, Any]]:
    """Within each distance, the polygon and nearer rings included; and of the ring alone."""
    distances = sorted(set(metres))
    wide = engine.measured(engine.of_shapes(np.array(rings(shape, distances), object)), asked.now.method)
    covered = of.profiles.any_of(_flat(wide, of)).tolist()
    found, before = [], inside
    for distance, size, protected in zip(distances, wide.areas.tolist(), covered, strict=True):
        asked.budget.check()
        alone = {"ring_m2": size - before[0], "ring_covered_m2": protected - before[1]}
        found.append({"within_m": distance, "area_m2": size, "covered_m2": protected, **alone})
        before = size, protected
    return found


def _nearest(
    asked: _Asked, met: Sequence[int], shape: BaseGeometry, which: Filter, count: int
) -> list[dict[str, Any]]:
    """The nearest areas that count, but those that share area with the polygon (their keys are `met`)."""
    if count == 0:
        return []
    search = nearest.Search(
        count,
        overlap.NAMES,
        lambda key, values: key not in met and overlap.excluded(values, which) is None,
    )
    view = asked.now.reader.views[AREAS]
    return [
        {
            "id": near.piece.feature_id,
            "name": overlap.name_of(near.piece),
            "distance_m": near.gap.distance_m,
            "bearing_deg": near.gap.bearing_deg,
        }
        for near in nearest.nearest(asked.now.database, view, search, shape, asked.budget)
    ]


def _keys(asked: _Asked, rows: Seen, found: Sequence[Mapping[str, Any]]) -> list[int]:
    """The keys of all rows of the sites that were found."""
    met = {hit["id"] for hit in found}
    sites = coverage.sites_of(rows)
    wanted = {site for site, row in zip(sites, rows.ids, strict=True) if row in met}
    labels = [label for site, label in zip(sites, rows.labels.tolist(), strict=True) if site in wanted]
    return [int(asked.now.index(AREAS).keys[label]) for label in labels if label >= 0]


def _shape(asked: _Asked, keys: Sequence[int], shape: BaseGeometry) -> dict[str, Any]:
    """What of the polygon these areas cover, as GeoJSON in longitude and latitude."""
    found = asked.now.database.run(engine_sql.areas(asked.now.reader.surfaces[AREAS], keys))
    shapes = shapely.from_wkb([wkb for _, wkb in found])
    shapely.prepare(shape)
    return dict(mapping(clip.union(list(clip.clipped(shape, shapes, asked.budget)))))


def _points(asked: _Asked, told: Sequence[dict[str, Any]], layers: Sequence[str]) -> None:
    """Records and plots inside, as the reader sees their places; small counts of coarse ones aren't told."""
    views, database = asked.now.reader.views, asked.now.database
    for entry, named in zip(told, asked.projects, strict=True):
        shape = named.project.geometry
        if RECORDS in layers:
            found = species.recorded(database, views[RECORDS], shape, asked.budget)
            entry[RECORDS] = [recorded_species(each, None, asked.small_count) for each in found]
        if PLOTS in layers:
            inside = plots.plots(database, views[PLOTS], shape, asked.budget)
            entry[PLOTS] = [
                {"id": each.feature_id, "last_visit": each.last_visit, "generalised": each.generalised}
                for each in inside
            ]


def _rows(told: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, object]]:
    for entry in told:
        named = {"project": entry["project"]}
        yield {**named, "table": "project", "whole_m2": entry["area_m2"]}
        for layer, found in entry["layers"].items():
            for hit in found:
                yield {**named, "table": layer, **{key: hit[key] for key in _COLUMNS if key in hit}}
        if "protected" in entry:
            total = entry["protected"]
            shares = {"overlap_m2": total["covered_m2"], "share_of_project": total["share"]}
            yield {**named, "table": "protected", **shares}
        for ring in entry.get("rings", ()):
            around = {"whole_m2": ring["area_m2"], "overlap_m2": ring["covered_m2"]}
            yield {**named, "table": "ring", "within_m": ring["within_m"], **around}
        for near in entry.get("nearest", ()):
            yield {**named, "table": "nearest", **near}
        for each in entry.get(RECORDS, ()):
            counted = {"records": each.records, "last_date": each.last_date}
            yield {**named, "table": RECORDS, "name": each.scientific_name, **counted}
        for plot in entry.get(PLOTS, ()):
            yield {**named, "table": PLOTS, "id": plot["id"], "last_date": plot["last_visit"]}
