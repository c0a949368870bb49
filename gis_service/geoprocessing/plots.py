"""Monitoring plots inside the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.species import inside, latest

NAMES = ("location_id", "name", "plot_type", "stratum", "area_m2", "last_visit")


@dataclass(frozen=True)
class Plot:
    """A plot as the reader sees it."""

    feature_id: str
    values: Mapping[str, Any]
    basis: str
    dataset_id: int
    last_visit: date | None
    generalised: bool
    place: tuple[float, float]


def plots(db: SyncDatabase, view: ViewedLayer, project: BaseGeometry, budget: Budget) -> tuple[Plot, ...]:
    """The plots inside, in the order of their ids."""
    found = [
        Plot(
            str(row[0]),
            values,
            row[1],
            row[2],
            latest(None, values.get("last_visit")),
            bool(row[5]),
            row[3:5],
        )
        for row, values in inside(db, view, NAMES, project, budget)
    ]
    return tuple(sorted(found, key=lambda plot: plot.feature_id))
