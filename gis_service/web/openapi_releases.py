"""The paths of releases and of a feature's history."""

from __future__ import annotations

from collections.abc import Mapping

from gis_service import links as media
from gis_service.web.openapi_parts import (
    FORM,
    TEXT,
    Part,
    document,
    operation,
    parameter,
    path_parameter,
    posting,
    reference,
    told,
)

_TAG = "releases"
_NUMBER: Part = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}


def paths(lang: str) -> Mapping[str, Part]:
    json = document(media.JSON, missing=True)
    size = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    page = [
        parameter("before", _NUMBER, told("before", lang)),
        parameter("limit", size, told("page-of-releases", lang)),
    ]
    number = parameter("number", _NUMBER, place="path")
    feature = [reference("collectionId"), path_parameter("featureId"), *FORM]
    return {
        "/releases": operation(
            "getReleases", _TAG, told("releases", lang), document(media.JSON), *page, *FORM
        ),
        "/releases/{number}": operation("getRelease", _TAG, told("release-one", lang), json, number, *FORM),
        "/releases/{number}/rollback": {"post": _rollback(json["200"], number, lang)},
        "/collections/{collectionId}/items/{featureId}/history": operation(
            "getFeatureHistory", _TAG, told("history", lang), json, *feature
        ),
    }


def _rollback(answer: Part, number: Part, lang: str) -> Part:
    schema: Part = {"type": "object", "properties": {"note": TEXT, "dry_run": {"type": "boolean"}}}
    answered: Part = {
        "200": answer,
        "201": {"description": told("rolled-back", lang)},
        "409": {"description": told("rollback-conflict", lang)},
    }
    body: Part = {media.JSON: {"schema": schema}}
    return posting("rollbackRelease", _TAG, told("rollback", lang), body, [number, *FORM], answered)
