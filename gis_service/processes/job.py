"""A job as it stands in the database, and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis_service.access.principal import Principal
from gis_service.db import jobs_sql

Document = Mapping[str, Any]  # JSON

STEPS = {
    "reading": "report.step.reading",
    "protected areas": "report.step.areas",
    "species ranges": "report.step.ranges",
    "occurrences": "report.step.occurrences",
    "plots": "report.step.plots",
    "drawing": "report.step.drawing",
    "writing": "report.step.writing",
    "computing": "report.step.computing",
}


@dataclass(frozen=True)
class Job:
    """One row of gis_queue.job; `inputs` is empty where only the worker would need it."""

    job_id: str
    process_id: str
    owner: str
    policy_class: str
    tier: Any  # one of Principal's tiers: the table checks it
    jurisdictions: tuple[str, ...]
    lang: str
    inputs: Document
    response: str
    format: str
    callbacks: Document | None
    base_url: str
    status: str
    progress: int
    step: str | None
    error: Document | None
    attempts: int
    created: datetime
    started: datetime | None
    updated: datetime
    finished: datetime | None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Job:
        """The job of a row of `jobs_sql.COLUMNS`."""
        values = dict(zip(jobs_sql.COLUMNS, row, strict=True))
        values |= {
            "job_id": str(values["job_id"]),
            "inputs": values["inputs"] or {},
            "jurisdictions": tuple(values["jurisdictions"]),
        }
        return cls(**values)

    @property
    def principal(self) -> Principal:
        """Who asked, as that caller stood then."""
        return Principal(self.owner, self.tier, self.jurisdictions)

    @property
    def ended(self) -> bool:
        return self.status in ("successful", "failed", "dismissed")

    def belongs_to(self, principal: Principal) -> bool:
        """Whether a caller may see it: the same one with the same rights as when it was asked for.

        The public's jobs are seen by whoever knows their random id.
        """
        return self.owner == principal.name and self.policy_class == principal.policy_class
