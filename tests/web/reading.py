"""Reads features of every format with a reader that isn't ours."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyogrio
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

GPKG_HEADER = 8  # bytes before the envelope
ENVELOPES = (0, 32, 48, 48, 64)


@dataclass(frozen=True)
class Feature:
    """A feature as any reader gives it."""

    id: object
    properties: Mapping[str, Any]
    geometry: BaseGeometry | None


def features(form: str, content: bytes, folder: Path) -> list[Feature]:
    """All features of a file."""
    return list(READERS[form](content, folder))


def _json(content: bytes, _: Path) -> Iterator[Feature]:
    yield from map(_member, json.loads(content)["features"])


def _ndjson(content: bytes, _: Path) -> Iterator[Feature]:
    yield from (_member(json.loads(line)) for line in content.splitlines())


def _seq(content: bytes, _: Path) -> Iterator[Feature]:
    texts = content.split(b"\x1e")
    assert texts[0] == b""  # RFC 8142: a record separator before, a line feed behind each text
    assert all(text.endswith(b"\n") for text in texts[1:])
    yield from (_member(json.loads(text)) for text in texts[1:])


def _member(each: Mapping[str, Any]) -> Feature:
    found = each.get("place") or each["geometry"]
    return Feature(each["id"], each["properties"], shape(found) if found else None)


def _csv(content: bytes, _: Path) -> Iterator[Feature]:
    assert content.count(b"\r\n") >= 1
    for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
        geometry = None
        if row.get("WKT"):
            geometry = shapely.from_wkt(row.pop("WKT"))
        elif "longitude" in row or "x" in row:
            x, y = (
                (row.pop("longitude"), row.pop("latitude"))
                if "longitude" in row
                else (row.pop("x"), row.pop("y"))
            )
            geometry = shapely.Point(float(x), float(y))
        yield Feature(row.pop("id"), {name: value or None for name, value in row.items()}, geometry)


def _fgb(content: bytes, folder: Path) -> Iterator[Feature]:
    path = folder / "read.fgb"
    path.write_bytes(content)
    _, table = pyogrio.read_arrow(path)
    yield from _rows(table.to_pylist(), "wkb_geometry")


def _parquet(content: bytes, _: Path) -> Iterator[Feature]:
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    for row in rows:
        row.pop("bbox", None)
    yield from _rows(rows, "geometry")


def _rows(rows: list[dict[str, Any]], name: str) -> Iterator[Feature]:
    for row in rows:
        held = row.pop(name, None)
        yield Feature(row.pop("id"), row, shapely.from_wkb(held) if held else None)


def _gpkg(content: bytes, folder: Path) -> Iterator[Feature]:
    path = folder / "read.gpkg"
    path.write_bytes(content)
    with sqlite3.connect(path) as base:
        base.row_factory = sqlite3.Row
        (name,) = base.execute("select table_name from gpkg_contents").fetchone()
        for row in base.execute(f'select * from "{name}" order by fid'):
            held = dict(row)
            held.pop("fid")
            yield Feature(held.pop("id"), held, _blob(held.pop("geom", None)))
    base.close()


def _blob(held: bytes | None) -> BaseGeometry | None:
    if held is None:
        return None
    return shapely.from_wkb(held[GPKG_HEADER + ENVELOPES[(held[3] >> 1) & 7] :])


READERS: Mapping[str, Callable[[bytes, Path], Iterator[Feature]]] = {
    "json": _json,
    "jsonfg": _json,
    "geojsonseq": _seq,
    "ndjson": _ndjson,
    "csv": _csv,
    "fgb": _fgb,
    "parquet": _parquet,
    "gpkg": _gpkg,
}
