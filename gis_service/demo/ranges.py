"""Simulated species ranges: a few smooth patches each, inside the country."""

from __future__ import annotations

from typing import Final

import geopandas
import numpy as np
import shapely

from gis_service.demo import simulate
from gis_service.demo.simulate import TAXA, Generator, Taxon

CORNERS: Final = 180
HOME: Final = (
    104.1,
    22.2,
)  # in Lào Cai: every sensitive taxon lives there too, so that one province sees all
MIN_PART_DEG2: Final = 1e-4  # some 1.2 km²: what the coast cuts off a patch, and smaller, is left out


def frame() -> geopandas.GeoDataFrame:
    """One multipolygon for each taxon, with the columns of gis.species_range."""
    land, random = simulate.outline(), simulate.generator("ranges")
    belts = np.array_split(np.linspace(8.5, 23.4, 4 * len(TAXA)), len(TAXA))
    shapes = [
        shape_of(_belt(land, belts[5 * taxon.number % len(TAXA)]), land, random, at_home=taxon.category > 0)
        for taxon in TAXA
    ]
    return geopandas.GeoDataFrame([_record(taxon) for taxon in TAXA], geometry=shapes, crs="EPSG:4326")


def _belt(land: shapely.Geometry, latitudes: np.ndarray) -> shapely.Geometry:
    return shapely.intersection(land, shapely.box(100, latitudes[0], 112, latitudes[-1]))


def shape_of(
    belt: shapely.Geometry, land: shapely.Geometry, random: Generator, *, at_home: bool
) -> shapely.Geometry:
    """The union of one to four patches around a random place in the belt, cut at the country's outline."""
    middle = simulate.places_in(belt, 1, random)[0]
    centres = [middle + random.normal(0, [0.5, 0.9]) for _ in range(random.integers(1, 5))]
    patches = [patch(centre, random.uniform(0.25, 0.95), random) for centre in (middle, *centres[1:])]
    if at_home:
        patches.append(patch(np.array(HOME), random.uniform(0.3, 0.6), random))
    cut = shapely.intersection(shapely.union_all(patches), land)
    parts = [part for part in shapely.get_parts(cut) if part.area > MIN_PART_DEG2]
    return shapely.MultiPolygon(list(shapely.set_precision(parts, 10.0**-simulate.DECIMALS)))


def patch(centre: np.ndarray, radius: float, random: Generator) -> shapely.Polygon:
    """A round shape whose edge swings smoothly: a circle with four waves of falling height."""
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    waves = sum(
        random.normal(0, 0.22 / n) * np.cos(n * angle + random.uniform(0, 2 * np.pi)) for n in range(2, 6)
    )
    reach = radius * np.clip(1 + waves, 0.35, 2)
    return shapely.Polygon(centre + np.column_stack([reach * np.cos(angle), reach * np.sin(angle)]))


def _record(taxon: Taxon) -> dict[str, object]:
    return {
        "taxon_id": taxon.taxon_id,
        "sci_name": taxon.scientific_name,
        "id_no": taxon.number,
        "presence": 1,
        "origin": 1,
        "seasonal": 1,
        "compiler": "Simulated",
        "yrcompiled": 2025,
        "citation": simulate.NOTE,
        "terrestria": True,
        "marine": False,
        "freshwater": False,
    }
