"""The floor: the same rows by bare psycopg connections, without HTTP, roles or row policies.

For features it is measured twice: `floor` writes the same features as text; `columns` reads the attributes as
they are, so a server would still have to make JSON of them. For tiles it is the statement that our server
sends, the fastest known over these tables. One connection a client, the
statement prepared, results binary, as the server has them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from gis_service.catalog.view import ViewedLayer
from gis_service.db import select, tilesql
from gis_service.db.paging import Cursor, SortKey
from gis_service.db.query import Query
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile
from tests.bench.asks import Ask
from tests.bench.client import Answer, Tally
from tests.bench.tables import FIRST_GID

OPTIONS = "-c jit=off -c max_parallel_workers_per_gather=0 -c search_path=public"

Views = Mapping[str, ViewedLayer]
Shape = Callable[[ViewedLayer, Ask], Query]


def as_text(view: ViewedLayer, ask: Ask) -> Query:
    """Whole features as text written by PostGIS, as our server reads them."""
    if ask.kind == "item":
        return select.item(view, ask.fid)
    page = select.ItemsQuery(
        limit=ask.limit,
        bbox=BBox(*ask.bbox) if ask.bbox else None,
        equals=equals(ask),
        cursor=cursor(ask),
        sort=(SortKey(ask.sort),) if ask.sort else (),
    )
    return select.items(view, page)


def as_columns(view: ViewedLayer, ask: Ask) -> Query:
    """Geometry as GeoJSON text, attributes as they are: for a server that writes the JSON itself."""
    columns = [
        sql.Identifier(view.id_column),
        *(sql.Identifier(view.column_of(p)) for p in view.properties),
    ]
    shape = sql.SQL("ST_AsGeoJSON({}, 7)").format(sql.Identifier(view.geometry))
    where, params = conditions(view, ask)
    text = sql.SQL("select {}, {} from {} where {} order by {} limit {}").format(
        sql.SQL(", ").join(columns), shape, sql.Identifier(*view.layer.table.split(".")), where,
        order(view, ask), sql.Literal(ask.limit),
    )  # fmt: skip
    return Query(text.as_string(None), params)


def order(view: ViewedLayer, ask: Ask) -> sql.Composable:
    """The key, after the property that the question sorts by."""
    columns = [view.column_of(ask.sort)] if ask.sort else []
    return sql.SQL(", ").join(sql.Identifier(column) for column in (*columns, view.key))


def conditions(view: ViewedLayer, ask: Ask) -> tuple[sql.Composable, tuple[object, ...]]:
    """The filter of a question with its parameters."""
    if ask.kind == "item":
        return sql.SQL("{} = $1").format(sql.Identifier(view.id_column)), (ask.fid,)
    if ask.bbox:
        box = sql.SQL("ST_MakeEnvelope($1::float8, $2::float8, $3::float8, $4::float8, 4326)")
        shape = sql.Identifier(view.geometry)
        exact = sql.SQL("" if view.geometry_type == "Point" else " and ST_Intersects({}, {})").format(
            shape, box
        )
        return sql.SQL("{} && {}").format(shape, box) + exact, ask.bbox
    if ask.equals:
        return sql.SQL("{} = $1").format(sql.Identifier(view.column_of(ask.equals[0]))), (ask.equals[1],)
    if ask.depth:
        return sql.SQL("{} > $1").format(sql.Identifier(view.key)), (after(ask),)
    return sql.SQL("true"), ()


def martin(view: ViewedLayer, tile: Tile) -> Query:
    """The statement of Martin 1.x for a table in degrees, with its defaults: raw geometry, a buffer of 64.

    Over the view that the peers read, by its key and the attributes that our tiles carry.
    """
    names = [sql.Identifier(name) for name in ("gid", *view.tiles.properties)]
    place = sql.SQL("ST_TileEnvelope($1::int, $2::int, $3::int{})")
    drawn = sql.SQL(
        "ST_AsMVTGeom(ST_Transform(ST_CurveToLine(geom), 3857), {}, 4096, 64, true) as geom"
    ).format(place.format(sql.SQL("")))
    text = sql.SQL(
        "select ST_AsMVT(tile, {}, 4096, 'geom', 'gid') from (select {}, {} from bench.{}"
        " where geom && ST_Transform({}, 4326)) as tile"
    ).format(
        sql.Literal(view.id), drawn, sql.SQL(", ").join(names), sql.Identifier(view.id),
        place.format(sql.SQL(", margin => 0.015625")),
    )  # fmt: skip
    return Query(text.as_string(None), (tile.z, tile.x, tile.y))


SHAPES: Mapping[str, Shape] = {"floor": as_text, "columns": as_columns}
MARTIN = "martin"
NOTES = {
    "floor": "bare SQL, the features as text",
    "columns": "bare SQL, columns of which no JSON is made",
    MARTIN: "Martin's SQL bare, not compressed",
}


def equals(ask: Ask) -> tuple[tuple[str, str], ...]:
    """The property filter as our queries take it."""
    return (ask.equals,) if ask.equals else ()


def after(ask: Ask) -> int | None:
    """The last key before a deep page: the bench's keys have no gaps."""
    return FIRST_GID["occurrence"] + ask.depth - 1 if ask.depth else None


