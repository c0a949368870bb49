"""A small world with round numbers, and a function that reports over it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from gis_service.access.policy import visible_layers
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import load_catalog
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.project import read_project
from gis_service.reports.drawing import Drawing
from gis_service.reports.model import OverlapReport
from gis_service.reports.overlap_report import Parameters, Reader, compute


@dataclass(frozen=True)
class Reporter:
    """Reports over one database as any principal."""

    dsn: str
    root: Path

    def both(
        self, shape: BaseGeometry | dict[str, Any], principal: Principal = PUBLIC, **chosen: Any
    ) -> tuple[OverlapReport, Drawing]:
        layers = load_catalog(self.root).layers.values()
        document = shape if isinstance(shape, dict) else mapping(shape)
        with SyncDatabase(self.dsn) as db:
            reader = Reader(principal, visible_layers(principal, layers))
            return compute(db, reader, read_project(document), Parameters(**chosen), Budget())

    def __call__(self, shape: BaseGeometry, principal: Principal = PUBLIC, **chosen: Any) -> OverlapReport:
        return self.both(shape, principal, **chosen)[0]


@pytest.fixture(scope="module")
def report(database: str, root: Path) -> Reporter:
    return Reporter(database, root)
