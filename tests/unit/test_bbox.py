"""Boxes in degrees, as RFC 7946 and OGC API Features read them."""

import pytest

from gis_service.geo.bbox import BBox


def test_four_numbers_are_west_south_east_north() -> None:
    assert BBox.from_numbers([102, 8, 110, 24]) == BBox(102, 8, 110, 24)


def test_heights_of_a_box_of_six_numbers_are_left_out() -> None:
    assert BBox.from_numbers([102, 8, -5, 110, 24, 3000]) == BBox(102, 8, 110, 24)


def test_a_box_across_the_antimeridian_has_two_parts() -> None:
    assert BBox(177, -20, -177, -10).parts() == (BBox(177, -20, 180, -10), BBox(-180, -20, -177, -10))


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 3],
        [0, 10, 5, 5],
        [0, -91, 5, 5],
        [-181, 0, 5, 5],
        [float("nan"), 0, 1, 1],
        [0, 0, float("inf"), 1],
    ],
)
def test_a_box_that_is_none_is_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r"."):
        BBox.from_numbers(numbers)
