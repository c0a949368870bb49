"""The database's part of a load: staging, the table's own rules, the merge, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, LiteralString, Self, cast

import psycopg
from psycopg import errors as pg
from psycopg import sql

from gis_service.db.audit import Actor, as_actor
from gis_service.errors import DatabaseDown, DataRefused, DiskFull

Row = tuple[Any, ...]  # what a statement selects is known only to its author
Values = Mapping[str, object]

# Columns that the service fills by itself; no file may.
SYSTEM: Final = frozenset(
    {
        "gid",
        "public_id",
        "source_id",
        "dataset_id",
        "rev",
        "release_from",
        "basis",
        "restricted",
        "sensitivity",
        "jurisdiction",
        "geom",
        "geom_public",
        "geom_original",
        "srid_original",
        "datum_operation",
        "extra",
    }
)
_CARRIED: Final = ("geom", "geom_original", "srid_original", "datum_operation", "extra")
_STAGED: Final = (
    "int8",
    "text",
    "bytea",
    "bytea",
    "int4",
    "text",
    "bytea",
)  # row_no, source_id, _CARRIED


@dataclass(frozen=True)
class Column:
    """A column that a load may write: type name, type as SQL, whether null is refused, default as SQL."""

    name: str
    kind: str
    type: str
    not_null: bool
    default: str | None


@dataclass(frozen=True)
class Table:
    """A feature table, and the columns that the layer holds constant (`level = province`)."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    constant: Mapping[str, str | int | bool]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class StagedFault:
    """A staged row that breaks a rule of the table."""

    row: int
    code: str
    facts: Mapping[str, object]
    source_id: str
    attributes: Mapping[str, object]
    geom: bytes | None


@dataclass(frozen=True)
class KnownDataset:
    """A data set that has been loaded before."""

    dataset_id: int
    title: str
    title_vi: str | None
    source_url: str | None
    licence: str
    redistribution: bool
    citation: str
    basis: str


@dataclass(frozen=True)
class LastLoad:
    load_id: int
    checksum: str
    parameters: str | None
    release: int


@cache
def _blocks() -> Mapping[str, str]:
    text = resources.files("gis_service.db").joinpath("loading.sql").read_text("utf-8")
    parts = (part.split("\n", 1) for part in text.split("-- name: ")[1:])
    return {name.strip(): body.strip().rstrip(";") for name, body in parts}


def _block(block: str, /, **places: sql.Composable) -> sql.Composable:
    return sql.SQL(_blocks()[block]).format(**places)


@contextmanager
def translated() -> Iterator[None]:
    """psycopg's failures as ours; a transaction that fails leaves nothing behind."""
    try:
        yield
    except pg.DiskFull as err:
        raise DiskFull(_first_line(err)) from err
    except (pg.IntegrityError, pg.DataError, pg.InternalError) as err:
        raise DataRefused(_first_line(err)) from err
    except psycopg.OperationalError as err:
        raise DatabaseDown(_first_line(err)) from err


def _first_line(err: psycopg.Error) -> str:
    """The server's sentence, with its detail where it gives one."""
    said = err.diag.message_primary or str(err).strip()
    return f"{said} ({err.diag.message_detail})" if err.diag.message_detail else said


