"""Derives tile tables: whole ones in portions, by several connections at once, and rows that were written.

Each portion is a transaction of its own that marks itself as done, so that a build which was broken off goes
on where it was. Several builders share one build.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gis_service.db import tile_tables
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_tables import Surface
from gis_service.errors import BrokenShape
from gis_service.observe import Log

PORTION: Final = 100  # rows; a portion of large ranges takes seconds, one of small areas a tenth of one
MOST_BUILDERS: Final = 4
AT_ONCE: Final = 500  # dirty rows of one transaction
DERIVE_MS: Final = 600_000

_BEGIN = "select ready from gis_tiles.surface where surface = $1 for update"
_IS_READY = "select ready from gis_tiles.surface where surface = $1"
_STATE = "select count(*)::int, count(*) filter (where done)::int from gis_tiles.portion where surface = $1"
_TAKE = """
    select number, gids from gis_tiles.portion
     where surface = $1 and not done order by number limit 1 for update skip locked
"""
_DONE = "update gis_tiles.portion set done = true where surface = $1 and number = $2 returning number"
_READY = """
    with finished as (
      update gis_tiles.surface set ready = true, built_at = clock_timestamp()
       where surface = $1 and not ready
         and not exists (select from gis_tiles.portion where surface = $1 and not done)
         and exists (select from gis_tiles.portion where surface = $1)
      returning surface)
    delete from gis_tiles.portion p using finished f where p.surface = f.surface returning number
"""
_EMPTY = """
    update gis_tiles.surface set ready = true, built_at = clock_timestamp()
     where surface = $1 and not exists (select from gis_tiles.portion where surface = $1) returning surface
"""
_DIRTY = "select gid from gis_tiles.dirty where table_name = $1 order by mark limit $2"
_ALONE = "select pg_advisory_xact_lock(hashtext('gis_tiles'), hashtext($1))"
_WAITING = """
    select s.surface from gis_tiles.surface s
     where not s.ready or exists (select from gis_tiles.dirty d where d.table_name = s.table_name)
"""

# A row that is written again is tried again.
_GIVEN_UP = "delete from gis_tiles.dirty where table_name = $1 and gid = $2 returning gid"
_log = Log("gis.tiles")

Tell = Callable[[int, int], None]
"""How many portions are done, of how many."""


def waiting(database: SyncDatabase) -> frozenset[str]:
    """The surfaces that aren't ready, or rows of which were written since they were derived."""
    return frozenset(name for (name,) in database.run(Query(_WAITING)))


def begin(database: SyncDatabase, surface: Surface, anew: bool = False) -> None:
    """Cut the table into portions, unless a build is under way; what was derived before goes."""
    with database.transaction():
        ready = database.run(Query(_BEGIN, (surface.name,)))[0][0]
        under_way = database.run(Query(_STATE, (surface.name,)))[0][0] > 0
        if (ready or under_way) and not anew:
            return
        database.apply(tile_tables.cleared(surface))
        if not database.run(_slow(tile_tables.portions(surface, PORTION))):
            database.run(Query(_EMPTY, (surface.name,)))


def build(database: SyncDatabase, surface: Surface, tell: Tell = lambda _done, _all: None) -> None:
    """Derive portions until none is left; others may do the same beside. `begin` comes first."""
    while _portion(database, surface):
        total, done = database.run(Query(_STATE, (surface.name,)))[0]
        tell(done, total)
    database.run(Query(_READY, (surface.name,)))


def _portion(database: SyncDatabase, surface: Surface) -> bool:
    with database.transaction():
        taken = database.run(Query(_TAKE, (surface.name,)))
        if not taken:
            return False
        number, gids = taken[0]
        _derive(database, surface, gids)
        database.run(Query(_DONE, (surface.name, number)))
    return True


def refresh(database: SyncDatabase, surface: Surface) -> int:
    """Derive rows that were written since, the oldest marks first; how many there were.

    Only of a surface that is ready: during a build a row would be derived twice.
    """
    if not database.run(Query(_IS_READY, (surface.name,)))[0][0]:
        return 0
    gids = [gid for (gid,) in database.run(Query(_DIRTY, (surface.table, AT_ONCE)))]
    if gids:
        with database.transaction():
            database.run(Query(_ALONE, (surface.name,)))
            database.run(Query(tile_tables.removal(surface), (gids,)))
            _derive(database, surface, gids)
    return len(gids)


def _derive(database: SyncDatabase, surface: Surface, gids: Sequence[int]) -> None:
    """Derive rows; one that PostGIS can't compute with is told by its id and left out, the others aren't."""
    try:
        with database.transaction():
            database.run(Query(tile_tables.derive(surface), (list(gids),), timeout_ms=DERIVE_MS))
    except BrokenShape as err:
        if len(gids) > 1:
            for gid in gids:
                _derive(database, surface, [gid])
            return
        _log.error("no tile shows this row", table=surface.table, gid=gids[0], reason=err.message())
        database.run(Query(_GIVEN_UP, (surface.table, gids[0])))


def _slow(query: Query) -> Query:
    return Query(query.sql, query.params, query.role, DERIVE_MS)


def keep_up(dsn: str, surfaces: Sequence[Surface]) -> None:
    """Build what isn't ready and derive what was written since, once; there may be more afterwards."""
    with SyncDatabase(dsn) as database:
        behind = waiting(database)
        for surface in (each for each in surfaces if each.name in behind):
            if database.run(Query(_IS_READY, (surface.name,)))[0][0]:
                refresh(database, surface)
            else:
                begin(database, surface)
                together(dsn, surface)


def together(dsn: str, surface: Surface, tell: Tell = lambda _done, _all: None) -> None:
    """Derive the portions of a build by as many connections as there are cores, up to MOST_BUILDERS."""

    def one(_: int) -> None:
        with SyncDatabase(dsn) as database:
            build(database, surface, tell)

    builders = min(MOST_BUILDERS, os.cpu_count() or 1)
    with ThreadPoolExecutor(builders, "gis-tiles") as threads:
        list(threads.map(one, range(builders)))