def cursor(ask: Ask) -> Cursor | None:
    """The same as our queries take it."""
    last = after(ask)
    return None if last is None else Cursor((), last)


@dataclass
class Floor:
    """Asks the database directly by one shape of statement."""

    dsn: str
    views: Views
    name: str = "floor"

    def query(self, ask: Ask) -> Query | None:
        """The statement for a question; None for documents and reports, which have no one statement."""
        if self.name == MARTIN:
            return martin(self.views[ask.layer], Tile(*ask.tile)) if ask.kind == "tile" else None
        if ask.kind == "tile" and self.name == "floor":
            tile = Tile(*ask.tile)
            statement = tilesql.compose([self.views[ask.layer]], tile.z, derived=not ask.full)
            return statement.at(tile, full_detail=ask.full)
        if ask.kind in ("items", "item"):
            return SHAPES[self.name](self.views[ask.layer], ask)
        return None

    def run_cell(self, asked: Iterator[Ask], clients: int, seconds: float) -> Tally:
        """One thread and connection a client; psycopg leaves the interpreter free while PostgreSQL works."""
        tally, lock = Tally(), threading.Lock()
        ready = threading.Barrier(clients + 1)
        stop = [0.0]

        def work() -> None:
            with connect(self.dsn) as connection, psycopg.RawCursor(connection) as cursor:
                ready.wait()
                while time.perf_counter() < stop[0]:
                    with lock:
                        query = self.query(next(asked))
                    assert query is not None, "the caller asks only what has a statement"
                    begun = time.perf_counter_ns()
                    body = fetch(cursor, query)
                    took = (time.perf_counter_ns() - begun) / 1e6
                    with lock:
                        tally.add(1 << 30, Answer(200, body=body), took)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        stop[0] = time.perf_counter() + 3600
        ready.wait()
        begun = time.perf_counter()
        stop[0] = begun + seconds
        for thread in threads:
            thread.join()
        tally.elapsed_s = time.perf_counter() - begun
        return tally


def connect(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection as the server keeps them."""
    connection = psycopg.connect(dsn, autocommit=True, options=OPTIONS)
    connection.prepare_threshold = 0
    return connection


def fetch(cursor: psycopg.RawCursor[tuple[object, ...]], query: Query) -> bytes:
    """Run it and join what came as bytes, as an answer would be joined."""
    cursor.execute(query.sql.encode(), query.params, binary=True)
    parts = (next((v for v in row if isinstance(v, bytes)), row[-1]) for row in cursor.fetchall())
    return b",".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)
