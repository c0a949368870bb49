"""The WebMercatorQuad grid."""

import pytest

from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering


def test_the_first_tile_is_the_square_world() -> None:
    box = Tile(0, 0, 0).lonlat()
    assert (box.west, box.east) == (-180, 180)
    assert box.north == pytest.approx(85.0511287798066)
    assert box.south == pytest.approx(-85.0511287798066)


def test_margins_widen_a_tile_but_never_beyond_the_world() -> None:
    assert Tile(1, 0, 0).lonlat(margin=0.5).as_tuple()[::2] == (-180, 90)


@pytest.mark.parametrize(("z", "x", "y"), [(0, 1, 0), (3, 8, 0), (3, 0, -1), (25, 0, 0), (-1, 0, 0)])
def test_a_tile_outside_the_grid_is_refused(z: int, x: int, y: int) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        Tile(z, x, y)


def test_a_box_is_covered_by_the_tiles_that_it_meets() -> None:
    assert covering(BBox(-10, -10, 10, 10), 1) == (0, 0, 1, 1)
    assert covering(BBox(-180, -90, 180, 90), 2) == (0, 0, 3, 3)
