"""The work of a statistic as a job: the geoprocessor is asked, and waited for as long as a job may take."""

from __future__ import annotations

from gis_service.errors import Timeout
from gis_service.geoprocessing.budget import Budget
from gis_service.processes import resident
from gis_service.processes.job import Job
from gis_service.processes.made import Made
from gis_service.processes.resident import Question
from gis_service.settings import Settings

FORMS = ("json", "csv")


def run(settings: Settings, job: Job, budget: Budget) -> list[Made]:
    """The answer in every form."""
    seconds = settings.limits.report_seconds
    made = []
    for number, form in enumerate(FORMS):
        budget.reach(5 + 45 * number, "computing")
        question = Question(job.process_id, job.inputs, job.principal, form)
        try:
            reply = resident.ask_and_wait(settings.data_dir, question, seconds)
        except TimeoutError as err:
            raise Timeout(seconds=seconds) from err
        made.append(Made(f"report.{form}", reply.media_type, reply.body).packed())
    return made
