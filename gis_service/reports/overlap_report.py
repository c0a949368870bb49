"""Puts the overlap report together: asks geoprocessing for each part and turns its answers into the model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import shapely

from gis_service.access.policy import class_role
from gis_service.access.principal import Principal
from gis_service.catalog.view import ViewedLayer
from gis_service.db import release_sql, report_sql
from gis_service.db.rows import WITHHELD
from gis_service.db.sync import SyncDatabase
from gis_service.errors import InvalidParameter, NotFound
from gis_service.features.refusal import refusal
from gis_service.geo import areas
from gis_service.geo.crs import CRS84
from gis_service.geoprocessing import nearest, overlap, plots, species
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.overlap import STATUS_KEPT, Filter, Site
from gis_service.geoprocessing.project import Project
from gis_service.reports import model
from gis_service.reports.drawing import Drawing, draw
from gis_service.reports.model import OverlapReport

METHOD_VERSION = "overlap-report/1"
NEAREST = 3
AREAS, RANGES, RECORDS, PLOTS = "protected-areas", "species-ranges", "occurrences", "plots"
LAYERS = (AREAS, RANGES, RECORDS, PLOTS)


_WEAKNESS: tuple[model.Basis, ...] = ("published", "indicative", "simulated")


@dataclass(frozen=True)
class Parameters:
    """What a client may choose."""

    title: str = ""
    status_filter: str = "pp_text"
    as_of: date = dataclasses.field(default_factory=lambda: datetime.now(UTC).date())
    release: int | None = None  # what the database said then; `as_of` is the day on which an area must stand
    small_count: int = model.SMALL_COUNT  # the service's, not the client's

    def __post_init__(self) -> None:
        if self.status_filter not in STATUS_KEPT:
            known = ", ".join(STATUS_KEPT)
            raise InvalidParameter(f"status_filter {self.status_filter!r} is none of {known}")


@dataclass(frozen=True)
class Reader:
    """Who reads: the principal, and each layer as that principal sees it; layers not seen are missing."""

    principal: Principal
    views: Mapping[str, ViewedLayer]

    def at_release(self, release: int) -> Reader:
        """The same reader, by its rights of today, of the rows as they stood after a release."""
        past = {
            name: view.at_release(release) if view.layer.managed else view
            for name, view in self.views.items()
        }
        return dataclasses.replace(self, views=past)


@dataclass(frozen=True)
class State:
    """The release that a report is of; `made` is None for one that changed nothing that the reader sees."""

    release: int
    made: datetime | None


@dataclass(frozen=True)
class _Found:
    """Everything that geoprocessing found."""

    state: State
    sites: tuple[Site, ...] = ()
    totals: overlap.Totals = overlap.NOTHING
    near: tuple[nearest.Near, ...] = ()
    ranges: tuple[species.Range, ...] = ()
    ranges_left_out: int = 0
    recorded: tuple[species.Recorded, ...] = ()
    plots: tuple[plots.Plot, ...] = ()


def compute(
    db: SyncDatabase, reader: Reader, project: Project, parameters: Parameters, budget: Budget
) -> tuple[OverlapReport, Drawing]:
    """The report and what its map shows, all from one moment of the database."""
    with db.snapshot():
        state = _state(db, reader, parameters)
        if parameters.release is not None:
            reader = reader.at_release(parameters.release)
        found = _find(db, reader, project, parameters, budget, state)
        budget.reach(85, "drawing")
        drawing = draw(db, reader.views, project, found.sites, found.near, found.plots, budget)
        rows = _Rows.of(found, project, parameters.small_count)
        datasets = _datasets(db, reader, rows, state)
    method = _method(reader, parameters, found, datasets)
    report = OverlapReport(
        subject=_subject(project, parameters),
        areas=rows.areas,
        totals=_totals(found, rows.areas, project),
        nearest=rows.nearest,
        ranges=rows.ranges,
        recorded=rows.recorded,
        plots=rows.plots,
        method=method,
        reproducibility_hash=_reproducibility(project, parameters, reader, rows, datasets),
        computed_at=datetime.now(UTC),
    )
    return report, drawing


def _state(db: SyncDatabase, reader: Reader, parameters: Parameters) -> State:
    """The release asked for, else the newest that the reader may know of: what it sees is of that one.

    NotFound for one beyond the newest.
    """
    role = class_role(reader.principal)
    newest = int(db.run(release_sql.latest(role))[0][0])
    wanted = newest if parameters.release is None else parameters.release
    if wanted > newest:
        raise refusal(NotFound, "web.no-such-release", value=wanted)
    known = db.run(release_sql.named(role, [wanted]))
    return State(wanted, known[0][1] if known else None)


def _find(
    db: SyncDatabase,
    reader: Reader,
    project: Project,
    parameters: Parameters,
    budget: Budget,
    state: State,
) -> _Found:
    views, shape = reader.views, project.geometry
    found = _Found(state)
    if view := views.get(AREAS):
        budget.reach(10, "protected areas")
        counts = Filter(parameters.status_filter, parameters.as_of)
        sites = overlap.sites(db, view, shape, counts, budget)
        met = {piece.key for site in sites for piece in site.pieces}
        search = nearest.Search(
            NEAREST,
            overlap.NAMES,
            lambda key, values: key not in met and overlap.excluded(values, counts) is None,
        )
        near = nearest.nearest(db, view, search, shape, budget)
        found = dataclasses.replace(found, sites=sites, totals=overlap.totals(sites), near=near)
    if view := views.get(RANGES):
        budget.reach(35, "species ranges")
        ranges, left_out = species.ranges(db, view, shape, budget)
        found = dataclasses.replace(found, ranges=ranges, ranges_left_out=left_out)
    if view := views.get(RECORDS):
        budget.reach(60, "occurrences")
        found = dataclasses.replace(found, recorded=species.recorded(db, view, shape, budget))
    if view := views.get(PLOTS):
        budget.reach(75, "plots")
        found = dataclasses.replace(found, plots=plots.plots(db, view, shape, budget))
    return found


@dataclass(frozen=True)
class _Rows:
    """The tables of the report."""

    areas: tuple[model.AreaHit, ...]
    nearest: tuple[model.Nearest, ...]
    ranges: tuple[model.RangeHit, ...]
    recorded: tuple[model.RecordedSpecies, ...]
    plots: tuple[model.PlotHit, ...]

    @classmethod
    def of(cls, found: _Found, project: Project, small: int) -> _Rows:
        return cls(
            tuple(_area(site, project) for site in found.sites),
            (*_met(found.sites), *(_nearest(near) for near in found.near)),
            tuple(_range(each, project) for each in found.ranges),
            tuple(recorded_species(each, category_of(each, found.ranges), small) for each in found.recorded),
            tuple(_plot(each) for each in found.plots),
        )

    def dataset_ids(self) -> list[int]:
        ids = {row.dataset_id for row in self.areas} | {row.dataset_id for row in self.nearest}
        ids |= {row.dataset_id for row in self.ranges} | {row.dataset_id for row in self.plots}
        return sorted(ids.union(*(row.dataset_ids for row in self.recorded)))


def _subject(project: Project, parameters: Parameters) -> model.Subject:
    return model.Subject(
        title=parameters.title,
        area_m2=project.area_m2,
        perimeter_m=nearest.length(project.geometry),
        vertices=project.vertices,
        bounds=project.bounds,
        place_hash=project.place_hash(),
        exact_hash=project.exact_hash(),
        notes=project.notes,
    )


def _area(site: Site, project: Project) -> model.AreaHit:
    values = site.first.values
    return model.AreaHit(
        site=site.site,
        feature_ids=tuple(piece.feature_id for piece in site.pieces),
        name=overlap.name_of(site.first),
        name_en=values.get("name_eng"),
        designation=values.get("desig"),
        designation_en=values.get("desig_eng"),
        site_type=values.get("site_type"),
        iucn_category=values.get("iucn_cat"),
        status=values.get("status"),
        status_year=values.get("status_yr") or None,  # WDPA writes an unknown year as 0
        decision_no=values.get("decision_no"),
        decision_date=values.get("decision_date"),
        decided_area_ha=_number(values.get("decided_area_ha")),
        basis=basis(site.first.basis),
        dataset_id=site.first.dataset_id,
        overlap_m2=site.overlap_m2,
        share_of_project=site.overlap_m2 / project.area_m2,
        area_m2=site.area_m2,
        share_of_area=site.overlap_m2 / site.area_m2,
        excluded=site.excluded,
    )


def basis(text: str) -> model.Basis:
    """The basis of a row; what isn't known to be better counts as simulated."""
    match text:
        case "published" | "indicative":
            return text
        case _:
            return "simulated"


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _totals(found: _Found, rows: tuple[model.AreaHit, ...], project: Project) -> model.AreaTotals:
    bases = [row.basis for row in rows if row.excluded is None]
    return model.AreaTotals(
        flat_m2=found.totals.flat_m2,
        flat_share=found.totals.flat_m2 / project.area_m2,
        naive_m2=found.totals.naive_m2,
        counted=found.totals.counted,
        slivers=sum(row.sliver for row in rows),
        indicative=bases.count("indicative"),
        basis=max(bases, key=_WEAKNESS.index, default=None),
    )


