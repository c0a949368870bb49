"""Queryables and schema of a viewed layer as JSON Schema."""

from __future__ import annotations

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.features.query import queryables as filterable
from gis_service.links import Links

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GEOMETRY = "geometry"

_TYPES: dict[str, dict[str, object]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {"type": "string"}},
}


def queryables(view: ViewedLayer, links: Links, lang: str) -> dict[str, object]:
    """What clients may filter by (row Q8: the geometry by `$ref`, without `type`)."""
    properties = {GEOMETRY: _geometry(view)}
    properties |= {name: described(prop, lang) for name, prop in filterable(view).items()}
    return _document(links.queryables(view.id), view, properties, lang) | {"additionalProperties": False}


def schema(view: ViewedLayer, links: Links, lang: str) -> dict[str, object]:
    """What a feature of the layer consists of (row Q9); nothing can be written yet, so all is read-only."""
    identity = {**_TYPES[view.layer.id_type], "x-ogc-role": "id"}
    properties = {"id": identity, GEOMETRY: _geometry(view)}
    properties |= {name: described(prop, lang) for name, prop in view.properties.items()}
    for place, prop in enumerate(properties.values(), 1):
        prop |= {"x-ogc-propertySeq": place, "readOnly": True}
    return _document(links.schema(view.id), view, properties, lang)


def described(prop: Property, lang: str) -> dict[str, object]:
    """One property: type, title, allowed values, unit."""
    made = {"title": prop.title.say(lang), **_TYPES[prop.type]}
    if prop.description is not None:
        made["description"] = prop.description.say(lang)
    if prop.unit:
        made["x-ogc-unit"] = prop.unit
    if prop.values and prop.type in ("text", "integer"):
        made["enum"] = [int(value) if prop.type == "integer" else value for value in prop.values]
    return made


def parameter_type(prop: Property) -> dict[str, object]:
    """The type of the equality parameter: a list is asked for one of its members."""
    return {"type": "string"} if prop.type == "list" else dict(_TYPES[prop.type])


def _geometry(view: ViewedLayer) -> dict[str, object]:
    kind = view.geometry_type
    return {
        "$ref": f"https://geojson.org/schema/{kind}.json",
        "format": f"geometry-{kind.lower()}",
        "x-ogc-role": "primary-geometry",
    }


def _document(
    address: str, view: ViewedLayer, properties: dict[str, dict[str, object]], lang: str
) -> dict[str, object]:
    return {
        "$schema": DRAFT,
        "$id": address,
        "type": "object",
        "title": view.title.say(lang),
        "description": view.description.say(lang),
        "properties": properties,
    }
