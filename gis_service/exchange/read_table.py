"""CSV: every cell is text until its target column says otherwise; coordinates come from the usual columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyproj
import shapely

from gis_service.exchange import tcvn3
from gis_service.exchange.reasons import reason, refused
from gis_service.exchange.request import LoadRequest
from gis_service.exchange.source import Batch, Lost, Source, checksum

HEAD: Final = 1 << 16

# The first pair found counts. Eastings come first in each, as longitudes do.
LONLAT: Final = (
    ("decimallongitude", "decimallatitude"),
    ("longitude", "latitude"),
    ("lon", "lat"),
    ("long", "lat"),
    ("lng", "lat"),
    ("kinh_do", "vi_do"),
    ("kinhdo", "vido"),
)
PROJECTED: Final = (("easting", "northing"), ("east", "north"), ("e", "n"), ("utm_e", "utm_n"), ("x", "y"))
WKT: Final = ("wkt", "geometry", "geom", "the_geom", "footprintwkt")


@dataclass(frozen=True)
class Place:
    """Which columns say where a row lies: east and north, or one of WKT."""

    columns: tuple[str, ...]
    degrees: bool


@dataclass(frozen=True)
class Form:
    """How a text file is laid out."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]

    @property
    def comma_decimals(self) -> bool:
        return self.delimiter == ";"


def open_table(path: Path, request: LoadRequest) -> Source:
    """Open the file; DataRefused where it has no header or no columns that say where its rows lie."""
    form = _form(path, request)
    place = find_place(form.header, request.maps)
    if place is None:
        raise refused("no_coordinates", request.lang, name=path.name, fields=", ".join(form.header))
    lost: list[Lost] = []
    return Source(
        name=path.name,
        fields=tuple(name for name in form.header if name not in place.columns),
        crs=pyproj.CRS.from_user_input("OGC:CRS84") if place.degrees and request.crs is None else None,
        batches=lambda: _read(path, form, place, lost, request),
        rows=None,
        checksum=checksum(path),
        lost=lost,
    )


def find_place(header: tuple[str, ...], maps: Mapping[str, str]) -> Place | None:
    """The columns that say where: those mapped to lon and lat, x and y or wkt, else the usual names."""
    said = {target: source for source, target in maps.items() if source in header}
    for pair, degrees in ((("lon", "lat"), True), (("x", "y"), False), (("wkt",), True)):
        if all(name in said for name in pair):
            return Place(tuple(said[name] for name in pair), degrees)
    names = {name.lower().strip(): name for name in header}
    for pairs, degrees in ((LONLAT, True), (tuple((name,) for name in WKT), True), (PROJECTED, False)):
        for names_wanted in pairs:
            if all(name in names for name in names_wanted):
                return Place(tuple(names[name] for name in names_wanted), degrees)
    return None


def _form(path: Path, request: LoadRequest) -> Form:
    with path.open("rb") as file:
        head = file.read(HEAD)
    encoding = _encoding(head, request)
    try:
        text = head.decode(encoding, errors="ignore" if len(head) == HEAD else "strict")
    except UnicodeDecodeError as err:
        raise refused("encoding", request.lang, name=path.name) from err
    if len(head) == HEAD and "\n" not in text:
        raise refused("long_header", request.lang, name=path.name, most=HEAD)
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    header = next(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter), [])
    names = tuple(name.strip() for name in header)
    if len(set(names)) < len(names):
        raise refused("double_fields", request.lang, name=path.name, fields=", ".join(names))
    return Form(encoding, delimiter, names)


def _encoding(head: bytes, request: LoadRequest) -> str:
    if request.encoding and request.encoding.upper() != tcvn3.NAME:
        return request.encoding
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "latin-1" if request.encoding else "utf-8"


def _read(path: Path, form: Form, place: Place, lost: list[Lost], request: LoadRequest) -> Iterator[Batch]:
    lost.clear()
    first = 1
    for record in _records(path, form, lost, request):
        columns = {name: record.column(at).to_pylist() for at, name in enumerate(form.header)}
        if request.encoding and request.encoding.upper() == tcvn3.NAME:
            columns = {name: [v and tcvn3.decode(v) for v in values] for name, values in columns.items()}
        wkb = _wkb([columns[name] for name in place.columns], form.comma_decimals)
        yield Batch(first, columns, wkb)
        first += record.num_rows


def _records(path: Path, form: Form, lost: list[Lost], request: LoadRequest) -> Iterator[pa.RecordBatch]:
    def odd(row: pacsv.InvalidRow) -> str:
        why = reason("cells", found=row.actual_columns, expected=row.expected_columns)
        lost.append(Lost(row.number or 0, why, {"line": row.text}))
        return "skip"

    names = list(form.header)
    try:
        yield from pacsv.open_csv(
            path,
            pacsv.ReadOptions(use_threads=False, encoding=form.encoding, column_names=names, skip_rows=1),
            pacsv.ParseOptions(delimiter=form.delimiter, newlines_in_values=True, invalid_row_handler=odd),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as err:
        raise refused("unreadable", request.lang, name=path.name, fault=str(err).splitlines()[0]) from err


def _wkb(columns: list[list[str | None]], comma_decimals: bool) -> list[bytes | None]:
    """Geometry per row: None where a cell is empty, b"" (which is no WKB) where it can't be understood."""
    if len(columns) == 1:
        return [None if text is None else _from_wkt(text) for text in columns[0]]
    east, north = ([_number(text, comma_decimals) for text in column] for column in columns)
    known = np.array([e is not None and n is not None for e, n in zip(east, north, strict=True)], bool)
    points = shapely.points(
        np.array([np.nan if e is None else e for e in east]),
        np.array([np.nan if n is None else n for n in north]),
    )
    whole: list[bytes | None] = [bytes(each) for each in np.atleast_1d(shapely.to_wkb(points))]
    for row in np.flatnonzero(~known):
        empty = any(column[row] is None for column in columns)
        whole[row] = None if empty else b""
    return whole


def _number(text: str | None, comma_decimals: bool) -> float | None:
    try:
        return None if text is None else float(text.replace(",", ".") if comma_decimals else text)
    except ValueError:
        return None


def _from_wkt(text: str) -> bytes:
    try:
        shape = shapely.from_wkt(text, on_invalid="ignore")
    except NotImplementedError:  # a curve
        return b""
    return b"" if shape is None else bytes(shapely.to_wkb(shape))
