"""FlatGeobuf of few features, made in the worker: a process of its own would take longer to start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gis_service.exchange.bulk import Bulk
from gis_service.web.encoder import Batches, Encoders
from gis_service.web.walk import Batch

FEW_BYTES = 4_000_000


async def flatgeobuf(told: Bulk, batches: Batches, encoders: Encoders) -> AsyncGenerator[bytes, None]:
    """The file; by an encoder of its own where there is more than a few batches."""
    async with aclosing(batches):
        first = await _first(batches)
        if sum(batch.weight for batch in first) >= FEW_BYTES:
            async with aclosing(encoders.stream("fgb", told, _chained(first, batches))) as pieces:
                async for piece in pieces:
                    yield piece
            return
        from gis_service.exchange import flatgeobuf as encoder  # noqa: PLC0415  # numpy, which not all need

        yield encoder.header(told)
        for batch in first:
            yield await asyncio.to_thread(encoder.features, told, batch.records, batch.lengths)


async def _first(batches: Batches) -> list[Batch]:
    """The batches as long as they are few."""
    held: list[Batch] = []
    async for batch in batches:
        held.append(batch)
        if sum(each.weight for each in held) >= FEW_BYTES:
            break
    return held


async def _chained(first: list[Batch], rest: Batches) -> Batches:
    while first:
        yield first.pop(0)
    async for batch in rest:
        yield batch
