"""The process `overlap-report` as the web knows it: its description, and what its inputs may be.

The work itself is in overlap_work, which brings libraries that web workers do without.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from gis_service.processes.errors import BadExecution
from gis_service.texts import LANGUAGES, say

ID = "overlap-report"
FORMATS = ("json", "html", "csv")
STATUS_FILTERS = ("pp_text", "wcmc2020", "wdpar")
_INPUTS = ("area", "title", "status_filter", "as_of", "release", "format")
_MOST_TITLE = 200


def check(inputs: object) -> Mapping[str, Any]:
    """Refuse at once what the worker would refuse later; the polygon itself is the worker's to read."""
    if not isinstance(inputs, dict):
        raise BadExecution(say("report.input.object", "en"), key="report.input.object")
    for name in inputs:
        if name not in _INPUTS:
            raise _bad("report.input.unknown", name=str(name)[:50], known=", ".join(_INPUTS))
    if not isinstance(inputs.get("area"), dict):
        raise _bad("report.input.area")
    title = inputs.get("title", "")
    if not isinstance(title, str) or len(title) > _MOST_TITLE:
        raise _bad("report.input.title", n=_MOST_TITLE)
    if inputs.get("format", "json") not in FORMATS:
        raise _bad("report.input.format", known=", ".join(FORMATS))
    if inputs.get("status_filter", "pp_text") not in STATUS_FILTERS:
        raise _bad("report.input.status", known=", ".join(STATUS_FILTERS))
    day_of(inputs)
    release_of(inputs)
    return inputs


def day_of(inputs: Mapping[str, Any]) -> date | None:
    """The day that was asked for, if one was."""
    if (day := inputs.get("as_of")) is None:
        return None
    try:
        return date.fromisoformat(day)
    except (TypeError, ValueError) as err:
        raise _bad("report.input.day") from err


def release_of(inputs: Mapping[str, Any]) -> int | None:
    """The release that was asked for, if one was; whether there is one the worker sees."""
    release = inputs.get("release")
    if release is None:
        return None
    if not isinstance(release, int) or isinstance(release, bool) or not 0 < release < 2**31:
        raise _bad("report.input.release")
    return release


def _bad(key: str, **values: object) -> BadExecution:
    return BadExecution(say(key, "en", **values), key=key, **values)


def _both(key: str) -> dict[str, str]:
    return {lang: say(key, lang) for lang in LANGUAGES}


def _input(name: str, schema: Mapping[str, Any], least: int = 0) -> dict[str, Any]:
    return {
        "title": _both(f"process.{ID}.{name}.title"),
        "description": _both(f"process.{ID}.{name}"),
        "schema": dict(schema),
        "minOccurs": least,
        "maxOccurs": 1,
    }


def metadata() -> dict[str, Any]:
    """The description of the process as OGC API Processes has it, in both languages."""
    geojson = {"type": "object", "contentMediaType": "application/geo+json", "format": "geojson-geometry"}
    return {
        "version": "1.0.0",
        "id": ID,
        "title": _both(f"process.{ID}.title"),
        "description": _both(f"process.{ID}"),
        "jobControlOptions": ["sync-execute", "async-execute"],
        "keywords": ["overlap", "protected areas", "species", "monitoring plots"],
        "links": [],
        "inputs": {
            "area": _input("area", geojson, 1),
            "title": _input("title", {"type": "string", "maxLength": _MOST_TITLE, "default": ""}),
            "status_filter": _input(
                "status_filter", {"type": "string", "enum": list(STATUS_FILTERS), "default": "pp_text"}
            ),
            "as_of": _input("as_of", {"type": "string", "format": "date"}),
            "release": _input("release", {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}),
            "format": _input("format", {"type": "string", "enum": list(FORMATS), "default": "json"}),
        },
        "outputs": {
            "report": {
                "title": _both(f"process.{ID}.report.title"),
                "description": _both(f"process.{ID}.report"),
                "schema": {"type": "object", "contentMediaType": "application/json"},
            }
        },
        "example": {
            "inputs": {
                "area": {
                    "type": "Polygon",
                    "coordinates": [
                        [[105.3, 20.2], [105.8, 20.2], [105.8, 20.5], [105.3, 20.5], [105.3, 20.2]]
                    ],
                }
            }
        },
    }
