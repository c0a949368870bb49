"""The OpenAPI 3.0 definition, written by hand for clients that read it literally (rows Q3, C3, G1, G2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gis_service import __version__
from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.links import Links
from gis_service.settings import Limits
from gis_service.texts import say
from gis_service.web import openapi_components, openapi_features
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
)


def definition(views: Iterable[ViewedLayer], limits: Limits, links: Links, lang: str) -> Part:
    """The whole document for the layers that the caller may know of."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": say("web.title", lang),
            "description": say("web.description", lang),
            "version": __version__,
        },
        "servers": [{"url": links.base or "/"}],
        "tags": [{"name": name} for name in ("service", "features", "tiles", "processes")],
        "security": [{}, {"key": []}, {"bearer": []}, {"basic": []}],
        "paths": {
            **_service_paths(),
            **openapi_features.paths(views, lang),
            **_tile_paths(),
            **_process_paths(),
        },
        "components": openapi_components.components(limits, lang),
    }


def _service_paths() -> Mapping[str, Part]:
    landing, classes = document(media.JSON, "LandingPage"), document(media.JSON, "Conformance")
    return {
        "/": operation("getLandingPage", "service", "Landing page", landing, *FORM),
        "/conformance": operation("getConformance", "service", "Conformance classes", classes, *FORM),
        "/api": operation("getApi", "service", "This definition", document(media.OPENAPI), *FORM),
        "/health": operation("getHealth", "service", "The process is alive", answers(media.JSON)),
        "/ready": operation("getReadiness", "service", "The database answers", answers(media.JSON)),
    }


def _tile_paths() -> Mapping[str, Part]:
    """The routes of tiles, their operation ids as OGC API Tiles names them (row C8)."""
    grid, layer, layers = reference("tileMatrixSetId"), reference("collectionId"), reference("layers")
    tile = answers({media.MVT: BINARY}, headers=("ETag",), missing=True)
    tile["204"] = {"description": "Empty tile"}
    at = "/collections/{collectionId}/tiles"
    cell = [
        parameter(name, {"type": "integer", "minimum": 0}, place="path")
        for name in ("tileMatrix", "tileRow", "tileCol")
    ]
    xyz = [parameter(name, {"type": "integer", "minimum": 0}, place="path") for name in ("z", "x", "y")]
    json = document(media.JSON, missing=True)
    return {
        "/tileMatrixSets": operation("getTileMatrixSetsList", "tiles", "Tile matrix sets", json, *FORM),
        "/tileMatrixSets/{tileMatrixSetId}": operation(
            "getTileMatrixSet", "tiles", "Tile matrix set", json, grid, *FORM
        ),
        at: operation(".collection.vector.getTileSetsList", "tiles", "Tilesets", json, layer, *FORM),
        at + "/{tileMatrixSetId}": operation(
            ".collection.vector.getTileSet", "tiles", "Tileset", json, layer, grid, *FORM
        ),
        at + "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": operation(
            ".collection.vector.getTile", "tiles", "Vector tile", tile, layer, grid, *cell
        ),
        "/xyz/{layers}/{z}/{x}/{y}.mvt": operation("getXyzTile", "tiles", "Vector tile", tile, layers, *xyz),
        "/xyz/{layers}/tilejson.json": operation(
            "getTileJson", "tiles", "TileJSON", json, layers, reference("lang")
        ),
        "/styles": operation("getStyles", "tiles", "Styles", json, *FORM),
        "/styles/{styleId}": operation(
            "getStyle",
            "tiles",
            "MapLibre style",
            document(media.STYLE, missing=True),
            path_parameter("styleId"),
            *FORM,
        ),
    }


def _process_paths() -> Mapping[str, Part]:
    """The routes of OGC API Processes; what a process takes stands in its own description."""
    json = document(media.JSON, missing=True)
    process, job = path_parameter("processId"), path_parameter("jobId")
    report = answers({media.HTML: TEXT}, missing=True)
    execution: Part = {
        "operationId": "execute",
        "tags": ["processes"],
        "summary": "Run a process; with `Prefer: respond-async` as a job",
        "parameters": [process],
        "requestBody": {"required": True, "content": {media.JSON: {"schema": {"type": "object"}}}},
        "responses": {**json, "201": {"description": "A job was made; its address is in Location"}},
    }
    return {
        "/processes": operation("getProcesses", "processes", "Processes", json, *FORM),
        "/processes/{processId}": operation(
            "getProcessDescription", "processes", "Process", json, process, *FORM
        ),
        "/processes/{processId}/execution": {"post": execution},
        "/jobs": operation("getJobs", "processes", "The caller's jobs", json, *FORM),
        "/jobs/{jobId}": {
            **operation("getStatus", "processes", "Job", json, job, *FORM),
            "delete": operation("dismiss", "processes", "Dismiss a job", json, job)["get"],
        },
        "/jobs/{jobId}/results": operation("getResult", "processes", "Results of a job", json, job, *FORM),
        "/reports/{report}": operation("getReport", "processes", "Report", report, path_parameter("report")),
    }
