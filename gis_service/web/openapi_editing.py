"""The operations that write features, beside those of `openapi_features` that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.web.editing import MERGE_PATCH
from gis_service.web.openapi_parts import SIGNED_IN, TEXT, Part, parameter, path_parameter, reference, told

HEADERS = ("If-Match", "Content-Crs", "Prefer")
_REFUSED = ("400", "401", "403", "404", "409", "412", "413", "415", "422", "503")
_NAMED = {"400": "Invalid", "401": "Unauthorized", "404": "NotFound", "503": "Unavailable"}


def paths(views: Iterable[ViewedLayer], lang: str) -> Mapping[str, Part]:
    """POST on a collection's items; PUT, PATCH and DELETE on one of them."""
    made: dict[str, Part] = {}
    for view in views:
        if view.layer.managed:
            at = f"/collections/{view.id}/items"
            made[at] = {"post": _operation(view, "create", lang, "201", media.GEOJSON)}
            made[f"{at}/{{featureId}}"] = {
                "put": _operation(view, "replace", lang, "204", media.GEOJSON),
                "patch": _operation(view, "update", lang, "204", MERGE_PATCH),
                "delete": _operation(view, "delete", lang, "204"),
            }
    return made


def merged(one: Mapping[str, Part], other: Mapping[str, Part]) -> Mapping[str, Part]:
    """The operations of both, path by path."""
    return {path: {**one.get(path, {}), **other.get(path, {})} for path in {**one, **other}}


def parameters(lang: str) -> Part:
    """The headers that edits may carry."""
    return {name: parameter(name, TEXT, told(f"header.{name}", lang), place="header") for name in HEADERS}


def _operation(view: ViewedLayer, verb: str, lang: str, status: str, kind: str | None = None) -> Part:
    name = "".join(word.capitalize() for word in view.id.split("-"))
    made: Part = {
        "operationId": f"{verb}{name}Feature",
        "tags": ["features"],
        "summary": f"{view.title.say(lang)}: {told(f'edit-{verb}', lang)}",
        "parameters": [] if verb == "create" else [path_parameter("featureId"), reference("If-Match")],
        "responses": _responses(status, lang, whole=kind is not None),
        "security": SIGNED_IN,
    }
    if kind is not None:
        made["parameters"] += [reference("Content-Crs"), reference("Prefer")]
        made["requestBody"] = {"required": True, "content": {kind: {"schema": {"type": "object"}}}}
    return {**made, "parameters": [*made["parameters"], reference("lang")]}


def _responses(status: str, lang: str, *, whole: bool) -> Part:
    """Its own answer, the feature itself for who prefers that, refusals."""
    shown: Part = {media.GEOJSON: {"schema": {"$ref": "#/components/schemas/Feature"}}}
    headers: Part = {"ETag": {"$ref": "#/components/headers/ETag"}} if whole else {}
    if status == "201":
        headers["Location"] = {"schema": TEXT, "description": told("header.Location", lang)}
    own: Part = {status: {"description": told(f"edited-{status}", lang), "headers": headers}}
    if status == "201":
        own[status]["content"] = shown
    elif whole:
        own["200"] = {"description": "OK", "headers": headers, "content": shown}
    problems = {code: _problem(_NAMED.get(code, "Problem")) for code in _REFUSED}
    return {**own, **problems, "default": _problem("Problem")}


def _problem(name: str) -> Part:
    return {"$ref": f"#/components/responses/{name}"}
