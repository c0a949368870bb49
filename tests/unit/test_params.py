"""The query string as parameters."""

import pytest

from gis_service.web import params


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("name=two+words", "two words"),  # an HTML form
        ("name=A%2BB", "A+B"),
        ("name=A%2BB+C", "A+B C"),
        ("name=(a%20=%201+1)", "(a = 1+1)"),  # QGIS
        ("name=%27x%20%2B+y%27", "'x ++y'"),
    ],
)
def test_a_plus_is_a_space_unless_spaces_are_written_otherwise(query: str, value: str) -> None:
    assert params.parse(query) == {"name": value}
