"""Simulated occurrences in Darwin Core: clustered in each taxon's range, also around protected areas."""

from __future__ import annotations

from typing import Any, Final

import geopandas
import numpy as np
import shapely

from gis_service.demo import simulate
from gis_service.demo.simulate import TAXA, Generator, Taxon

PER_TAXON: Final = (120, 240, 320, 360, 300, 380, 420, 440, 360, 400, 340, 320)  # 4,000 in all
CLUSTERS: Final = 18
SPREAD_DEG: Final = 0.045
FIRST_DAY: Final = np.datetime64("2015-01-01")
DAYS: Final = 3_650


def frame(ranges: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """4,000 points with the columns of gis.occurrence."""
    random, parks = simulate.generator("occurrences"), simulate.park_places()
    records: list[dict[str, Any]] = []
    places = []
    for taxon, count, home in zip(TAXA, PER_TAXON, ranges.geometry, strict=True):
        places.append(clustered(home, count, parks, random))
        records += _records(taxon, count, random)
    points = shapely.points(np.vstack(places))
    return geopandas.GeoDataFrame(records, geometry=points, crs="EPSG:4326")


def clustered(home: shapely.Geometry, count: int, parks: np.ndarray, random: Generator) -> np.ndarray:
    """Places inside a range, around a few centres: those of the parks in it, filled up with others."""
    shapely.prepare(home)
    inside = parks[shapely.contains_xy(home, parks)][:CLUSTERS]
    centres = np.vstack([inside, simulate.places_in(home, CLUSTERS - len(inside), random)])
    weights = random.dirichlet(np.full(CLUSTERS, 0.7))
    found = np.empty((0, 2))
    while len(found) < count:
        at = centres[random.choice(CLUSTERS, size=2 * count, p=weights)]
        tried = (at + random.normal(0, SPREAD_DEG, at.shape)).round(simulate.DECIMALS)
        found = np.vstack([found, tried[shapely.contains_xy(home, tried)]])
    return found[:count]


def _records(taxon: Taxon, count: int, random: Generator) -> list[dict[str, Any]]:
    days = FIRST_DAY + random.integers(0, DAYS, count)
    uncertainty = np.clip(random.lognormal(4, 0.9, count), 5, 2_000).round()
    cameras = random.random(count) < 0.3
    individuals = random.geometric(0.45, count)
    observers = random.integers(1, 13, count)
    return [
        {
            "occurrence_id": f"{taxon.taxon_id}-{number + 1:04d}",
            "taxon_id": taxon.taxon_id,
            "scientific_name": taxon.scientific_name,
            "taxon_rank": "species",
            "vernacular_name": taxon.vernacular_name_vi,
            "basis_of_record": "MachineObservation" if cameras[number] else "HumanObservation",
            "event_date": str(days[number]),
            "occurrence_status": "present",
            "individual_count": int(individuals[number]),
            "coordinate_uncertainty_in_meters": float(uncertainty[number]),
            "geodetic_datum": "EPSG:4326",
            "recorded_by": f"Simulated observer {observers[number]:02d}",
            "country_code": "VN",
            "dataset_name": "Simulated occurrences / Điểm ghi nhận mô phỏng",
            "license": "CC0-1.0",
            "occurrence_remarks": simulate.NOTE,
        }
        for number in range(count)
    ]