def _nearest(near: nearest.Near) -> model.Nearest:
    values = near.piece.values
    return model.Nearest(
        site=overlap.site_of(near.piece),
        name=overlap.name_of(near.piece),
        designation=values.get("desig"),
        designation_en=values.get("desig_eng"),
        basis=basis(near.piece.basis),
        dataset_id=near.piece.dataset_id,
        distance_m=near.gap.distance_m,
        bearing_deg=near.gap.bearing_deg,
    )


def _met(sites: tuple[Site, ...]) -> list[model.Nearest]:
    """The counted area with the largest overlap: nothing is nearer."""
    counted = [site for site in sites if site.excluded is None]
    return [
        model.Nearest(
            site=site.site,
            name=overlap.name_of(site.first),
            designation=site.first.values.get("desig"),
            designation_en=site.first.values.get("desig_eng"),
            basis=basis(site.first.basis),
            dataset_id=site.first.dataset_id,
            distance_m=0.0,
            bearing_deg=None,
        )
        for site in counted[:1]
    ]


def _range(found: species.Range, project: Project) -> model.RangeHit:
    return model.RangeHit(
        scientific_name=found.scientific_name,
        category=found.first.values.get("category"),
        basis=basis(found.first.basis),
        dataset_id=found.first.dataset_id,
        overlap_m2=found.overlap_m2,
        share_of_project=found.overlap_m2 / project.area_m2,
        range_m2=found.area_m2,
        share_of_range=found.overlap_m2 / found.area_m2,
    )


