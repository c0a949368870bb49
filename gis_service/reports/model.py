"""The overlap report as a typed result: plain values in m² and shares of 1, never rounded or rendered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from gis_service.geoprocessing.project import Note

Basis = Literal["published", "indicative", "simulated"]
SLIVER_M2 = 100.0  # overlaps below this aren't listed for people; every sum still holds them
SMALL_COUNT = 5  # counts of sensitive taxa below this aren't told where nothing else is set


@dataclass(frozen=True)
class Subject:
    """The project polygon."""

    title: str
    area_m2: float
    perimeter_m: float
    vertices: int
    bounds: tuple[float, float, float, float]
    place_hash: str
    exact_hash: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class AreaHit:
    """A protected area (all parcels of one site) that overlaps the project."""

    site: str
    feature_ids: tuple[str, ...]
    name: str
    name_en: str | None
    designation: str | None
    designation_en: str | None
    site_type: str | None
    iucn_category: str | None
    status: str | None
    status_year: int | None
    decision_no: str | None
    decision_date: date | None
    decided_area_ha: float | None
    basis: Basis
    dataset_id: int
    overlap_m2: float
    share_of_project: float
    area_m2: float
    share_of_area: float
    excluded: str | None  # why it isn't in the totals, as a key of the text catalogue

    @property
    def sliver(self) -> bool:
        return self.overlap_m2 < SLIVER_M2


@dataclass(frozen=True)
class AreaTotals:
    """What the counted areas cover: once, and as the sum of the rows counts it."""

    flat_m2: float
    flat_share: float
    naive_m2: float
    counted: int
    slivers: int
    indicative: int  # of those counted
    basis: Basis | None  # of the weakest area counted; None where none counts


@dataclass(frozen=True)
class RangeHit:
    """A species whose range meets the project: it may be there, nobody says that it is."""

    scientific_name: str
    category: str | None
    basis: Basis
    dataset_id: int
    overlap_m2: float
    share_of_project: float
    range_m2: float
    share_of_range: float


@dataclass(frozen=True)
class RecordedSpecies:
    """A species with records inside; `records` is None where a small count of a sensitive one is withheld."""

    scientific_name: str
    category: str | None
    basis: Basis
    records: int | None
    last_date: date | None
    generalised: bool
    dataset_ids: tuple[int, ...]


@dataclass(frozen=True)
class PlotHit:
    """A monitoring plot inside."""

    feature_id: str
    name: str | None
    plot_type: str | None
    stratum: str | None
    last_visit: date | None
    basis: Basis
    dataset_id: int
    generalised: bool


@dataclass(frozen=True)
class Nearest:
    """A protected area near the project; distance 0 and no bearing where they meet."""

    site: str
    name: str
    designation: str | None
    designation_en: str | None
    basis: Basis
    dataset_id: int
    distance_m: float
    bearing_deg: float | None


@dataclass(frozen=True)
class DatasetUse:
    """A dataset that the report drew on, at the version that it had."""

    dataset_id: int
    slug: str
    title: str
    title_vi: str | None
    licence: str | None
    redistribution: bool
    citation: str | None
    source_url: str | None
    version: str | None
    checksum: str | None
    release: int | None
    loaded_at: datetime | None
    basis: Basis


@dataclass(frozen=True)
class Excluded:
    """How many rows of a layer were left out, and why."""

    layer: str
    reason: str
    n: int


@dataclass(frozen=True)
class Method:
    """How the numbers came about; what a reader needs to get them again."""

    area_method: str
    method_version: str
    crs: str
    status_filter: str
    as_of: date
    sliver_m2: float
    small_count: int
    tolerance_relative: float
    tolerance_m2: float
    release: int
    released: datetime | None  # when that release was made
    past: bool  # whether that release was asked for
    tier: str
    engine: str
    layers: tuple[str, ...]
    missing_layers: tuple[str, ...]
    datasets: tuple[DatasetUse, ...]
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True)
class OverlapReport:
    """The whole result; its hash is equal for equal questions of equal data by equal readers."""

    subject: Subject
    areas: tuple[AreaHit, ...]
    totals: AreaTotals
    nearest: tuple[Nearest, ...]
    ranges: tuple[RangeHit, ...]
    recorded: tuple[RecordedSpecies, ...]
    plots: tuple[PlotHit, ...]
    method: Method
    reproducibility_hash: str
    computed_at: datetime

    @property
    def labels(self) -> frozenset[Basis]:
        """Every basis that a row of the report has."""
        rows: tuple[AreaHit | Nearest | RangeHit | RecordedSpecies | PlotHit, ...]
        rows = (*self.areas, *self.nearest, *self.ranges, *self.recorded, *self.plots)
        return frozenset(row.basis for row in rows)
