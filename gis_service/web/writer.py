"""What writes: blocking work in threads with connections of their own, each under the name of who acts."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from gis_service.access.principal import Role
from gis_service.db.audit import Actor, as_actor
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Busy, DatabaseDown
from gis_service.settings import Settings
from gis_service.web import origin
from gis_service.web.message import Request

T = TypeVar("T")
Work = Callable[[SyncDatabase], T]

THREADS: Final = 2  # connections of each web process; writes are rare beside reads
WAITING: Final = 50
LONGEST_CLIENT: Final = 300  # characters of a client's own words in the log
TIMEOUT_MS: Final = 60_000


class Writer:
    """Runs work in its own threads and connections, so that neither reads nor tiles wait for it."""

    def __init__(self, settings: Settings, dsn: str) -> None:
        self._settings, self._dsn = settings, dsn
        self._threads = ThreadPoolExecutor(THREADS, "gis-writer")
        self._free: queue.SimpleQueue[SyncDatabase] = queue.SimpleQueue()
        self._running = 0

    @property
    def dsn(self) -> str:
        """Where its connections lead, for work that needs another one."""
        return self._dsn

    async def run(self, request: Request, work: Work[T], role: Role = "editor", reason: str = "") -> T:
        """What the work gives; all that it writes is told by the log as done by the request's principal.

        Busy where too many wait. It goes on to its end although the client may leave: what was asked for
        was asked for, and a transaction stands or falls as a whole.
        """
        if self._running >= THREADS + WAITING:
            raise Busy
        actor = self.actor(request, role, reason)
        self._running += 1
        done = asyncio.get_running_loop().run_in_executor(self._threads, self._run, actor, work)
        done.add_done_callback(self._ended)
        return await asyncio.shield(done)

    def actor(self, request: Request, role: Role, reason: str = "") -> Actor:
        """Who asks, through which client: its address and what it calls itself."""
        address = origin.client_address(self._settings, request.headers, request.client)
        words = (request.header("user-agent") or "").replace("\x00", "")
        return Actor(request.principal.name, role, f"{address} {words}".strip()[:LONGEST_CLIENT], reason)

    def close(self) -> None:
        """Wait for what runs, and let the connections go."""
        self._threads.shutdown()
        while not self._free.empty():
            self._free.get().close()

    def _ended(self, done: asyncio.Future[T]) -> None:
        self._running -= 1
        if not done.cancelled():
            done.exception()  # the request has it; one that has left needs it no more

    def _run(self, actor: Actor, work: Work[T]) -> T:
        database = self._connection(actor)
        try:
            made = work(database)
        except DatabaseDown:
            database.close()
            raise
        except BaseException:
            self._free.put(database)
            raise
        self._free.put(database)
        return made

    def _connection(self, actor: Actor) -> SyncDatabase:
        """A connection that speaks as the actor; one that broke while it was idle is made anew."""
        while not self._free.empty():
            try:
                database = self._free.get_nowait()
                database.run(as_actor(actor, session=True))
            except queue.Empty:
                break
            except DatabaseDown:
                database.close()
            else:
                return database
        database = SyncDatabase(self._dsn, TIMEOUT_MS)
        database.run(as_actor(actor, session=True))
        return database