class LoadSession:
    """One connection with one open transaction: what isn't committed never was."""

    def __init__(self, dsn: str) -> None:
        with translated():
            # A load takes as long as it takes; its own caller can interrupt it at any time.
            options = "-c timezone=UTC -c search_path=public -c jit=off -c application_name=gis-load"
            self._connection = psycopg.connect(dsn, options=options, connect_timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()  # closing rolls back whatever wasn't committed

    def commit(self) -> None:
        """Make the load visible, at once and whole."""
        with translated():
            self._connection.commit()

    def act(self, actor: Actor) -> None:
        """Name in the audit log whose load it is."""
        asked = as_actor(actor)
        with translated(), psycopg.RawCursor(self._connection) as cursor:
            cursor.execute(asked.sql.encode(), asked.params)

    def lock(self, slug: str) -> None:
        """Wait until no other load of the same data set runs."""
        self._rows(
            "select pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", {"name": f"gis.load.{slug}"}
        )

    def table(self, schema: str, name: str, constant: Mapping[str, str | int | bool]) -> Table | None:
        """The feature table, or None where the service keeps none of that name."""
        known = self._rows("select to_regclass('gis.feature_key') is not null")[0][0]
        rows = self._rows(_block("columns"), {"table": f"{schema}.{name}"}) if known else []
        columns = {row[0]: Column(*row) for row in rows}
        if not {"gid", "source_id", "dataset_id", "geom"} <= columns.keys():
            return None
        own = (c for c in columns.values() if c.name not in SYSTEM and c.name not in constant)
        return Table(schema, name, tuple(own), constant)

    def last_load(self, slug: str, layer: str) -> LastLoad | None:
        rows = self._rows(_block("last_load"), {"slug": slug, "layer": layer})
        return LastLoad(*rows[0]) if rows else None

    def dataset(self, slug: str) -> KnownDataset | None:
        rows = self._rows(_block("known_dataset"), {"slug": slug})
        return KnownDataset(*rows[0]) if rows else None

    def save_dataset(self, values: Values) -> int:
        """Insert or update the data set of `values["slug"]`, and give its id."""
        self._execute(_block("save_dataset"), values)
        return int(self._rows(_block("known_dataset"), {"slug": values["slug"]})[0][0])

    def stage(self, columns: Sequence[Column]) -> None:
        """Make the staging table."""
        typed = [sql.SQL("{} {},").format(sql.Identifier(c.name), sql.SQL(c.type)) for c in columns]
        self._execute(_block("stage", columns=sql.SQL(" ").join(typed)))
        self._execute(_block("stage_faults"))
        self._execute(_block("hold"))

    def copy(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        """Stage rows of (row_no, source_id, geometry, its original, SRID and operation, extra, *columns)."""
        names = ["row_no", "source_id", *_CARRIED, *(c.name for c in columns)]
        # The server reads bytes by the column's own binary form: WKB, JSON after a byte of 1.
        kinds = [*_STAGED, *(_wire(c.kind) for c in columns)]
        target = sql.SQL(", ").join(map(sql.Identifier, names))
        statement = sql.SQL("copy gis_load ({}) from stdin (format binary)").format(target)
        with translated(), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(kinds)
            for row in rows:
                copy.write_row(row)

    def faults(self, table: Table, columns: Sequence[Column]) -> list[StagedFault]:
        """Take out the staged rows that the table would refuse, and say why of each."""
        staged = {c.name for c in columns}
        for statement in (*_checks(self, table, staged), *_needs(columns), *_links(self, table, staged)):
            self._execute(statement)
        rows = self._rows(_block("faults"))
        self._execute(_block("drop_faulty"))
        # Keys are judged among the rows that are left: an earlier row that is bad itself takes nothing.
        for statement in (_block("fault_double"), *_keys(self, table, staged)):
            self._execute(sql.SQL("truncate gis_load_fault"))
            self._execute(statement)
            rows += self._rows(_block("faults"))
            self._execute(_block("drop_faulty"))
        return [StagedFault(r[0], r[1], r[2], r[3], {**r[4], **(r[5] or {})}, r[6]) for r in rows]

    def hold(self, source_ids: Iterable[str]) -> None:
        """Name the ids whose rows were set aside: their earlier versions stay as they are."""
        ids = list(set(source_ids))
        self._execute(
            sql.SQL("insert into gis_load_held select unnest(%(ids)s::text[]) on conflict do nothing"),
            {"ids": ids},
        )

    def claim(self, table: Table, slug: str) -> str | None:
        """Give each staged row its gid; returns an id that another layer of the table has, if any."""
        self._execute(_block("claim", name=sql.Literal(table.name), slug=sql.Literal(slug)))
        rows = self._rows(_block("strangers", table=table.identifier, where=_constants(table)))
        return str(rows[0][0]) if rows else None

    def compare(self, table: Table, columns: Sequence[Column]) -> tuple[int, int, int]:
        """Say how many staged rows are new, changed and as they were."""
        self._execute(sql.SQL("analyze gis_load"))
        pairs = [
            ("geom", _own("geom")),
            ("extra", _own("extra")),
            *((c.name, _value(c, "me")) for c in columns),
        ]
        differs = sql.SQL(" or ").join(
            sql.SQL("t.{} is distinct from {}").format(sql.Identifier(name), mine) for name, mine in pairs
        )
        self._execute(_block("compare", table=table.identifier, differs=differs))
        new, changed, same = self._rows(_block("states"))[0]
        return new, changed, same

    def absent(self, table: Table, dataset_id: int) -> int:
        """How many rows of the data set the file no longer has."""
        return int(self._rows(self._absent("count_absent", table, dataset_id))[0][0])

    def withdraw(self, table: Table, dataset_id: int) -> None:
        self._execute(self._absent("withdraw", table, dataset_id))

    def supersede(self, table: Table, columns: Sequence[Column]) -> None:
        carried = [sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in _CARRIED]
        mapped = [sql.SQL("{} = {}").format(sql.Identifier(c.name), _value(c, "s")) for c in columns]
        self._execute(
            _block("supersede", table=table.identifier, assignments=sql.SQL(", ").join([*carried, *mapped]))
        )

    def insert(self, table: Table, columns: Sequence[Column], dataset_id: int) -> None:
        names = [*table.constant, *_CARRIED, *(c.name for c in columns)]
        values: list[sql.Composable] = [sql.Literal(value) for value in table.constant.values()]
        values += [sql.SQL("s.{}").format(sql.Identifier(name)) for name in _CARRIED]
        values += [_value(c, "s") for c in columns]
        self._execute(
            _block(
                "insert",
                table=table.identifier,
                columns=sql.SQL(", ").join(map(sql.Identifier, names)),
                dataset=sql.Literal(dataset_id),
                values=sql.SQL(", ").join(values),
            )
        )

    def open_release(self, note: str) -> int:
        return int(self._rows("select gis.open_release(%(note)s)", {"note": note})[0][0])

    def record(self, values: Values) -> int:
        """Write the load's own row and give its id."""
        details = json.dumps(values["details"], ensure_ascii=False)
        return int(self._rows(_block("record"), {**values, "details": details})[0][0])

    def quarantine(self, rows: Iterable[Values]) -> None:
        with translated(), self._connection.cursor() as cursor:
            cursor.executemany(cast(Any, _block("quarantine")), list(rows))

    def _absent(self, block: str, table: Table, dataset_id: int) -> sql.Composable:
        dataset = sql.Literal(dataset_id)
        return _block(block, table=table.identifier, dataset=dataset, where=_constants(table))

    def _execute(self, statement: sql.Composable, values: Values | None = None) -> None:
        with translated():
            self._connection.execute(cast(Any, statement), values)

    def _rows(self, statement: LiteralString | sql.Composable, values: Values | None = None) -> list[Row]:
        with translated():
            return self._connection.execute(cast(Any, statement), values).fetchall()

    def table_rules(self, block: str, table: Table) -> list[Row]:
        """Rules of the table as the database keeps them: checks, references or uniques."""
        return self._rows(_block(block), {"table": f"{table.schema}.{table.name}"})


def _constants(table: Table) -> sql.Composable:
    """That a row `t` is one of the layer's."""
    equal = [
        sql.SQL("t.{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in table.constant.items()
    ]
    return sql.SQL(" and ").join(equal) if equal else sql.SQL("true")


def _wire(kind: str) -> str:
    """The type that a value has on the wire; JSON's binary form is one byte longer than its text."""
    return "bytea" if kind == "jsonb" else "text[]" if kind == "_text" else kind


def _own(name: str) -> sql.Composable:
    return sql.SQL("me.{}").format(sql.Identifier(name))


def _value(column: Column, row: LiteralString) -> sql.Composable:
    """A staged value, or the column's default where it has one and null is refused."""
    staged = sql.SQL("{}.{}").format(sql.SQL(row), sql.Identifier(column.name))
    if column.default is None or not column.not_null:
        return staged
    return sql.SQL("coalesce({}, {})").format(staged, sql.SQL(column.default))


def _facts(columns: Sequence[str]) -> sql.Composable:
    """The values of a row as an object, for its reason."""
    shown = [c for c in columns if c != "geom"]
    pairs = (sql.SQL("{}, {}").format(sql.Literal(c), sql.Identifier(c)) for c in shown)
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def _checks(session: LoadSession, table: Table, staged: set[str]) -> Iterator[sql.Composable]:
    for name, expression, columns in session.table_rules("checks", table):
        if set(columns) <= staged | {"geom"}:
            written = sql.SQL(expression)
            yield _block("fault_check", rule=sql.Literal(name), values=_facts(columns), expression=written)


def _needs(columns: Sequence[Column]) -> Iterator[sql.Composable]:
    for column in columns:
        if column.not_null and column.default is None:
            name = sql.Literal(column.name)
            yield _block("fault_required", name=name, column=sql.Identifier(column.name))


def _links(session: LoadSession, table: Table, staged: set[str]) -> Iterator[sql.Composable]:
    for _, referenced, own, other in session.table_rules("references", table):
        if set(own) <= staged:
            present = (sql.SQL("s.{} is not null").format(sql.Identifier(c)) for c in own)
            equal = (
                sql.SQL("r.{} = s.{}").format(sql.Identifier(o), sql.Identifier(c))
                for c, o in zip(own, other, strict=True)
            )
            yield _block(
                "fault_reference",
                name=sql.Literal(referenced),
                values=_facts(own),
                referenced=sql.Identifier(*referenced.split(".")),
                present=sql.SQL(" and ").join(present),
                equal=sql.SQL(" and ").join(equal),
            )


def _keys(session: LoadSession, table: Table, staged: set[str]) -> Iterator[sql.Composable]:
    for (columns,) in session.table_rules("uniques", table):
        if own := [c for c in columns if c in staged]:
            named = sql.SQL(", ").join(map(sql.Identifier, own))
            yield _block("fault_taken", values=_facts(own), columns=named)
