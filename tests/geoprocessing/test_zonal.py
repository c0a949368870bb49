"""Rasters in polygons against cells that a reader can add up, GEOS cell by cell, and exactextract."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from rasterio import Affine
from shapely.geometry.base import BaseGeometry

from gis_service.geo import areas
from gis_service.geoprocessing import zonal
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.engine import spans
from gis_service.geoprocessing.measure import Geometries, area, areas_of
from gis_service.geoprocessing.raster_refusal import RasterRefused
from gis_service.geoprocessing.rasters import Grid, Raster, opened
from gis_service.geoprocessing.zonal import ClassAreas, ValueMeans

LONLAT = CRS.from_epsg(4326)


def shapes(*each: BaseGeometry) -> Geometries:
    return np.array(each, dtype=object)


def class_areas(found: Raster, polygons: Geometries) -> tuple[ClassAreas, ...]:
    return zonal.class_areas(found, polygons, Budget())


def value_means(found: Raster, polygons: Geometries) -> tuple[ValueMeans, ...]:
    return zonal.value_means(found, polygons, Budget())


def star(seed: int, x: float, y: float, radius: float = 0.1, corners: int = 60) -> BaseGeometry:
    """A ragged valid polygon."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    away = radius * random.uniform(0.4, 1.0, corners)
    ring = np.column_stack([x + away * np.cos(angles), y + away * np.sin(angles)])
    return shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)


@contextmanager
def raster(
    folder: Path, cells: npt.NDArray[Any], transform: Affine, crs: str = "EPSG:4326", **profile: Any
) -> Iterator[Raster]:
    """The cells as an open GeoTIFF."""
    path = folder / f"{abs(hash((cells.tobytes(), transform, crs)))}.tif"
    size = {"height": cells.shape[0], "width": cells.shape[1], "count": 1, "dtype": cells.dtype}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **size, **profile) as file:
        file.write(cells, 1)
    with opened(path) as found:
        yield found


def by_cell(grid: Grid, polygon: BaseGeometry) -> npt.NDArray[np.float64]:
    """The area that the polygon covers of each cell."""
    outlines = spans.outlines_of(grid.cells(shapes(polygon))[0])
    found = spans.spans(outlines, 0, grid.height, grid.width, grid.below(0, grid.height))
    made = np.zeros((grid.height, grid.width))
    for row, start, end, per_cell in zip(*found[:4], strict=True):
        made[row, start:end] += per_cell
    return made * (grid.weights(0, grid.height, 0, grid.width) if not grid.plain else 1.0)


FOUR = np.array([[1, 2], [3, 3]], np.uint8)  # cells of a degree, from 105 to 107 E and 22 to 20 N
PLACE = Affine(1, 0, 105, 0, -1, 22)


def test_half_a_raster_of_four_cells_is_half_of_each_cell(tmp_path: Path) -> None:
    with raster(tmp_path, FOUR, PLACE) as found:
        [whole, west, inner] = class_areas(
            found,
            shapes(
                shapely.box(105, 20, 107, 22),
                shapely.box(105, 20, 105.5, 22),
                shapely.box(105.5, 20.5, 106.5, 21.5),
            ),
        )
    north, south = areas.box(105, 21, 106, 22), areas.box(105, 20, 106, 21)
    assert whole.classes == pytest.approx({1: north, 2: north, 3: 2 * south}, rel=1e-13)
    assert west.classes == pytest.approx({1: north / 2, 3: south / 2}, rel=1e-13)
    # The middle of the inner box is the corner of all four cells: a quarter of each, but not of its area.
    upper, lower = areas.box(105.5, 21, 106, 21.5), areas.box(105.5, 20.5, 106, 21)
    assert inner.classes == pytest.approx({1: upper, 2: upper, 3: 2 * lower}, rel=1e-13)
    assert whole.nodata_m2 == whole.outside_m2 == 0


def test_nodata_and_what_lies_beyond_the_raster_are_told_apart(tmp_path: Path) -> None:
    with raster(tmp_path, FOUR, PLACE, nodata=2) as found:
        [told] = class_areas(found, shapes(shapely.box(105, 21, 108, 22)))
    cell = areas.box(105, 21, 106, 22)
    assert told.classes == pytest.approx({1: cell}, rel=1e-13)
    assert (told.nodata_m2, told.outside_m2) == pytest.approx((cell, cell), rel=1e-12)
    assert told.area_m2 == pytest.approx(3 * cell, rel=1e-13)


def test_a_raster_s_own_mask_is_nodata(tmp_path: Path) -> None:
    path = tmp_path / "masked.tif"
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            crs="EPSG:4326",
            transform=PLACE,
            height=2,
            width=2,
            count=1,
            dtype="uint8",
        ) as file,
    ):
        file.write(FOUR, 1)
        file.write_mask(np.array([[True, True], [False, True]]))
    with opened(path) as found:
        [classes] = class_areas(found, shapes(shapely.box(105, 20, 107, 22)))
        [values] = value_means(found, shapes(shapely.box(105, 20, 107, 22)))
    cell = areas.box(105, 20, 106, 21)
    assert classes.nodata_m2 == pytest.approx(cell, rel=1e-12)
    assert classes.classes[3] == pytest.approx(cell, rel=1e-12)
    assert values.nodata_m2 == pytest.approx(cell, rel=1e-12)


