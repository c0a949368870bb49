"""What the rules may know besides the candidates; the caller fills it, for instance by `checks.present`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shapely.geometry.base import BaseGeometry

from gis_service.checks.candidate import LonLat
from gis_service.checks.thresholds import STANDARD, Thresholds


@dataclass(frozen=True)
class Present:
    """A row as it stands: its gid, its values by the columns of the table, its geometry."""

    gid: int
    values: Mapping[str, object]
    geometry: BaseGeometry | None


@dataclass(frozen=True)
class Taxon:
    """A known name: of which accepted one it is a synonym, and where the species lives, if known."""

    name: str
    accepted: str | None = None
    sea: bool | None = None
    land: bool | None = None


@dataclass(frozen=True)
class Jurisdiction:
    """The codes for which somebody may propose rows, and the ground that they stand for."""

    codes: tuple[str, ...]
    shape: BaseGeometry


@dataclass(frozen=True)
class Spot:
    """A place at which coordinates end up that nobody measured, such as the centre of a province."""

    name: str
    place: LonLat


@dataclass(frozen=True)
class Plot:
    """When a plot was laid out and given up."""

    established: dt.date | None = None
    closed: dt.date | None = None


@dataclass(frozen=True)
class Context:
    """All of it. What is left empty or None isn't known, and the rules that need it find nothing.

    `present`: by layer, the rows that may touch a candidate: those whose boxes meet, and those of the same
    site or name. Rows whose gid a candidate bears are left out of every comparison. `taxa`: by `name_key` of
    the name. `provinces` and `seas`: what is land and what is sea. `country`: west, south, east, north.
    `plots`: by location id.
    """

    today: dt.date
    present: Mapping[str, Sequence[Present]] = field(default_factory=dict)
    taxa: Mapping[str, Taxon] | None = None
    provinces: Sequence[BaseGeometry] = ()
    seas: Sequence[BaseGeometry] = ()
    jurisdiction: Jurisdiction | None = None
    country: tuple[float, float, float, float] | None = None
    spots: Sequence[Spot] = ()
    plots: Mapping[str, Plot] | None = None
    thresholds: Thresholds = STANDARD
