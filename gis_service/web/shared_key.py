"""A key that all processes share through the database, read once a process."""

from __future__ import annotations

from gis_service.db.pool import Database
from gis_service.db.query import Query


class SharedKey:
    """Never changes while the database lives, so a token of one worker opens in every other."""

    def __init__(self, database: Database, query: Query) -> None:
        self._database = database
        self._query = query
        self._held: bytes | None = None

    async def get(self) -> bytes:
        """The key; DatabaseDown where it can't be read, and then the next call asks again."""
        if self._held is None:
            self._held = bytes((await self._database.run(self._query))[0][0])
        return self._held
