"""Who comes next: requests wait by caller and the callers take turns, so no crowd starves a single one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextvars import ContextVar

from gis_service.errors import Busy

# Who the work of this task is for; what the service asks for itself is nobody's and has a line of its own.
CALLER: ContextVar[str] = ContextVar("caller", default="")

_Line = OrderedDict[asyncio.Future[None], None]


class Turns:
    """A number of places. Who finds none waits in its caller's line, for so long, where so many may wait."""

    def __init__(self, places: int, waiting: int, seconds: float) -> None:
        self._free = places
        self._room = waiting
        self._seconds = seconds
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self._waiting = 0

    async def take(self) -> None:
        """A place, given back by `give`; Busy where too many wait or the wait grew too long."""
        if self._free > 0:  # then nobody waits
            self._free -= 1
        else:
            await self._wait(CALLER.get())

    def give(self) -> None:
        """Hand the place to the first of the line whose turn it is; that line is the last then."""
        while self._lines:
            caller, line = self._lines.popitem(last=False)
            waiter, _ = line.popitem(last=False)
            self._waiting -= 1
            if line:
                self._lines[caller] = line
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    async def _wait(self, caller: str) -> None:
        if self._waiting >= self._room:
            self._make_room(caller)
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._lines.setdefault(caller, OrderedDict())[waiter] = None
        self._waiting += 1
        late = loop.call_later(self._seconds, _refuse, waiter)
        try:
            await waiter
        except BaseException:
            self._left(caller, waiter)
            raise
        finally:
            late.cancel()

    def _left(self, caller: str, waiter: asyncio.Future[None]) -> None:
        """Somebody waits no more, be it that a place came in the very moment."""
        if not waiter.cancelled() and waiter.exception() is None:
            self.give()
        else:
            self._remove(caller, waiter)

    def _remove(self, caller: str, waiter: asyncio.Future[None]) -> None:
        line = self._lines.get(caller)
        if line is None or waiter not in line:
            return
        del line[waiter]
        self._waiting -= 1
        if not line:
            del self._lines[caller]

    def _make_room(self, caller: str) -> None:
        """The last of the longest line goes, unless the newcomer's own is as long."""
        own = len(self._lines.get(caller, ()))
        longest = max(self._lines, key=lambda name: len(self._lines[name]), default=caller)
        if len(self._lines.get(longest, ())) <= own + 1:
            raise Busy
        last = next(reversed(self._lines[longest]))
        self._remove(longest, last)
        _refuse(last)


def _refuse(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(Busy())
