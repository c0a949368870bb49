"""Rows for random filters: every type, nulls, edges of integers and floats, shapes on a grid of degrees.

Predicates of shapes on such a grid are exact in any engine that computes with floats.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from hypothesis import strategies as st

from gis_service.access.policy import view
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests.filters.sentences import Words

TYPES = {
    "name": "text",
    "label": "text",
    "n": "integer",
    "big": "integer",
    "x": "number",
    "y": "number",
    "flag": "boolean",
    "day": "date",
    "last_day": "date",
    "moment": "timestamp",
    "later": "timestamp",
    "tags": "list",
}
_COLUMNS = {"text": "text", "integer": "int8", "number": "float8", "boolean": "boolean", "date": "date",
            "timestamp": "timestamptz", "list": "text[]"}  # fmt: skip
NAMES = ("Bạch Mã", "bạch mã", "Bach Ma", "ĐÀ LẠT", "Đà Lạt", "đa lat", "50%", "50%_x", "a_b", "ab", "",
         "O'Hara", "København", "\u1ec7", "e\u0323\u0302", "back\\slash", "dòng\nmới", "%", "Ø")  # fmt: skip
INTEGERS = (0, 1, 2, 3, -7, 9007199254740992, 9007199254740993, 2**63 - 1, -(2**63))
FLOATS = (0.0, 0.5, 2.0, -1.5, 3.0, 1e10, 9007199254740992.0, -7.0, 0.1)
DAYS = ("0001-01-01", "2019-12-31", "2020-01-01", "2020-02-29", "2020-06-15", "9999-12-31")
INSTANTS = ("0001-01-01T00:00:00Z", "2019-12-31T23:59:59.999999Z", "2020-01-01T00:00:00Z",
            "2020-02-29T12:00:00Z", "2020-06-15T00:00:00Z", "9999-12-31T23:59:59Z")  # fmt: skip
TAGS = ("a", "b", "c", "Đ")
GEOMETRIES = {"points": "Point", "lines": "LineString", "areas": "MultiPolygon"}
ROWS = 60


def shapes(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Literals of a type, their vertices on the grid of 0 to 4 degrees."""
    degree = st.integers(0, 4)
    position = st.tuples(degree, degree).map(list)
    line = st.lists(position, min_size=2, max_size=3, unique_by=tuple)
    ring = st.tuples(degree, degree, st.integers(1, 3), st.integers(1, 3), st.booleans()).map(_ring)
    coordinates: dict[str, st.SearchStrategy[Any]] = {
        "Point": position,
        "MultiPoint": st.lists(position, min_size=1, max_size=3, unique_by=tuple),
        "LineString": line,
        "MultiLineString": st.lists(line, min_size=1, max_size=2),
        "Polygon": ring.map(lambda made: [made]),
    }
    return coordinates[kind].map(lambda made: {"type": kind, "coordinates": made})


def _ring(given: tuple[int, int, int, int, bool]) -> list[list[int]]:
    """A rectangle, or the triangle below its diagonal."""
    x, y, width, height, whole = given
    corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
    ring = corners if whole else corners[:3]
    return [*ring, ring[0]]


