"""Numbers of a report for the eye."""

import pytest

from gis_service.reports.numbers import degrees, wind


@pytest.mark.parametrize(
    ("bearing", "shown", "direction"),
    [(0.0, "0°", "north"), (359.9988, "0°", "north"), (194.6, "195°", "south")],
)
def test_a_bearing_just_west_of_north_is_north(bearing: float, shown: str, direction: str) -> None:
    assert (degrees(bearing), wind(bearing, "en")) == (shown, direction)
