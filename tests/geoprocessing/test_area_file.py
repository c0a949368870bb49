"""The area of a report from files of several kinds."""

from pathlib import Path

import geopandas
import pytest
import shapely

from gis_service.errors import Usage
from gis_service.geoprocessing.measure import area
from gis_service.geoprocessing.project import read_project
from gis_service.reports.area_file import AreaRefused, read_area

SHAPE = shapely.Polygon([(105.1, 20.1), (105.4, 20.15), (105.3, 20.5)])


def written(folder: Path, name: str, crs: str | None = "EPSG:4326", shape: object = SHAPE) -> Path:
    frame = geopandas.GeoDataFrame(geometry=[shape], crs="EPSG:4326")
    if crs not in (None, "EPSG:4326"):
        frame = frame.to_crs(crs)
    frame.to_file(folder / name)
    if crs is None:
        (folder / name).with_suffix(".prj").unlink()
    return folder / name


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.fgb"])
def test_a_file_in_degrees_is_the_same_area_in_every_format(tmp_path: Path, name: str) -> None:
    assert read_project(read_area(written(tmp_path, name))).area_m2 == pytest.approx(area(SHAPE), rel=1e-9)


def test_a_file_in_metres_is_transformed_with_its_edges(tmp_path: Path) -> None:
    project = read_project(read_area(written(tmp_path, "a.gpkg", "EPSG:32648")))
    metres = geopandas.GeoSeries([SHAPE], crs="EPSG:4326").to_crs("EPSG:32648")
    bent = metres.segmentize(50).to_crs("EPSG:4326").iloc[0]
    assert project.area_m2 == pytest.approx(area(bent), rel=1e-6)
    # With its corners alone transformed it would be 0.07 % smaller.
    assert project.area_m2 > area(SHAPE) * 1.0005


def test_a_shapefile_without_prj_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(AreaRefused, match=r"\.prj"):
        read_area(written(tmp_path, "a.shp", None))


def test_points_other_files_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AreaRefused, match="polygons"):
        read_area(written(tmp_path, "p.gpkg", shape=shapely.Point(105, 20)))
    (tmp_path / "x.gpkg").write_text("no database")
    with pytest.raises(AreaRefused, match="can't be read"):
        read_area(tmp_path / "x.gpkg")
    (tmp_path / "x.geojson").write_text("[1")
    with pytest.raises(AreaRefused, match="can't be read"):
        read_area(tmp_path / "x.geojson")
    with pytest.raises(Usage, match="no file"):
        read_area(tmp_path / "none.shp")
