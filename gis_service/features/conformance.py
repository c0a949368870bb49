"""The conformance classes that hold: a run of all tests fails where they don't prove just these."""

from __future__ import annotations

_SPEC = "http://www.opengis.net/spec/"
_BY_STANDARD = {
    "ogcapi-common-1/1.0": ("core", "html", "json", "oas30"),
    "ogcapi-common-2/1.0": ("collections", "html", "json"),
    "ogcapi-common-3/1.0": ("schemas",),
    "ogcapi-features-1/1.0": ("core", "geojson", "html", "oas30"),
    "ogcapi-features-2/1.0": ("crs",),
    "ogcapi-features-3/1.0": ("features-filter", "filter", "queryables", "queryables-query-parameters"),
    "ogcapi-features-4/1.0": ("create-replace-delete", "features", "optimistic-locking-etags", "update"),
    # QGIS knows the schemas under this older address alone (row Q9).
    "ogcapi-features-5/1.0": ("core-roles-features", "returnables-and-receivables", "schemas", "sortables"),
    "cql2/1.0": (
        "accent-insensitive-comparison",
        "advanced-comparison-operators",
        "arithmetic",
        "array-functions",
        "basic-cql2",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "case-insensitive-comparison",
        "cql2-json",
        "cql2-text",
        "property-property",
        "spatial-functions",
        "temporal-functions",
    ),
    "ogcapi-tiles-1/1.0": (
        "collections-selection",
        "core",
        "dataset-tilesets",
        "geodata-tilesets",
        "mvt",
        "oas30",
        "tileset",
        "tilesets-list",
    ),
    "tms/2.0": (
        "json-tilematrixset",
        "json-tilematrixsetlimits",
        "json-tilesetmetadata",
        "tilematrixset",
        "tilematrixsetlimits",
        "tilesetmetadata",
    ),
    "ogcapi-processes-1/1.0": ("core", "dismiss", "job-list", "json", "ogc-process-description"),
}
CLASSES = tuple(
    f"{_SPEC}{standard}/conf/{name}" for standard, names in _BY_STANDARD.items() for name in names
)
