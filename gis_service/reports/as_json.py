"""The report as JSON: every number in full, sentences in both languages."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime
from typing import Any

from gis_service.geoprocessing.project import Note
from gis_service.reports import again
from gis_service.reports.model import OverlapReport
from gis_service.texts import LANGUAGES, say

MEDIA_TYPE = "application/json"


def render(report: OverlapReport) -> bytes:
    """UTF-8 JSON of the whole report."""
    document = {"type": "overlap-report", "labels": sorted(report.labels), **_plain(report)}
    document["protected_areas"] = document.pop("areas")
    document["again"] = {"command": again.command(report), "inputs": again.inputs(report)}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _plain(value: Any) -> Any:  # any field of the model
    if isinstance(value, Note):
        values = dict(value.values)
        return {"key": value.key, "values": values} | {
            lang: say(value.key, lang, **values) for lang in LANGUAGES
        }
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
