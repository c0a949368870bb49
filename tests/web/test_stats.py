"""Counts and extents of layers: made once for all who ask at once, anew after a write."""

import asyncio

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.db.pool import Database, Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.web.stats import StatsCache
from tests import sample
from tests.conftest import ROOT

AREAS = view(PUBLIC, load_catalog(ROOT).layers["protected-areas"])


class _Recording(Database):
    """A database that remembers what it was asked."""

    counts = 0

    async def run(self, query: Query) -> list[Row]:
        self.counts += "count(*)" in query.sql
        return await super().run(query)


def test_many_who_ask_at_once_share_one_count(fresh_database: str) -> None:
    sample.fill(fresh_database)

    async def ask() -> tuple[list[int], set[int | None]]:
        database = _Recording(fresh_database)
        cache = StatsCache(database)
        made = await asyncio.gather(*(cache.of([AREAS]) for _ in range(20)))
        counted = [database.counts]
        for which in ("restricted", "not restricted"):  # the first is hidden from the public: nobody waits
            with SyncDatabase(fresh_database) as other:
                other.apply([f"update gis.protected_area set name = name || '!' where {which}"])
            await asyncio.gather(*(cache.of([AREAS]) for _ in range(20)))
            counted.append(database.counts)
        await database.close()
        return counted, {each[AREAS.id].count for each in made}

    assert asyncio.run(ask()) == ([1, 1, 2], {2})
