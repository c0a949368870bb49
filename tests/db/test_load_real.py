"""Real data of ../shared/data load with the right counts, and what is known of them holds in the tables."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from pyproj import Geod

from gis_service.exchange.request import DatasetInfo, LoadResult
from tests.conftest import clone
from tests.db.loads import ask, one, put

GEOD = Geod(ellps="WGS84")
PARKS: dict[str, Any] = {"maps": {"designation": "desig"}, "id_field": "record_file"}


@pytest.fixture(scope="module")
def loads(database: str, shared_data: Path) -> dict[str, LoadResult]:
    """All files, loaded once into this module's database."""

    def of(slug: str, path: str, layer: str, **said: Any) -> LoadResult:
        dataset = DatasetInfo(slug, licence="CC-BY-4.0", citation=f"{slug}, 2026")
        return put(database, shared_data / path, layer, dataset=dataset, **said)

    return {
        "parks": of("parks", "bc-protected-areas/bc_protected_areas.parquet", "protected-areas", **PARKS),
        "provinces": of("vn-2025", "vn-admin/vn_provinces_2025.gpkg", "provinces"),
        "communes": of("vn-2025", "vn-admin/vn_wards_2025_simplified.parquet", "communes"),
        "ranges": of("vipers", "sea-vipers/vn_viper_ranges.parquet", "species-ranges"),
        "records": of("viper-records", "sea-vipers/sea_viper_occurrences.csv", "occurrences"),
        "sites": of("safe", "sabah-safe-sites/safe_sites.parquet", "plots", points_from_polygons=True),
        "plots": of(
            "nfi", "vn-nfi-plots/vn_nfi_plots.gpkg", "plots", file_layer="plots",
            maps={"psp": "location_id", "location": "name"},
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows", "repaired"),
    [
        ("parks", 925, 9),
        ("provinces", 34, 0),
        ("communes", 3321, 0),
        ("ranges", 22, 0),
        ("records", 5072, 0),
        ("sites", 5171, 0),
        ("plots", 3, 0),
    ],
)
def test_every_row_is_loaded(loads: dict[str, LoadResult], name: str, rows: int, repaired: int) -> None:
    counts = loads[name].counts
    assert (counts.read, counts.inserted, counts.quarantined, counts.repaired) == (rows, rows, 0, repaired)


@pytest.mark.usefixtures("loads")
def test_tables_hold_as_many_rows(database: str) -> None:
    sql = "select level, count(*) from gis.admin_unit group by 1 order by 1"
    assert ask(database, sql) == [("commune", 3321), ("province", 34)]
    counts = [
        one(database, f"select count(*) from gis.{t}") for t in ("protected_area", "species_range", "plot")
    ]
    assert counts == [925, 22, 5174]


@pytest.mark.usefixtures("loads")
def test_polygons_keep_their_area(database: str, shared_data: Path) -> None:
    """PostGIS measures geodesic areas; GeographicLib says the same of the file's own valid polygons."""
    frame = gpd.read_parquet(shared_data / "bc-protected-areas/bc_protected_areas.parquet")
    said = {row.record_file: row.geometry for row in frame.itertuples() if row.geometry.is_valid}
    for source_id, area in ask(
        database, "select source_id, st_area(geom::geography) from gis.protected_area"
    ):
        if source_id in said:
            expected = GEOD.geometry_area_perimeter(shapely.orient_polygons(said[source_id]))[0]
            assert area == pytest.approx(expected, rel=1e-9, abs=0.1)


def test_repairs_change_little_but_the_hole_outside_its_shell(loads: dict[str, LoadResult]) -> None:
    changed = {each.source_id: each for each in loads["parks"].repaired if abs(each.change_m2) > 0.1}
    assert [(name, each.repair.fault.split("[")[0]) for name, each in changed.items()] == [
        ("123457640.geojson", "Hole lies outside shell")
    ]


@pytest.mark.usefixtures("loads")
def test_rows_know_their_provinces(database: str) -> None:
    in_viet_nam = one(database, "select count(*) from gis.occurrence where jurisdiction <> '{}'")
    assert in_viet_nam == pytest.approx(528, abs=15)  # the file's README counts by another border
    assert ask(database, "select jurisdiction from gis.plot where location_id = '17'") == [(["15"],)]
    sql = "select count(*) from gis.admin_unit where level = 'commune' and jurisdiction <> array[parent_code]"
    assert one(database, sql) == 0


@pytest.mark.usefixtures("loads")
def test_boxes_of_sites_became_points_inside_them(database: str) -> None:
    rows = ask(
        database,
        "select geom_original, st_asbinary(geom) from gis.plot where geom_original is not null"
        " and srid_original = 4326",
    )
    assert len(rows) == 369
    assert all(shapely.from_wkb(box).intersects(shapely.from_wkb(point)) for box, point in rows)


def test_a_later_file_supersedes_and_withdraws_and_the_past_stays(
    cluster: Any, template: str, shared_data: Path
) -> None:
    frame = gpd.read_parquet(shared_data / "bc-protected-areas/bc_protected_areas.parquet")
    with clone(cluster, template) as dsn:
        put(dsn, frame, **PARKS)
        later = frame.iloc[25:].copy()
        later.loc[later.index[:10], "designation"] = "Conservancy"
        result = put(dsn, later, **PARKS)
        counts = result.counts
        assert (counts.withdrawn, counts.superseded, counts.unchanged, counts.inserted) == (25, 10, 890, 0)
        for release, rows, changed in ((1, 925, 0), (2, 900, 10)):
            sql = "select count(*), count(*) filter (where desig = 'Conservancy')"
            assert ask(dsn, f"{sql} from gis.protected_area_as_of(%s)", release) == [(rows, changed)]


@pytest.mark.long
def test_communes_of_seven_million_vertices_load(fresh_database: str, shared_data: Path) -> None:
    result = put(fresh_database, shared_data / "vn-admin/vn_wards_2025_full.parquet", "communes")
    assert (result.counts.inserted, result.counts.quarantined) == (3321, 0)
    assert one(fresh_database, "select sum(st_npoints(geom)) from gis.admin_unit") == 7_129_486


@pytest.mark.long
def test_a_quarter_of_a_million_points_load(fresh_database: str, shared_data: Path) -> None:
    path = shared_data / "stress/world_viper_occurrences_248k.parquet"
    assert put(fresh_database, path, "occurrences").counts.inserted == 248_760
