"""The job worker: `python -m gis_service.processes.worker`.

It reads GIS_ROOT, GIS_DATA and GIS_DATABASE_URL as the web server does, takes jobs from the queue as they
come, and ends on SIGTERM or SIGINT, when a running job goes back into the queue. Killed with -9 it loses
nothing: its heartbeat stops, and within STALE_SECONDS the next worker, or another one that runs beside it,
puts the job back into the queue and runs it again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import procrastinate
from procrastinate.exceptions import ConnectorException

from gis_service.access import sessions
from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.changes import upload
from gis_service.db import jobs_sql, point_tables, tile_tables
from gis_service.db.cluster import Cluster
from gis_service.db.sync import SyncDatabase
from gis_service.errors import DatabaseDown, GisError
from gis_service.observe import Log, log_to_stderr
from gis_service.processes import mailing
from gis_service.processes.errors import EngineAway, WorkerStopping
from gis_service.processes.runner import Runner
from gis_service.settings import Limits, Settings, load_settings
from gis_service.tiles import deriving, gathering

HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 8.0
RESCUE_SECONDS = 2.0
FORGET_SECONDS = 3600.0
STOP_SECONDS = 15.0
RETRY_SECONDS = 5
DRAFT_SECONDS = 0.5
DERIVE_SECONDS = 0.5
TELL_SECONDS = 5.0
_log = Log("gis.worker")


def app(dsn: str, runner: Runner) -> procrastinate.App:
    """The queue with its one task; procrastinate finds its tables by the search path."""
    connector = procrastinate.PsycopgConnector(
        conninfo=dsn,
        kwargs={"options": "-c search_path=gis_queue,public", "application_name": "gis-service worker"},
        min_size=1,
        max_size=3,
    )
    made = procrastinate.App(connector=connector)
    # While the database is away the job waits in the queue; a worker that dies is `rescue`'s business.
    again = procrastinate.RetryStrategy(
        wait=RETRY_SECONDS, retry_exceptions={DatabaseDown, EngineAway, WorkerStopping}
    )
    made.task(name="run_job", retry=again)(runner.run)
    return made


async def work(settings: Settings, dsn: str) -> None:
    """Take jobs until told to stop."""
    runner = Runner(settings, load_catalog(settings.root), dsn)
    queue = app(dsn, runner)
    async with queue.open_async():
        aside = [
            asyncio.create_task(_rescue(queue)),
            asyncio.create_task(_forget(settings, dsn)),
            asyncio.create_task(_draft(settings, dsn, runner.catalog)),
            asyncio.create_task(_tell(settings, dsn, runner.catalog)),
            asyncio.create_task(_derive(dsn, runner.catalog)),
        ]
        worker = asyncio.create_task(
            queue.run_worker_async(
                concurrency=1,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALE_SECONDS,
                shutdown_graceful_timeout=STOP_SECONDS,
                install_signal_handlers=False,
            )
        )
        _stop_on_signals(runner, worker)
        await asyncio.gather(worker, return_exceptions=True)
        for task in aside:
            task.cancel()
        await asyncio.gather(*aside, return_exceptions=True)
    if not worker.cancelled() and (fault := worker.exception()) is not None:
        raise fault


def _stop_on_signals(runner: Runner, worker: asyncio.Task[None]) -> None:
    """SIGTERM and SIGINT send the running job back into the queue and end the worker."""

    def stop() -> None:
        runner.stopping.set()
        worker.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _rescue(queue: procrastinate.App) -> None:
    """Put the jobs of dead workers back into the queue."""
    while True:
        try:
            for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALE_SECONDS):
                await queue.job_manager.retry_job(job)
                _log.warning("job rescued", job=job.task_kwargs.get("job_id"))
        except ConnectorException as err:
            _log.warning("queue away", reason=str(err))
        await asyncio.sleep(RESCUE_SECONDS)


async def _forget(settings: Settings, dsn: str) -> None:
    """Drop jobs, and sessions that are over, that are older than the operator keeps them."""
    while True:
        try:
            jobs, over = await asyncio.to_thread(_forget_once, dsn, settings.limits)
            _log.info("jobs and sessions forgotten", jobs=jobs, sessions=over)
        except GisError as err:
            _log.warning("jobs and sessions not forgotten", reason=str(err))
        await asyncio.sleep(FORGET_SECONDS)


async def _draft(settings: Settings, dsn: str, catalog: Catalog) -> None:
    """Make drafts of the files that people send, one after the other."""
    while True:
        more = False
        try:
            more = await asyncio.to_thread(upload.next_one, dsn, settings.workflow, catalog.layers)
        except GisError as err:
            _log.warning("uploads not read", reason=str(err))
        if not more:
            await asyncio.sleep(DRAFT_SECONDS)


async def _tell(settings: Settings, dsn: str, catalog: Catalog) -> None:
    """Send people notices of what happened to proposals."""
    while True:
        try:
            await asyncio.to_thread(mailing.send, dsn, settings, catalog.layers)
        except GisError as err:
            _log.warning("notices not sent", reason=str(err))
        await asyncio.sleep(TELL_SECONDS)


async def _derive(dsn: str, catalog: Catalog) -> None:
    """Keep the tile tables up with what is written; until then tiles are made of the rows themselves."""
    layers = catalog.layers.values()
    surfaces, gatherings = tile_tables.surfaces(layers), point_tables.gatherings(layers)
    while True:
        try:
            await asyncio.to_thread(deriving.keep_up, dsn, surfaces)
            await asyncio.to_thread(gathering.keep_up, dsn, gatherings)
        except GisError as err:
            _log.warning("tile tables not derived", reason=str(err))
        await asyncio.sleep(DERIVE_SECONDS)


def _forget_once(dsn: str, limits: Limits) -> tuple[int, int]:
    with SyncDatabase(dsn) as database:
        jobs = int(database.run(jobs_sql.forget(limits.job_days))[0][0])
        return jobs, sessions.forget(database, limits.session_days)


def main() -> int:
    """Run the worker of this environment; the exit code of the error that stopped it."""
    root = Path(os.environ.get("GIS_ROOT") or Path(__file__).parents[2])
    try:
        settings = load_settings(root, os.environ)
        log_to_stderr(settings.log_level)
        asyncio.run(work(settings, settings.database_url or Cluster(settings.data_dir).dsn()))
    except GisError as err:
        print(err, file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
