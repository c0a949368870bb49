"""The paths of administrators."""

from __future__ import annotations

from collections.abc import Mapping

from gis_service import links as media
from gis_service.access.organisations import TIERS
from gis_service.access.principal import ROLES, SCOPES
from gis_service.access.staff import STATES
from gis_service.web.openapi_parts import (
    FORM,
    TEXT,
    Part,
    document,
    for_accounts,
    operation,
    parameter,
    path_parameter,
    posting,
    told,
)

_TAG = "accounts"
_ROLE: Part = {"organisation": TEXT, "role": {**TEXT, "enum": list(ROLES)}, "group": TEXT, "until": TEXT}
_NAMES: Part = {"name": TEXT, "name_en": TEXT}
_SIGHT: Part = {"jurisdiction": TEXT, "area": TEXT, "buffer": TEXT}
_NUMBER: Part = {"type": "integer", "minimum": 1, "maximum": 999_999_999}


def paths(lang: str) -> Mapping[str, Part]:
    code, name = path_parameter("code"), path_parameter("name")
    made: dict[str, Part] = {
        "/admin": operation("getAdmin", _TAG, told("admin", lang), _read(), *FORM),
        "/admin/organisations": _both("Organisations", "organisations", "organisation-make", lang, [], {
            "code": TEXT, **_NAMES, "tier": {**TEXT, "enum": list(TIERS)}, "parent": TEXT, **_SIGHT,
        }),
        "/admin/organisations/{code}": _both(
            "Organisation", "organisation", "organisation-change", lang, [code],
            {"action": _one_of("rename", "move", "look-after"), **_NAMES, "parent": TEXT, **_SIGHT},
        ),
        "/admin/people": _both(
            "People", "people", "service-make", lang, _search(lang),
            {"name": TEXT, "display_name": TEXT, **_ROLE},
        ),
        "/admin/people/{name}": _both("Person", "person", "person-change", lang, [name], {
            "action": _one_of(
                "grant", "revoke", "lock", "unlock", "end-sessions", "revoke-key", "make-key"
            ),
            **_ROLE, "key": _NUMBER, "label": TEXT,
            "scope": {"type": "array", "items": {**TEXT, "enum": list(SCOPES)}},
        }),
        "/admin/invitations": _both("Invitations", "invitations", "invite", lang, [
            parameter("state", _one_of("open", "all"), told("admin-invitations-state", lang)),
            parameter("before", _NUMBER, told("admin-invitations-before", lang)),
        ], {
            "action": _one_of("invite", "withdraw"), "email": TEXT, **_ROLE, "days": TEXT,
            "invitation": _NUMBER,
        }),
        "/admin/groups": _both(
            "Groups", "groups", "group-make", lang, [], {"code": TEXT, **_NAMES, "taxon": TEXT}
        ),
        "/admin/groups/{code}": _both(
            "Group", "group", "group-change", lang, [code], {**_NAMES, "taxon": TEXT}
        ),
    }  # fmt: skip
    return for_accounts(made)


def _search(lang: str) -> list[Part]:
    words = ("q", "organisation", "after")
    found = [parameter(each, TEXT, told(f"admin-people-{each}", lang)) for each in words]
    return [*found, parameter("state", _one_of(*STATES), told("admin-people-state", lang))]


def _read() -> Part:
    return {**document(media.JSON, missing=True), "403": {"$ref": "#/components/responses/Problem"}}


def _one_of(*values: str) -> Part:
    return {**TEXT, "enum": list(values)}


def _both(noun: str, key: str, act: str, lang: str, asked: list[Part], sent: Part) -> Part:
    """What there is, and what a form or a JSON object of the same fields does with it."""
    responses: Part = {
        "201": {
            "description": told("admin-secret", lang),
            "content": {media.JSON: {"schema": {"type": "object"}}, media.HTML: {"schema": TEXT}},
        },
        "303": {"description": told("onward", lang)},
        "409": {"description": told("admin-conflict", lang)},
    }
    body: Part = {media.JSON: {"schema": {"type": "object", "properties": sent}}}
    of_path = [each for each in asked if each["in"] == "path"]
    return {
        **operation(f"getAdmin{noun}", _TAG, told(f"admin-{key}", lang), _read(), *asked, *FORM),
        "post": posting(
            f"postAdmin{noun}", _TAG, told(f"admin-{act}", lang), body, [*of_path, *FORM], responses
        ),
    }
