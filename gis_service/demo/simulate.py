"""What the simulated parts of the demo share: one seed, the country's outline, the taxa, random places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas
import numpy as np
import shapely

from gis_service.demo.files import PROVINCES, SITES, rows_of
from gis_service.demo.sites import drawn

SEED: Final = 20_250_701
DECIMALS: Final = 5
NOTE: Final = "Simulated: no such record exists. / Mô phỏng: không phải ghi nhận có thật."

Generator = np.random.Generator


@dataclass(frozen=True)
class Taxon:
    """A species that doesn't exist. The category is Chapman's: 1 extreme … 4 low, 0 none."""

    number: int
    category: int = 0
    jurisdiction: str | None = None

    @property
    def taxon_id(self) -> str:
        return f"SIM-{self.number:02d}"

    @property
    def scientific_name(self) -> str:
        """Two words, for names are compared by their first two and no two of these may be alike."""
        return f"Simulated species-{self.number:02d}"

    @property
    def vernacular_name_vi(self) -> str:
        return f"Loài mô phỏng {self.number:02d}"


# One of each category, and one that is sensitive in Lào Cai alone.
TAXA: Final = (
    *(Taxon(number, category=number) for number in (1, 2, 3, 4)),
    Taxon(5, category=2, jurisdiction="15"),
    *(Taxon(number) for number in range(6, 13)),
)


def generator(part: str) -> Generator:
    """The random numbers of one part, so that a change of one part leaves the others as they were."""
    return np.random.default_rng([SEED, *part.encode()])


def outline() -> shapely.Geometry:
    """The country as the union of the provinces that stand today."""
    units = geopandas.read_file(PROVINCES)
    return shapely.coverage_union_all(units[units["predecessor_codes"].isna()].geometry.values)


def park_places() -> np.ndarray:
    """Longitude and latitude of every protected area that is drawn."""
    return np.array([(float(row["lon"]), float(row["lat"])) for row in drawn(rows_of(SITES))])


def places_in(shape: shapely.Geometry, count: int, random: Generator) -> np.ndarray:
    """Places spread evenly over a shape's area: the sine of the latitude is uniform, not the latitude."""
    west, south, east, north = shapely.bounds(shape)
    shapely.prepare(shape)
    found = np.empty((0, 2))
    low, high = np.sin(np.radians([south, north]))
    while len(found) < count:
        lon = random.uniform(west, east, 4 * count)
        lat = np.degrees(np.arcsin(random.uniform(low, high, 4 * count)))
        tried = np.column_stack([lon, lat]).round(DECIMALS)
        found = np.vstack([found, tried[shapely.contains_xy(shape, tried)]])
    return found[:count]
