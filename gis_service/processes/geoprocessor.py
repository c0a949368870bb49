"""The geoprocessor: `python -m gis_service.processes.geoprocessor`, the one process that holds the engine.

It reads GIS_ROOT, GIS_DATA and GIS_DATABASE_URL as the web server does, answers questions on a unix socket,
each in a thread, and ends on SIGTERM or SIGINT. Killed with -9 it loses nothing: what isn't on disk is in the
database. Compiled functions are kept in the data folder where NUMBA_CACHE_DIR says so.
"""

from __future__ import annotations

import os
import queue
import signal
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from gis_service.access import keystore
from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.db import engine_sql
from gis_service.db.cluster import Cluster
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Busy, DatabaseDown, GisError, Timeout
from gis_service.geoprocessing.engine.rehearsal import rehearse
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.observe import Log, log_to_stderr
from gis_service.processes import resident
from gis_service.processes.resident import Question, Reply
from gis_service.reports import (
    class_areas_report,
    connectivity_report,
    coverage_report,
    estimate_report,
    overlap_statistic,
    plots_report,
    range_metrics_report,
    representation_report,
)
from gis_service.reports.statistic import Reader
from gis_service.reports.table import CSV, JSON, Table
from gis_service.settings import Limits, Settings, load_settings

MOST_AT_ONCE: Final = 4  # questions; each has a connection of its own
MOST_WAITING: Final = 64
MOST_LINE: Final = 256 * 1024 * 1024
READY: Final = "ready"  # in the log, once no question waits for compiling or building
_log = Log("gis.engine")

Compute = Callable[[SyncDatabase, Keeper, Reader, Mapping[str, Any], Limits, Tell], Table]
STATISTICS: Final[Mapping[str, Compute]] = {
    "overlap": overlap_statistic.compute,
    "coverage": coverage_report.compute,
    "representation": representation_report.compute,
    "range-metrics": range_metrics_report.compute,
    "plots": plots_report.compute,
    "estimate": estimate_report.compute,
    "class-areas": class_areas_report.compute,
    "connectivity": connectivity_report.compute,
}


def _silent(_table: str, _share: float) -> None:
    """Nobody is told."""


@dataclass
class Geoprocessor:
    """Answers questions, at most MOST_AT_ONCE of them at the same time."""

    settings: Settings
    catalog: Catalog
    dsn: str
    keeper: Keeper
    statistics: Mapping[str, Compute]
    _turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_AT_ONCE))
    _waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_WAITING))
    _idle: queue.SimpleQueue[SyncDatabase] = field(default_factory=queue.SimpleQueue)

    @classmethod
    def of(cls, settings: Settings, statistics: Mapping[str, Compute] = STATISTICS) -> Geoprocessor:
        dsn = settings.database_url or Cluster(settings.data_dir).dsn()
        keeper = Keeper(settings.data_dir / "engine", os.cpu_count() or 1)
        return cls(settings, load_catalog(settings.root), dsn, keeper, statistics)

    def answer(self, question: Question, tell: Tell = _silent) -> Reply:
        """The answer; a GisError says why there is none."""
        table = self.table(question, tell)
        return Reply(CSV, table.csv()) if question.form == "csv" else Reply(JSON, table.json())

    def table(self, question: Question, tell: Tell = _silent) -> Table:
        """What `answer` renders."""
        with self._turn(), self._database() as database:
            epoch = database.run(keystore.EPOCH)[0][0]
            reader = Reader.of(question.principal, self.catalog.layers.values(), epoch)
            compute = self.statistics[question.process]
            return compute(database, self.keeper, reader, question.inputs, self.settings.limits, tell)

    def warm(self, tell: Tell = _silent) -> None:
        """Bring every table's index up, so that nobody's question waits for it."""
        with self._database() as database:
            for surface in engine_sql.surfaces(self.catalog.layers.values()):
                with self.keeper.moment(database, [surface], tell):
                    pass

    def close(self) -> None:
        """Store what is worth keeping and let go of the database."""
        self.keeper.close()
        while not self._idle.empty():
            self._idle.get_nowait().close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise Busy
        try:
            seconds = self.settings.limits.report_seconds
            if not self._turns.acquire(timeout=seconds):
                raise Timeout(seconds=seconds)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._waiting.release()

    @contextmanager
    def _database(self) -> Iterator[SyncDatabase]:
        """A connection that is lent; one that failed isn't lent again."""
        try:
            lent = self._idle.get_nowait()
        except queue.Empty:
            lent = SyncDatabase(self.dsn, timeout_ms=self.settings.limits.report_seconds * 1000)
        try:
            yield lent
        except DatabaseDown:
            lent.close()
            while not self._idle.empty():
                self._idle.get_nowait().close()
            raise
        except BaseException:
            lent.close()
            raise
        self._idle.put(lent)


class _Handler(socketserver.StreamRequestHandler):
    """One question, one answer."""

    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline(MOST_LINE)
        if not line.endswith(b"\n"):
            return
        began = time.perf_counter()
        question = Question.of(line)
        try:
            answer = resident.written(self.server.geoprocessor.answer(question))
        except GisError as err:
            answer = resident.refusal(err)
        except Exception as err:  # the rim: a fault of ours ends the question, not the process
            _log.error("fault", cause=err, process=question.process)
            answer = resident.refusal(GisError())
        _log.info("answered", process=question.process, bytes=len(answer), s=time.perf_counter() - began)
        try:
            self.wfile.write(answer)
        except OSError:
            return  # nobody waits any more


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = MOST_WAITING

    def __init__(self, path: str, geoprocessor: Geoprocessor) -> None:
        self.geoprocessor = geoprocessor
        super().__init__(path, _Handler)


@contextmanager
def listening(geoprocessor: Geoprocessor) -> Iterator[_Server]:
    """The server on its socket, which the service's own user alone may open."""
    folder = geoprocessor.settings.data_dir / "run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / resident.SOCKET).unlink(missing_ok=True)
    with resident.address(geoprocessor.settings.data_dir) as path:
        before = os.umask(0o177)
        try:
            server = _Server(path, geoprocessor)
        finally:
            os.umask(before)
        with server:
            yield server


def serve(settings: Settings) -> None:
    """Answer until told to stop."""
    geoprocessor = Geoprocessor.of(settings)
    with listening(geoprocessor) as server:

        def stop(_number: int, _frame: FrameType | None) -> None:
            threading.Thread(target=server.shutdown).start()  # from this thread it would wait for itself

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        threading.Thread(target=_warm, args=(geoprocessor,), daemon=True).start()
        server.serve_forever(poll_interval=0.2)
    geoprocessor.close()


def _warm(geoprocessor: Geoprocessor) -> None:
    began = time.perf_counter()
    rehearse()
    try:
        geoprocessor.warm()
    except GisError as err:
        _log.warning("not warmed", reason=err.message())
    _log.info(READY, s=time.perf_counter() - began)


def main() -> int:
    """Run the geoprocessor of this environment; the exit code of the error that stopped it."""
    root = Path(os.environ.get("GIS_ROOT") or Path(__file__).parents[2])
    try:
        settings = load_settings(root, os.environ)
        log_to_stderr(settings.log_level)
        serve(settings)
    except GisError as err:
        print(err, file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