@pytest.mark.parametrize("cell", [0.0025, 0.1, 0.5])
@pytest.mark.parametrize(
    "polygon",
    [
        star(1, 106, 16, 0.9),
        star(2, 106.013, 16.4, 0.7, 400) | star(3, 105.2, 15.2, 0.3),
        shapely.box(105.5, 15.5, 106.3, 16.7) - shapely.box(105.6, 15.8, 105.65, 16.6),
        shapely.Polygon([(105, 15.05), (106.999, 15.06), (106.9, 15.07), (105.1, 15.3)]),
    ],
)
def test_the_cells_add_up_to_the_polygon(polygon: BaseGeometry, cell: float) -> None:
    size = round(2 / cell)
    grid = Grid(size, size, Affine(cell, 0, 105, 0, -cell, 17), LONLAT)
    assert by_cell(grid, polygon & shapely.box(105, 15, 107, 17)).sum() == pytest.approx(
        area(polygon & shapely.box(105, 15, 107, 17)), rel=1e-11
    )


@pytest.mark.parametrize("step", [-0.1, 0.1])  # north-up, and the other way
def test_each_cell_agrees_with_geos(step: float) -> None:
    polygon = star(4, 106, 16, 0.9, 200) - shapely.box(105.9, 15.7, 106.02, 16.55)
    grid = Grid(20, 20, Affine(0.1, 0, 105, 0, step, 16 - 10 * step), LONLAT)
    west, north = np.meshgrid(105 + 0.1 * np.arange(20), 16 + step * (np.arange(20) - 10))
    cells = shapely.box(west.ravel(), north.ravel(), west.ravel() + 0.1, north.ravel() + step)
    expected = areas_of(shapely.intersection(cells, polygon)).reshape(20, 20)
    assert by_cell(grid, polygon) == pytest.approx(expected, rel=1e-9, abs=1.0)


def test_cells_of_a_degree_around_the_world_are_the_ellipsoid() -> None:
    grid = Grid(360, 180, Affine(1, 0, -180, 0, -1, 90), LONLAT)
    world = by_cell(grid, shapely.box(-180, -90, 180, 90))
    assert world.sum() == pytest.approx(510_065_621_724_088.4, rel=1e-12)
    assert world[100, 7] == pytest.approx(areas.box(-173, -11, -172, -10), rel=1e-12)


def test_a_grid_that_goes_east_of_180_degrees_holds_what_is_west_of_it(tmp_path: Path) -> None:
    cells = np.arange(8, dtype=np.uint8).reshape(2, 4)  # of a degree, from 178 to 182
    with raster(tmp_path, cells, Affine(1, 0, 178, 0, -1, -16)) as found:
        [told] = class_areas(
            found,
            shapes(
                shapely.MultiPolygon([shapely.box(179, -17, 180, -16), shapely.box(-180, -17, -179, -16)])
            ),
        )
    cell = areas.box(0, -17, 1, -16)
    assert told.classes == pytest.approx({1: cell, 2: cell}, rel=1e-12)


def test_fine_classes_agree_with_exactextract(tmp_path: Path) -> None:
    size, cell = 1500, 0.00027
    random = np.random.default_rng(8)
    cells = random.integers(0, 12, (size, size), dtype=np.uint8)
    south, east = 21 - size * cell, 105 + size * cell
    polygons = shapes(
        star(5, 105.2, 20.8, 0.17, 500), star(6, 105.3, 20.7, 0.05), star(7, 105.1, 20.9, 0.004, 9)
    )
    source = NumPyRasterSource(cells, xmin=105.0, ymin=south, xmax=east, ymax=21.0)
    rows = np.array(
        [areas.box(105, 21 - (row + 1) * cell, 105 + cell, 21 - row * cell) for row in range(size)]
    )
    features = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(each)} for each in polygons
    ]
    theirs = exact_extract(source, features, ["values", "coverage", "cell_id"])
    profile: Any = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "nodata": 0}
    with raster(tmp_path, cells, Affine(cell, 0, 105, 0, -cell, 21), **profile) as found:
        ours = class_areas(found, polygons)
    for mine, other in zip(ours, theirs, strict=True):
        of = other["properties"]
        expected = np.bincount(of["values"], of["coverage"] * rows[of["cell_id"] // size], minlength=12)
        got = np.array([mine.nodata_m2, *(mine.classes.get(value, 0.0) for value in range(1, 12))])
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-6 * mine.area_m2)
        assert abs(mine.residual) < 1e-11


@pytest.mark.parametrize("crs", ["EPSG:32648", "EPSG:3405", "EPSG:3857", "EPSG:2263"])
def test_projected_cells_have_the_area_of_their_own_corners(crs: str) -> None:
    lon, lat = (-74.0, 40.7) if crs == "EPSG:2263" else (107.6, 16.3)  # the last one is in feet
    lonlat = Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    x, y = lonlat.transform(lon, lat)
    side = 1000.0
    grid = Grid(40, 30, Affine(side, 0, x - 20 * side, 0, -side, y + 15 * side), CRS.from_user_input(crs))
    polygon = star(9, lon, lat, 0.03 if crs == "EPSG:2263" else 0.1, 90)
    assert by_cell(grid, polygon).sum() == pytest.approx(area(polygon), rel=1e-6)
    cell = shapely.segmentize(shapely.box(x, y, x + side, y + side), side / 50)
    back = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    corners = shapely.transform(cell, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))
    assert grid.weights(0, 30, 0, 40)[14, 20] == pytest.approx(area(corners), rel=1e-8)


