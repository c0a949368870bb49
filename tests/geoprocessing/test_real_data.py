"""The report over real polygons against shapely and GeographicLib on cut edges, without any code of ours."""

from collections.abc import Mapping
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.registry import load_catalog
from gis_service.exchange.load import load
from gis_service.exchange.request import DatasetInfo, LoadRequest
from gis_service.geoprocessing.measure import area
from tests.geoprocessing.conftest import Reporter

GEOD = Geod(ellps="WGS84")
STEP = 0.001  # degrees: below it no real polygon differs by more than 6e-8
EQUAL_AREA = Transformer.from_crs("OGC:CRS84", "EPSG:6933", always_xy=True)


def geodesic(shape: BaseGeometry) -> float:
    """The area in m² by GeographicLib, edges cut so short that they are straight in degrees."""
    cut = shapely.segmentize(shape, STEP)
    return float(abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(cut))[0]))


def equal_area(shape: BaseGeometry) -> float:
    """The area in m² in EPSG:6933, edges cut likewise."""
    cut = shapely.segmentize(shape, STEP)
    flat = shapely.transform(cut, lambda xy: np.column_stack(EQUAL_AREA.transform(*xy.T)))
    return float(flat.area)


def agrees(ours: float, theirs: float) -> bool:
    return abs(ours - theirs) <= max(1e-6 * theirs, 0.1)


@pytest.fixture(scope="module")
def parks(shared_data: Path) -> geopandas.GeoDataFrame:
    found = geopandas.read_parquet(shared_data / "bc-protected-areas" / "bc_protected_areas.parquet")
    found["geometry"] = shapely.make_valid(found.geometry.values, method="structure", keep_collapsed=False)
    return found


@pytest.fixture(scope="module")
def loaded(database: str, root: Path, shared_data: Path) -> None:
    layer = load_catalog(root).layers["protected-areas"]
    request = LoadRequest(
        path=shared_data / "bc-protected-areas" / "bc_protected_areas.parquet",
        layer=layer,
        dataset=DatasetInfo(
            slug="bc",
            title="Protected areas of British Columbia",
            licence="OGL-BC",
            citation="DataBC 2018",
            redistribution=True,
        ),
    )
    load(request, database)


PROJECTS: Mapping[str, BaseGeometry] = {
    "coast": shapely.Polygon(
        [(-126.9, 49.2), (-124.8, 49.1), (-124.6, 50.4), (-125.8, 50.1), (-127.4, 50.6)]
    ),
    "inland": shapely.Polygon([(-120.3, 50.9), (-117.1, 51.4), (-118.2, 52.9), (-119.9, 52.2)]),
    "north": shapely.Polygon([(-131, 56.5), (-125, 57.5), (-127, 59.7), (-132, 58.8)]),
    "small": shapely.Polygon([(-123.2, 49.4), (-122.9, 49.41), (-122.95, 49.6), (-123.21, 49.55)]),
}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", PROJECTS)
def test_overlaps_with_real_parks_agree_with_an_independent_computation(
    report: Reporter, parks: geopandas.GeoDataFrame, name: str
) -> None:
    project = PROJECTS[name]
    found = report(project)
    inside = shapely.intersection(parks.geometry.values, project)
    expected = sorted((geodesic(each) for each in inside if each.area > 0), reverse=True)
    assert len(found.areas) == len(expected) > 0
    assert all(agrees(row.overlap_m2, want) for row, want in zip(found.areas, expected, strict=True))
    union = shapely.union_all(inside)
    assert agrees(found.totals.flat_m2, geodesic(union))
    assert agrees(found.totals.flat_m2, equal_area(union))
    assert agrees(found.totals.naive_m2, sum(expected))
    assert agrees(found.subject.area_m2, geodesic(project))


@pytest.mark.usefixtures("loaded")
def test_the_nearest_real_park_is_the_nearest_of_all(report: Reporter, parks: geopandas.GeoDataFrame) -> None:
    project = shapely.box(-121.42, 53.61, -121.41, 53.62)
    found = report(project).nearest
    local = Transformer.from_crs("OGC:CRS84", "+proj=aeqd +lon_0=-121.415 +lat_0=53.615", always_xy=True)
    flat = shapely.transform(
        shapely.segmentize([project, *parks.geometry.values], 0.01),
        lambda xy: np.column_stack(local.transform(*xy.T)),
    )
    distances = sorted(shapely.distance(flat[0], flat[1:]))
    assert [near.distance_m for near in found] == pytest.approx(distances[: len(found)], rel=1e-5, abs=1)


def test_real_communes_measured_by_us_and_by_geographiclib(shared_data: Path) -> None:
    communes = geopandas.read_parquet(shared_data / "vn-admin" / "vn_wards_2025_full.parquet").iloc[::40]
    for shape in communes.geometry:
        assert agrees(area(shape), geodesic(shape))
