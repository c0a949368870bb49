"""What the paths of the definition share: parameters, schemas, headers, refusals."""

from __future__ import annotations

from gis_service import links as media
from gis_service.features import filters, formats
from gis_service.features.query import MAX_OFFSET, MAX_ZOOM
from gis_service.geo.crs import CRS84
from gis_service.settings import Limits
from gis_service.texts import LANGUAGES
from gis_service.web import openapi_editing
from gis_service.web.openapi_parts import (
    COUNT,
    TEXT,
    URI,
    Part,
    parameter,
    path_parameter,
    schema_reference,
    told,
)


def components(limits: Limits, lang: str) -> Part:
    return {
        "parameters": {
            **_shared(lang),
            **_of_features(limits, lang),
            **openapi_editing.parameters(lang),
            **{name: path_parameter(name) for name in ("collectionId", "tileMatrixSetId", "layers")},
        },
        "headers": _headers(lang),
        "responses": _responses(lang),
        "schemas": _schemas(),
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
            "basic": {"type": "http", "scheme": "basic"},
            "session": {"type": "apiKey", "in": "cookie", "name": "gis_session"},
        },
    }


def _shared(lang: str) -> Part:
    pages, files = ([each.name for each in of] for of in (formats.FORMATS, formats.EXPORTS))
    return {
        "f": parameter("f", {**TEXT, "enum": ["json", "html"]}, told("f", lang)),
        "f-features": parameter("f", {**TEXT, "enum": pages}, told("f-features", lang)),
        "f-export": parameter("f", {**TEXT, "enum": files}, told("f-export", lang)),
        "lang": parameter("lang", {**TEXT, "enum": list(LANGUAGES)}, told("lang", lang)),
    }


def _of_features(limits: Limits, lang: str) -> Part:
    """The parameters of pages; `limit` stands where QGIS and GDAL look for it (rows Q3, G2)."""
    box: Part = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    limit = {"type": "integer", "minimum": 1, "maximum": limits.max_items, "default": limits.default_items}
    languages = {**TEXT, "enum": list(filters.LANGUAGES), "default": filters.LANGUAGES[0]}
    asked: dict[str, Part] = {
        "limit": limit,
        "bbox": box,
        "bbox-crs": {**URI, "default": CRS84},
        "datetime": TEXT,
        "crs": {**URI, "default": CRS84},
        "filter": TEXT,
        "filter-lang": languages,
        "filter-crs": {**URI, "default": CRS84},
        "skipGeometry": {"type": "boolean", "default": False},
        "zoom-level": {"type": "integer", "minimum": 0, "maximum": MAX_ZOOM},
        "after": TEXT,
        "offset": {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
        "release": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    }
    return {name: parameter(name, schema, told(name, lang)) for name, schema in asked.items()}


def _headers(lang: str) -> Part:
    headers: dict[str, Part] = {
        "Content-Crs": TEXT,
        "ETag": TEXT,
        "Link": TEXT,
        "OGC-NumberMatched": COUNT,
        "Retry-After": COUNT,
    }
    return {name: {"description": told(f"header.{name}", lang), "schema": of} for name, of in headers.items()}


def _responses(lang: str) -> Part:
    content = {media.PROBLEM: {"schema": schema_reference("Problem")}, media.HTML: {"schema": TEXT}}
    names = ("Invalid", "Unauthorized", "NotFound", "NotAcceptable", "Unavailable", "Problem")
    made: Part = {name: {"description": told(f"response.{name}", lang), "content": content} for name in names}
    made["Unavailable"]["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return made


def _object(required: tuple[str, ...] = (), **properties: Part) -> Part:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _schemas() -> Part:
    links: Part = {"type": "array", "items": schema_reference("Link")}
    stamp: Part = {"type": "string", "format": "date-time"}
    texts: Part = {"type": "array", "items": TEXT}
    return {
        "Link": _object(("href", "rel"), href=TEXT, rel=TEXT, type=TEXT, title=TEXT, length=COUNT),
        "LandingPage": _object(("links",), title=TEXT, description=TEXT, links=links),
        "Conformance": _object(("conformsTo",), conformsTo=texts, links=links),
        "Collection": _object(
            ("id", "links"),
            id=TEXT, title=TEXT, description=TEXT, itemType=TEXT, itemCount=COUNT, crs=texts, storageCrs=TEXT,
            extent={"type": "object"}, links=links,
        ),
        "Collections": _object(
            ("links", "collections"),
            links=links, crs=texts, collections={"type": "array", "items": schema_reference("Collection")},
        ),
        "Feature": _object(
            ("type", "id", "geometry", "properties"),
            type={**TEXT, "enum": ["Feature"]},
            id={"oneOf": [TEXT, {"type": "integer"}]},
            geometry={"type": "object", "nullable": True},
            properties={"type": "object", "nullable": True},
            links=links,
        ),
        "FeatureCollection": _object(
            ("type", "features"),
            type={**TEXT, "enum": ["FeatureCollection"]},
            features={"type": "array", "items": schema_reference("Feature")},
            numberReturned=COUNT, numberMatched=COUNT, timeStamp=stamp, links=links,
        ),
        "Problem": _object(
            ("type", "title", "status"),
            type=TEXT, title=TEXT, status={"type": "integer"}, detail=TEXT, instance=TEXT,
            errors={"type": "array", "items": _object(("pointer", "rule"), pointer=TEXT, rule=TEXT)},
        ),
    }  # fmt: skip
