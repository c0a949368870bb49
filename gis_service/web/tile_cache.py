"""Tiles as they are answered: kept ones while nothing changed, else drawn once for all who ask.

Why none shows an older state more than a second after a commit, whatever happens between the two:
- A kept tile is shown only while `hearing` is current: then every change that was committed 0.8 s ago or
  earlier has been followed, and has thrown the tile away. Otherwise it's marked as stale.
- A drawing is registered before its statement takes a snapshot. A change that is followed after that marks
  it as outdated, and it isn't kept, nor joined by who asks later; what was followed before is in its
  snapshot. So nothing is kept that misses a change which has been followed, and what hasn't been followed
  yet throws it away later.
- A drawing that took longer than 0.8 s is shown only if nothing outdated it and the process hears; else it's
  drawn again, and marked as stale if that happens over and over.
- When the database was away, the first reading afterwards tells of all that was missed, or that something
  is lost; only then what is kept is trusted again.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gis_service.db.tile_feed import News, TileFeed
from gis_service.errors import DatabaseDown
from gis_service.observe import Metrics
from gis_service.tiles.cache import Headers, Kept, Key, Place, Source, TileCache, Watch
from gis_service.web import credentials, finish, packing
from gis_service.web.credentials import Sent
from gis_service.web.lru import Lru
from gis_service.web.message import Response
from gis_service.web.tile_hearing import CURRENT_SECONDS, Hearing

TRIES: Final = 3
_OTHERS: Final = 20_000  # tags of purged tiles, to tell how many of them were purged for nothing
EVERY: Final = "*"
_COUNT_SECONDS: Final = 0.25
_COUNTED: Final = ("hit", "stale", "drawn", "joined", "purged", "needless", "evicted")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tile as the database gives it, empty where nothing is there, and what is said of it in headers."""

    body: bytes
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tile that is asked for: what it depends on, how it's drawn, and how it's sent."""

    key: Key
    place: Place
    of: Sequence[Source]
    draw: Callable[[], Awaitable[Drawn]]
    headers: Headers
    media: str
    seconds: int | None = None  # how long it may be shown where nothing tells of changes
    path: str | None = None  # at which the public gets it
    tag: str | None = None  # where it isn't that of its bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A tile, and since how many seconds it may have changed; None if it's as it is now."""

    kept: Kept
    age: float | None = None


class _Flight:
    """A drawing and those who wait for it; it ends when nobody does."""

    task: asyncio.Task[Kept]

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.began = time.monotonic()
        self.outdated = False
        self.waiting = 0


