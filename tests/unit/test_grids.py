"""Tile matrix sets: their geometry by hand, and what is refused in the file of one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis_service.catalog.grids import FOLDER, read_grids
from gis_service.geo import grid
from gis_service.geo.bbox import BBox, Box
from gis_service.geo.crs import epsg
from gis_service.geo.tiles import WORLD_METRES, Tile
from gis_service.geo.tiles import covering as covering_tiles
from tests.conftest import ROOT

CRS84, MERCATOR = grid.world_crs84_quad(), grid.web_mercator_quad()
VN2000 = read_grids(ROOT)[0]["VN2000UTM48"]
HONG_KONG: dict[str, Any] = {
    "id": "HongKong",
    "crs": "http://www.opengis.net/def/crs/EPSG/0/2326",
    "orderedAxes": ["N", "E"],
    "tileMatrices": [
        {
            "id": "0", "scaleDenominator": 1_000_000, "cellSize": 280, "pointOfOrigin": [900_000, 800_000],
            "tileWidth": 256, "tileHeight": 256, "matrixWidth": 1, "matrixHeight": 2,
        }
    ],
}  # fmt: skip


def read(folder: Path, document: object, name: str = "HongKong") -> list[str]:
    """What is said of a registered grid."""
    (folder / FOLDER).mkdir(parents=True)
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / FOLDER / f"{name}.json").write_text(text, "utf-8")
    grids, mistakes = read_grids(folder)
    assert (name in grids) == (mistakes == [])
    return [str(mistake) for mistake in mistakes]


def test_the_standard_s_numbers_of_crs84_quad() -> None:
    """OGC 17-083r4, annex D: half the world a tile at first, 23 times halved."""
    first = CRS84.matrices[0]
    assert first.scale == pytest.approx(279541132.0143589)
    assert first.cell == 0.703125
    assert (first.columns, first.rows, len(CRS84.matrices)) == (2, 1, 24)
    assert CRS84.tile("1", 0, 3).box().as_tuple() == (90, 0, 180, 90)
    assert [matrix.level for matrix in CRS84.matrices[:3]] == [1, 2, 3]


def test_tiles_of_a_system_with_northings_first_lie_where_x_and_y_say(tmp_path: Path) -> None:
    """The origin is written northing first, the boxes hold easting first; rows count downwards."""
    assert read(tmp_path, HONG_KONG) == []
    found = read_grids(tmp_path)[0]["HongKong"]
    assert found.crs == epsg(2326)
    assert found.tile("0", 1, 0).box().as_tuple() == (800_000, 756_640, 871_680, 828_320)


def test_rows_that_count_upwards() -> None:
    matrix = grid.Matrix("0", 1e6, 280, (0.0, 0.0), True, (256, 512), 3, 2)
    assert matrix.box(epsg(3405), (1, 1, 1, 1)).as_tuple() == (71_680, 143_360, 143_360, 286_720)
    assert matrix.covering(Box(1, 1, 71_681, 2, epsg(3405))) == (0, 0, 1, 0)
    assert matrix.covering(Box(-9, 1, -1, 2, epsg(3405))) is None


@given(st.integers(0, 24), st.floats(0, 1), st.floats(0, 1))
def test_mercator_as_a_grid_is_mercator(zoom: int, right: float, down: float) -> None:
    side = 1 << zoom
    x, y = min(side - 1, int(right * side)), min(side - 1, int(down * side))
    tile = MERCATOR.tile(str(zoom), y, x)
    assert tile.level == zoom
    box = grid.in_mercator(Tile(zoom, x, y).lonlat())
    assert box.as_tuple() == pytest.approx(tile.box().as_tuple(), abs=WORLD_METRES * 1e-12)


@given(st.sampled_from(VN2000.matrices), st.integers(0, 500), st.integers(0, 500))
def test_neighbours_have_the_very_same_border(matrix: grid.Matrix, row: int, column: int) -> None:
    row, column = row % max(1, matrix.rows - 1), column % max(1, matrix.columns - 1)
    here = VN2000.tile(matrix.id, row, column).box()
    assert here.east == VN2000.tile(matrix.id, row, min(column + 1, matrix.columns - 1)).box().west
    assert here.south == VN2000.tile(matrix.id, min(row + 1, matrix.rows - 1), column).box().north
    middle = Box(here.west + 1, here.south + 1, here.west + 2, here.south + 2, here.crs)
    assert matrix.covering(middle) == (column, row, column, row)


def test_levels_of_the_national_scales() -> None:
    """1:1,000,000: a tile of 71,680 m; the equator through it is 559 of 512 tiles, so zoom 9."""
    by_id = {matrix.id: matrix.level for matrix in VN2000.matrices}
    assert (by_id["0"], by_id["3"], by_id["7"], by_id["11"]) == (6, 9, 13, 18)


def test_samples_over_the_antimeridian_and_about_a_pole() -> None:
    side = grid.SAMPLES + 1
    over = [170 + n if n <= 10 else n - 190 for n in range(side)] * side
    flat = [10.0 + n // side for n in range(side * side)]
    box = grid.in_degrees(over, flat)
    assert box.crosses_antimeridian
    assert [box.west, box.east] == pytest.approx([169.84, -173.84])
    around = [(n % side) * 360 / side - 180 for n in range(side * side)]
    pole = [89.0 if n == side * side // 2 else 60.0 for n in range(side * side)]
    box = grid.in_degrees(around, pole)
    assert (box.west, box.east, box.north) == (-180, 180, 90)


def test_cells_about_a_box_are_whole() -> None:
    """Zoom 1, cells of 64 units: 0.5 E is unit 4107, in cell 64; one cell more on each side."""
    west, north, east, south = grid.cells(BBox(0.5, -0.5, 0.6, 0.5), 1, 64)
    assert (west, east) == (63 * 64, 66 * 64 - 1)
    assert (north % 64, (south + 1) % 64) == (0, 0)
    x0, y0, *_ = covering_tiles(grid.of_cells((4096, 0, 8191, 4095), 1), 1)
    assert (x0, y0) == (1, 0)


def test_boxes_have_in_common_what_both_hold() -> None:
    assert grid.common(BBox(170, 0, -170, 10), BBox(-180, 5, 0, 20)) == [BBox(-180, 5, -170, 10)]
    assert grid.common(BBox(0, 0, 1, 1), BBox(2, 0, 3, 1)) == []


def changed(**values: object) -> dict[str, Any]:
    """The grid with something else in its matrix."""
    return {**HONG_KONG, "tileMatrices": [{**HONG_KONG["tileMatrices"][0], **values}]}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "isn't JSON"),
        ([], "isn't a tile matrix set"),
        ({**HONG_KONG, "id": "Other"}, "must be the file's name, 'HongKong'"),
        ({**HONG_KONG, "id": "a/b"}, "id: 1 to 60 letters"),
        ({"id": "HongKong"}, "crs: the URI of an EPSG code is expected"),
        ({**HONG_KONG, "crs": {"wkt": {}}}, "crs: the URI of an EPSG code is expected"),
        ({**HONG_KONG, "crs": "EPSG:999999"}, "crs: EPSG:999999 is no system"),
        ({**HONG_KONG, "crs": "local"}, "crs: 'local' names no reference system"),
        ({**HONG_KONG, "orderedAxes": ["E", "N"]}, "contradicts EPSG:2326, whose first axis is the northing"),
        ({**HONG_KONG, "orderedAxes": ["E"]}, "orderedAxes: a list of two names"),
        ({**HONG_KONG, "tileMatrices": []}, "a list of 1 to 40 tile matrices"),
        ({**HONG_KONG, "tileMatrices": HONG_KONG["tileMatrices"] * 2}, "'0' isn't finer than '0' before it"),
        (changed(variableMatrixWidths=[{"coalesce": 2}]), "tileMatrices[0].variableMatrixWidths"),
        (changed(cornerOfOrigin="middle"), "tileMatrices[0].cornerOfOrigin: topLeft or bottomLeft"),
        (changed(pointOfOrigin=[1, "2"]), "tileMatrices[0].pointOfOrigin: a list of two numbers"),
        (changed(pointOfOrigin=None), "tileMatrices[0].pointOfOrigin: a list of two numbers"),
        (changed(tileWidth=0), "tileMatrices[0].tileWidth: a whole number from 1 to 4096"),
        (changed(matrixWidth=True), "tileMatrices[0].matrixWidth: a whole number"),
        (changed(cellSize=float("inf")), "tileMatrices[0].cellSize: a number above zero"),
        (changed(scaleDenominator=-1), "tileMatrices[0].scaleDenominator: a number above zero"),
        (changed(cellSize=28), "of pixels of 0.28 mm, a metre would be 10 m"),
        (changed(id=None), "tileMatrices[0].id: is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(document: object, told: str, tmp_path: Path) -> None:
    (said,) = read(tmp_path, document)
    assert said.startswith(f"{FOLDER}/HongKong.json:1: ")
    assert told in said


def test_degrees_in_the_wrong_order_reach_beyond_the_world(tmp_path: Path) -> None:
    """EPSG:4326 is latitude first: -180, 90 is a latitude of -180."""
    matrix = {
        "id": "0", "scaleDenominator": 279541132.0143589, "cellSize": 0.703125, "pointOfOrigin": [-180, 90],
        "tileWidth": 256, "tileHeight": 256, "matrixWidth": 2, "matrixHeight": 1,
    }  # fmt: skip
    document = {"id": "Wgs", "crs": "http://www.opengis.net/def/crs/EPSG/0/4326", "tileMatrices": [matrix]}
    (said,) = read(tmp_path, document, "Wgs")
    assert "beyond the world; pointOfOrigin is written in the order of the axes" in said


def test_a_grid_of_the_service_isn_t_registered_anew(tmp_path: Path) -> None:
    (said,) = read_twice(tmp_path)
    assert "'WorldCRS84Quad' is served already" in said


def read_twice(folder: Path) -> list[str]:
    (folder / FOLDER).mkdir(parents=True)
    document = {**HONG_KONG, "id": "WorldCRS84Quad"}
    (folder / FOLDER / "WorldCRS84Quad.json").write_text(json.dumps(document), "utf-8")
    return [str(mistake) for mistake in read_grids(folder)[1]]
