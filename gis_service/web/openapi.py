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
    openapi_releases,
)
from gis_service.web.openapi_parts import (
    BINARY,
    FORM,
    TEXT,
    Part,
    answers,
    document,
    operation,
    parameter,
    path_parameter,
    reference,
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
            **_tile_paths(lang),
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


def _tile_paths(lang: str) -> Mapping[str, Part]:
    """The routes of tiles, their operation ids as OGC API Tiles names them (row C8)."""
    grid, layer, layers = reference("tileMatrixSetId"), reference("collectionId"), reference("layers")
    past = reference("release")
    tile = answers({media.MVT: BINARY}, headers=("ETag",), missing=True)
    tile["204"] = {"description": told("tile-empty", lang)}
    at = "/collections/{collectionId}/tiles"
    cell = [
        parameter(name, {"type": "integer", "minimum": 0}, place="path")
        for name in ("tileMatrix", "tileRow", "tileCol")
    ]
    xyz = [parameter(name, {"type": "integer", "minimum": 0}, place="path") for name in ("z", "x", "y")]
    json = document(media.JSON, missing=True)
    return {
        "/tileMatrixSets": operation("getTileMatrixSetsList", "tiles", told("grids", lang), json, *FORM),
        "/tileMatrixSets/{tileMatrixSetId}": operation(
            "getTileMatrixSet", "tiles", told("grid", lang), json, grid, *FORM
        ),
        at: operation(
            ".collection.vector.getTileSetsList", "tiles", told("tilesets", lang), json, layer, past, *FORM
        ),
        at + "/{tileMatrixSetId}": operation(
            ".collection.vector.getTileSet", "tiles", told("tileset", lang), json, layer, grid, past, *FORM
        ),
        at + "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": operation(
            ".collection.vector.getTile", "tiles", told("tile", lang), tile, layer, grid, *cell, past
        ),
        "/xyz/{layers}/{z}/{x}/{y}.mvt": operation(
            "getXyzTile", "tiles", told("tile", lang), tile, layers, *xyz, past
        ),
        "/xyz/{layers}/tilejson.json": operation(
            "getTileJson", "tiles", "TileJSON", json, layers, past, reference("lang")
        ),
        "/styles": operation("getStyles", "tiles", told("styles", lang), json, *FORM),
        "/styles/{styleId}": operation(
            "getStyle",
            "tiles",
            told("style", lang),
            document(media.STYLE, missing=True),
            path_parameter("styleId"),
            past,
            *FORM,
        ),
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