class Tiles:
    """The tiles of one web process."""

    def __init__(self, dsn: str, most_bytes: int, metrics: Metrics, back: Callable[[], None]) -> None:
        self._cache = TileCache(most_bytes, lambda n: self._count("evicted", n))
        self._flights: dict[Key, _Flight] = {}
        self._watched: Watch[_Flight] = Watch()
        self._waited_for: set[_Flight] = set()
        self._hearing = Hearing(TileFeed(dsn), self._follow, back)
        self._running: list[asyncio.Task[None]] = []
        self._metrics, self._worker = metrics, str(os.getpid())
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._quick = 0
        self._purged: Lru[Key, str] = Lru(_OTHERS)
        self._epoch = 0
        self._thrown = set[str]()

    @property
    def epoch(self) -> int:
        """The policy epoch under which tiles are drawn and kept."""
        return self._hearing.epoch

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._running = [loop.create_task(self._hearing.follow()), loop.create_task(self._report())]

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def listening(self) -> bool:
        """Whether changes are heard."""
        return await self._hearing.current()

    @property
    def share(self) -> float:
        """How much of the memory for tiles is taken."""
        return self._cache.share

    def holds(self, wanted: Wanted) -> bool:
        """Whether the tile is kept, which isn't counted as asked for."""
        return self._cache.get(wanted.key) is not None

    def thrown(self) -> set[str]:
        """The tables of which tiles were thrown away since this was asked before; EVERY for all."""
        found, self._thrown = self._thrown, set()
        return found

    def quick(self, path: str, headers: Sent) -> Response | None:
        """A kept tile for the public at a path without a query; nothing is awaited."""
        kept = self._cache.at(path)
        if kept is None or not self._hearing.is_current or credentials.has_any(headers):
            return None
        self._counts["hit"] += 1
        self._quick += 1
        if kept.tag is None:
            return Response(kept.status, kept.headers)
        asked = headers.get("if-none-match", "")
        if asked and (tag := finish.held(asked, kept.tag)) is not None:
            return Response(304, (*kept.said, ("etag", tag)))
        if kept.packed and not packing.takes_gzip(headers.get("accept-encoding", "")):
            return _unpacked(kept)
        return Response(kept.status, kept.headers, kept.body)

    async def get(self, wanted: Wanted) -> Shown:
        """The tile as it is now, or marked with its age where that can't be known."""
        held = self._cache.get(wanted.key)
        if held is not None and time.monotonic() < held.until:
            current = await self._hearing.current()
            held = self._cache.get(wanted.key)  # what was waited for may have thrown it away
            if held is not None:
                self._counts["hit" if current else "stale"] += 1
                self._name(wanted)
                return Shown(held) if current else Shown(held, self._age(held))
        try:
            return await self._drawn(wanted)
        except DatabaseDown:
            held = self._cache.get(wanted.key)
            if held is None:
                raise
            self._counts["stale"] += 1
            return Shown(held, self._age(held))

    def _age(self, kept: Kept) -> float:
        heard = self._hearing.heard_at if kept.until == math.inf else kept.made_at
        return time.monotonic() - max(heard, kept.made_at)

    async def _drawn(self, wanted: Wanted) -> Shown:
        for _ in range(TRIES):
            with self._joined(wanted) as flight:
                kept = await asyncio.shield(flight.task)
                if time.monotonic() - flight.began < CURRENT_SECONDS:
                    return Shown(kept)
                current = await self._hearing.current()
                if current and not flight.outdated:
                    return Shown(kept)
            if not current:
                break
        return Shown(kept, time.monotonic() - kept.made_at)

    @contextmanager
    def _joined(self, wanted: Wanted) -> Iterator[_Flight]:
        """A drawing that no change has outdated yet, one's own if there is none."""
        flight = self._flights.get(wanted.key)
        self._counts["drawn" if flight is None else "joined"] += 1
        if flight is None:
            flight = self._flights[wanted.key] = _Flight(wanted)
            # Before the statement runs, so that no change passes between its snapshot and this.
            self._watched.add(flight, wanted.place, wanted.of)
            self._waited_for.add(flight)
            flight.task = asyncio.create_task(self._fly(flight))
            flight.task.add_done_callback(_seen)
        flight.waiting += 1
        try:
            yield flight
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                self._watched.remove(flight, flight.wanted.place, flight.wanted.of)
                self._waited_for.discard(flight)
                self._land(flight)
                flight.task.cancel()

    async def _fly(self, flight: _Flight) -> Kept:
        try:
            wanted = flight.wanted
            kept = await _ready(wanted, await wanted.draw(), flight.began)
            if not flight.outdated:
                self._cache.put(wanted.key, kept)
                self._name(wanted)
            if kept.tag is not None and self._purged.get(wanted.key) == kept.tag:
                self._counts["needless"] += 1
            return kept
        finally:
            self._land(flight)

    def _land(self, flight: _Flight) -> None:
        """Let nobody else join."""
        if self._flights.get(flight.wanted.key) is flight:
            del self._flights[flight.wanted.key]

    def name(self, wanted: Wanted, path: str) -> None:
        """Let the public have the tile at a path without being asked more."""
        if wanted.seconds is None:
            self._cache.name(wanted.key, path)

    def _name(self, wanted: Wanted) -> None:
        if wanted.path is not None:
            self.name(wanted, wanted.path)

    def _follow(self, news: News) -> None:
        """Throw away what may have changed. All of it where it isn't told what, and where rights changed."""
        if news.lost or news.epoch != self._epoch:
            self._epoch = news.epoch
            gone = self._cache.clear()
            self._counts["purged"] += gone
            self._thrown |= {EVERY} if gone else set()
            for flight in self._waited_for:
                self._outdate(flight)
            return
        for change in news.changes:
            purged = self._cache.purge(change)
            self._counts["purged"] += len(purged)
            self._thrown |= {change.table} if purged else set()
            for key, tag in purged.items():
                self._purged.put(key, tag)
            for flight in self._watched.touched(change):
                self._outdate(flight)

    def _outdate(self, flight: _Flight) -> None:
        flight.outdated = True
        self._land(flight)

    def _count(self, what: str, by: int) -> None:
        self._counts[what] += by

    async def _report(self) -> None:
        """Hand what was counted to /metrics now and then: that costs more than a hit itself."""
        while True:
            await asyncio.sleep(_COUNT_SECONDS)
            if self._quick:
                self._metrics.count("gis_requests_total", self._quick, route="kept-tile", worker=self._worker)
                self._quick = 0
            for what, number in self._counts.items():
                if number:
                    self._metrics.count("gis_tiles_total", number, what=what, worker=self._worker)
                    self._counts[what] = 0


def response(shown: Shown, accept_encoding: str) -> Response:
    """The answer with its headers but for those that every answer gets."""
    kept = shown.kept
    if kept.packed and not packing.takes_gzip(accept_encoding):
        made = _unpacked(kept)
    else:
        made = Response(kept.status, kept.headers, kept.body)
    if shown.age is not None:
        seconds = int(shown.age)
        made = made.with_headers(
            ("age", str(seconds)),
            ("cache-status", f"gis-service;hit;ttl=-{seconds}"),  # RFC 9211, 2.4: below zero is stale
            ("cache-control", "no-cache"),
        )
    elif kept.until != math.inf:
        made = made.with_headers(("age", str(int(time.monotonic() - kept.made_at))))
    return made


def _unpacked(kept: Kept) -> Response:
    """For the few that don't take gzip; the tag of the bytes as such."""
    headers = tuple(pair for pair in kept.headers if pair[0] not in ("content-encoding", "etag"))
    tag = ("etag", kept.tag or "")
    return Response(kept.status, (*headers, tag), packing.unpacked(kept.body))


async def _ready(wanted: Wanted, drawn: Drawn, began: float) -> Kept:
    """The tile compressed once, with the headers of a public answer."""
    until = math.inf if wanted.seconds is None else began + wanted.seconds
    said = (*wanted.headers, *drawn.headers, *finish.CORS, finish.NOSNIFF)
    if not drawn.body:
        return Kept(204, b"", said, wanted.place, wanted.of, said=said, made_at=began, until=until)
    tag = wanted.tag or finish.etag_of(drawn.body)
    body, packed = drawn.body, len(drawn.body) >= packing.LEAST
    headers: Headers = (("content-type", wanted.media), *said)
    if packed:
        body = await packing.GZIP.pack(drawn.body)
        headers += (("content-encoding", "gzip"), ("etag", finish.variant(tag, packing.GZIP)))
    else:
        headers += (("etag", tag),)
    return Kept(
        200, body, headers, wanted.place, wanted.of, packed, tag, said=said, made_at=began, until=until
    )


def _seen(task: asyncio.Task[Kept]) -> None:
    """Whoever waited has the fault; if all have left it's nobody's."""
    if not task.cancelled():
        task.exception()
