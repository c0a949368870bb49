"""A file as the loader sees it: named fields, a reference system, and batches of rows with WKB."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyproj

from gis_service.exchange.reasons import Reason

BLOCK: Final = 1 << 20
BATCH_BYTES: Final = 8 << 20
SIDECARS: Final = (".dbf", ".shx", ".prj", ".cpg", ".dat", ".map", ".id", ".mid")

Attributes = dict[str, list[object]]


@dataclass(frozen=True)
class Batch:
    """Rows `first`, `first + 1`, … of the file (counted from 1): a list per field, and a geometry each."""

    first: int
    attributes: Attributes
    wkb: list[bytes | None]

    def row(self, at: int) -> dict[str, object]:
        """One row's attributes as the file has them, empty ones left out."""
        return {name: values[at] for name, values in self.attributes.items() if values[at] not in (None, "")}


@dataclass(frozen=True)
class Lost:
    """A row that couldn't even be read as a row."""

    row: int
    reason: Reason
    attributes: Mapping[str, object]


@dataclass(frozen=True)
class Source:
    """An opened file. `batches` reads it from the start each time it is called."""

    name: str
    fields: tuple[str, ...]
    crs: pyproj.CRS | None
    batches: Callable[[], Iterator[Batch]]
    rows: int | None
    checksum: str
    needs_crs_for: str = ""
    cut_names: bool = False  # a shapefile: names of ten characters at most
    lost: list[Lost] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def batch_rows(size: int, rows: int) -> int:
    """How many rows to read at once, by their mean size: memory depends on bytes, speed on rows."""
    return max(32, min(8192, BATCH_BYTES * max(rows, 1) // max(size, 1)))


def batches(
    records: Iterator[pa.RecordBatch],
    geometry: str,
    fields: tuple[str, ...],
    decode: Callable[[str], str] | None,
) -> Iterator[Batch]:
    """Turn Arrow batches into ours: Python values per field, WKB apart."""
    first = 1
    for record in records:
        attributes = {name: record.column(record.schema.get_field_index(name)).to_pylist() for name in fields}
        if decode:
            attributes = {name: [_decoded(v, decode) for v in values] for name, values in attributes.items()}
        yield Batch(first, attributes, record.column(record.schema.get_field_index(geometry)).to_pylist())
        first += record.num_rows


def _decoded(value: object, decode: Callable[[str], str]) -> object:
    return decode(value) if isinstance(value, str) else value


def parts(path: Path) -> list[Path]:
    """A file with those beside it that belong to it (a shapefile has a .dbf), or all of a folder."""
    if path.is_dir():  # a file geodatabase
        return sorted(each for each in path.rglob("*") if each.is_file())
    family = SIDECARS if path.suffix.lower() in (".shp", ".tab", ".mif") else ()
    beside = (path.with_suffix(cased) for ending in family for cased in (ending, ending.upper()))
    return [path, *(each for each in beside if each.is_file())]


def checksum(path: Path) -> str:
    """SHA-256 over all parts of a file."""
    digest = hashlib.sha256()
    for each in parts(path):
        with each.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()