def category_of(found: species.Recorded, ranges: tuple[species.Range, ...]) -> str | None:
    """The Red List category that the species' range carries; occurrences have none of their own."""
    same = (r.first.values.get("category") for r in ranges if r.scientific_name == found.scientific_name)
    return next(same, None)


def recorded_species(found: species.Recorded, category: str | None, small: int) -> model.RecordedSpecies:
    """A species' records; few of them, whose places are cells, are neither counted nor dated."""
    withheld = found.generalised and found.n < small
    return model.RecordedSpecies(
        scientific_name=found.scientific_name,
        category=category,
        basis=basis(found.basis),
        records=None if withheld else found.n,
        last_date=None if withheld else found.last,
        generalised=found.generalised,
        dataset_ids=tuple(sorted(found.datasets)),
    )


def _plot(found: plots.Plot) -> model.PlotHit:
    names = (found.values.get("name"), found.values.get("location_id"))
    return model.PlotHit(
        feature_id=found.feature_id,
        name=next((name for name in names if name and name != WITHHELD), None),
        plot_type=found.values.get("plot_type"),
        stratum=found.values.get("stratum"),
        last_visit=found.last_visit,
        basis=basis(found.basis),
        dataset_id=found.dataset_id,
        generalised=found.generalised,
    )


def _datasets(db: SyncDatabase, reader: Reader, rows: _Rows, state: State) -> tuple[model.DatasetUse, ...]:
    ids = rows.dataset_ids()
    any_view = next(iter(reader.views.values()), None)
    if not ids or any_view is None:
        return ()
    found = db.run(report_sql.datasets(any_view, ids, state.release))
    return tuple(model.DatasetUse(*(*row[:-1], basis(row[-1]))) for row in found)


def _method(
    reader: Reader, parameters: Parameters, found: _Found, datasets: tuple[model.DatasetUse, ...]
) -> model.Method:
    reasons = Counter(site.excluded for site in found.sites if site.excluded)
    excluded = [model.Excluded(AREAS, reason, n) for reason, n in sorted(reasons.items())]
    if found.ranges_left_out:
        excluded.append(model.Excluded(RANGES, "report.excluded.codes", found.ranges_left_out))
    return model.Method(
        area_method=areas.METHOD,
        method_version=METHOD_VERSION,
        crs=CRS84,
        status_filter=parameters.status_filter,
        as_of=parameters.as_of,
        sliver_m2=model.SLIVER_M2,
        small_count=parameters.small_count,
        tolerance_relative=1e-6,
        tolerance_m2=0.1,
        release=found.state.release,
        released=found.state.made,
        past=parameters.release is not None,
        tier=reader.principal.policy_class,
        engine=f"GEOS {shapely.geos_version_string}",
        layers=tuple(name for name in LAYERS if name in reader.views),
        missing_layers=tuple(name for name in LAYERS if name not in reader.views),
        datasets=datasets,
        excluded=tuple(excluded),
    )


def _reproducibility(
    project: Project,
    parameters: Parameters,
    reader: Reader,
    rows: _Rows,
    datasets: tuple[model.DatasetUse, ...],
) -> str:
    """SHA-256 over the question, the data, the reader and the rows of the answer.

    The exact polygon and not the one at 7 decimals: a centimetre is more than the 1e-6 that small polygons
    are held to. The rows are in it because single edits change them without a new version of a dataset.
    """
    canonical = {
        "geometry": project.exact_hash(),
        "parameters": {"status_filter": parameters.status_filter, "as_of": parameters.as_of.isoformat()},
        "datasets": [[each.slug, each.version, each.checksum] for each in datasets],
        "method": [METHOD_VERSION, areas.METHOD],
        "policy": sorted(f"{view.layer.digest()} {view.policy_class}" for view in reader.views.values()),
        "tier": reader.principal.policy_class,
        "rows": dataclasses.asdict(rows),
    }
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
