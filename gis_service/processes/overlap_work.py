"""The work of the process `overlap-report`: one report in every format and language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gis_service.access.policy import visible_layers
from gis_service.catalog.registry import Catalog
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.project import ProjectLimits, read_project
from gis_service.processes.job import Job
from gis_service.processes.made import Made
from gis_service.processes.overlap_process import check, day_of, release_of
from gis_service.reports import as_csv, as_html, as_json
from gis_service.reports.overlap_report import Parameters, Reader, compute
from gis_service.settings import Limits
from gis_service.texts import LANGUAGES


def run(db: SyncDatabase, catalog: Catalog, job: Job, limits: Limits, budget: Budget) -> list[Made]:
    """Compute the report for whoever asked, in every format and language."""
    budget.reach(2, "reading")
    inputs = check(job.inputs)
    project = read_project(inputs["area"], ProjectLimits(vertices=limits.report_vertices))
    reader = Reader(job.principal, visible_layers(job.principal, catalog.layers.values()))
    report, drawing = compute(db, reader, project, _parameters(inputs, limits), budget)
    budget.reach(92, "writing")
    made = [
        Made("report.json", as_json.MEDIA_TYPE, as_json.render(report)),
        Made("report.csv", as_csv.MEDIA_TYPE, as_csv.render(report)),
    ]
    for lang in LANGUAGES:
        page = as_html.render(report, drawing, lang)
        made.append(Made(f"report.{lang}.html", as_html.MEDIA_TYPE, page))
    return [each.packed() for each in made]


def _parameters(inputs: Mapping[str, Any], limits: Limits) -> Parameters:
    chosen: dict[str, Any] = {"title": inputs.get("title", "")}
    if (status := inputs.get("status_filter")) is not None:
        chosen["status_filter"] = status
    if (day := day_of(inputs)) is not None:
        chosen["as_of"] = day
    return Parameters(**chosen, release=release_of(inputs), small_count=limits.small_count)
