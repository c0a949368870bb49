"""Our side of pygeoapi's plug-in points: a manager over jobs read before, a processor that describes.

pygeoapi's functions are synchronous and ours are not, so a request reads what it needs first, lets pygeoapi
decide over these values, and then carries out what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pygeoapi.process.base import BaseProcessor, JobNotFoundError, JobResultNotFoundError
from pygeoapi.process.manager.base import BaseManager
from pygeoapi.util import JobStatus

from gis_service.processes.catalogue import PROCESSES
from gis_service.processes.job import STEPS, Job
from gis_service.texts import say

TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Asked:
    """What a client asked to execute, as pygeoapi read it."""

    process_id: str
    inputs: Any  # checked by the process
    response: str


@dataclass
class Held:
    """What one request holds: jobs that the caller may see, a result that was read, and what was decided."""

    lang: str = "en"
    jobs: Mapping[str, Job] = field(default_factory=dict)
    matched: int = 0
    result: tuple[str, Any] | None = None
    asked: Asked | None = None
    dismissed: str | None = None


class Manager(BaseManager):  # type: ignore[misc]  # pygeoapi has no types
    """pygeoapi's manager over what a request holds."""

    def __init__(self, manager_def: dict[str, Any]) -> None:
        super().__init__(manager_def)
        self.is_async = True
        self.supports_subscribing = True
        self.held = Held()

    def get_jobs(
        self, status: object = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]:
        del status, limit, offset  # the jobs were read by them already
        return {
            "jobs": [described(job, self.held.lang) for job in self.held.jobs.values()],
            "numberMatched": self.held.matched,
        }

    def get_job(self, job_id: str) -> dict[str, Any]:
        if job_id not in self.held.jobs:
            raise JobNotFoundError
        return described(self.held.jobs[job_id], self.held.lang)

    def get_job_result(self, job_id: str) -> tuple[str, Any]:
        if job_id not in self.held.jobs:
            raise JobNotFoundError
        if self.held.result is None:
            raise JobResultNotFoundError
        return self.held.result

    def delete_job(self, job_id: str) -> bool:
        if job_id not in self.held.jobs:
            raise JobNotFoundError
        self.held.dismissed = job_id
        return True

    def execute_process(
        self, process_id: str, data_dict: Any, *_: object, **more: object
    ) -> tuple[str, str, None, Any, dict[str, str]]:
        """Note what was asked; the job is made when pygeoapi has returned."""
        self.held.asked = Asked(process_id, data_dict, str(more.get("requested_response") or "raw"))
        return "", "application/json", None, JobStatus.accepted, {}


class Described(BaseProcessor):  # type: ignore[misc]  # pygeoapi has no types
    """Describes the process that its definition names; others run it."""

    def __init__(self, processor_def: dict[str, Any]) -> None:
        super().__init__(processor_def, PROCESSES[processor_def["process"]].metadata())


def described(job: Job, lang: str) -> dict[str, Any]:
    """A job in pygeoapi's words."""
    return {
        "identifier": job.job_id,
        "process_id": job.process_id,
        "status": job.status,
        "message": message(job, lang),
        "progress": job.progress,
        "created": _time(job.created),
        "started": _time(job.started or job.created),
        "finished": _time(job.finished),
        "updated": _time(job.updated),
        "mimetype": "application/json",
    }


def message(job: Job, lang: str) -> str:
    """Where a job stands, in a few words."""
    if job.status == "running" and job.step in STEPS:
        return say(STEPS[job.step], lang)
    return say(f"report.job.{job.status}", lang)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime(TIME)
