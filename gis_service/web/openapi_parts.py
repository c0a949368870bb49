"""The pieces that an OpenAPI 3.0 document is made of: parameters, answers, operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gis_service import links as media
from gis_service.texts import say

Part = dict[str, Any]  # a piece of an OpenAPI document: JSON

TEXT: Part = {"type": "string"}
BINARY: Part = {"type": "string", "format": "binary"}
URI: Part = {"type": "string", "format": "uri"}
COUNT: Part = {"type": "integer", "minimum": 0}
_REFUSALS = {"400": "Invalid", "401": "Unauthorized", "406": "NotAcceptable", "503": "Unavailable"}


def parameter(name: str, schema: Part, text: str = "", place: str = "query") -> Part:
    """A parameter with every key present that QGIS looks for before it uses one (row Q3)."""
    style = {"style": "form", "explode": False} if place == "query" else {}
    return {
        "name": name,
        "in": place,
        "description": text or name,
        "required": place == "path",
        "schema": schema,
        **style,
    }


def path_parameter(name: str) -> Part:
    return parameter(name, TEXT, place="path")


def reference(name: str) -> Part:
    return {"$ref": f"#/components/parameters/{name}"}


def schema_reference(name: str) -> Part:
    return {"$ref": f"#/components/schemas/{name}"}


# Of operations that are for those with an account alone.
SIGNED_IN: list[Part] = [{"key": []}, {"bearer": []}, {"basic": []}]
FORM = (reference("f"), reference("lang"))  # of documents


def answers(
    content: dict[str, Part] | str, headers: Iterable[str] = (), missing: bool = False, text: str = "OK"
) -> Part:
    """The responses of an operation: its own by media type, refusals, a problem for everything else."""
    if isinstance(content, str):
        content = {content: {"type": "object"}}
    own: Part = {"description": text, "content": {kind: {"schema": of} for kind, of in content.items()}}
    if headers := list(headers):
        own["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    refusals = {**_REFUSALS, "404": "NotFound"} if missing else _REFUSALS
    told = {code: {"$ref": f"#/components/responses/{name}"} for code, name in sorted(refusals.items())}
    return {"200": own, **told, "default": {"$ref": "#/components/responses/Problem"}}


def document(kind: str, schema: str | None = None, missing: bool = False) -> Part:
    """The responses of a document that programs and people read."""
    form: Part = schema_reference(schema) if schema else {"type": "object"}
    return answers({kind: form, media.HTML: TEXT}, missing=missing)


def operation(identity: str, tag: str, summary: str, responses: Part, *parameters: Part) -> Part:
    """A path with one GET."""
    made: Part = {"operationId": identity, "tags": [tag], "summary": summary, "responses": responses}
    return {"get": {**made, "parameters": list(parameters)}}


def told(key: str, lang: str, **values: object) -> str:
    """A sentence of the definition."""
    return say(f"api.{key}", lang, **values)


def posting(
    identity: str, tag: str, summary: str, body: Part, parameters: Iterable[Part], answered: Part
) -> Part:
    """A POST for those with an account: what it reads by media type, its own answers, and its refusals."""
    refused: Part = {
        code: {"$ref": f"#/components/responses/{name}"}
        for code, name in (
            ("400", "Invalid"), ("401", "Unauthorized"), ("403", "Problem"), ("404", "NotFound"),
        )
    }  # fmt: skip
    return {
        "operationId": identity,
        "tags": [tag],
        "summary": summary,
        "parameters": list(parameters),
        "requestBody": {"content": body},
        "responses": {**refused, **answered, "default": {"$ref": "#/components/responses/Problem"}},
    }


def for_accounts(paths: dict[str, Part]) -> dict[str, Part]:
    """Paths all of whose operations are for those with an account."""
    return {
        path: {verb: {**each, "security": SIGNED_IN} for verb, each in operations.items()}
        for path, operations in paths.items()
    }
