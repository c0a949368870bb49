"""All rows that a query matches, batch by batch: each batch a statement of its own, found by the last row.

No transaction or cursor lives longer than a batch, and a row that nobody changes comes exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from gis_service.catalog.view import ViewedLayer
from gis_service.db import bulk
from gis_service.db.bulk import Line
from gis_service.db.paging import Cursor
from gis_service.db.pool import Database
from gis_service.db.select import ItemsQuery

BATCH_BYTES = 2_000_000  # of each of many slow clients three are held: sent, read, and under way
LINES = 2_000  # as Python's list of bytes
RECORDS = 4_000  # as one value; what numpy makes of so many stays in the cache
FIRST_POINTS, FIRST_SHAPES = 1_000, 20  # read before it's known what they weigh


@dataclass(frozen=True, slots=True)
class Batch:
    """Some features as lines, or as binary records with their lengths; and where they end."""

    count: int
    weight: int
    last: Cursor
    lines: Sequence[bytes] = ()
    records: bytes = b""
    lengths: bytes = b""


Fetch = Callable[[ItemsQuery], Awaitable[Batch]]


def lines(database: Database, view: ViewedLayer, line: Line) -> Fetch:
    """Fetches batches of lines of text."""

    async def fetch(query: ItemsQuery) -> Batch:
        rows = await database.run(bulk.lines(view, query, line))
        texts = [row[1] for row in rows]
        last = Cursor(tuple(rows[-1][2:]), rows[-1][0]) if rows else _NOWHERE
        return Batch(len(rows), sum(map(len, texts)), last, lines=texts)

    return fetch


def records(database: Database, view: ViewedLayer) -> Fetch:
    """Fetches batches of binary records."""

    async def fetch(query: ItemsQuery) -> Batch:
        count, key, held, lengths, *values = (await database.run(bulk.records(view, query)))[0]
        if not count:
            return Batch(0, 0, _NOWHERE)
        return Batch(count, len(held), Cursor(tuple(values), key), records=held, lengths=lengths)

    return fetch


_NOWHERE = Cursor((), 0)


async def walk(
    fetch: Fetch,
    view: ViewedLayer,
    query: ItemsQuery,
    most: int,
    total: int | None = None,
    first: Batch | None = None,
) -> AsyncGenerator[Batch, None]:
    """Batches of at most `most` features, `total` in all if given; the next is fetched while one is used.

    `first` is the first batch where it was fetched already, and more are known to follow.
    """
    left = most if total is None else total
    if first is None:
        asked = min(most, left, FIRST_POINTS if view.geometry_type == "Point" else FIRST_SHAPES)
        batch = await fetch(replace(query, limit=asked))
    else:
        asked, batch = first.count, first
    ahead: asyncio.Future[Batch] | None = None
    try:
        while True:
            left = left - batch.count if total is not None else most
            if batch.count == asked and left > 0:
                asked = _step(batch, min(most, left))
                following = replace(query, cursor=batch.last, offset=0, limit=asked)
                ahead = asyncio.ensure_future(fetch(following))
            if batch.count:
                yield batch
            if ahead is None:
                return
            batch, ahead = await ahead, None
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


def _step(batch: Batch, most: int) -> int:
    """How many features the next batch holds, if they weigh what these do."""
    weight = batch.weight // batch.count + 1
    return min(most, max(1, BATCH_BYTES // weight))
