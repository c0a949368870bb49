"""The text formats: what stands before, between and after features that PostGIS wrote as lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from gis_service.catalog.view import ViewedLayer
from gis_service.db import bulk
from gis_service.db.bulk import Line
from gis_service.db.feature_text import Form
from gis_service.features import formats
from gis_service.features.formats import Format
from gis_service.features.provenance import now

JSONFG_CLASSES = tuple(
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/" + name for name in ("core", "types-schemas")
)
_DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2}
_RECORD = b"\x1e"  # RFC 8142 puts it before each text

Members = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text format is written: the SQL of its lines, and the bytes around them."""

    line: Line
    head: Callable[[ViewedLayer, Form, Members], bytes]
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    tail: Callable[[Members], bytes] = lambda _: b""

    def batch(self, lines: Sequence[bytes], first: bool) -> bytes:
        """Some features; unless they are the first, with what parts them from those before."""
        if not lines:
            return b""
        joint = self.after + self.between + self.before
        return (self.before if first else self.between + self.before) + joint.join(lines) + self.after


def _geojson_head(view: ViewedLayer, form: Form, told: Members) -> bytes:  # noqa: ARG001  # one shape for all
    return b'{"type":"FeatureCollection",' + _members(told) + b'"features":['


def _jsonfg_head(view: ViewedLayer, form: Form, told: Members) -> bytes:
    made = {
        "conformsTo": JSONFG_CLASSES,
        "featureType": view.id,
        "geometryDimension": _DIMENSIONS[view.geometry_type.removeprefix("Multi")],
        "coordRefSys": form.crs.uri,
        **told,
    }
    return _geojson_head(view, form, made)


def _collection_tail(told: Members) -> bytes:
    return b"]," + orjson.dumps({**told, "timeStamp": now()})[1:]


def _members(told: Members) -> bytes:
    return orjson.dumps(told)[1:-1] + b"," if told else b""


def _csv_head(view: ViewedLayer, form: Form, told: Members) -> bytes:  # noqa: ARG001  # one shape for all
    """The names of the columns. Nothing else: a comment would break what reads the file."""
    text = io.StringIO()
    csv.writer(text).writerow(bulk.csv_header(view, form))
    return text.getvalue().encode()


def _nothing(view: ViewedLayer, form: Form, told: Members) -> bytes:  # noqa: ARG001  # one shape for all
    return b""


TEXTS: Mapping[Format, TextFormat] = {
    formats.JSON: TextFormat(bulk.json_line, _geojson_head, between=b",", tail=_collection_tail),
    formats.JSONFG: TextFormat(bulk.jsonfg_line, _jsonfg_head, between=b",", tail=_collection_tail),
    formats.GEOJSONSEQ: TextFormat(bulk.json_line, _nothing, before=_RECORD, after=b"\n"),
    formats.NDJSON: TextFormat(bulk.json_line, _nothing, after=b"\n"),
    formats.CSV: TextFormat(bulk.csv_line, _csv_head),
}
