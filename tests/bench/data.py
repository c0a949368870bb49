"""The bench's database: made once for a seed and a scale, found again by the next run.

Rows go in by COPY with the tables' indexes and foreign keys taken away and put back after, triggers at
rest (the rows bring what triggers would fill): two million rows load in a minute instead of twenty.
"""

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from gis_service.access import wall
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db import point_tables, tile_tables
from gis_service.db.migrate import migrate
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_tables import Surface
from gis_service.tiles import deriving, gathering
from tests.bench import tables
from tests.bench.processes import BenchFault
from tests.bench.shapes import Sizes
from tests.bench.tables import SOURCE, Rows

LAYERS = ("provinces", "protected-areas", "species-ranges", "plots", "occurrences")
SLICE = 100_000  # rows of CSV text in memory at a time

Connection = psycopg.Connection[tuple[object, ...]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What makes the data; equal recipes give equal databases."""

    seed: int
    scale: float
    schema: str

    @classmethod
    def of(cls, seed: int, scale: float, root: Path) -> "Recipe":
        """The recipe for this checkout: its migrations and layers count too."""
        digest = hashlib.sha256()
        for path in sorted((root / "gis_service/db/migrations").glob("*.sql")) + sorted(
            (root / "layers").glob("*")
        ):
            digest.update(path.name.encode() + path.read_bytes())
        return cls(seed, scale, digest.hexdigest()[:16])

    def text(self) -> str:
        """One line that says all of it, kept in the database."""
        return f"version {tables.VERSION}, seed {self.seed}, scale {self.scale:g}, schema {self.schema}"


def prepare(dsn: str, recipe: Recipe, root: Path, say: Say) -> None:
    """The database at `dsn` holds the recipe's rows afterwards; BenchFault where it holds a stranger's."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = made_by(connection)
        if found == recipe.text():
            say(f"data: found as left ({found})")
            return
        if found is None and holds_features(connection):
            raise BenchFault("this database has features that the bench did not make; give it one of its own")
        begun = time.monotonic()
        clear(connection)
    migrate(dsn)
    with SyncDatabase(dsn) as database:
        # Roles and grants as in a real installation, so that ours pays for them in the bench too.
        wall.apply(database, load_catalog(root).layers.values())
    with psycopg.connect(dsn, autocommit=True) as connection:
        fill(connection, recipe, say)
        publish_views(connection, root)
        derive(dsn, root, say)
        connection.execute("vacuum analyze")
        connection.execute("create table bench.made as select %s::text as recipe", (recipe.text(),))
    say(f"data: made in {time.monotonic() - begun:.0f} s ({recipe.text()})")


def derive(dsn: str, root: Path, say: Say) -> None:
    """The tile tables, as the worker of an installation would have made them."""
    for surface in tile_tables.surfaces(load_catalog(root).layers.values()):
        begun = time.monotonic()
        with SyncDatabase(dsn) as database:
            deriving.begin(database, surface)
        deriving.together(dsn, surface)
        seconds = time.monotonic() - begun
        remember(dsn, surface, seconds)
        say(f"data: tiles of {surface.name} derived in {seconds:.1f} s")
    for found in point_tables.gatherings(load_catalog(root).layers.values()):
        begun = time.monotonic()
        with SyncDatabase(dsn) as database:
            gathering.build(database, found)
        say(f"data: points of {found.name} gathered in {time.monotonic() - begun:.1f} s")


def remember(dsn: str, surface: Surface, seconds: float) -> None:
    """How long the tile tables of a surface took, beside how many vertices it has."""
    count = sql.SQL("select {}, {}, coalesce(sum(ST_NPoints({})), 0) from {}").format(
        sql.Literal(surface.name), sql.Literal(seconds), sql.Identifier(surface.geometry),
        sql.Identifier(*surface.table.split(".")),
    )  # fmt: skip
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "create table if not exists bench.derived (name text, seconds float8, vertices int8)"
        )
        connection.execute(sql.SQL("insert into bench.derived ") + count)


def derived(dsn: str) -> dict[str, tuple[float, int]]:
    """Seconds and vertices of each surface that was derived."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select name, seconds, vertices from bench.derived").fetchall()
    return {str(name): (float(str(seconds)), int(str(vertices))) for name, seconds, vertices in rows}


def made_by(connection: Connection) -> str | None:
    """The recipe that the database was made by; None if it isn't the bench's or was left half made."""
    if connection.execute("select to_regclass('bench.made')").fetchone() == (None,):
        return None
    row = connection.execute("select recipe from bench.made").fetchone()
    return str(row[0]) if row else None


def holds_features(connection: Connection) -> bool:
    """Whether somebody else's rows are registered; a half-made bench marks itself by its schema."""
    ours = connection.execute("select to_regnamespace('bench') is not null").fetchone()
    if ours == (True,) or connection.execute("select to_regclass('gis.feature_key')").fetchone() == (None,):
        return False
    return connection.execute("select exists (select from gis.feature_key)").fetchone() == (True,)


def clear(connection: Connection) -> None:
    """Drop what the service and the bench keep, and mark the database as the bench's."""
    for schema in ("bench", "gis", "gis_history", "gis_staging", "gis_queue", "gis_tiles", "gis_engine"):
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
    connection.execute("create extension if not exists postgis")
    connection.execute("create schema bench")