def test_means_weigh_cells_by_their_area_inside(tmp_path: Path) -> None:
    cells = np.array([[10.0, 30.0], [np.nan, -99.0]], np.float32)
    with raster(tmp_path, cells, PLACE, nodata=-99) as found:
        [told] = value_means(found, shapes(shapely.box(105.5, 20, 107, 22)))
        [none] = value_means(found, shapes(shapely.box(105, 20, 107, 21)))
    cell, south = areas.box(105, 21, 106, 22), areas.box(105, 20, 106, 21)
    assert told.mean == pytest.approx((10 * 0.5 + 30) / 1.5, rel=1e-12)
    assert told.deviation == pytest.approx((400 * (0.5 / 1.5) * (1 / 1.5)) ** 0.5, rel=1e-9)
    assert (told.least, told.greatest) == (10, 30)
    assert told.total == pytest.approx(0.5 * 10 + 30, rel=1e-12)  # as of people in cells
    assert (told.valid_m2, told.nodata_m2) == pytest.approx((1.5 * cell, 1.5 * south), rel=1e-12)
    assert (none.mean, none.total, none.valid_m2) == (None, None, 0.0)


def test_change_is_a_table_of_before_and_after(tmp_path: Path) -> None:
    after = np.array([[1, 3], [3, 9]], np.int16)
    with (
        raster(tmp_path, FOUR, PLACE, nodata=1) as one,
        raster(tmp_path, after, PLACE, nodata=9) as other,
        raster(tmp_path, after, Affine(1, 0, 105.5, 0, -1, 22)) as moved,
    ):
        [told] = zonal.class_changes(one, other, shapes(shapely.box(105, 20, 107, 22)), Budget())
        with pytest.raises(RasterRefused, match="same cells"):
            zonal.class_changes(one, moved, shapes(shapely.box(105, 20, 107, 22)), Budget())
    north, south = areas.box(105, 21, 106, 22), areas.box(105, 20, 106, 21)
    expected: Mapping[Any, float] = {(None, 1): north, (2, 3): north, (3, 3): south, (3, None): south}
    assert told.pairs == pytest.approx(dict(expected), rel=1e-12)
    assert abs(told.residual) < 1e-12


SIDES = st.floats(0.02, 1.9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), SIDES, SIDES, st.integers(3, 40))
def test_pieces_of_a_cut_polygon_add_up_class_by_class(
    seed: int, along: float, up: float, corners: int
) -> None:
    polygon = star(seed, 106, 16, 0.95, corners)
    grid = Grid(17, 23, Affine(2 / 17, 0, 105, 0, -2 / 23, 17), LONLAT)
    cut = shapely.Polygon([(104, 14), (105 + along, 14), (105 + up, 18), (104, 18)])
    parts = by_cell(grid, polygon & cut) + by_cell(grid, polygon - cut)
    assert parts == pytest.approx(by_cell(grid, polygon), rel=1e-9, abs=1e-3)


def test_people_in_a_box_around_viet_nam_are_all_there_are(shared_data: Path) -> None:
    with opened(shared_data / "vn-rasters" / "vnm_ppp_2020_1km_Aggregated_UNadj.tif") as found:
        cells = found.file.read(1).astype(float)
        [told] = value_means(found, shapes(shapely.box(100, 5, 112, 25)))
    assert told.total == pytest.approx(cells[cells != found.nodata].sum(), rel=1e-12)
    assert told.total == pytest.approx(97_338_580, rel=1e-3)  # the United Nations' estimate for 2020


def test_rasters_that_can_t_be_used_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(RasterRefused, match="can't be read"), opened(tmp_path / "text.tif"):
        pass
    with raster(tmp_path, FOUR.astype(np.float32), PLACE) as found:
        with pytest.raises(RasterRefused, match="no classes"):
            class_areas(found, shapes(shapely.box(105, 20, 107, 22)))
        with pytest.raises(RasterRefused, match="no band 2"), opened(Path(found.file.name), 2):
            pass
    random = np.random.default_rng(1).integers(0, 9, (600, 600), dtype=np.uint8)
    with raster(tmp_path, random, Affine(0.001, 0, 105, 0, -0.001, 22), compress="deflate") as found:
        damaged = Path(found.file.name)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RasterRefused), opened(damaged) as found:
        class_areas(found, shapes(shapely.box(105, 20, 107, 22)))
