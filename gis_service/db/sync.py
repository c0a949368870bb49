"""The blocking twin of the pool, for the command line, the loader and the job worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg import sql

from gis_service.db.pool import Row, session_options
from gis_service.db.query import Query, ident
from gis_service.errors import BrokenShape, DatabaseDown, DiskFull, RuleBroken, Timeout, Unprojectable


class SyncDatabase:
    """One connection that runs queries as their roles, in one snapshot if asked."""

    def __init__(self, dsn: str, timeout_ms: int = 60_000) -> None:
        self._timeout_ms = timeout_ms
        with _translated(timeout_ms):
            self._connection = psycopg.connect(
                dsn, autocommit=True, options=session_options(timeout_ms), connect_timeout=5
            )

    def run(self, query: Query) -> list[Row]:
        """All rows; Timeout past the deadline, DatabaseDown when the database goes away."""
        with _translated(query.timeout_ms or self._timeout_ms), psycopg.RawCursor(self._connection) as cursor:
            self._as_role(cursor, query)
            cursor.execute(query.sql.encode(), query.params, binary=True)
            return cursor.fetchall()

    def stream(self, query: Query, batch: int = 200) -> Iterator[Row]:
        """Rows one after the other, with no more than a batch of them in memory."""
        with _translated(query.timeout_ms or self._timeout_ms), psycopg.RawCursor(self._connection) as cursor:
            self._as_role(cursor, query)
            yield from cursor.stream(query.sql.encode(), query.params, binary=True, size=batch)

    def apply(self, statements: Sequence[str]) -> None:
        """Run statements of our own making in one transaction, as the user who logged in."""
        with _translated(self._timeout_ms), self._connection.transaction():
            self._connection.execute("reset role")
            for statement in statements:
                self._connection.execute(statement.encode())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside stands together or not at all, rules that wait for the end included.

        Those run by the rights of who logged in, not of the role that read last.
        """
        with _translated(self._timeout_ms), self._connection.transaction():
            yield
            self._connection.execute("reset role")

    @contextmanager
    def snapshot(self, of: str | None = None) -> Iterator[None]:
        """All queries inside see the same moment: now, or that of a snapshot that another one exported."""
        with self._connection.transaction():
            self._connection.execute("set transaction isolation level repeatable read, read only")
            if of is not None:
                self._connection.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(of)))
            yield

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> SyncDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _as_role(self, cursor: psycopg.RawCursor[Row], query: Query) -> None:
        cursor.execute(f"set role {ident(query.role) if query.role else 'none'}".encode())
        cursor.execute(f"set statement_timeout = {query.timeout_ms or self._timeout_ms:d}".encode())


@contextmanager
def _translated(timeout_ms: int) -> Iterator[None]:
    """psycopg's failures as ours."""
    try:
        yield
    except pg.QueryCanceled as err:
        raise Timeout(seconds=timeout_ms / 1000) from err
    except pg.DiskFull as err:
        raise DiskFull(str(err).strip()) from err
    except (pg.IntegrityError, pg.DuplicateObject) as err:
        raise RuleBroken(err.diag.message_primary, constraint=err.diag.constraint_name) from err
    except pg.InternalError_ as err:
        said = err.diag.message_primary or ""
        if said.startswith("transform:"):  # PROJ's words, by PostGIS
            raise Unprojectable from err
        if said.startswith("GEOS"):
            raise BrokenShape(reason=said) from err
        raise
    except psycopg.OperationalError as err:
        raise DatabaseDown(str(err).strip()) from err
