"""Bring a database up to the schema of this code: numbered SQL files, each applied once, in one transaction.

Safe under concurrent starts: a session lock of the database lets one migrate while the others wait.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import errors as pg

from gis_service.errors import DatabaseDown, DiskFull, GisError, MachineFault, PostgisMissing

FOLDER = Path(__file__).parent / "migrations"
OLDEST_POSTGRESQL = 15
OLDEST_POSTGIS = (3, 3)
WAIT = "10min"  # how long a start waits for another one that is migrating
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_INSERT = re.compile(r"^-- insert: procrastinate (\S+)$", re.MULTILINE)
_LOCK = "hashtextextended('gis-service migrations', 0)"
_LEDGER = """
create schema if not exists gis;
create table if not exists gis.schema_migrations (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp()
);
"""


class MigrationChanged(GisError):
    """Migration {name} was changed after this database applied it; restore its text and add a new file."""

    code, exit_code = "migration-changed", 4


class MigrationUnknown(GisError):
    """This database was migrated by newer code, which applied {name}; start that version or a later one."""

    code, exit_code = "migration-unknown", 5


class MigrationFailed(GisError):
    """Migration {name} failed and was undone: {detail}"""

    code, exit_code = "migration-failed", 5


class LibraryDiffers(MachineFault):
    """Migration {name} needs procrastinate {wanted} as in requirements.lock, not {found}."""

    code = "library-differs"


class MigrationsMisnamed(GisError):
    """Migrations must be numbered 0001, 0002, … without gap, as in 0001_ground.sql: {detail}"""

    code, exit_code = "migrations-misnamed", 4


class MigrationBusy(MachineFault):
    """Another start has been migrating this database for more than {wait}; look at it with `./gis status`."""

    code = "migration-busy"


class PostgresTooOld(MachineFault):
    """The database is PostgreSQL {found}; version {wanted} or newer is needed."""

    code = "postgres-too-old"


class RolesForbidden(MachineFault):
    """The database's user may not make the roles that keep the tiers apart: {detail}"""

    code = "roles-forbidden"


@dataclass(frozen=True)
class Migration:
    """One file: what it is called, what it does, and the checksum of that."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Apply what the database lacks and give its names; a file that fails leaves nothing behind."""
    migrations = read_migrations(folder)
    try:
        return _migrate(dsn, migrations)
    except pg.DiskFull as err:
        raise DiskFull(_sentence(err)) from err


def _migrate(dsn: str, migrations: Sequence[Migration]) -> list[str]:
    with _connect(dsn) as connection:
        _lock(connection)
        _require_postgres(connection)
        _require_postgis(connection)
        pending = _pending(migrations, _applied(connection))
        for migration in pending:
            _apply(connection, migration)
        # Not a migration: an update of the PostGIS extension takes the mark away again.
        connection.execute("select gis.mark_overlaps_leakproof()")
    return [migration.name for migration in pending]


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of a folder in their order; MigrationsMisnamed where numbers repeat or leave a gap."""
    files = sorted(folder.glob("*.sql"))
    for number, file in enumerate(files, start=1):
        match = _FILE.fullmatch(file.name)
        if match is None or int(match[1]) != number:
            raise MigrationsMisnamed(file.name)
    return [Migration(file.name, file.read_text(encoding="utf-8")) for file in files]


def _connect(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(
            dsn, autocommit=True, connect_timeout=10, application_name="gis-service migrate"
        )
    except psycopg.OperationalError as err:
        raise DatabaseDown(str(err).strip()) from err


def _lock(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Hold the lock until the connection closes, also when the process is killed."""
    connection.execute(f"set lock_timeout = '{WAIT}'")
    try:
        connection.execute(f"select pg_advisory_lock({_LOCK})")
    except pg.LockNotAvailable as err:
        raise MigrationBusy(wait=WAIT) from err


def _require_postgres(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    found = connection.info.server_version // 10000
    if found < OLDEST_POSTGRESQL:
        raise PostgresTooOld(found=found, wanted=OLDEST_POSTGRESQL)


def _require_postgis(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Make the extension where it is missing and allowed; our SQL names its schema, which is `public`."""
    try:
        connection.execute("create extension if not exists postgis with schema public")
    except (pg.InsufficientPrivilege, pg.UndefinedFile, pg.FeatureNotSupported) as err:
        raise PostgisMissing(_sentence(err)) from err
    row = connection.execute(
        "select e.extversion, n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace"
        " where e.extname = 'postgis'"
    ).fetchone()
    assert row is not None, "the extension was just made"
    version, schema = str(row[0]), row[1]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_POSTGIS:
        raise PostgisMissing(f"it has PostGIS {version}")
    if schema != "public":
        raise PostgisMissing(f"its PostGIS is in schema {schema}, it must be in schema public")


def _applied(connection: psycopg.Connection[tuple[object, ...]]) -> Mapping[str, str]:
    try:
        connection.execute(_LEDGER)
        rows = connection.execute("select name, checksum from gis.schema_migrations").fetchall()
    except pg.InsufficientPrivilege as err:
        raise MigrationFailed(_sentence(err), name="of the ledger") from err
    return {str(name): str(checksum) for name, checksum in rows}


def _pending(migrations: Sequence[Migration], applied: Mapping[str, str]) -> list[Migration]:
    known = {migration.name: migration.checksum for migration in migrations}
    for name in sorted(applied):
        if name not in known:
            raise MigrationUnknown(name=name)
        if known[name] != applied[name]:
            raise MigrationChanged(name=name)
    return [migration for migration in migrations if migration.name not in applied]


def _whole(migration: Migration) -> str:
    """The SQL with the library's own schema where a line asks for it: its text is the library's to keep."""
    asked = _INSERT.search(migration.sql)
    if asked is None:
        return migration.sql
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  # of use once in a database's life

    if (found := version("procrastinate")) != asked[1]:
        raise LibraryDiffers(name=migration.name, wanted=asked[1], found=found)
    return _INSERT.sub(lambda _: SchemaManager.get_schema(), migration.sql)


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(_whole(migration).encode())
            connection.execute(
                "insert into gis.schema_migrations (name, checksum) values (%s, %s)",
                (migration.name, migration.checksum),
            )
    except pg.InsufficientPrivilege as err:
        raise RolesForbidden(_sentence(err)) from err
    except pg.DiskFull:
        raise
    except psycopg.OperationalError as err:
        raise DatabaseDown(_sentence(err)) from err
    except psycopg.Error as err:
        raise MigrationFailed(_sentence(err), name=migration.name) from err


def _sentence(err: psycopg.Error) -> str:
    """What the server said, with its hint where it gave one."""
    said = err.diag.message_primary or str(err).strip()
    return f"{said}. {err.diag.message_hint}" if err.diag.message_hint else said
