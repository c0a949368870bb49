"""How many rows a caller sees, where and when: kept until something changes that its class sees.

A write that is hidden from a class makes nobody of it wait for a new count, or the wait would tell of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from gis_service.catalog.view import ViewedLayer
from gis_service.db import select, versions
from gis_service.db.pool import Database
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.errors import Busy, Timeout
from gis_service.features.documents import Dataset, Stats
from gis_service.observe import Log
from gis_service.web.lru import Lru

VERSIONS = Query("select table_name, class, version from gis.class_version")
NEVER_WRITTEN = 0  # the version of a table before the class saw its first row
_KEPT = 512  # layers times policy classes
_log = Log("gis.web")

_Key = tuple[str, tuple[int, ...]]  # a view's digest, the versions of the classes whose rows it shows


class StatsCache:
    """Counts and extents by view; the versions are read for each answer, so they're never stale."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Lru[_Key, Stats] = Lru(_KEPT)
        self._making: dict[_Key, asyncio.Future[Stats | None]] = {}

    async def of(self, views: Iterable[ViewedLayer]) -> Mapping[str, Stats]:
        """By layer id. A layer too large to be counted within the deadline is left out."""
        wanted = list(views)
        known = {(name, of): int(version) for name, of, version in await self._database.run(VERSIONS)}
        made = await asyncio.gather(*(self._one(view, _versions(view, known)) for view in wanted))
        return {view.id: stats for view, stats in zip(wanted, made, strict=True) if stats is not None}

    async def _one(self, view: ViewedLayer, version: tuple[int, ...]) -> Stats | None:
        if not view.layer.managed:  # it has no version, so nothing says when it changes
            return await self._counted(view)
        key = (view.digest, version)
        if (held := self._held.get(key)) is not None:
            return held
        # After a write many ask at once for what takes seconds on millions of rows: it's counted for all.
        if (making := self._making.get(key)) is None:
            making = self._making[key] = asyncio.ensure_future(self._counted(view))
            making.add_done_callback(lambda made: self._keep(key, made))
        return await asyncio.shield(making)  # who leaves doesn't take it from the others

    def _keep(self, key: _Key, made: asyncio.Future[Stats | None]) -> None:
        del self._making[key]
        if not made.cancelled() and made.exception() is None and (stats := made.result()) is not None:
            self._held.put(key, stats)

    async def _counted(self, view: ViewedLayer) -> Stats | None:
        try:
            return await self._read(view)
        except (Busy, Timeout):  # it waited, or it counted, for too long
            _log.warning("stats too slow", layer=view.id)
            return None

    async def _read(self, view: ViewedLayer) -> Stats:
        count = (await self._database.run(select.count(view, ItemsQuery())))[0][0]
        west, south, east, north = (await self._database.run(select.extent(view)))[0]
        bbox = None if west is None else (west, south, east, north)
        interval, datasets = None, []
        if view.time is not None:
            start, end = (await self._database.run(select.time_extent(view)))[0]
            interval = (start, end)
        if view.layer.managed:
            datasets = await self._database.run(select.datasets(view))
        return Stats(count, bbox, interval, tuple(Dataset(*row) for row in datasets))


def _versions(view: ViewedLayer, known: Mapping[tuple[str, str], int]) -> tuple[int, ...]:
    table = view.layer.table_name
    return tuple(known.get((table, of), NEVER_WRITTEN) for of in versions.classes(view))
