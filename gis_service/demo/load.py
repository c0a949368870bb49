"""Load the demo by the loader that users' files go through; a second time changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import geopandas

from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.db.sync import SyncDatabase
from gis_service.demo import occurrences, plots, provinces, ranges, sites, tables, zones
from gis_service.demo.files import SITES, rows_of
from gis_service.errors import GisError
from gis_service.exchange.load import load
from gis_service.exchange.request import Counts, DatasetInfo, LoadRequest, LoadResult, Progress, silent

VERSION: Final = "1"
LOADED_BY: Final = "demo"
_PUBLIC_DOMAIN: Final = "Public domain"
_CC0: Final = "CC0-1.0"

BEFORE: Final = DatasetInfo(
    slug="demo-provinces-before-2025-07",
    title="Provinces before the merger of 1 July 2025 (Natural Earth)",
    title_vi="Các tỉnh trước khi sáp nhập ngày 1/7/2025 (Natural Earth)",
    licence=_PUBLIC_DOMAIN,
    citation="Natural Earth 4.1.0, 1:10m admin-1, by way of Debian's qgis-common 3.22.16",
    source_url="https://www.naturalearthdata.com/",
    version="4.1.0",
)
SINCE: Final = replace(
    BEFORE,
    slug="demo-provinces-since-2025-07",
    title="Provinces merged on 1 July 2025, as unions of the older ones (indicative)",
    title_vi="Các tỉnh sáp nhập ngày 1/7/2025, ghép từ các tỉnh cũ (mang tính chỉ báo)",
    citation="Unions of Natural Earth 4.1.0 admin-1 units after Resolution 202/2025/QH15",
    basis="indicative",
)
PROTECTED: Final = DatasetInfo(
    slug="demo-protected-areas",
    title="Protected areas of Viet Nam: circles of stated areas (indicative)",
    title_vi="Khu bảo tồn của Việt Nam: hình tròn theo diện tích công bố (mang tính chỉ báo)",
    licence=_CC0,
    citation="Facts cited one by one in gis_service/demo/data/protected_areas.csv; shapes are no boundaries",
    version=VERSION,
    basis="indicative",
)
_SIMULATED: Final = DatasetInfo(
    slug="",
    licence=_CC0,
    citation="Simulated for the demo of gis-service from a fixed seed; no such record exists",
    version=VERSION,
    basis="simulated",
)


def _simulated(slug: str, title: str, title_vi: str) -> DatasetInfo:
    return replace(
        _SIMULATED, slug=f"demo-{slug}", title=f"Simulated {title}", title_vi=f"{title_vi} (mô phỏng)"
    )


ZONES: Final = _simulated("zones", "management zones", "Phân khu chức năng")
RANGES: Final = _simulated("ranges", "species ranges", "Vùng phân bố loài")
OCCURRENCES: Final = _simulated("occurrences", "species occurrences", "Điểm ghi nhận loài")
PLOTS: Final = _simulated("plots", "monitoring plots", "Ô tiêu chuẩn giám sát")


@dataclass(frozen=True)
class DemoSummary:
    """What the demo holds, and what became of the rows of each data set this time."""

    loads: tuple[LoadResult, ...]
    sites_known: int
    sites_drawn: int
    taxa: int
    visits: int
    measurements: int
    targets: int

    @property
    def changed(self) -> bool:
        """Whether this load wrote any row of a layer."""
        return any(_wrote(each.counts) for each in self.loads)


class DemoIncomplete(GisError):
    """The loader set a row of the demo aside"""

    code = "demo-incomplete"


def load_demo(dsn: str, root: Path, progress: Progress = silent) -> DemoSummary:
    """Load all data of the demo; provinces come first, since every other row's rights follow from them."""
    catalog, areas = load_catalog(root), sites.frame()
    loads = list(_load_areas(dsn, catalog, areas, progress))
    home, seen = ranges.frame(), plots.simulated(areas)
    with SyncDatabase(dsn) as database:
        taxa, targets = tables.save_taxa(database), tables.save_targets(database)
        design = tables.save_design(database, seen)
    where = geopandas.points_from_xy(seen.places[:, 0], seen.places[:, 1])
    placed = geopandas.GeoDataFrame(tables.placed(seen, design), geometry=where, crs="EPSG:4326")
    loads += [
        _one(dsn, catalog, "species-ranges", RANGES, home, "taxon_id", progress),
        _one(dsn, catalog, "occurrences", OCCURRENCES, occurrences.frame(home), "occurrence_id", progress),
        _one(dsn, catalog, "plots", PLOTS, placed, "location_id", progress),
    ]
    with SyncDatabase(dsn) as database:
        visits, measurements = tables.save_visits(database, PLOTS.slug, seen)
    return DemoSummary(tuple(loads), len(rows_of(SITES)), len(areas), taxa, visits, measurements, targets)


def _load_areas(
    dsn: str, catalog: Catalog, areas: geopandas.GeoDataFrame, progress: Progress
) -> Iterator[LoadResult]:
    older, newer = provinces.frames()
    yield _one(dsn, catalog, "provinces", BEFORE, older, "code", progress)
    yield _one(dsn, catalog, "provinces", SINCE, newer, "code", progress)
    yield _one(dsn, catalog, "protected-areas", PROTECTED, areas, "national_code", progress)
    yield _one(dsn, catalog, "management-zones", ZONES, zones.frame(areas), "zone_id", progress)


def _one(
    dsn: str,
    catalog: Catalog,
    layer: str,
    dataset: DatasetInfo,
    frame: geopandas.GeoDataFrame,
    id_field: str,
    progress: Progress,
) -> LoadResult:
    """Load one frame; DemoIncomplete where a row of it was set aside."""
    request = LoadRequest(frame, catalog.layers[layer], dataset, id_field=id_field, loaded_by=LOADED_BY)
    result = load(request, dsn, progress)
    if result.quarantined:
        raise DemoIncomplete(f"{layer}: {result.quarantined[0].reason.say('en')}")
    return result


def _wrote(counts: Counts) -> bool:
    return bool(counts.inserted or counts.superseded or counts.withdrawn)
