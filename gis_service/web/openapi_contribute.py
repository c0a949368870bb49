"""The paths of the contributor's pages."""

from __future__ import annotations

from collections.abc import Mapping

from gis_service import links as media
from gis_service.changes.names import MOST_NAMES
from gis_service.changes.sheet import VN2000
from gis_service.web.contribute_feed import ATOM
from gis_service.web.openapi_parts import (
    BINARY,
    FORM,
    TEXT,
    Part,
    answers,
    document,
    for_accounts,
    operation,
    parameter,
    posting,
    reference,
    told,
)

_TAG = "proposals"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def paths(lang: str) -> Mapping[str, Part]:
    layer = parameter("layer", TEXT, place="path")
    identity = parameter("upload", {"type": "string", "format": "uuid"}, place="path")
    one, sheet = document(media.JSON, missing=True), answers({_XLSX: BINARY}, missing=True)
    made: dict[str, Part] = {
        "/contribute": operation(
            "getContributions", _TAG, told("contribute", lang), document(media.JSON), *FORM
        ),
        "/contribute/{layer}": {
            **operation(
                "getContributing", _TAG, told("contribute-to", lang), one, layer, _replaces(lang), *FORM
            ),
            "post": _post(lang, [layer, *FORM]),
        },
        "/contribute/{layer}/template.xlsx": operation(
            "getSheet", _TAG, told("contribute-template", lang), sheet, layer, *_sheets(lang)
        ),
        "/contribute/feed.atom": operation(
            "getFeed", _TAG, told("contribute-feed", lang), answers(ATOM), reference("lang")
        ),
        "/contribute/uploads/{upload}": operation(
            "getUpload", _TAG, told("contribute-upload", lang), one, identity, *FORM
        ),
    }
    return for_accounts(made)


def _replaces(lang: str) -> Part:
    number: Part = {"type": "integer", "minimum": 1}
    return parameter("replaces", number, told("contribute-replaces", lang))


def _sheets(lang: str) -> list[Part]:
    """What a sheet may be asked by: rows to be corrected, a system of metres; without them it's empty."""
    systems: Part = {"type": "string", "enum": [f"EPSG:{srid}" for srid in VN2000]}
    return [
        parameter("filled", {"type": "string", "enum": [""]}, told("contribute-template-filled", lang)),
        parameter("crs", systems, told("contribute-template-crs", lang)),
        reference("lang"),
    ]


def _post(lang: str, parameters: list[Part]) -> Part:
    name: Part = {"type": "string", "maxLength": MOST_NAMES}
    properties: Part = {
        "file": BINARY,
        "replaces": {"type": "integer", "minimum": 1},
        "title": TEXT, "note": TEXT, "organisation": TEXT, "id_column": name, "crs": name,
    }  # fmt: skip
    schema: Part = {"type": "object", "properties": properties, "required": ["file", "title"]}
    answered: Part = {
        "202": {"description": told("contribute-kept", lang)},
        "303": {"description": told("proposal-see-other", lang)},
        "409": {"$ref": "#/components/responses/Problem"},
    }
    body: Part = {"multipart/form-data": {"schema": schema}}
    return posting("sendFile", _TAG, told("contribute-send", lang), body, parameters, answered)
