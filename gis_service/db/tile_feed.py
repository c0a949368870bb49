"""What a process hears of changes on the map: told by notification, read from the log of changes.

A notification only wakes: what it's about stands in the log, so that a lost one loses nothing. Each reading
names the snapshot of the one before and gets exactly what has become visible between the two, in whatever
order transactions took their numbers and committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from gis_service.db.pool import Row, session_options
from gis_service.errors import DatabaseDown

CHANNEL: Final = "gis_tiles"
READ_SECONDS: Final = 2.0  # a reading takes 1 ms; a server that doesn't answer is gone
MOST_CHANGES: Final = 2000  # at once; more take longer to follow than all tiles to make anew
KEPT: Final = "1 hour"
MOST_KEPT: Final = 200_000
# A database restored from an earlier state counts transactions anew: then snapshots of before mean nothing.
_WHOSE = """
select (select system_identifier || '.' from pg_control_system())
    || (select timeline_id || '.' from pg_control_checkpoint())
    || (select oid::text from pg_database where datname = current_database())
"""
_READ = f"""
select pg_current_snapshot()::text, (select epoch from gis.policy_epoch),
       coalesce(l.pruned >= pg_snapshot_xmin($1::text::pg_snapshot), true), c.table_name, c.class, c.boxes
  from gis_tiles.change_log l
  left join lateral (
    select table_name, class, boxes from gis_tiles.change
     where xact >= pg_snapshot_xmin($1::text::pg_snapshot)
       and not pg_visible_in_snapshot(xact, $1::text::pg_snapshot)
     limit {MOST_CHANGES + 1}) c on true
"""
_PRUNE = "select gis_tiles.prune_changes($1::text::interval, $2::bigint)"


@dataclass(frozen=True)
class Change:
    """That a class sees another state of a table in some boxes (west, south, east, north, and so on)."""

    table: str
    of: str
    boxes: Sequence[float]


@dataclass(frozen=True)
class News:
    """What a reading found: everything may have changed where something was lost."""

    epoch: int
    lost: bool
    changes: Sequence[Change]


class TileFeed:
    """One connection that listens. Every method raises DatabaseDown when it's gone; then `connect` anew."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._cursor: psycopg.AsyncRawCursor[Row] | None = None
        self._whose = ""
        self._snapshot: str | None = None

    async def connect(self) -> None:
        await self.close()
        try:
            async with asyncio.timeout(READ_SECONDS + 5):
                self._connection = await psycopg.AsyncConnection.connect(
                    self._dsn,
                    autocommit=True,
                    prepare_threshold=0,
                    options=session_options(int(READ_SECONDS * 1000)),
                    connect_timeout=5,
                )
                self._cursor = psycopg.AsyncRawCursor(self._connection)
                self._cursor.format = psycopg.pq.Format.BINARY
                await self._cursor.execute(f"listen {CHANNEL}".encode(), prepare=False)
                await self._cursor.execute(_WHOSE)
                (whose,) = await self._cursor.fetchone() or ("",)
        except (psycopg.Error, TimeoutError) as err:
            raise DatabaseDown(str(err).strip()) from err
        if whose != self._whose:
            self._whose, self._snapshot = whose, None

    async def read(self) -> News:
        """What became visible since the last reading, all of it if there was none."""
        found = await self._run(_READ, self._snapshot)
        snapshot, epoch, lost = found[0][:3]
        self._snapshot = snapshot
        changes = [Change(table, of, boxes) for *_, table, of, boxes in found if table is not None]
        if lost or len(changes) > MOST_CHANGES:
            return News(int(epoch), True, ())
        return News(int(epoch), False, changes)

    def forget(self) -> None:
        """Let the next reading count everything as changed."""
        self._snapshot = None

    async def wait(self, seconds: float) -> None:
        """Until something is told, or so long."""
        if self._connection is None:
            raise DatabaseDown("not connected")
        try:
            async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                pass
        except psycopg.Error as err:
            raise DatabaseDown(str(err).strip()) from err

    async def prune(self) -> None:
        """Throw away what every reader has read long since."""
        await self._run(_PRUNE, KEPT, MOST_KEPT)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection = self._cursor = None

    async def _run(self, sql: str, *values: object) -> list[Row]:
        if self._cursor is None:
            raise DatabaseDown("not connected")
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._cursor.execute(sql.encode(), values)
                return await self._cursor.fetchall()
        except (psycopg.Error, TimeoutError) as err:
            raise DatabaseDown(str(err).strip()) from err
