"""The statistics that the geoprocessor answers, as processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gis_service.processes.declared import DAY, GEOJSON, Input, Process, refused

STATUS: Final = Input({"type": "string", "enum": ["pp_text", "wcmc2020", "wdpar"], "default": "pp_text"})
FORMAT: Final = Input({"type": "string", "enum": ["json", "csv"], "default": "json"})
AREA_METHOD: Final = Input(
    {"type": "string", "enum": ["ellipsoidal", "mollweide_sphere"], "default": "ellipsoidal"}
)
SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
BY: Final = ("category", "designation", "governance", "site_type", "year")


def _one_kind_of_zones(inputs: Mapping[str, Any]) -> None:
    if ("zones" in inputs) == ("area" in inputs):
        raise refused("process.coverage.one_kind")


COVERAGE: Final = Process(
    "coverage",
    {
        "zones": Input({"type": "string"}),
        "area": Input(GEOJSON),
        "by": Input({"type": "string", "enum": list(BY), "default": "category"}),
        "targets": Input({"type": "array", "items": SHARE, "maxItems": 10, "default": [0.3]}),
        "status_filter": STATUS,
        "as_of": Input(DAY),
        "area_method": AREA_METHOD,
        "format": FORMAT,
    },
    {"zones": "provinces", "by": "category", "targets": [0.09, 0.3]},
    keywords=("coverage", "protected areas", "Target 3"),
    also=_one_kind_of_zones,
)
STATISTICS: Final = {each.id: each for each in (COVERAGE,)}
