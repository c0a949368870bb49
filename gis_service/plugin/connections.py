"""A few blocking connections to one database, lent to pygeoapi's threads in turn."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gis_service.db import systems
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Busy, DatabaseDown
from gis_service.geo.crs import Systems

CONNECTIONS = 8  # one pygeoapi process answers as many requests at once
WAIT_SECONDS = 10.0
TIMEOUT_MS = 10_000


class Connections:
    """Opened when first needed and kept; a broken one is thrown away."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: list[SyncDatabase] = []
        self._places = threading.BoundedSemaphore(CONNECTIONS)

    @contextmanager
    def lent(self) -> Iterator[SyncDatabase]:
        """A connection for the block alone; Busy when none comes free in time."""
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise Busy
        try:
            database = self._idle.pop() if self._idle else SyncDatabase(self._dsn, TIMEOUT_MS)
            try:
                yield database
            except DatabaseDown:
                database.close()
                raise
            self._idle.append(database)
        finally:
            self._places.release()

    @functools.cached_property
    def systems(self) -> Systems:
        """The reference systems that the database knows."""
        with self.lent() as database:
            return Systems(frozenset(int(srid) for (srid,) in database.run(systems.KNOWN)))


@functools.cache
def connections(dsn: str) -> Connections:
    """The connections of this process to that database; pygeoapi makes a provider for every request."""
    return Connections(dsn)
