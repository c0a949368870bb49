"""How well monitoring plots cover a region: how many, how often, where none are, and which are overdue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import shapely
from pyproj import Proj
from shapely.geometry.base import BaseGeometry

from gis_service.geoprocessing.measure import area, polygons_of
from gis_service.geoprocessing.sampling import FEWEST, refusal

HUNDRED_KM2: Final = 1e8  # m²
YEAR_DAYS: Final = 365.25
_SHORTEST_DEGREE_M: Final = 110_574.0  # of latitude
_QUARTERS: Final = 64  # segments of a quarter circle: circles are 1e-4 of themselves too small


@dataclass(frozen=True)
class State:
    """What effort asks of a plot; None of what isn't known.

    `sites` are the protected areas that it lies in. `complete`: whether all mandatory measurements are there.
    """

    plot: str
    stratum: Hashable = None
    sites: Collection[str] = ()
    size_m2: float | None = None
    visits: int | None = None
    last_visit: date | None = None
    complete: bool | None = None


@dataclass(frozen=True)
class Effort:
    """Plots in a region. Shares are from 0 to 1; None of what isn't known of any plot.

    per_100_km2: plots by area. sampled_share: Σ plot areas / region's area, of the plots whose area is known.
    visits_per_year: visits / (plots · years), of the plots whose visits are known.
    overdue: plots whose last visit is longer ago than the interval; never_visited are not among them.
    complete_share: of the plots of which it is known.
    empty_strata: without a plot; thin_strata: with one, too few for an estimate; strata_ready: the share of
    strata with two or more. empty_sites: protected areas without a plot.
    """

    plots: int
    area_m2: float
    per_100_km2: float | None
    sampled_share: float | None
    visits_per_year: float | None
    overdue: tuple[str, ...]
    never_visited: tuple[str, ...]
    complete_share: float | None
    empty_strata: tuple[Hashable, ...]
    thin_strata: tuple[Hashable, ...]
    strata_ready: float | None
    empty_sites: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What effort is held against: the day, how long after a visit the next is due, and the years counted."""

    today: date
    interval: timedelta
    years: float = 1.0


def effort(
    plots: Sequence[State],
    area_m2: float,
    rules: Rules,
    strata: Collection[Hashable] = (),
    sites: Collection[str] = (),
) -> Effort:
    """The effort of plots in a region, of all the strata and protected areas that it should reach."""
    if not rules.years > 0 or not area_m2 >= 0:
        raise ValueError("years are above 0, and an area isn't below")
    sizes = [each.size_m2 for each in plots if each.size_m2 is not None]
    visits = [each.visits for each in plots if each.visits is not None]
    complete = [each.complete for each in plots if each.complete is not None]
    in_stratum = Counter(each.stratum for each in plots)
    reached = {site for each in plots for site in each.sites}
    return Effort(
        plots=len(plots),
        area_m2=area_m2,
        per_100_km2=_ratio(len(plots) * HUNDRED_KM2, area_m2),
        sampled_share=_ratio(sum(sizes), area_m2) if sizes else None,
        visits_per_year=_ratio(sum(visits), len(visits) * rules.years),
        overdue=tuple(each.plot for each in plots if overdue(each.last_visit, rules)),
        never_visited=tuple(each.plot for each in plots if each.last_visit is None),
        complete_share=_ratio(sum(complete), len(complete)),
        empty_strata=tuple(name for name in strata if not in_stratum[name]),
        thin_strata=tuple(name for name in strata if 0 < in_stratum[name] < FEWEST),
        strata_ready=_ratio(sum(in_stratum[name] >= FEWEST for name in strata), len(strata)),
        empty_sites=tuple(site for site in sites if site not in reached),
    )


def overdue(last_visit: date | None, rules: Rules) -> bool:
    """Whether the next visit should have been: today - last visit > interval."""
    return last_visit is not None and rules.today - last_visit > rules.interval


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def share_within(region: BaseGeometry, places: Sequence[tuple[float, float]], metres: float) -> float | None:
    """The share of a region that lies within so many metres of a plot; None of a region without area.

    Circles are drawn around each plot in an azimuthal equidistant projection of its own, so distances from
    the plot are exact; between the 256 corners of a circle it is 1e-4 of itself too small.
    """
    whole = area(region)
    if whole <= 0:
        return None
    circles = [_circle(place, metres) for place in places]
    near = shapely.intersection(region, shapely.union_all(circles))
    return area(polygons_of(np.array([near], object))[0]) / whole


def _circle(place: tuple[float, float], metres: float) -> BaseGeometry:
    lon, lat = place
    if abs(lat) + metres / _SHORTEST_DEGREE_M >= 90:
        raise refusal("effort.refused.pole", lon=lon, lat=lat)
    local = Proj(f"+proj=aeqd +lat_0={lat!r} +lon_0={lon!r} +ellps=WGS84")
    ring = shapely.get_coordinates(shapely.buffer(shapely.Point(0, 0), metres, quad_segs=_QUARTERS))
    x, y = local(ring[:, 0], ring[:, 1], inverse=True)
    x = lon + (x - lon + 180) % 360 - 180
    turns = [0, *([360] if x.min() < -180 else []), *([-360] if x.max() > 180 else [])]
    return shapely.union_all([shapely.Polygon(np.column_stack([x + turn, y])) for turn in turns])
