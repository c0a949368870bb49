"""The formats that features are answered in: names for `f`, media types, extensions of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis_service import links as media


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name for `f`, the media type of links and Accept, and what a saved file is called."""

    name: str
    media: str
    extension: str
    binary: bool = False
    parameter: str = ""  # says more of the type, as `charset`

    @property
    def content_type(self) -> str:
        """The value of Content-Type: the media type with its parameter."""
        return f"{self.media}; {self.parameter}" if self.parameter else self.media


JSON = Format("json", media.GEOJSON, "geojson")
HTML = Format("html", media.HTML, "html", parameter="charset=utf-8")
JSONFG = Format("jsonfg", "application/fg+json", "jsonfg.json")
GEOJSONSEQ = Format("geojsonseq", "application/geo+json-seq", "geojsons")
NDJSON = Format("ndjson", "application/x-ndjson", "ndjson")
CSV = Format("csv", "text/csv", "csv", parameter="charset=utf-8")
FGB = Format("fgb", "application/flatgeobuf", "fgb", binary=True)
PARQUET = Format("parquet", "application/vnd.apache.parquet", "parquet", binary=True)
GPKG = Format("gpkg", "application/geopackage+sqlite3", "gpkg", binary=True)
PMTILES = Format("pmtiles", "application/vnd.pmtiles", "pmtiles", binary=True)  # of tiles, made beforehand

# In the order of preference where an Accept header likes several alike.
FORMATS = (JSON, HTML, JSONFG, FGB, GEOJSONSEQ, NDJSON, CSV, PARQUET, GPKG)
EXPORTS = tuple(each for each in FORMATS if each is not HTML)

_OTHER_NAMES = {
    "geojson": JSON,
    media.JSON: JSON,
    "application/xhtml+xml": HTML,
    "application/vnd.ogc.fg+json": JSONFG,  # the name that JSON-FG 1.0 registers; QGIS asks for the older one
    "application/geojson-seq": GEOJSONSEQ,
    "application/ndjson": NDJSON,
    "flatgeobuf": FGB,
    "application/x-flatgeobuf": FGB,
    "geoparquet": PARQUET,
    "application/x-parquet": PARQUET,
    "geopackage": GPKG,
    "application/geopackage+vnd.sqlite3": GPKG,
}
_NAMED = {
    **_OTHER_NAMES,
    PMTILES.name: PMTILES,
    PMTILES.media: PMTILES,
    **{each.name: each for each in FORMATS},
    **{each.media: each for each in FORMATS},
}


def named(name: str) -> Format | None:
    """The format of an `f`: a name, or a media type; None where it's none of ours."""
    return _NAMED.get(name) or _NAMED.get(name.lower())


def accepted(weights: Mapping[str, float], offered: Sequence[Format] = FORMATS) -> Format | None:
    """The format that an Accept header likes best, by its weights per media type; None where it takes none.

    A type that the header names goes before one that only a wildcard covers, at the same weight.
    """
    best, liking = None, (0.0, False)
    for each in offered:
        found = _liked(weights, each)
        if found[0] > 0 and found > liking:
            best, liking = each, found
    return best


def _liked(weights: Mapping[str, float], each: Format) -> tuple[float, bool]:
    exact = [weights[name] for name, known in _NAMED.items() if known is each and name in weights]
    if exact:
        return max(exact), True
    group = f"{each.media.split('/')[0]}/*"
    return weights.get(group, weights.get("*/*", 0.0)), False
