"""Simulated monitoring plots: stratified random in the indicative protected areas, with two visits each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas
import numpy as np
import shapely

from gis_service.demo import simulate
from gis_service.demo.simulate import Generator
from gis_service.geo import areas

SIDE_M: Final = 20
AREA_M2: Final = 400.0
REVISIT_MONTHS: Final = 60
YEARS: Final = (2019, 2024)


@dataclass(frozen=True)
class Stratum:
    """A belt of latitude; its frame is the land of the indicative protected areas in it."""

    code: str
    title: str
    title_vi: str
    south: float
    north: float
    plots: int
    mean_dbh_cm: float


STRATA: Final = (
    Stratum("north", "Simulated stratum, from 18.5° N", "Tầng mô phỏng, từ 18,5° B", 18.5, 24, 55, 17),
    Stratum(
        "centre", "Simulated stratum, 14° to 18.5° N", "Tầng mô phỏng, 14° đến 18,5° B", 14, 18.5, 50, 21
    ),
    Stratum("south", "Simulated stratum, to 14° N", "Tầng mô phỏng, đến 14° B", 8, 14, 45, 24),
)


@dataclass(frozen=True)
class Simulated:
    """The frames' areas by stratum, the plots, and what was seen at them."""

    frame_area_km2: dict[str, float]
    plots: list[dict[str, Any]]
    places: np.ndarray
    visits: list[dict[str, Any]]
    measurements: list[dict[str, Any]]


def simulated(sites: geopandas.GeoDataFrame) -> Simulated:
    """Plots, visits and measurements in the protected areas of that frame."""
    random = simulate.generator("plots")
    land = shapely.intersection(shapely.union_all(sites.geometry.values), simulate.outline())
    made = Simulated({}, [], np.empty((0, 2)), [], [])
    places = []
    for stratum in STRATA:
        belt = shapely.intersection(land, shapely.box(100, stratum.south, 112, stratum.north))
        made.frame_area_km2[stratum.code] = round(_km2(belt), 3)
        places.append(simulate.places_in(belt, stratum.plots, random))
        for number in range(1, stratum.plots + 1):
            _add_plot(made, stratum, number, random)
    return Simulated(made.frame_area_km2, made.plots, np.vstack(places), made.visits, made.measurements)


def _km2(shape: shapely.Geometry) -> float:
    """The exact area on the ellipsoid, with edges straight in longitude and latitude."""
    polygons = shapely.multipolygons([p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"])
    _, coords, offsets = shapely.to_ragged_array([polygons])
    return float(areas.areas(coords, *(each.astype(np.int64) for each in offsets))[0]) / 1e6


def _add_plot(made: Simulated, stratum: Stratum, number: int, random: Generator) -> None:
    """One plot with its visits; every tree is measured twice and grows in between."""
    location = f"SIM-{stratum.code.upper()}-{number:03d}"
    days = [f"{year}-{random.integers(2, 12):02d}-{random.integers(1, 28):02d}" for year in YEARS]
    observer = f"Simulated observer {random.integers(1, 7):02d}"
    made.plots.append(_plot(location, stratum, days, observer))
    trees = random.integers(8, 16)
    dbh = np.clip(random.gamma(3, stratum.mean_dbh_cm / 3, trees), 6, 150)
    for day in days:
        event = f"{location}-{day[:4]}"
        made.visits.append(_visit(event, location, day, observer))
        height = np.clip(1.3 + 26 * (1 - np.exp(-0.035 * dbh)) + random.normal(0, 1.2, trees), 2, 45)
        for tree in range(trees):
            made.measurements.extend(_measured(event, tree + 1, day, dbh[tree], height[tree]))
        dbh = dbh + np.clip(random.normal(2.2, 0.9, trees), 0, None)


def _plot(location: str, stratum: Stratum, days: list[str], observer: str) -> dict[str, Any]:
    return {
        "location_id": location,
        "name": f"Simulated plot {location} / Ô mô phỏng {location}",
        "plot_type": "plot",
        "stratum": stratum.code,
        "shape": "square",
        "area_m2": AREA_M2,
        "status": "active",
        "established": days[0],
        "last_visit": days[-1],
        "next_due": f"{int(days[-1][:4]) + REVISIT_MONTHS // 12}{days[-1][4:]}",
        "observer": observer,
    }


def _visit(event: str, location: str, day: str, observer: str) -> dict[str, Any]:
    return {
        "event_id": event,
        "location_id": location,
        "event_type": "Survey",
        "event_date": day,
        "sampling_protocol": f"Simulated: all trees of 6 cm dbh and more in a square of {SIDE_M} m",
        "sample_size_value": AREA_M2,
        "sample_size_unit": "m²",
        "is_abundance_reported": True,
        "sampling_performed_by": observer,
        "event_remarks": simulate.NOTE,
    }


def _measured(event: str, tree: int, day: str, dbh: float, height: float) -> list[dict[str, Any]]:
    organism = f"{event[:-5]}-T{tree:02d}"
    common = {
        "event_id": event,
        "organism_id": organism,
        "measurement_determined_date": day,
        "measurement_remarks": simulate.NOTE,
    }
    return [
        {
            **common,
            "measurement_id": f"{event}-T{tree:02d}-{kind}",
            "measurement_type": kind,
            "measurement_value": f"{value:.1f}",
            "measurement_unit": unit,
        }
        for kind, value, unit in (("dbh", dbh, "cm"), ("height", height, "m"))
    ]
