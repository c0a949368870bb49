"""What a process knows of the database for a second at most, read once for all who wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

REFRESH_SECONDS: Final = 0.9  # a revoked key is refused within 1 s
SOONEST_SECONDS: Final = 0.1  # between readings for the sake of what isn't known yet


class Snapshot(Generic[T]):
    """A value that is read anew when it's asked for and older than REFRESH_SECONDS; swapped whole."""

    def __init__(self, read: Callable[[], Awaitable[T]], empty: T) -> None:
        self._read_value, self._value = read, empty
        self._read_at = -1e9
        self._reading: asyncio.Task[None] | None = None

    async def fresh(self) -> T:
        """The value of less than a second ago."""
        if time.monotonic() - self._read_at >= REFRESH_SECONDS:
            await self._read_once()
        return self._value

    async def since(self, moment: float) -> T:
        """The value as read since a moment; readings stay apart, so whoever asks often costs little."""
        while self._read_at < moment:
            await asyncio.sleep(max(0.0, self._read_at + SOONEST_SECONDS - time.monotonic()))
            if self._read_at < moment:
                await self._read_once()
        return self._value

    async def _read_once(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._read_done)
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        began = time.monotonic()  # before the query: what it reads is never older than this
        self._value = await self._read_value()
        self._read_at = began

    def _read_done(self, task: asyncio.Task[None]) -> None:
        self._reading = None
        if not task.cancelled():
            task.exception()  # the waiters have it; without them it's asked for again by the next request
