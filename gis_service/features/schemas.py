"""Schema, queryables and sortables of a viewed layer as JSON Schema (Features Parts 3 and 5)."""

from __future__ import annotations

from collections.abc import Collection

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.db.cql2.kinds import ID
from gis_service.features import query
from gis_service.links import Links
from gis_service.texts import say

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GEOMETRY = "geometry"

Member = dict[str, object]

_TYPES: dict[str, Member] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {"type": "string"}},
}
# As UCUM writes them (Part 5, requirement `unit` C); a unit that isn't here is told in the page alone.
_UCUM = {"m": "m", "cm": "cm", "km": "km", "m²": "m2", "km²": "km2", "ha": "har", "%": "%", "°": "deg"}


def schema(view: ViewedLayer, links: Links, lang: str, writable: Collection[str] = ()) -> Member:
    """What a feature of the layer consists of (row Q9), read-only but for what the caller may write."""
    properties = {ID: _identity(view, lang), GEOMETRY: _geometry(view, lang)}
    properties |= {name: described(prop, lang) for name, prop in view.properties.items()}
    for name, role in _roles(view).items():
        properties[name]["x-ogc-role"] = role
    received = {*writable, GEOMETRY} if writable else ()
    for place, (name, member) in enumerate(properties.items(), 1):
        member["x-ogc-propertySeq"] = place
        if name not in received:
            member["readOnly"] = True
    made = _document(links.schema(view.id), view, properties, lang)
    return _closed(made) if writable else made


def feature(view: ViewedLayer, links: Links, lang: str) -> Member:
    """A feature as GeoJSON has it: by this GDAL knows the fields of an empty answer and of null values (G4).

    GDAL reads a type only where it's one word, so that null, which any property may be, isn't named.
    """
    properties = {name: described(prop, lang) for name, prop in view.properties.items()}
    for about in properties.values():
        about.pop("x-ogc-unit", None)
    members: dict[str, Member] = {
        "type": {"type": "string", "enum": ["Feature"]},
        ID: {"title": say("schema.id", lang), **_TYPES[view.layer.id_type]},
        GEOMETRY: {"oneOf": [{"type": "null"}, {"$ref": _geojson(view)}]},
        "properties": {"type": "object", "properties": properties},
    }
    return {**_document(links.feature_schema(view.id), view, members, lang), "required": list(members)}


def queryables(view: ViewedLayer, links: Links, lang: str) -> Member:
    """What clients may filter by.

    QGIS knows the geometry by its `$ref` alone and only where it has no `type` (row Q8). Part 5 forbids a
    `$ref`, so that the schema has none, and here the class `queryables` of Part 3 holds, not that of Part 5.
    """
    properties = {ID: _identity(view, lang), GEOMETRY: {"$ref": _geojson(view)} | _geometry(view, lang)}
    properties |= {name: described(prop, lang) for name, prop in query.queryables(view).items()}
    return _closed(_document(links.queryables(view.id), view, properties, lang))


def sortables(view: ViewedLayer, links: Links, lang: str) -> Member:
    """What pages may be sorted by."""
    properties = {name: described(prop, lang) for name, prop in query.sortables(view).items()}
    return _closed(_document(links.sortables(view.id), view, properties, lang))


def described(prop: Property, lang: str) -> Member:
    """One property: type, title, allowed values with their titles, unit."""
    made = {"title": prop.title.say(lang), **_TYPES[prop.type]}
    if prop.description is not None:
        made["description"] = prop.description.say(lang)
    if prop.unit in _UCUM:
        made["x-ogc-unit"] = _UCUM[prop.unit]
    if prop.values and prop.type in ("text", "integer"):
        made["enum"] = [_value(prop, value) for value in prop.values]
    if isinstance(prop.values, dict) and prop.type in ("text", "integer"):
        titles = prop.values.items()
        made["oneOf"] = [{"const": _value(prop, value), "title": text.say(lang)} for value, text in titles]
    return made


def _value(prop: Property, value: str) -> int | str:
    return int(value) if prop.type == "integer" else value


def parameter_type(prop: Property) -> Member:
    """The type of the equality parameter: a list is asked for one of its members."""
    return {"type": "string"} if prop.type == "list" else dict(_TYPES[prop.type])


def _identity(view: ViewedLayer, lang: str) -> Member:
    return {"title": say("schema.id", lang), **_TYPES[view.layer.id_type], "x-ogc-role": "id"}


def _geometry(view: ViewedLayer, lang: str) -> Member:
    return {
        "title": say("schema.geometry", lang),
        "format": f"geometry-{view.geometry_type.lower()}",
        "x-ogc-role": "primary-geometry",
    }


def _geojson(view: ViewedLayer) -> str:
    return f"https://geojson.org/schema/{view.geometry_type}.json"


def _roles(view: ViewedLayer) -> dict[str, str]:
    """The properties that hold the time of a feature; at most one a role, as Part 5 wants."""
    if view.time is None:
        return {}
    if view.time.end is None:
        wanted = {view.time.start: "primary-instant"}
    else:
        wanted = {view.time.start: "primary-interval-start", view.time.end: "primary-interval-end"}
    columns = {view.layer.column_of(name): name for name in reversed(list(view.properties))}
    return {columns[column]: role for column, role in wanted.items() if column in columns}


def _closed(document: Member) -> Member:
    """Other names are refused with 400."""
    return {**document, "additionalProperties": False}


def _document(address: str, view: ViewedLayer, properties: dict[str, Member], lang: str) -> Member:
    return {
        "$schema": DRAFT,
        "$id": address,
        "type": "object",
        "title": view.title.say(lang),
        "description": view.description.say(lang),
        "properties": properties,
    }
