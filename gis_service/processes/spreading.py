"""A statistic whose zones are summed on a cluster; everything else of it is as the geoprocessor does it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Final

from gis_service.geoprocessing.spread import Done, OnCluster
from gis_service.processes.geoprocessor import STATISTICS, Geoprocessor
from gis_service.processes.resident import Question, Reply
from gis_service.reports import coverage_report
from gis_service.settings import Settings

SPREAD: Final = {"coverage": coverage_report.compute}


def answer(settings: Settings, dsn: str, question: Question, address: str, tell: Done) -> Reply:
    """The answer of this process, which reads the database and the stored index, and of the cluster."""
    compute = partial(SPREAD[question.process], spread=OnCluster(address, tell))
    ours = Geoprocessor.of(replace(settings, database_url=dsn), {**STATISTICS, question.process: compute})
    with closing(ours):
        return ours.answer(question)
