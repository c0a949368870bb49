"""The paths of signing in and of one's own account."""

from __future__ import annotations

from collections.abc import Mapping

from gis_service import links as media
from gis_service.web import forms
from gis_service.web.openapi_parts import (
    FORM,
    SIGNED_IN,
    TEXT,
    Part,
    document,
    operation,
    parameter,
    path_parameter,
    told,
)

_TAG = "accounts"
_SESSION: Part = {"session": []}
_REFUSED: Part = {
    "400": {"$ref": "#/components/responses/Invalid"},
    "403": {"$ref": "#/components/responses/Problem"},
    "429": {"$ref": "#/components/responses/Problem"},
    "default": {"$ref": "#/components/responses/Problem"},
}


def paths(lang: str) -> Mapping[str, Part]:
    onward = parameter("next", TEXT, told("sign-in-next", lang))
    account = operation("getAccount", _TAG, told("account", lang), document(media.JSON), *FORM)
    account["get"]["security"] = [*SIGNED_IN, _SESSION]
    return {
        **_notices(lang),
        **_keys(lang),
        **_audit(lang),
        "/sign-in": {
            **operation("getSignIn", _TAG, told("sign-in", lang), document(media.JSON), onward, *FORM),
            "post": _form(
                "signIn", told("sign-in-form", lang), lang, "key", "invitation", "display_name", "next"
            ),
        },
        "/sign-in/oidc": _way("startSignIn", told("sign-in-oidc", lang), lang, onward),
        "/sign-in/callback": _way(
            "endSignIn",
            told("sign-in-callback", lang),
            lang,
            parameter("code", TEXT),
            parameter("state", TEXT),
        ),
        "/sign-out": {
            "post": {**_form("signOut", told("sign-out", lang), lang, "session"), "security": [_SESSION]}
        },
        "/account": {
            **account,
            "post": {
                **_form("acceptInvitation", told("accept-invitation", lang), lang, "invitation"),
                "security": [_SESSION],
            },
        },
    }


def _keys(lang: str) -> Mapping[str, Part]:
    listed = operation("getOwnKeys", _TAG, told("account-keys", lang), document(media.JSON), *FORM)
    listed["get"]["security"] = [*SIGNED_IN, _SESSION]
    fields = ("action", "label", "scope", "until", "key")
    made = _form("changeOwnKeys", told("account-keys-form", lang), lang, *fields)
    created: Part = {"201": {"description": told("account-keys-form", lang)}, **made["responses"]}
    return {"/account/keys": {**listed, "post": {**made, "responses": created, "security": [_SESSION]}}}


def _audit(lang: str) -> Mapping[str, Part]:
    asked = [parameter(name, TEXT) for name in ("since", "until", "actor", "action", "subject")]
    numbers = [parameter(name, {"type": "integer", "minimum": 1}) for name in ("before", "limit")]
    listed = operation("getAudit", _TAG, told("audit", lang), document(media.JSON), *asked, *numbers, *FORM)
    walked = operation(
        "verifyAudit", _TAG, told("audit-verify", lang), document(media.JSON), parameter("head", TEXT), *FORM
    )
    for each in (listed, walked):
        each["get"]["security"] = [*SIGNED_IN, _SESSION]
        each["get"]["responses"]["403"] = {"$ref": "#/components/responses/Problem"}
    return {"/audit": listed, "/audit/verify": walked}


def _notices(lang: str) -> Mapping[str, Part]:
    token = path_parameter("token")
    state = operation("getNotices", _TAG, told("notices", lang), document(media.JSON), *FORM)
    state["get"]["security"] = [*SIGNED_IN, _SESSION]
    switch = _form("switchNotices", told("switch-notices", lang), lang, "on")
    end = _form("endNotices", told("end-notices-form", lang), lang)
    return {
        "/account/notices": {**state, "post": {**switch, "security": [*SIGNED_IN, _SESSION]}},
        "/account/notices/{token}": {
            **operation(
                "getEndOfNotices", _TAG, told("end-notices", lang), document(media.JSON), token, *FORM
            ),
            "post": {**end, "parameters": [token], "responses": {**document(media.JSON), **_REFUSED}},
        },
    }


def _way(identity: str, summary: str, lang: str, *parameters: Part) -> Part:
    """A stage of the browser's way to the issuer and back."""
    responses = {"303": {"description": told("onward", lang)}, **_REFUSED}
    return operation(identity, _TAG, summary, responses, *parameters)


def _form(identity: str, summary: str, lang: str, *fields: str) -> Part:
    """What a form of a page sends; by cookie with the session's token, and from the service's pages alone."""
    schema: Part = {"type": "object", "properties": dict.fromkeys((*fields, "csrf"), TEXT)}
    return {
        "operationId": identity,
        "tags": [_TAG],
        "summary": summary,
        "requestBody": {"content": {forms.URLENCODED: {"schema": schema}}},
        "responses": {"303": {"description": told("onward", lang)}, **_REFUSED},
    }
