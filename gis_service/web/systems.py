"""The reference systems that the database knows, read once a process."""

from __future__ import annotations

from gis_service.db import systems
from gis_service.db.pool import Database
from gis_service.geo.crs import Systems


class KnownSystems:
    """A database gains systems with a migration, after which the processes start anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Systems | None = None

    async def get(self) -> Systems:
        """The systems; DatabaseDown where they can't be read, and then the next call asks again."""
        if self._held is None:
            rows = await self._database.run(systems.KNOWN)
            self._held = Systems(frozenset(int(srid) for (srid,) in rows))
        return self._held
