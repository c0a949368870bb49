"""All tiles of layers from zoom to zoom, in one snapshot; below a tile with nothing near it none is asked.

Tiles of a zoom come along the Hilbert curve, as PMTiles wants them, so an archive is written as it's drawn.
"""

from __future__ import annotations

import gzip
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from pmtiles.tile import zxy_to_tileid

from gis_service.catalog.view import ViewedLayer
from gis_service.db import tile_probe, tilesql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_probe import Probe
from gis_service.db.tilesql import TileStatement
from gis_service.geo import tiles
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering

AT_ONCE: Final = 512  # tiles of a batch, drawn before the first of them is written
STATEMENT_MS: Final = 600_000  # the largest tile of the lowest zoom, where nobody waits
PACKED: Final = 6  # zlib's level: archives are written once and read often

Tell = Callable[[int, int, int], None]
"""Of a zoom, how many tiles are done, of how many."""


@dataclass(frozen=True)
class Found:
    """A tile that isn't empty, gzipped."""

    tile: Tile
    body: bytes


@dataclass(frozen=True)
class Walk:
    """The layers of one caller within a box, from the first zoom to the last."""

    views: Sequence[ViewedLayer]
    box: BBox
    first: int
    last: int

    def tiles(self, dsn: str, tell: Tell = lambda _zoom, _done, _all: None) -> Iterator[Found]:
        """Every tile that holds something, as the service would draw it at one moment.

        It begins at the whole world however high the first zoom is: what is empty is left out early.
        """
        with _workers(dsn) as (threads, lend):
            asked = [Tile(0, 0, 0)]
            for zoom in range(self.last + 1):
                drawing = _Drawing.of(self.views if zoom >= self.first else (), self.views, zoom)
                alive: list[Tile] = []
                for at in range(0, len(asked), AT_ONCE):
                    tell(zoom, at, len(asked))
                    batch = asked[at : at + AT_ONCE]
                    made = threads.map(lambda tile, one=drawing: lend(one.draw, tile), batch)
                    for tile, (body, near) in zip(batch, made, strict=True):
                        if body:
                            yield Found(tile, body)
                        if near:
                            alive.append(tile)
                tell(zoom, len(asked), len(asked))
                asked = self._below(alive)

    def _below(self, alive: Sequence[Tile]) -> list[Tile]:
        """The tiles of the next zoom in those, as far as they meet the box; in order because those are."""
        if not alive:
            return []
        zoom = alive[0].z + 1
        west, north, east, south = _showing(self.box, zoom)
        inner = [
            Tile(zoom, 2 * tile.x + dx, 2 * tile.y + dy)
            for tile in alive
            for dx in (0, 1)
            for dy in (0, 1)
            if west <= 2 * tile.x + dx <= east and north <= 2 * tile.y + dy <= south
        ]
        return sorted(inner, key=number)


def number(tile: Tile) -> int:
    """The place of a tile in a PMTiles archive."""
    return int(zxy_to_tileid(tile.z, tile.x, tile.y))


def _showing(box: BBox, zoom: int) -> tuple[int, int, int, int]:
    """The tiles that show something of a box, be it in their buffers."""
    reach = 360 / (1 << zoom) * tiles.BUFFER / tiles.EXTENT  # degrees; of latitude it's never more
    west, south, east, north = box.as_tuple()
    wider = (max(-180, west - reach), max(-90, south - reach), min(180, east + reach), min(90, north + reach))
    return covering(BBox(*wider), zoom)


@dataclass(frozen=True)
class _Drawing:
    """The statements of a zoom; a statement reads as one role, and a caller may read layers by several.

    Of layers that begin at a higher zoom it's only asked whether they will have something there.
    """

    statements: tuple[TileStatement, ...]
    probes: tuple[Probe, ...]

    @classmethod
    def of(cls, drawn: Sequence[ViewedLayer], asked: Sequence[ViewedLayer], zoom: int) -> _Drawing:
        drawn = [view for view in drawn if view.tiles.zoom[0] <= zoom <= view.tiles.zoom[1]]
        statements = tuple(tilesql.compose(each, zoom) for each in _alike(drawn))
        return cls(statements, tuple(tile_probe.compose(each) for each in _alike(asked)))

    def draw(self, database: SyncDatabase, tile: Tile) -> tuple[bytes, bool]:
        """The tile gzipped, or nothing; and whether anything lies near it, be it too small to be drawn."""
        body = b"".join(bytes(database.run(statement.at(tile))[0][0]) for statement in self.statements)
        if body:
            return gzip.compress(body, PACKED, mtime=0), True
        return b"", any(database.run(probe.at(tile))[0][0] for probe in self.probes)


def _alike(views: Sequence[ViewedLayer]) -> list[list[ViewedLayer]]:
    return [list(group) for _, group in groupby(views, key=lambda view: view.role)]


Lend = Callable[[Callable[[SyncDatabase, Tile], tuple[bytes, bool]], Tile], tuple[bytes, bool]]


@contextmanager
def _workers(dsn: str) -> Iterator[tuple[ThreadPoolExecutor, Lend]]:
    """As many threads as cores, each question with a connection; all connections see the same moment."""
    idle: queue.SimpleQueue[SyncDatabase] = queue.SimpleQueue()
    count = os.cpu_count() or 1

    def lend(work: Callable[[SyncDatabase, Tile], tuple[bytes, bool]], tile: Tile) -> tuple[bytes, bool]:
        database = idle.get()
        try:
            return work(database, tile)
        finally:
            idle.put(database)

    with ExitStack() as stack:
        moment: str | None = None
        for _ in range(count):
            database = stack.enter_context(SyncDatabase(dsn, STATEMENT_MS))
            stack.enter_context(database.snapshot(moment))
            moment = moment or database.run(Query("select pg_export_snapshot()"))[0][0]
            idle.put(database)
        threads = stack.enter_context(ThreadPoolExecutor(count, "gis-walk"))
        yield threads, lend
