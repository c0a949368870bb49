"""A connection that writes rows straight into the tables, as the tests of the schema need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    """An autocommitting connection, closed at the end of the block."""
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


def dataset(db: Connection, slug: str = "survey", redistribution: bool = True) -> int:
    """The id of a new dataset."""
    return int(
        one(
            db,
            "insert into gis.dataset (slug, title, licence, redistribution, citation, basis)"
            " values (%s, 'Survey', 'CC0-1.0', %s, 'Survey, 2026', 'simulated') returning dataset_id",
            slug,
            redistribution,
        )
    )


def insert(db: Connection, table: str, /, **columns: object) -> int:
    """The gid of a new row; `geom` is WKT."""
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in columns.items()}
    places = ", ".join(
        f"ST_GeomFromText(%({name})s, 4326)" if name == "geom" else f"%({name})s" for name in values
    )
    text = f"insert into gis.{table} ({', '.join(values)}) values ({places}) returning gid"
    row = db.execute(text.encode(), values).fetchone()
    assert row is not None, "an insert returns its row"
    return int(row[0])


def province(db: Connection, code: str, west: float, dataset_id: int = 1, **more: object) -> int:
    """A province of one degree by ten, from `west` and the equator on."""
    shape = square(west, 0, 1, 10)
    columns = {"source_id": code, "level": "province", "code": code, "name": f"Province {code}", **more}
    return insert(db, "admin_unit", dataset_id=dataset_id, geom=shape, **columns)


def viper(db: Connection, source_id: str, x: float, y: float = 5.5, **more: object) -> int:
    """An occurrence of a viper."""
    columns = {"dataset_id": 1, "scientific_name": "Azemiops feae", **more}
    return insert(db, "occurrence", source_id=source_id, geom=f"POINT({x} {y})", **columns)


def square(x: float, y: float, width: float = 1, height: float = 1) -> str:
    """WKT of a rectangle as a multipolygon."""
    east, north = x + width, y + height
    return f"MULTIPOLYGON((({x} {y}, {east} {y}, {east} {north}, {x} {north}, {x} {y})))"


def ask(db: Connection, text: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a statement."""
    return db.execute(text.encode(), values).fetchall()


def one(db: Connection, text: str, *values: object) -> Any:
    """The one value of a statement."""
    return ask(db, text, *values)[0][0]
