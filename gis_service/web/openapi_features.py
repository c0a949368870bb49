"""The paths of features: each collection has its own, so that its properties stand there as parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gis_service import links as media
from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.features import formats, query
from gis_service.features.query import MAX_SORT_KEYS
from gis_service.features.schemas import parameter_type
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
    schema_reference,
    told,
)

_WHICH = ("bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs", "release")
_HOW = ("crs", "skipGeometry", "zoom-level")
_PAGE = ("limit", "after", "offset")


def paths(views: Iterable[ViewedLayer], lang: str) -> Mapping[str, Part]:
    made: dict[str, Part] = {
        "/collections": operation(
            "getCollections",
            "features",
            told("collections", lang),
            document(media.JSON, "Collections"),
            *FORM,
        ),
        "/collections/{collectionId}/files/{file}": operation(
            "getFile",
            "features",
            told("file", lang),
            _file(),
            reference("collectionId"),
            path_parameter("file"),
        ),
    }
    for view in views:
        made |= _of_layer(view, lang)
    return made


def _of_layer(view: ViewedLayer, lang: str) -> Mapping[str, Part]:
    at, name, title = f"/collections/{view.id}", _identifier(view.id), view.title.say(lang)
    rows = [*map(reference, (*_WHICH, *_HOW)), *_own(view, lang)]
    page = [*map(reference, _PAGE), *rows, reference("f-features"), reference("lang")]
    single = [path_parameter("featureId"), *map(reference, query.ITEM_PARAMETERS)]
    schemas = document(media.SCHEMA)

    def get(identity: str, key: str, responses: Part, *parameters: Part) -> Part:
        return operation(identity, "features", f"{title}: {told(key, lang)}", responses, *parameters)

    return {
        at: get(
            f"describe{name}", "collection", document(media.JSON, "Collection"), reference("release"), *FORM
        ),
        f"{at}/queryables": get(f"get{name}Queryables", "queryables", schemas, *FORM),
        f"{at}/sortables": get(f"get{name}Sortables", "sortables", schemas, *FORM),
        f"{at}/schema": get(f"get{name}Schema", "schema", schemas, *FORM),
        f"{at}/schema/geojson": get(f"get{name}FeatureSchema", "feature-schema", schemas, *FORM),
        f"{at}/items": get(f"get{name}Features", "items", _pages(), *page),
        f"{at}/export": get(
            f"export{name}", "export", _files(), *rows, reference("f-export"), reference("lang")
        ),
        f"{at}/items/{{featureId}}": get(f"get{name}Feature", "item", _feature(), *single),
    }


def _own(view: ViewedLayer, lang: str) -> list[Part]:
    """What depends on the layer: the order, the choice of properties, and equality by each (row G1)."""
    order = [sign + name for name in query.sortables(view) for sign in ("", "+", "-")]
    chosen = {"type": "array", "items": {**TEXT, "enum": list(view.properties)}}
    made = [parameter("properties", chosen, told("properties", lang))]
    if order:
        keys = {"type": "array", "maxItems": MAX_SORT_KEYS, "items": {**TEXT, "enum": order}}
        made.append(parameter("sortby", keys, told("sortby", lang)))
    for name, prop in query.equatable(view).items():
        made.append(parameter(name, _equality(prop), prop.title.say(lang)))
    return made


def _equality(prop: Property) -> Part:
    made: Part = parameter_type(prop)
    if prop.values and prop.type == "text":
        made["enum"] = list(prop.values)
    return made


def _identifier(layer: str) -> str:
    return "".join(word.capitalize() for word in layer.split("-"))


def _pages() -> Part:
    content = {each.media: _content(each, "FeatureCollection") for each in formats.FORMATS}
    return answers(content, headers=("Content-Crs", "ETag", "Link", "OGC-NumberMatched"), missing=True)


def _files() -> Part:
    content = {each.media: _content(each, "FeatureCollection") for each in formats.EXPORTS}
    return answers(content, headers=("Content-Crs", "OGC-NumberMatched"), missing=True)


def _content(form: formats.Format, schema: str) -> Part:
    if form in (formats.JSON, formats.JSONFG):
        return schema_reference(schema)
    return BINARY if form.binary else TEXT


def _feature() -> Part:
    content = {media.GEOJSON: schema_reference("Feature"), media.HTML: TEXT}
    return answers(content, headers=("Content-Crs", "ETag"), missing=True)


def _file() -> Part:
    made = answers({"*/*": BINARY}, headers=("ETag",), missing=True)
    return {**made, "206": {"description": "Partial Content"}, "416": made["default"]}
