"""Errors as application/problem+json (RFC 9457), in the caller's language, without our internals."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from gis_service.changes.faults import FieldsRefused
from gis_service.errors import Busy, DatabaseDown, GisError, MethodNotAllowed, Timeout, Unauthorized
from gis_service.links import PROBLEM
from gis_service.texts import catalogue, say
from gis_service.web.guards import TooMany
from gis_service.web.message import Response

CHALLENGE = 'Basic realm="gis-service", charset="UTF-8", Bearer realm="gis-service"'
RETRY_SECONDS = 2


def document(error: GisError, lang: str, instance: str) -> Mapping[str, object]:
    """The problem document; `type` is a URN of our own, since we promise no page behind it."""
    return {
        "type": error.problem_type or f"urn:gis-service:problem:{error.code}",
        "title": title(error, lang),
        "status": error.status,
        "detail": detail(error, lang),
        **_faults(error, lang),
        "instance": instance,
        **error.values.get("members", {}),  # type: ignore[dict-item]  # RFC 9457, 3.2: what a program may use
    }


def _faults(error: GisError, lang: str) -> Mapping[str, object]:
    """What is wrong with a document that was sent, member by member."""
    return {"errors": error.listed(lang)} if isinstance(error, FieldsRefused) else {}


def title(error: GisError, lang: str) -> str:
    key = f"problem.{error.code}"
    return say(key if key in catalogue() else "problem.internal", lang)


def detail(error: GisError, lang: str) -> str:
    """The sentence of the catalogue where the error names one; nothing of a fault of ours."""
    if type(error).status == 500:
        return say("problem.internal-detail", lang)
    if isinstance(error, DatabaseDown):
        return say("problem.database-down-detail", lang)  # libpq's words name hosts and roles
    if isinstance(error, FieldsRefused):
        return error.say(lang)
    values = {"detail": error.detail, **error.values}
    key = str(error.values.get("key", f"problem.{error.code}-detail"))
    return (
        say(key, lang, **{n: v for n, v in values.items() if n != "key"})
        if key in catalogue()
        else error.message()
    )


def response(error: GisError, lang: str, instance: str) -> Response:
    """The answer for an error, with what its status demands of the headers."""
    headers: list[tuple[str, str]] = [
        ("content-type", PROBLEM),
        ("content-language", lang),
        ("cache-control", "no-store"),
    ]
    if isinstance(error, Unauthorized):
        headers.append(("www-authenticate", CHALLENGE))
    if isinstance(error, (Busy, DatabaseDown, Timeout)):
        headers.append(("retry-after", str(RETRY_SECONDS)))
    if isinstance(error, TooMany):
        headers.append(("retry-after", str(error.values["seconds"])))
    if isinstance(error, MethodNotAllowed) or "allow" in error.values:
        headers.append(("allow", str(error.values.get("allow", "GET, HEAD, OPTIONS"))))
    return Response(error.status, tuple(headers), orjson.dumps(document(error, lang, instance)))
