"""Every number that decides between finding and no finding, each with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Thresholds:
    """Lengths in m, areas in m², shares as fractions; a finding begins beyond the number."""

    first_year: int = 1819  # WDPA: STATUS_YR is 0 or 1819 … now
    first_record: int = 1500  # ours: no record of a specimen is older
    first_compiled: int = 1900  # ours: no range map is older
    decided_share: float = 0.05  # domain 3.1: decided against drawn hectares
    reported_share: float = 0.05  # ours, together with the next
    reported_m2: float = 50e6  # WDPA QA 4.5.b, c: outliers count from 50 km² on
    reported_factor: float = 2.0  # ours: twice or half, whatever the size from 1 km² on
    reported_least_m2: float = 1e6
    gis_share: float = 0.01  # Mollweide on a sphere strays by up to 0.63 % (domain 0.1)
    official_share: float = 0.10  # ours: official areas of units include water and old borders
    tiny_m2: float = 100.0  # WDPA QA 4.5.f: GIS_AREA up to 0.0001 km² is questionable
    sliver_width_m: float = 1.0  # ours: mean width, twice the area by the perimeter
    sliver_length_m: float = 20.0  # ours: perimeter from which a thin ring counts
    spike_degrees: float = 1.0  # ours: the ring turns back on itself
    spike_m: float = 10.0  # ours: the shorter of both edges
    most_vertices: int = 100_000  # ours: six times the largest commune of Viet Nam after simplification
    decimals: int = 2  # ours: 0.01 degrees are 1.1 km
    same_place_degrees: float = 1e-5  # ours: about 1 m
    overlap_m2: float = 10_000.0  # ours: one hectare
    overlap_width_m: float = 10.0  # ours: thinner is two drawings of one boundary
    same_shape_share: float = 0.95  # ours: shared area by the area of both together
    outside_share: float = 0.01  # ours: boundaries of units and areas are drawn at different scales
    centroid_m: float = 1_000.0  # ours, and the habit of those who clean records
    coast_m: float = 1_000.0  # ours: neither land nor sea so close to a coast
    uncertainty_m: float = 100_000.0  # ours: such a record tells of no place
    moved_m: float = 30.0  # ours: a hand-held receiver below trees, where a plot states no uncertainty


STANDARD: Final = Thresholds()
