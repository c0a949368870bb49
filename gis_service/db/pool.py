"""Kept connections with ready binary cursors, one deadline per query, cancel in PostgreSQL when nobody waits.

A plain list of kept cursors costs half of what psycopg_pool costs per query (guide: part 1, section 2).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors as pg

from gis_service.db.query import Query, ident
from gis_service.db.turns import Turns
from gis_service.errors import DatabaseDown, Timeout, Unprojectable

Row = tuple[Any, ...]  # what a statement selects is known only to its author

SESSION = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "64MB",
    "timezone": "UTC",
    "search_path": "public",
    "application_name": "gis-service",
}


@dataclass(frozen=True)
class PoolSize:
    """How many connections a pool may hold, how many requests may wait for one, and how long."""

    connections: int = 4
    waiting: int = 200
    patience: float = 5.0  # seconds; who waits longer is better told to come back
    # One plan for all values: right for tiles, whose statements differ in their box alone. To plan anew
    # takes 0.8 ms where a small tile itself takes 0.1 ms.
    one_plan: bool = False


@dataclass
class _Kept:
    """A connection with its one cursor and the role that it acts as."""

    connection: psycopg.AsyncConnection[Row]
    cursor: psycopg.AsyncRawCursor[Row]
    role: str | None
    era: int


def session_options(timeout_ms: int, one_plan: bool = False) -> str:
    """The libpq `options` of a serving connection; its statement timeout backs every deadline."""
    plans = {"plan_cache_mode": "force_generic_plan"} if one_plan else {}
    settings = {**SESSION, **plans, "statement_timeout": str(timeout_ms)}
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


class Database:
    """Runs queries as their roles over a bounded set of connections that are opened when first needed."""

    def __init__(self, dsn: str, size: PoolSize = PoolSize(), timeout_ms: int = 10_000) -> None:
        self._dsn = dsn
        self._size = size
        self._timeout_ms = timeout_ms
        self._free: list[_Kept] = []
        self._open = 0
        self._closed = False
        self._era = 0
        self._turns = Turns(size.connections, size.waiting, size.patience)

    async def run(self, query: Query) -> list[Row]:
        """All rows. Timeout past the deadline, Busy without a turn, DatabaseDown without a connection."""
        await self._turns.take()
        try:
            return await self._run(query, (query.timeout_ms or self._timeout_ms) / 1000)
        finally:
            self._turns.give()

    async def _run(self, query: Query, deadline: float) -> list[Row]:
        try:
            async with asyncio.timeout(deadline):
                kept = await self._take(query.role)
                try:
                    await kept.cursor.execute(query.sql.encode(), query.params)
                    return await kept.cursor.fetchall()
                finally:
                    await self._give(kept)
        except (TimeoutError, pg.QueryCanceled) as err:
            raise Timeout(seconds=deadline) from err
        except pg.InternalError_ as err:
            if not (err.diag.message_primary or "").startswith("transform:"):  # PROJ's words, by PostGIS
                raise
            raise Unprojectable from err
        except psycopg.OperationalError as err:
            raise DatabaseDown(str(err).strip()) from err

    def forget(self) -> None:
        """Use no connection from before again: the database was away, and each would fail once."""
        self._era += 1

    async def close(self) -> None:
        """Close what is idle; what is in use closes when it comes back."""
        self._closed = True
        while self._free:
            await self._drop(self._free.pop())

    async def _take(self, role: str | None) -> _Kept:
        """A connection for who has a turn; there is one, for there are no more turns than connections."""
        while self._free and self._free[0].era != self._era:
            await self._drop(self._free.pop(0))
        kept = self._idle(role)
        return await (self._connect(role) if kept is None else self._as_role(kept, role))

    def _idle(self, role: str | None) -> _Kept | None:
        """The idle connection that last acted as the role; another one only when no more may be opened."""
        for index in range(len(self._free) - 1, -1, -1):
            if self._free[index].role == role:
                return self._free.pop(index)
        if self._free and self._open >= self._size.connections:
            return self._free.pop(0)
        return None

    async def _as_role(self, kept: _Kept, role: str | None) -> _Kept:
        if kept.role == role:
            return kept
        try:
            await kept.cursor.execute(f"set role {ident(role) if role else 'none'}".encode(), prepare=False)
        except BaseException:
            await self._drop(kept)
            raise
        kept.role = role
        return kept

    async def _connect(self, role: str | None) -> _Kept:
        self._open += 1
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._dsn,
                autocommit=True,
                prepare_threshold=0,
                options=session_options(self._timeout_ms, self._size.one_plan),
                connect_timeout=5,
            )
        except BaseException:
            self._open -= 1
            raise
        kept = _Kept(connection, psycopg.AsyncRawCursor(connection), None, self._era)
        kept.cursor.format = psycopg.pq.Format.BINARY
        return await self._as_role(kept, role)

    async def _give(self, kept: _Kept) -> None:
        if kept.connection.closed or self._closed or kept.era != self._era:
            await self._drop(kept)
        else:
            self._free.append(kept)

    async def _drop(self, kept: _Kept) -> None:
        self._open -= 1
        await kept.connection.close()
