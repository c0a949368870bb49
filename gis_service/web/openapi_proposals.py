"""The paths of proposals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from gis_service import links as media
from gis_service.changes.values import Action, State
from gis_service.web.openapi_parts import (
    FORM,
    TEXT,
    Part,
    answers,
    document,
    for_accounts,
    operation,
    parameter,
    posting,
    told,
)

_TAG = "proposals"
_NUMBER: Part = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
_YES: Part = {"type": "string", "enum": ["yes"]}


def paths(lang: str) -> Mapping[str, Part]:
    number = parameter("number", _NUMBER, place="path")
    page = parameter(
        "page", {"type": "integer", "minimum": 0, "maximum": 999_999_999}, told("changes-page", lang)
    )
    size = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    listing = [
        parameter("state", {"type": "string", "enum": list(get_args(State))}, told("proposal-state", lang)),
        parameter("layer", TEXT, told("proposal-layer", lang)),
        parameter("mine", _YES, told("proposal-mine", lang)),
        parameter("waiting", _YES, told("proposal-waiting", lang)),
        parameter("before", _NUMBER, told("proposal-before", lang)),
        parameter("limit", size, told("proposal-limit", lang)),
    ]
    one = document(media.JSON, missing=True)
    several: Part = {"type": "array", "items": _NUMBER}
    publishing = {"action": {"type": "string", "enum": ["publish"]}, "proposal": several, **_release()}
    made: dict[str, Part] = {
        "/proposals": {
            **operation("getProposals", _TAG, told("proposals", lang), document(media.JSON), *listing, *FORM),
            "post": _post("publishProposals", told("proposals-publish", lang), publishing, [*FORM], lang),
        },
        "/proposals/{number}": operation(
            "getProposal", _TAG, told("proposal", lang), one, number, page, *FORM
        ),
        "/proposals/{number}/changes": operation(
            "getProposalChanges", _TAG, told("proposal-changes", lang),
            answers(media.GEOJSON, missing=True), number, page, *FORM,
        ),
        "/proposals/{number}/steps": {
            "post": _post("takeStep", told("proposal-step", lang), _step(), [number, *FORM], lang)
        },
    }  # fmt: skip
    return for_accounts(made)


def _release() -> Part:
    return {"name": TEXT, "name_en": TEXT, "comment": TEXT, "dry_run": {"type": "boolean"}}


def _step() -> Part:
    return {
        "action": {"type": "string", "enum": [*get_args(Action), "comment"]},
        "revision": _NUMBER,
        "leave_out": {"type": "object", "additionalProperties": TEXT},
        **_release(),
    }


def _post(identity: str, summary: str, properties: Part, parameters: list[Part], lang: str) -> Part:
    schema: Part = {"type": "object", "properties": properties, "required": ["action"]}
    answered: Part = {
        "200": document(media.JSON)["200"],
        "303": {"description": told("proposal-see-other", lang)},
        "409": {"description": told("proposal-conflict", lang)},
    }
    return posting(identity, _TAG, summary, {media.JSON: {"schema": schema}}, parameters, answered)
