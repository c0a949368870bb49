"""Keeps the engine's indexes: made once, stored, and brought up to the moment in which a question is asked.

Every question runs in one snapshot of the database. What was written since the index was last brought up is
read in that snapshot too, so an answer never mixes two states, and holds all that was committed before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from gis_service.db import engine_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_tables import Surface
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine import store
from gis_service.geoprocessing.engine.index import Index, Keys, Rows
from gis_service.geoprocessing.engine.store import Stored
from gis_service.geoprocessing.groups import Unions
from gis_service.geoprocessing.kept import Kept
from gis_service.observe import Log

FLAT: Final = frozenset({"protected_area"})  # tables whose areas lie over each other and are counted once
BATCH_ROWS: Final = 500
MOST_CHANGED: Final = 0.05  # of a table: more are made anew, which is quicker
FEW: Final = 200
MOST_LARGE: Final = 24  # values that hold arrays as long as a table's
STORE_SECONDS: Final = 60.0  # at most so often an index that changed is written to disk
_log = Log("gis.engine")

Tell = Callable[[str, float], None]
"""Which table is under way, and how far from 0 to 1."""


def _silent(_table: str, _share: float) -> None:
    """Nobody is told."""


@dataclass
class _Held:
    """The index of a table and what it is of; one at a time brings it up."""

    index: Index | None = None
    stored: Stored | None = None
    changes: int = 0
    stored_at: float = 0.0
    unions: Unions = field(default_factory=Unions)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Keeper:
    """The indexes of one service, shared by the threads that answer questions."""

    def __init__(self, home: Path, threads: int = 2) -> None:
        self._home = home
        self.kept = Kept()
        self.large = Kept(MOST_LARGE)
        self._threads = ThreadPoolExecutor(threads, "gis-engine")
        self._held: dict[str, _Held] = {}
        self._making = threading.Lock()

    @contextmanager
    def moment(
        self, database: SyncDatabase, surfaces: Sequence[Surface], tell: Tell = _silent
    ) -> Iterator[Mapping[str, Index]]:
        """One snapshot of the database, and the areas of these tables (by name) as it has them.

        Who brings an index up takes its lock before the snapshot: an index never goes back to an older one.
        """
        tables = sorted(surfaces, key=lambda each: each.name)
        with ExitStack() as stack:
            with ExitStack() as locks:
                for table in tables:
                    locks.enter_context(self._of(table).lock)
                stack.enter_context(database.snapshot())
                made = {each.name: self._brought_up(database, each, tell) for each in tables}
            yield made

    def unions(self, surface: Surface) -> Unions:
        """The unions of features of a table that were drawn for its index."""
        return self._of(surface).unions

    def _of(self, surface: Surface) -> _Held:
        with self._making:
            return self._held.setdefault(surface.name, _Held())

    def _brought_up(self, database: SyncDatabase, surface: Surface, tell: Tell) -> Index:
        held = self._of(surface)
        snapshot, whose = database.run(engine_sql.NOW)[0]
        self._open(held, surface, whose)
        written = _written(database, surface, held.stored.snapshot) if held.stored is not None else None
        if held.index is None or written is None:
            self._build(held, database, surface, tell)
        elif written:
            self._follow(held, database, surface, written)
        assert held.index is not None, "built or followed"
        held.stored = Stored(surface.name, whose, snapshot)
        if held.changes and time.monotonic() - held.stored_at > STORE_SECONDS:
            held.stored_at = time.monotonic()
            self._threads.submit(self._store, held, held.index, held.stored)
        return held.index

    def close(self) -> None:
        """Store what changed since it was stored."""
        self._threads.shutdown()
        for held in self._held.values():
            if held.changes and held.index is not None and held.stored is not None:
                self._store(held, held.index, held.stored)

    def _open(self, held: _Held, surface: Surface, whose: str) -> None:
        if held.index is None and (found := store.load(surface.name, self._home)) is not None:
            held.index, held.stored = found
        if held.stored is not None and held.stored.database != whose:
            held.index = held.stored = None

    def _build(self, held: _Held, database: SyncDatabase, surface: Surface, tell: Tell) -> None:
        def told(share: float) -> None:
            tell(surface.table, share)

        began = time.perf_counter()
        rows = _batches(database, engine_sql.areas(surface))
        held.index = engine.build(rows, surface.table in FLAT, self._threads, told)
        held.changes, held.stored_at = held.index.labels + 1, -STORE_SECONDS
        held.unions = Unions()  # labels are numbered anew
        seconds = time.perf_counter() - began
        _log.info("built", table=surface.table, features=held.index.labels, seconds=seconds)

    def _follow(self, held: _Held, database: SyncDatabase, surface: Surface, written: Sequence[int]) -> None:
        assert held.index is not None
        found = list(_batches(database, engine_sql.areas(surface, written)))
        there = np.concatenate([keys for keys, _ in found]) if found else np.empty(0, np.int64)
        gone = np.setdiff1d(np.array(written, np.int64), there)
        held.index = engine.changed(held.index, found, gone)
        held.changes += len(written)

    def _store(self, held: _Held, index: Index, stored: Stored) -> None:
        """Write an index to disk; a full disk costs a longer start, and nothing else."""
        changes = held.changes
        try:
            store.save(index, stored, self._home)
            held.changes -= changes
        except OSError as err:
            _log.warning("index not stored", table=stored.table, reason=str(err))


def _written(database: SyncDatabase, surface: Surface, since: str) -> list[int] | None:
    """The keys that were written since a snapshot; None where so many were that all is made anew."""
    keys = [key for (key,) in database.run(engine_sql.written(surface, since))]
    if keys and keys[0] == engine_sql.WHOLE_TABLE:
        return None
    if len(keys) <= FEW:
        return keys
    count = database.run(engine_sql.count(surface))[0][0]
    return keys if len(keys) <= MOST_CHANGED * count else None


def _batches(database: SyncDatabase, query: Query) -> Iterator[Rows]:
    held: list[tuple[Any, ...]] = []
    for row in database.stream(query, BATCH_ROWS):
        held.append(row)
        if len(held) == BATCH_ROWS:
            yield _rows(held)
            held = []
    if held:
        yield _rows(held)


def _rows(held: Sequence[tuple[Any, ...]]) -> Rows:
    keys: Keys = np.array([key for key, _ in held], np.int64)
    return keys, shapely.from_wkb([shape for _, shape in held])
