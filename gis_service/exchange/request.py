"""What one load is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gis_service.catalog.layer import Layer
from gis_service.exchange.cleaning import Repair
from gis_service.exchange.reasons import Reason

if TYPE_CHECKING:
    import geopandas

MAX_BAD_SHARE: Final = 0.5

Progress = Callable[[str, int, int | None], None]
"""Called with the step (read, merge, commit), rows done and rows in all where known."""


def silent(step: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class DatasetInfo:
    """Where the rows come from. The slug names the data set from one load to the next."""

    slug: str
    title: str | None = None
    title_vi: str | None = None
    licence: str | None = None
    source_url: str | None = None
    citation: str | None = None
    version: str | None = None
    basis: str = "published"
    redistribution: bool | None = None


@dataclass(frozen=True)
class LoadRequest:
    """One file (or frame) for one layer. `maps` leads from the file's fields to the layer's."""

    path: Path | geopandas.GeoDataFrame
    layer: Layer
    dataset: DatasetInfo
    crs: str | None = None
    override_crs: bool = False
    maps: Mapping[str, str] = field(default_factory=dict)
    id_field: str | None = None
    file_layer: str | None = None
    encoding: str | None = None
    points_from_polygons: bool = False
    partial: bool = False
    dry_run: bool = False
    max_bad_share: float = MAX_BAD_SHARE
    loaded_by: str = "loader"
    lang: str = "en"


@dataclass(frozen=True)
class Quarantined:
    """A row of the file (counted from 1) that was set aside, its reason, and what the file says of it."""

    row: int
    source_id: str | None
    reason: Reason
    attributes: Mapping[str, object]


@dataclass(frozen=True)
class Repaired:
    """A row whose geometry was repaired."""

    source_id: str
    repair: Repair

    @property
    def change_m2(self) -> float:
        return self.repair.after_m2 - self.repair.before_m2


@dataclass(frozen=True)
class Counts:
    """What became of the rows: read = inserted + superseded + unchanged + quarantined."""

    read: int = 0
    inserted: int = 0
    superseded: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    quarantined: int = 0
    repaired: int = 0


@dataclass(frozen=True)
class LoadResult:
    """The outcome; `release` is None where nothing changed or nothing was to be written."""

    dataset: str
    layer: str
    counts: Counts
    quarantined: tuple[Quarantined, ...] = ()
    repaired: tuple[Repaired, ...] = ()
    release: int | None = None
    load_id: int | None = None
    checksum: str = ""
    schema: str = "plain"
    operation: str | None = None
    notes: tuple[str, ...] = ()
    seen_before: bool = False
