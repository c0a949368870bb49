"""The OpenAPI 3.0 definition, written by hand for clients that read it literally (rows Q3, C3, G1, G2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gis_service import __version__
from gis_service import links as media
from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.features.query import MAX_OFFSET, equatable
from gis_service.features.schemas import parameter_type
from gis_service.links import Links
from gis_service.settings import Limits
from gis_service.texts import LANGUAGES, say

Part = dict[str, Any]  # a piece of an OpenAPI document: JSON


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
        "paths": {**_service_paths(), **_layers_paths(views, lang), **_tile_paths(), **_process_paths()},
        "components": _components(limits),
    }


def parameter(name: str, schema: Part, text: str = "", place: str = "query") -> Part:
    """A parameter with every key present that QGIS looks for before it uses one (row Q3)."""
    style = {"style": "form", "explode": False} if place == "query" else {}
    return {
        "name": name,
        "in": place,
        "description": text or name,
        "required": place == "path",
        "schema": schema,
        **style,
    }


def answers(kind: str, schema: Part | None = None, text: str = "OK") -> Part:
    """The responses of an operation: its own and a problem document for everything else."""
    return {
        "200": {"description": text, "content": {kind: {"schema": schema or {"type": "object"}}}},
        "default": {"$ref": "#/components/responses/Problem"},
    }


def operation(identity: str, tag: str, summary: str, responses: Part, *parameters: Part) -> Part:
    """A path with one GET."""
    made: Part = {"operationId": identity, "tags": [tag], "summary": summary, "responses": responses}
    return {"get": {**made, "parameters": list(parameters)}}


def reference(name: str) -> Part:
    return {"$ref": f"#/components/parameters/{name}"}


def _service_paths() -> Mapping[str, Part]:
    form = (reference("f"), reference("lang"))
    return {
        "/": operation("getLandingPage", "service", "Landing page", answers(media.JSON), *form),
        "/conformance": operation(
            "getConformance", "service", "Conformance classes", answers(media.JSON), *form
        ),
        "/collections": operation("getCollections", "features", "Collections", answers(media.JSON), *form),
        "/health": operation("getHealth", "service", "The process is alive", answers(media.JSON)),
        "/ready": operation("getReadiness", "service", "The database answers", answers(media.JSON)),
    }


def _layers_paths(views: Iterable[ViewedLayer], lang: str) -> Mapping[str, Part]:
    paths: dict[str, Part] = {}
    for view in views:
        paths |= _layer_paths(view, lang)
    return paths


def _layer_paths(view: ViewedLayer, lang: str) -> Mapping[str, Part]:
    """The paths of one collection; each has its own, so that its properties stand there as parameters."""
    at, name, title = f"/collections/{view.id}", _identifier(view.id), view.title.say(lang)
    form = (reference("f"), reference("lang"))
    items = [
        reference(each)
        for each in ("limit", "bbox", "bbox-crs", "datetime", "crs", "after", "offset", "release")
    ]
    filters = [
        parameter(prop, _filter_schema(about), about.title.say(lang))
        for prop, about in equatable(view).items()
    ]
    page = answers(media.GEOJSON, {"$ref": "#/components/schemas/FeatureCollection"})
    one = answers(media.GEOJSON, {"$ref": "#/components/schemas/Feature"})
    feature = (
        parameter("featureId", {"type": "string"}, place="path"),
        reference("crs"),
        reference("release"),
    )
    return {
        at: operation(f"describe{name}", "features", title, answers(media.JSON), *form),
        f"{at}/queryables": operation(
            f"get{name}Queryables", "features", title, answers(media.SCHEMA), *form
        ),
        f"{at}/schema": operation(f"get{name}Schema", "features", title, answers(media.SCHEMA), *form),
        f"{at}/items": operation(f"get{name}Features", "features", title, page, *items, *filters, *form),
        f"{at}/items/{{featureId}}": operation(f"get{name}Feature", "features", title, one, *feature, *form),
    }


def _filter_schema(prop: Property) -> Part:
    made: Part = parameter_type(prop)
    if prop.values and prop.type == "text":
        made["enum"] = list(prop.values)
    return made


def _identifier(layer: str) -> str:
    return "".join(word.capitalize() for word in layer.split("-"))


def _tile_paths() -> Mapping[str, Part]:
    """The routes of tiles, their operation ids as OGC API Tiles names them (row C8)."""
    grid, layer, layers = reference("tileMatrixSetId"), reference("collectionId"), reference("layers")
    binary: Part = {"type": "string", "format": "binary"}
    tile = answers(media.MVT, binary)
    tile["204"] = {"description": "Empty tile"}
    at = "/collections/{collectionId}/tiles"
    cell = [
        parameter(name, {"type": "integer", "minimum": 0}, place="path")
        for name in ("tileMatrix", "tileRow", "tileCol")
    ]
    xyz = [parameter(name, {"type": "integer", "minimum": 0}, place="path") for name in ("z", "x", "y")]
    json = answers(media.JSON)
    form = (reference("f"), reference("lang"))
    return {
        "/tileMatrixSets": operation("getTileMatrixSetsList", "tiles", "Tile matrix sets", json, *form),
        "/tileMatrixSets/{tileMatrixSetId}": operation(
            "getTileMatrixSet", "tiles", "Tile matrix set", json, grid, *form
        ),
        at: operation(".collection.vector.getTileSetsList", "tiles", "Tilesets", json, layer, *form),
        at + "/{tileMatrixSetId}": operation(
            ".collection.vector.getTileSet", "tiles", "Tileset", json, layer, grid, *form
        ),
        at + "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": operation(
            ".collection.vector.getTile", "tiles", "Vector tile", tile, layer, grid, *cell
        ),
        "/xyz/{layers}/{z}/{x}/{y}.mvt": operation("getXyzTile", "tiles", "Vector tile", tile, layers, *xyz),
        "/xyz/{layers}/tilejson.json": operation(
            "getTileJson", "tiles", "TileJSON", json, layers, reference("lang")
        ),
        "/styles": operation("getStyles", "tiles", "Styles", json, *form),
        "/styles/{styleId}": operation(
            "getStyle",
            "tiles",
            "MapLibre style",
            answers(media.STYLE),
            parameter("styleId", {"type": "string"}, place="path"),
            *form,
        ),
    }


def _process_paths() -> Mapping[str, Part]:
    """The routes of OGC API Processes; what a process takes stands in its own description."""
    json, form = answers(media.JSON), (reference("f"), reference("lang"))
    process, job = _place("processId"), _place("jobId")
    report = answers(media.HTML, {"type": "string"})
    execution: Part = {
        "operationId": "execute",
        "tags": ["processes"],
        "summary": "Run a process; with `Prefer: respond-async` as a job",
        "parameters": [process],
        "requestBody": {"required": True, "content": {media.JSON: {"schema": {"type": "object"}}}},
        "responses": {**json, "201": {"description": "A job was made; its address is in Location"}},
    }
    return {
        "/processes": operation("getProcesses", "processes", "Processes", json, *form),
        "/processes/{processId}": operation(
            "getProcessDescription", "processes", "Process", json, process, *form
        ),
        "/processes/{processId}/execution": {"post": execution},
        "/jobs": operation("getJobs", "processes", "The caller's jobs", json, *form),
        "/jobs/{jobId}": {
            **operation("getStatus", "processes", "Job", json, job, *form),
            "delete": operation("dismiss", "processes", "Dismiss a job", json, job)["get"],
        },
        "/jobs/{jobId}/results": operation("getResult", "processes", "Results of a job", json, job, *form),
        "/reports/{report}": operation("getReport", "processes", "Report", report, _place("report")),
    }


def _place(name: str) -> Part:
    return parameter(name, {"type": "string"}, place="path")


def _components(limits: Limits) -> Part:
    text: Part = {"type": "string"}
    return {
        "parameters": {
            **_query_parameters(limits),
            **{
                name: parameter(name, text, place="path")
                for name in ("collectionId", "tileMatrixSetId", "layers")
            },
        },
        "responses": {
            "Problem": {
                "description": "Problem (RFC 9457)",
                "content": {media.PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
        "schemas": _schemas(),
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
            "basic": {"type": "http", "scheme": "basic"},
        },
    }


def _query_parameters(limits: Limits) -> Part:
    number: Part = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    limit: Part = {
        "type": "integer",
        "minimum": 1,
        "maximum": limits.max_items,
        "default": limits.default_items,
    }
    offset: Part = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}
    text: Part = {"type": "string"}
    return {
        "limit": parameter("limit", limit, "Features on a page; more than the maximum means the maximum"),
        "bbox": parameter(
            "bbox", number, "west,south,east,north in CRS84; west > east crosses the antimeridian"
        ),
        "bbox-crs": parameter(
            "bbox-crs", {**text, "format": "uri"}, "Reference system of bbox: CRS84 or EPSG:4326"
        ),
        "datetime": parameter("datetime", text, "RFC 3339 instant or interval, .. for an open end"),
        "crs": parameter("crs", {**text, "format": "uri"}, "Reference system of the answer: CRS84"),
        "after": parameter("after", text, "Opaque: as given in next links"),
        "offset": parameter("offset", offset, "Features to skip; next links are faster"),
        "release": parameter("release", {"type": "integer", "minimum": 1}, "Rows as of a past release"),
        "f": parameter("f", {**text, "enum": ["json", "html"]}, "Form of the answer"),
        "lang": parameter("lang", {**text, "enum": list(LANGUAGES)}, "Language of the answer"),
    }


def _schemas() -> Part:
    text: Part = {"type": "string"}
    count: Part = {"type": "integer", "minimum": 0}
    item: Part = {
        "type": "object",
        "required": ["href", "rel"],
        "properties": {"href": text, "rel": text, "type": text},
    }
    feature: Part = {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"oneOf": [text, {"type": "integer"}]},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "nullable": True},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
        },
    }
    page: Part = {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
            "numberReturned": count,
            "numberMatched": count,
            "timeStamp": {"type": "string", "format": "date-time"},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
        },
    }
    problem: Part = {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "instance": text,
        },
    }
    return {"Link": item, "Feature": feature, "FeatureCollection": page, "Problem": problem}