def literals() -> st.SearchStrategy[dict[str, Any]]:
    """Any geometry literal: a box with or without an area or over the antimeridian, a collection, a shape."""
    one = st.one_of(
        *(shapes(kind) for kind in ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon"))
    )
    degree = st.integers(0, 4)
    box = st.tuples(degree, degree, degree, degree).map(
        lambda d: {"bbox": [min(d[0], d[2]), min(d[1], d[3]), max(d[0], d[2]), max(d[1], d[3])]}
    )
    over = st.sampled_from([{"bbox": [170, 0, 2, 3]}, {"bbox": [3, -5, 1, 2]}])
    collection = st.lists(one, min_size=1, max_size=2).map(
        lambda members: {"type": "GeometryCollection", "geometries": members}
    )
    return st.one_of(one, one, box, box, over, collection)


def words() -> Words:
    """The grammar's words: the values of the rows and their neighbours."""
    letters = st.text(alphabet="aBĐđạ%_\\'\u0323 Ø\n", max_size=4)
    piece = st.sampled_from(("%", "_", r"\%", r"\_", r"\\", "a", "B", "ạ", "Đ", "đ", " ", "0", "Mã", "lạt"))
    return Words(
        properties={"id": "integer", "geom": "geometry", **TYPES},
        text=st.one_of(st.sampled_from(NAMES), letters),
        pattern=st.lists(piece, max_size=5).map("".join),
        integer=st.sampled_from(INTEGERS),
        number=st.sampled_from((*FLOATS, 2.5, 1e300, 9007199254740994.0)),
        exponent=st.sampled_from((0, 1, 2, 3, -1, 0.5)),
        day=st.sampled_from(DAYS),
        instant=st.sampled_from(INSTANTS),
        shape=literals(),
    )


def frame(table: str) -> gpd.GeoDataFrame:
    """The rows of a table, the same in every run."""
    draw = random.Random(f"rows of {table}")
    pools: dict[str, tuple[object, ...]] = {
        "text": NAMES,
        "integer": INTEGERS,
        "number": FLOATS,
        "boolean": (True, False),
        "date": tuple(dt.date.fromisoformat(day) for day in DAYS),
        "timestamp": tuple(dt.datetime.fromisoformat(instant) for instant in INSTANTS),
    }

    def pick(kind: str) -> object:
        if draw.random() < 0.15:
            return None
        if kind == "list":
            return frozenset(draw.sample(TAGS, draw.randrange(4)))
        return draw.choice(pools[kind])

    columns = {
        name: pd.Series([pick(kind) for _ in range(ROWS)], dtype=object) for name, kind in TYPES.items()
    }
    geometry = [_shape(draw, GEOMETRIES[table]) for _ in range(ROWS)]
    return gpd.GeoDataFrame({"id": range(1, ROWS + 1), **columns}, geometry=geometry)


def _shape(draw: random.Random, kind: str) -> shapely.Geometry | None:
    x, y, width, height = draw.randrange(5), draw.randrange(5), draw.randrange(1, 3), draw.randrange(1, 3)
    if draw.random() < 0.1:
        return None
    if kind == "Point":
        return shapely.Point(x, y)
    if kind == "LineString":
        return shapely.LineString([(x, y), (x + width, y + height), (x + width, y)])
    rings = [_ring((x, y, width, height, draw.random() < 0.5))]
    if draw.random() < 0.3:
        rings.append(_ring((x + 5, y, 1, 1, True)))
    return shapely.MultiPolygon([shapely.Polygon(ring) for ring in rings])


def fill(database: SyncDatabase) -> None:
    """The three tables, with the very values of the frames."""
    database.apply(["create schema grid"])
    declared = ", ".join(f"{name} {_COLUMNS[kind]}" for name, kind in TYPES.items())
    for table, kind in GEOMETRIES.items():
        database.apply(
            [f"create table grid.{table} (id int8 primary key, {declared}, geom geometry({kind}, 4326))"]
        )
        for row in frame(table).itertuples(index=False):
            values = [list(value) if isinstance(value, frozenset) else value for value in row[:-1]]
            shape = row[-1].wkt if row[-1] is not None else None
            casts = ["int8", *(_COLUMNS[kind] for kind in TYPES.values())]
            places = [f"${n}::{cast}" for n, cast in enumerate(casts, 1)]
            made = f"{', '.join(places)}, ST_GeomFromText(${len(casts) + 1}, 4326)"
            insert = f"insert into grid.{table} values ({made}) returning 1"
            database.run(Query(insert, (*values, shape)))


def viewed(table: str) -> ViewedLayer:
    """The table as a layer that anybody may see whole."""
    text = {"en": table, "vi": table}
    layer = {
        "id": table,
        "title": text,
        "description": text,
        "table": f"grid.{table}",
        "managed": False,
        "key": "id",
        "id_column": "id",
        "id_type": "integer",
        "geometry": {"type": GEOMETRIES[table]},
        "properties": {name: {"title": text, "type": kind} for name, kind in TYPES.items()},
        "access": {"public": {}},
        "source": {"title": text},
    }
    return view(Principal("centre", "full"), Layer.model_validate(layer))
