"""The body of an execution as a document: JSON whose size is known before it is made into objects."""

from __future__ import annotations

from typing import Any

import orjson

from gis_service.errors import GisError, TooLarge
from gis_service.processes.errors import BadExecution
from gis_service.texts import say

# Beside the vertices themselves: rings, features, their properties.
_SPARE = 100_000
_COMMAS = 4  # of a vertex with a height: three in the position, one behind it


def document(body: bytes, vertices: int) -> dict[str, Any]:
    """The object in the body; BadExecution or TooLarge where it can't be one that we would compute with.

    64 MB of `[],[],…` become 3 GB of objects, so the signs are counted before anything is parsed.
    """
    if (
        body.count(b"[") + body.count(b"{") > vertices + _SPARE
        or body.count(b",") > _COMMAS * vertices + _SPARE
    ):
        raise _refusal(TooLarge, "report.input.parts", most=vertices)
    if b"\\u0000" in body:
        raise _refusal(BadExecution, "report.input.nul")  # PostgreSQL has no such character
    try:
        made = orjson.loads(body)
        orjson.dumps(made)  # what is nested too deep for this is too deep for whoever reads it later
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as err:
        raise _refusal(BadExecution, "report.input.json") from err
    if not isinstance(made, dict) or not isinstance(made.get("inputs", {}), dict):
        raise _refusal(BadExecution, "report.input.object")
    return made


def _refusal(kind: type[GisError], key: str, **values: object) -> GisError:
    return kind(say(key, "en", **values), key=key, **values)
