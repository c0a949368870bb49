"""Gathers points by cells: whole layers, after a large load; single writes keep their cells themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gis_service.db import point_tables
from gis_service.db.point_tables import Gathering
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

BUILD_MS: Final = 1_800_000
_WAITING = "select name from gis_tiles.gathered where not ready"
Tell = Callable[[int, int], None]
"""How many steps are done, of how many."""


def waiting(database: SyncDatabase) -> frozenset[str]:
    """The gatherings that don't hold."""
    return frozenset(name for (name,) in database.run(Query(_WAITING)))


def build(database: SyncDatabase, found: Gathering, tell: Tell = lambda _done, _all: None) -> None:
    """Gather all cells in one transaction; who writes features meanwhile waits for it."""
    steps = point_tables.build(found)
    with database.transaction():
        database.run(Query("select set_config('statement_timeout', $1, true)", (str(BUILD_MS),)))
        for done, step in enumerate(steps, 1):
            database.apply([step])
            tell(done, len(steps))


def keep_up(dsn: str, gatherings: Sequence[Gathering]) -> None:
    """Gather what doesn't hold."""
    with SyncDatabase(dsn) as database:
        behind = waiting(database)
        for each in gatherings:
            if each.name in behind:
                build(database, each)
