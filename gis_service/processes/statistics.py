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
_BOX = [[[105.3, 20.2], [105.8, 20.2], [105.8, 20.5], [105.3, 20.5], [105.3, 20.2]]]
OVERLAP: Final = Process(
    "overlap",
    {
        "area": Input(GEOJSON, needed=True),
        "layers": Input({"type": "array", "items": {"type": "string"}, "maxItems": 20}),
        "rings": Input(
            {
                "type": "array",
                "items": {"type": "number", "minimum": 0, "maximum": 100_000},
                "maxItems": 10,
                "default": [],
            }
        ),
        "nearest": Input({"type": "integer", "minimum": 0, "maximum": 20, "default": 3}),
        "geometry": Input({"type": "boolean", "default": False}),
        "status_filter": STATUS,
        "as_of": Input(DAY),
        "area_method": AREA_METHOD,
        "format": FORMAT,
    },
    {"area": {"type": "Polygon", "coordinates": _BOX}, "rings": [1000, 5000]},
    keywords=("overlap", "protected areas", "species", "monitoring plots"),
)
REPRESENTATION: Final = Process(
    "representation",
    {
        "species": Input({"type": "array", "items": {"type": "string"}, "maxItems": 1000, "default": []}),
        "rule": Input({"type": "string", "enum": ["rodrigues", "polak"], "default": "rodrigues"}),
        "country": Input({"type": "string"}),
        "status_filter": STATUS,
        "as_of": Input(DAY),
        "area_method": AREA_METHOD,
        "format": FORMAT,
    },
    {"rule": "rodrigues"},
    keywords=("species", "gap analysis", "protected areas"),
)
RANGE_METRICS: Final = Process(
    "range-metrics",
    {
        "taxon": Input({"type": "string"}, needed=True),
        "since": Input(DAY),
        "locations": Input({"type": "integer", "minimum": 1, "maximum": 100_000}),
        "format": FORMAT,
    },
    {"taxon": "Trimeresurus stejnegeri"},
    keywords=("species", "extent of occurrence", "area of occupancy", "IUCN criterion B"),
)
PLOTS: Final = Process(
    "plots",
    {
        "area": Input(GEOJSON, needed=True),
        "interval_days": Input({"type": "integer", "minimum": 1, "maximum": 36_500, "default": 365}),
        "reach_m": Input({"type": "number", "minimum": 1, "maximum": 100_000}),
        "strata": Input({"type": "array", "items": {"type": "string"}, "maxItems": 1000, "default": []}),
        "status_filter": STATUS,
        "as_of": Input(DAY),
        "area_method": AREA_METHOD,
        "format": FORMAT,
    },
    {"area": {"type": "Polygon", "coordinates": _BOX}, "interval_days": 1825, "reach_m": 5000},
    keywords=("monitoring plots", "effort", "overdue"),
)
ESTIMATE: Final = Process(
    "estimate",
    {
        "plots": Input({"type": "array", "items": {"type": "object"}, "maxItems": 20_000}, needed=True),
        "strata": Input({"type": "array", "items": {"type": "object"}, "maxItems": 1000, "default": []}),
        "selection": Input(
            {"type": "string", "enum": ["random", "opportunistic", "unknown"], "default": "unknown"}
        ),
        "confidence": Input({"type": "number", "minimum": 0.5, "maximum": 0.999, "default": 0.95}),
        "format": FORMAT,
    },
    {
        "selection": "random",
        "strata": [{"name": "evergreen", "size": 600}, {"name": "karst", "size": 300}],
        "plots": [
            {"value": 12, "stratum": "evergreen"},
            {"value": 15, "stratum": "evergreen"},
            {"value": 22, "stratum": "karst"},
            {"value": 25, "stratum": "karst"},
        ],
    },
    keywords=("monitoring plots", "estimate", "standard error"),
)
CLASS_AREAS: Final = Process(
    "class-areas",
    {
        "classes": Input({"type": "array", "items": {"type": "object"}, "maxItems": 256}, needed=True),
        "points": Input({"type": "array", "items": {"type": "object"}, "maxItems": 20_000}, needed=True),
        "confidence": Input({"type": "number", "minimum": 0.5, "maximum": 0.999, "default": 0.95}),
        "format": FORMAT,
    },
    {
        "classes": [{"class": "forest", "area": 9000}, {"class": "cleared", "area": 1000}],
        "points": [
            {"mapped": "forest", "reference": "forest", "count": 95},
            {"mapped": "forest", "reference": "cleared", "count": 5},
            {"mapped": "cleared", "reference": "cleared", "count": 40},
            {"mapped": "cleared", "reference": "forest", "count": 10},
        ],
    },
    keywords=("land cover", "accuracy", "standard error"),
)


def _one_region(inputs: Mapping[str, Any]) -> None:
    given = tuple(name in inputs for name in ("area", "zones", "zone"))
    if given not in ((True, False, False), (False, True, True)):
        raise refused("process.connectivity.one_region")


_METRES: Final = {"type": "number", "minimum": 1, "maximum": 1_000_000}
CONNECTIVITY: Final = Process(
    "connectivity",
    {
        "area": Input(GEOJSON),
        "zones": Input({"type": "string"}),
        "zone": Input({"type": "string"}),
        "medians_m": Input(
            {"type": "array", "items": _METRES, "minItems": 1, "maxItems": 10, "default": [10_000]}
        ),
        "least_m2": Input({"type": "number", "minimum": 0, "maximum": 1e12, "default": 0}),
        "beyond_m": Input({"type": "number", "minimum": 0, "maximum": 1_000_000, "default": 0}),
        "delta": Input({"type": "boolean", "default": False}),
        "status_filter": STATUS,
        "as_of": Input(DAY),
        "format": FORMAT,
    },
    {"area": {"type": "Polygon", "coordinates": _BOX}, "medians_m": [1000, 10_000]},
    keywords=("connectivity", "ProtConn", "protected areas"),
    also=_one_region,
)
_ALL: Final = (OVERLAP, COVERAGE, REPRESENTATION, RANGE_METRICS, PLOTS, ESTIMATE, CLASS_AREAS, CONNECTIVITY)
STATISTICS: Final = {each.id: each for each in _ALL}
