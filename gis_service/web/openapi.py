"""The OpenAPI 3.0 definition, written by hand for clients that read it literally (rows Q3, C3, G1, G2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gis_service import __version__
from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.links import Links
from gis_service.settings import Limits
from gis_service.texts import say
from gis_service.web import (
    openapi_accounts,
    openapi_admin,
    openapi_components,
    openapi_contribute,
    openapi_editing,
    openapi_features,
    openapi_proposals,
    openapi_rasters,
    openapi_releases,
    openapi_tiles,
)
from gis_service.web.openapi_parts import (
    FORM,
    TEXT,
    Part,
    answers,
    document,
    operation,
    path_parameter,
    told,
)


def definition(views: Collection[ViewedLayer], limits: Limits, links: Links, lang: str) -> Part:
    """The whole document for the layers that the caller may know of."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": say("web.title", lang),
            "description": say("web.description", lang),
            "version": __version__,
        },
        "servers": [{"url": links.base or "/"}],
        "tags": [
            {"name": name} for name in ("service", "features", "releases", "tiles", "processes", "accounts")
        ],
        "security": [{}, {"key": []}, {"bearer": []}, {"basic": []}],
        "paths": {
            **_service_paths(lang),
            **openapi_editing.merged(openapi_features.paths(views, lang), openapi_editing.paths(views, lang)),
            **openapi_tiles.paths(lang),
            **openapi_rasters.paths(lang),
            **_process_paths(lang),
            **openapi_releases.paths(lang),
            **openapi_accounts.paths(lang),
            **openapi_proposals.paths(lang),
            **openapi_contribute.paths(lang),
            **openapi_admin.paths(lang),
        },
        "components": openapi_components.components(limits, lang),
    }


def _service_paths(lang: str) -> Mapping[str, Part]:
    landing, classes = document(media.JSON, "LandingPage"), document(media.JSON, "Conformance")
    return {
        "/": operation("getLandingPage", "service", told("landing", lang), landing, *FORM),
        "/conformance": operation("getConformance", "service", told("conformance", lang), classes, *FORM),
        "/api": operation("getApi", "service", told("definition", lang), document(media.OPENAPI), *FORM),
        "/health": operation("getHealth", "service", told("health", lang), answers(media.JSON)),
        "/ready": operation("getReadiness", "service", told("ready", lang), answers(media.JSON)),
    }


def _process_paths(lang: str) -> Mapping[str, Part]:
    """The routes of OGC API Processes; what a process takes stands in its own description."""
    json = document(media.JSON, missing=True)
    process, job = path_parameter("processId"), path_parameter("jobId")
    report = answers({media.HTML: TEXT}, missing=True)
    execution: Part = {
        "operationId": "execute",
        "tags": ["processes"],
        "summary": told("execution", lang),
        "parameters": [process],
        "requestBody": {"required": True, "content": {media.JSON: {"schema": {"type": "object"}}}},
        "responses": {**json, "201": {"description": told("job-made", lang)}},
    }
    return {
        "/processes": operation("getProcesses", "processes", told("processes", lang), json, *FORM),
        "/processes/{processId}": operation(
            "getProcessDescription", "processes", told("process", lang), json, process, *FORM
        ),
        "/processes/{processId}/execution": {"post": execution},
        "/jobs": operation("getJobs", "processes", told("jobs", lang), json, *FORM),
        "/jobs/{jobId}": {
            **operation("getStatus", "processes", told("job", lang), json, job, *FORM),
            "delete": operation("dismiss", "processes", told("dismiss", lang), json, job)["get"],
        },
        "/jobs/{jobId}/results": operation("getResult", "processes", told("results", lang), json, job, *FORM),
        "/reports/{report}": operation(
            "getReport", "processes", told("report", lang), report, path_parameter("report")
        ),
    }
