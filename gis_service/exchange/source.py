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


def checksum(path: Path) -> str:
    """SHA-256 of a file and of the files beside it that belong to it (a shapefile's .dbf and so on)."""
    digest = hashlib.sha256()
    family = (
        [path.with_suffix(ending) for ending in SIDECARS]
        if path.suffix.lower() in (".shp", ".tab", ".mif")
        else []
    )
    for each in [path, *(p for p in family if p.is_file())]:
        with each.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()
