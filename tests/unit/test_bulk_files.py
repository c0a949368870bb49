"""FlatGeobuf, GeoParquet and GeoPackage from records made by hand, read back by GDAL and Arrow."""

import io
import json
import struct
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pyogrio
import pyogrio.raw
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.fields import Field
from gis_service.exchange import flatgeobuf, gdal_file, geoparquet
from gis_service.exchange.bulk import Bulk
from gis_service.exchange.frames import Batch

FIELDS = (
    Field("id", "integer", "Id"),
    Field("tên", "text", "Tên"),
    Field("share", "number", "Share"),
    Field("open", "boolean", "Open"),
    Field("day", "date", "Day"),
    Field("moment", "timestamp", "Moment"),
    Field("names", "json", "Names"),
)
SHAPES = {
    "Point": ["POINT (105 21)", "POINT (-180 90)"],
    "LineString": ["LINESTRING (0 0, 1 1, 2 0)"],
    "Polygon": [
        "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 2, 2 2, 1 1))",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
    ],
    "MultiPoint": ["MULTIPOINT ((1 2), (3 4))"],
    "MultiLineString": ["MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 2))", "MULTILINESTRING ((0 0, 1 1))"],
    "MultiPolygon": [
        "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 2, 2 2, 1 1)), ((9 9, 10 9, 10 10, 9 9)))",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
    ],
}


def told(geometry_type: str | None, srid: int = 4326) -> Bulk:
    return Bulk("lớp", "Một lớp", "Mô tả", FIELDS, geometry_type, srid, {"license": "CC0-1.0"})


def value(kind: str, given: object) -> bytes | None:
    """A value as PostgreSQL sends it."""
    if given is None:
        return None
    if isinstance(given, bool):
        return struct.pack("?", given)
    if kind == "date":
        return struct.pack(">i", (given - date(2000, 1, 1)).days if isinstance(given, date) else given)
    if isinstance(given, datetime):
        return struct.pack(">q", round((given - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1e6))
    if isinstance(given, int):
        return struct.pack(">q", given)
    return struct.pack(">d", given) if isinstance(given, float) else str(given).encode()


def batch(rows: Sequence[Sequence[object]], shapes: Sequence[BaseGeometry | None]) -> Batch:
    """Records of rows and their geometry."""
    made = []
    for row, geometry in zip(rows, shapes, strict=True):
        parts = [value(field.type, each) for field, each in zip(FIELDS, row, strict=True)]
        parts.append(None if geometry is None else shapely.to_wkb(geometry, byte_order=1))
        texts = [
            struct.pack(">Ii", 25, -1) if part is None else struct.pack(">Ii", 25, len(part)) + part
            for part in parts
        ]
        made.append(struct.pack(">I", len(parts)) + b"".join(texts))
    return b"".join(made), b"".join(struct.pack(">I", len(each)) for each in made)


WHOLE = (
    7, "Vườn quốc gia", 0.5, True, date(2024, 2, 29), datetime(2024, 5, 31, 12, 0, 0, 250_000, UTC),
    '["a","b"]',
)  # fmt: skip
NOTHING = (-(2**62), None, None, None, None, None, None)


@pytest.mark.parametrize("kind", SHAPES)
def test_flatgeobuf_holds_every_kind_of_geometry_and_none(kind: str, tmp_path: Path) -> None:
    shapes: list[BaseGeometry | None] = [*map(shapely.from_wkt, SHAPES[kind]), None]
    path, out = tmp_path / "a.fgb", io.BytesIO()
    flatgeobuf.write(told(kind), [batch([NOTHING] * len(shapes), shapes), batch([WHOLE], shapes[:1])], out)
    path.write_bytes(out.getvalue())
    meta, _, wkb, _ = pyogrio.raw.read(path)  # its way to Arrow fails on a missing geometry (GDAL 3.12)
    assert meta["geometry_type"] == kind
    assert [None if each is None else shapely.from_wkb(each) for each in wkb] == [*shapes, shapes[0]]
    rows = pyogrio.read_arrow(path, read_geometry=False)[1].to_pylist()
    assert list(rows[0].values()) == list(NOTHING)
    assert rows[-1] == {
        "id": 7,
        "tên": "Vườn quốc gia",
        "share": 0.5,
        "open": True,
        "day": datetime(2024, 2, 29),  # noqa: DTZ001  # FlatGeobuf has no days, GDAL no zone for its times
        "moment": datetime(2024, 5, 31, 12, 0, 0, 250_000),  # noqa: DTZ001  # see above
        "names": '["a","b"]',
    }


def test_flatgeobuf_without_rows_is_a_file() -> None:
    info = pyogrio.read_info(flatgeobuf.header(told("MultiPolygon", 3405)))
    assert (info["geometry_type"], info["crs"], list(info["fields"])) == (
        "MultiPolygon", "EPSG:3405", [field.name for field in FIELDS],
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["Point", "MultiPolygon"])
def test_geoparquet_holds_types_nulls_and_boxes(kind: str) -> None:
    shapes: list[BaseGeometry | None] = [shapely.from_wkt(SHAPES[kind][0]), None]
    out = io.BytesIO()
    geoparquet.write(told(kind), [batch([WHOLE, NOTHING], shapes)], out)
    rows = pq.read_table(io.BytesIO(out.getvalue())).to_pylist()
    assert rows[0]["day"] == date(2024, 2, 29)
    assert rows[0]["moment"] == WHOLE[5]
    assert (rows[0]["names"], rows[0]["open"], rows[0]["share"]) == (["a", "b"], True, 0.5)
    assert [rows[1][field.name] for field in FIELDS] == list(NOTHING)
    assert (rows[1]["geometry"], rows[1]["bbox"]) == (None, None)
    first = shapes[0]
    assert first is not None
    assert tuple(rows[0]["bbox"].values()) == first.bounds
    assert shapely.from_wkb(rows[0]["geometry"]) == first


def test_infinite_dates_are_null_in_files() -> None:
    """PostgreSQL's infinity is the greatest integer, which is no day of any calendar."""
    endless = (1, None, None, None, 2**31 - 1, None, None)
    out = io.BytesIO()
    geoparquet.write(told("Point"), [batch([endless], [None])], out)
    assert pq.read_table(io.BytesIO(out.getvalue()))["day"].to_pylist() == [None]


@pytest.mark.parametrize("form", ["gpkg", "fgb"])
def test_gdal_writes_whole_files_with_an_index(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    shapes: list[BaseGeometry | None] = [*map(shapely.from_wkt, SHAPES["MultiPolygon"])]
    gdal_file.write(form, told("MultiPolygon", 3405), [batch([WHOLE, NOTHING], shapes)], path, 10**9)
    info = pyogrio.read_info(path)
    assert (info["features"], info["crs"]) == (2, "EPSG:3405")
    assert info["capabilities"]["fast_spatial_filter"]
    assert json.loads(info["layer_metadata"]["metadata"]) == {"license": "CC0-1.0"}
    _, table = pyogrio.read_arrow(path, bbox=(8, 8, 11, 11))
    assert table["id"].to_pylist() == [7]


def test_a_file_that_grows_too_long_is_refused(tmp_path: Path) -> None:
    rows = batch([WHOLE] * 2000, [shapely.Point(1, 1)] * 2000)
    with pytest.raises(gdal_file.TooLong):
        gdal_file.write("gpkg", told("Point"), [rows] * 50, tmp_path / "a.gpkg", 1000)
