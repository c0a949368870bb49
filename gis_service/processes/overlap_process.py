"""The process `overlap-report`: its description for pygeoapi, its inputs, its work, its documents."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gis_service.access.policy import visible_layers
from gis_service.catalog.registry import Catalog
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.overlap import STATUS_KEPT
from gis_service.geoprocessing.project import ProjectLimits, read_project
from gis_service.processes.errors import BadExecution
from gis_service.processes.job import Job
from gis_service.reports import as_csv, as_html, as_json
from gis_service.reports.overlap_report import Parameters, Reader, compute
from gis_service.settings import Limits
from gis_service.texts import LANGUAGES, say

ID = "overlap-report"
FORMATS = ("json", "html", "csv")
_INPUTS = ("area", "title", "status_filter", "as_of", "format")
_MOST_TITLE = 200


@dataclass(frozen=True)
class Made:
    """A document that a job made."""

    name: str
    media_type: str
    body: bytes  # gzip


def check(inputs: object) -> Mapping[str, Any]:
    """Refuse at once what the worker would refuse later; the polygon itself is the worker's to read."""
    if not isinstance(inputs, dict):
        raise BadExecution(say("report.input.object", "en"), key="report.input.object")
    for name in inputs:
        if name not in _INPUTS:
            raise _bad("report.input.unknown", name=str(name)[:50], known=", ".join(_INPUTS))
    if not isinstance(inputs.get("area"), dict):
        raise _bad("report.input.area")
    title = inputs.get("title", "")
    if not isinstance(title, str) or len(title) > _MOST_TITLE:
        raise _bad("report.input.title", n=_MOST_TITLE)
    if inputs.get("format", "json") not in FORMATS:
        raise _bad("report.input.format", known=", ".join(FORMATS))
    _parameters(inputs)
    return inputs


def _bad(key: str, **values: object) -> BadExecution:
    return BadExecution(say(key, "en", **values), key=key, **values)


def _parameters(inputs: Mapping[str, Any]) -> Parameters:
    chosen: dict[str, Any] = {"title": inputs.get("title", "")}
    if (status := inputs.get("status_filter")) is not None:
        if status not in STATUS_KEPT:
            raise _bad("report.input.status", known=", ".join(STATUS_KEPT))
        chosen["status_filter"] = status
    if (day := inputs.get("as_of")) is not None:
        try:
            chosen["as_of"] = date.fromisoformat(day)
        except (TypeError, ValueError) as err:
            raise _bad("report.input.day") from err
    return Parameters(**chosen)


def run(db: SyncDatabase, catalog: Catalog, job: Job, limits: Limits, budget: Budget) -> list[Made]:
    """Compute the report for whoever asked, in every format and language."""
    budget.reach(2, "reading")
    inputs = check(job.inputs)
    project = read_project(inputs["area"], ProjectLimits(vertices=limits.report_vertices))
    reader = Reader(job.principal, visible_layers(job.principal, catalog.layers.values()))
    report, drawing = compute(db, reader, project, _parameters(inputs), budget)
    budget.reach(92, "writing")
    made = [
        Made("report.json", as_json.MEDIA_TYPE, as_json.render(report)),
        Made("report.csv", as_csv.MEDIA_TYPE, as_csv.render(report)),
    ]
    for lang in LANGUAGES:
        page = as_html.render(report, drawing, lang)
        made.append(Made(f"report.{lang}.html", as_html.MEDIA_TYPE, page))
    return [Made(each.name, each.media_type, gzip.compress(each.body, 6, mtime=0)) for each in made]


def document_name(form: str, lang: str) -> str:
    """The name of the stored document in that form."""
    return f"report.{lang}.html" if form == "html" else f"report.{form}"


def _both(key: str) -> dict[str, str]:
    return {lang: say(key, lang) for lang in LANGUAGES}


def _input(name: str, schema: Mapping[str, Any], least: int = 0) -> dict[str, Any]:
    return {
        "title": _both(f"process.{ID}.{name}.title"),
        "description": _both(f"process.{ID}.{name}"),
        "schema": dict(schema),
        "minOccurs": least,
        "maxOccurs": 1,
    }


def metadata() -> dict[str, Any]:
    """The description of the process as OGC API Processes has it, in both languages."""
    geojson = {"type": "object", "contentMediaType": "application/geo+json", "format": "geojson-geometry"}
    return {
        "version": "1.0.0",
        "id": ID,
        "title": _both(f"process.{ID}.title"),
        "description": _both(f"process.{ID}"),
        "jobControlOptions": ["sync-execute", "async-execute"],
        "keywords": ["overlap", "protected areas", "species", "monitoring plots"],
        "links": [],
        "inputs": {
            "area": _input("area", geojson, 1),
            "title": _input("title", {"type": "string", "maxLength": _MOST_TITLE, "default": ""}),
            "status_filter": _input(
                "status_filter", {"type": "string", "enum": list(STATUS_KEPT), "default": "pp_text"}
            ),
            "as_of": _input("as_of", {"type": "string", "format": "date"}),
            "format": _input("format", {"type": "string", "enum": list(FORMATS), "default": "json"}),
        },
        "outputs": {
            "report": {
                "title": _both(f"process.{ID}.report.title"),
                "description": _both(f"process.{ID}.report"),
                "schema": {"type": "object", "contentMediaType": "application/json"},
            }
        },
        "example": {
            "inputs": {
                "area": {
                    "type": "Polygon",
                    "coordinates": [
                        [[105.3, 20.2], [105.8, 20.2], [105.8, 20.5], [105.3, 20.5], [105.3, 20.2]]
                    ],
                }
            }
        },
    }
