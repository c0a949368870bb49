"""How a web process keeps hearing of changes on the map, and whether it hears at all.

What it keeps may be shown as today's if a reading of the log that began less than CURRENT_SECONDS ago has
been followed. That alone is the bound: notifications only make readings come sooner.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

from gis_service.db.tile_feed import News, TileFeed
from gis_service.errors import DatabaseDown
from gis_service.observe import Log

CURRENT_SECONDS: Final = 0.8  # nothing older than a second leaves: the rest is for answering
HEARTBEAT_SECONDS: Final = 0.35  # so that a reading may fail to come in time once
TOGETHER_SECONDS: Final = 0.01  # changes that come one by one are read together
WAIT_SECONDS: Final = 0.6  # for a reading that is late, in a process that was held up
RETRY_SECONDS: Final = 0.5
PRUNE_SECONDS: Final = 300.0
_log = Log("gis.web")


class Hearing:
    """Follows the log of changes; `heard` must be done with a reading when it returns."""

    def __init__(self, feed: TileFeed, heard: Callable[[News], None], back: Callable[[], None]) -> None:
        self._feed, self._heard, self._back = feed, heard, back
        self._heard_at = -1e9
        self._deaf = True
        self._read = asyncio.Event()
        self._prune_at = time.monotonic() + PRUNE_SECONDS * random.uniform(0.1, 1)  # noqa: S311
        self.epoch = 0

    @property
    def is_current(self) -> bool:
        return time.monotonic() - self._heard_at < CURRENT_SECONDS

    @property
    def heard_at(self) -> float:
        """Up to when everything is known, by the monotonic clock."""
        return self._heard_at

    async def current(self) -> bool:
        """Whether all is known up to a moment ago; a late reading is waited for, a lost one isn't."""
        if self.is_current or self._deaf:
            return self.is_current
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not (self.is_current or self._deaf):
                    await self._read.wait()
        except TimeoutError:
            pass
        return self.is_current

    async def follow(self) -> None:
        """Hear until cancelled; the database may go and come back."""
        try:
            while True:
                try:
                    await self._feed.connect()
                    await self._listen()
                except DatabaseDown as err:
                    if not self._deaf:
                        _log.warning("deaf: tiles that are kept are marked as stale", reason=err.message())
                except Exception as err:
                    # Whatever went wrong, nothing of what is kept can be trusted before it's read anew.
                    _log.error("reading of changes", cause=err)
                    self._feed.forget()
                self._deaf = True
                self._tell()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            await self._feed.close()

    async def _listen(self) -> None:
        while True:
            began = time.monotonic()  # before the reading: all that was committed by then is in it
            news = await self._feed.read()
            self._heard(news)
            self.epoch, self._heard_at = news.epoch, began
            if self._deaf:
                self._deaf = False
                self._back()
            self._tell()
            if began > self._prune_at:
                self._prune_at = began + PRUNE_SECONDS
                await self._feed.prune()
            await asyncio.sleep(TOGETHER_SECONDS)
            await self._feed.wait(HEARTBEAT_SECONDS)

    def _tell(self) -> None:
        """Wake who waits for a reading, or for the news that there is none."""
        self._read.set()
        self._read = asyncio.Event()
