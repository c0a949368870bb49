"""One job from the queue to its documents: begun, told how far it is, stopped when dismissed, ended once."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gis_service.catalog.registry import Catalog
from gis_service.db import jobs_sql
from gis_service.db.sync import SyncDatabase
from gis_service.errors import DatabaseDown, GisError
from gis_service.geoprocessing.budget import Budget
from gis_service.observe import Log
from gis_service.processes import overlap_work, statistics_work
from gis_service.processes.catalogue import PROCESSES
from gis_service.processes.errors import EngineAway, JobDismissed, JobLost, WorkerStopping, kept
from gis_service.processes.job import Job
from gis_service.processes.made import Made
from gis_service.settings import Settings

MOST_ATTEMPTS = 3
_LOOK_SECONDS = 0.5  # how often a running job looks whether it was dismissed
_CALLBACK_SECONDS = 10
_log = Log("gis.worker")


@dataclass
class Runner:
    """Runs jobs one after the other, each with connections of its own."""

    settings: Settings
    catalog: Catalog
    dsn: str
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, job_id: str) -> None:
        """Run a job to its end. DatabaseDown and WorkerStopping pass through: the queue tries it again."""
        with SyncDatabase(self.dsn) as control:
            rows = control.run(jobs_sql.begin(job_id))
            if not rows:
                return  # dismissed, or ended by a worker that was thought dead
            job = Job.of(rows[0])
            began = time.monotonic()
            try:
                ended = self._attempt(control, job)
            except JobDismissed:
                ended = "dismissed"
            except WorkerStopping:
                control.run(jobs_sql.put_back(job.job_id))
                raise
            except EngineAway:
                control.run(jobs_sql.put_back(job.job_id))
                raise
            except DatabaseDown:
                raise
            except GisError as err:
                ended = _failed(control, job, err)
            except Exception as err:  # the rim: a fault of ours ends the job, not the worker
                _log.error("job fault", cause=err, job=job.job_id)
                ended = _failed(control, job, GisError())
        _log.info("job", job=job.job_id, process=job.process_id, status=ended, s=time.monotonic() - began)
        self._call_back(job, ended)

    def _attempt(self, control: SyncDatabase, job: Job) -> str:
        if job.attempts > MOST_ATTEMPTS:
            raise JobLost(attempts=job.attempts - 1)
        limits = self.settings.limits
        watch = _Watch(control, job.job_id, self.stopping)
        budget = Budget(limits.report_seconds, tell=watch.tell, look=watch.look)
        with SyncDatabase(self.dsn, timeout_ms=limits.report_seconds * 1000) as data:
            made = self._made(data, job, budget)
        names, types, bodies = zip(*((each.name, each.media_type, each.body) for each in made), strict=True)
        stored = control.run(jobs_sql.finish(job.job_id, names, types, bodies))[0][0]
        return "successful" if stored else "dismissed"

    def _made(self, data: SyncDatabase, job: Job, budget: Budget) -> list[Made]:
        if not PROCESSES[job.process_id].resident:
            return overlap_work.run(data, self.catalog, job, self.settings.limits, budget)
        return statistics_work.run(self.settings, job, budget)

    def _call_back(self, job: Job, ended: str) -> None:
        """Tell the caller's own server, if its host is still allowed; what it answers changes nothing."""
        name = {"successful": "successUri", "failed": "failedUri"}.get(ended)
        address = str((job.callbacks or {}).get(name, "")) if name else ""
        if not address or urlsplit(address).hostname not in self.settings.callback_hosts:
            return
        body = json.dumps({"jobID": job.job_id, "status": ended, "href": f"{job.base_url}/jobs/{job.job_id}"})
        try:
            _post(address, body.encode())
        except (urllib.error.URLError, OSError, ValueError) as err:
            _log.warning("callback failed", job=job.job_id, reason=str(err))


@dataclass
class _Watch:
    """Tells the database how far the job is, and notices that it was dismissed or that the worker stops."""

    control: SyncDatabase
    job_id: str
    stopping: threading.Event
    percent: int = 0
    step: str = "reading"
    looked: float = field(default_factory=time.monotonic)

    def tell(self, percent: int, step: str) -> None:
        self.percent, self.step = percent, step
        self._write()

    def look(self) -> None:
        if self.stopping.is_set():
            raise WorkerStopping
        if time.monotonic() - self.looked > _LOOK_SECONDS:
            self._write()

    def _write(self) -> None:
        self.looked = time.monotonic()
        if not self.control.run(jobs_sql.progress(self.job_id, self.percent, self.step)):
            raise JobDismissed


def _failed(control: SyncDatabase, job: Job, err: GisError) -> str:
    control.run(jobs_sql.fail(job.job_id, kept(err)))
    return "failed"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A host that is allowed mustn't send us on to one that isn't."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(address: str, body: bytes) -> None:
    request = urllib.request.Request(  # noqa: S310  # the scheme was held to http and https when it was asked for
        address, body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=_CALLBACK_SECONDS):
        pass