def fill(connection: Connection, recipe: Recipe, say: Say) -> None:
    """Load every table, each in a transaction of its own: provinces first, since all rights hang on them."""
    with connection.transaction():
        release = int(str(only(connection, "select gis.open_release('bench')")))
        dataset(connection)
    for rows in tables.all_rows(recipe.seed, Sizes.scaled(recipe.scale), release):
        begun = time.monotonic()
        with connection.transaction():
            connection.execute("set local synchronous_commit = off")
            connection.execute("set local maintenance_work_mem = '512MB'")
            register(connection, rows)
            if rows.table == "admin_unit":
                copy(
                    connection, "gis", rows.table, rows.columns
                )  # its triggers cut the provinces for lookups
                continue
            with bare(connection, "gis", rows.table):
                copy(connection, "gis", rows.table, rows.columns)
                if rows.table == "protected_area":
                    connection.execute(SITES)
            connection.execute("select gis.raise_class_versions(%s, %s)", (rows.table, ["full", "public"]))
        say(f"data: {rows.table} {rows.columns.num_rows:,} rows in {time.monotonic() - begun:.1f} s")
    connection.execute(
        "select setval(pg_get_serial_sequence('gis.feature_key', 'gid'), max(gid)) from gis.feature_key"
    )
    connection.execute("select setval(pg_get_serial_sequence('gis.dataset', 'dataset_id'), 1)")


SITES = """
insert into gis.protected_site (dataset_id, site_id, name, name_eng)
select dataset_id, site_id, name, name_eng from gis.protected_area
"""


def only(connection: Connection, statement: str) -> object:
    """The one value of a statement."""
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None, "the statement always gives a row"
    return row[0]


def dataset(connection: Connection) -> None:
    """The dataset that all rows belong to."""
    connection.execute(
        "insert into gis.dataset (dataset_id, slug, title, licence, redistribution, citation, basis)"
        " overriding system value"
        " values (1, 'bench', 'Bench data, simulated', 'CC0-1.0', true, 'simulated', 'simulated')"
    )


def register(connection: Connection, rows: Rows) -> None:
    """The rows' permanent numbers in the registry."""
    gid = rows.columns["gid"]
    keys = pa.table({
        "gid": gid, "table_name": pa.repeat(rows.table, len(gid)),
        "source": pa.repeat(SOURCE, len(gid)), "source_id": rows.columns["source_id"],
    })  # fmt: skip
    with bare(connection, "gis", "feature_key"):
        copy(connection, "gis", "feature_key", keys)


def copy(connection: Connection, schema: str, table: str, columns: pa.Table) -> None:
    """COPY the columns into the table."""
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, columns.column_names))
    )
    with connection.cursor().copy(statement) as sink:
        for at in range(0, columns.num_rows, SLICE):
            text = io.BytesIO()
            csv.write_csv(columns.slice(at, SLICE), text, csv.WriteOptions(include_header=False))
            sink.write(text.getbuffer())


@contextmanager
def bare(connection: Connection, schema: str, table: str) -> Iterator[None]:
    """The table without its plain indexes, foreign keys and triggers; all stand again afterwards."""
    name = sql.Identifier(schema, table)
    indexes = connection.execute(PLAIN_INDEXES, (schema, table)).fetchall()
    keys = connection.execute(FOREIGN_KEYS, (schema, table)).fetchall()
    for index, _ in indexes:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier(schema, str(index))))
    for key, _ in keys:
        connection.execute(
            sql.SQL("alter table {} drop constraint {}").format(name, sql.Identifier(str(key)))
        )
    connection.execute(sql.SQL("alter table {} disable trigger user").format(name))
    yield
    connection.execute(sql.SQL("alter table {} enable trigger user").format(name))
    for _, definition in indexes:
        connection.execute(str(definition).encode())
    for key, definition in keys:
        add = sql.SQL("alter table {} add constraint {} ").format(name, sql.Identifier(str(key)))
        connection.execute(add + sql.SQL(str(definition)))


PLAIN_INDEXES = """
select c.relname, pg_get_indexdef(i.indexrelid) from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = format('%%I.%%I', %s::text, %s::text)::regclass
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
"""
FOREIGN_KEYS = """
select conname, pg_get_constraintdef(oid) from pg_constraint
where conrelid = format('%%I.%%I', %s::text, %s::text)::regclass and contype = 'f'
"""


def public_views(root: Path) -> list[ViewedLayer]:
    """The bench's layers as the public sees them: what our server and its peers publish."""
    catalog = load_catalog(root)
    return [view(PUBLIC, catalog.layers[name]) for name in LAYERS]


def publish_views(connection: Connection, root: Path) -> None:
    """One view a layer for the peers: the same rows, columns, names and geometry as ours publishes.

    A view over one table is merged into the query that reads it, so peers use the table's own indexes;
    `gid` is the primary key, the cheapest order that there is.
    """
    for seen in public_views(root):
        layer = seen.layer
        columns = [sql.SQL("{} as gid").format(sql.Identifier(seen.key))]
        columns += [
            sql.SQL("{} as {}").format(sql.Identifier(seen.column_of(name)), sql.Identifier(name))
            for name in seen.properties
        ]
        columns.append(sql.SQL("{} as geom").format(sql.Identifier(seen.geometry)))
        where = [sql.SQL("{} = {}").format(sql.Identifier(k), sql.Literal(v)) for k, v in layer.where.items()]
        statement = sql.SQL("create view bench.{} as select {} from {}").format(
            sql.Identifier(layer.id), sql.SQL(", ").join(columns), sql.Identifier(*layer.table.split("."))
        )
        connection.execute(statement + sql.SQL(" where " if where else "") + sql.SQL(" and ").join(where))
