"""The `datetime` parameter: instants, days, intervals, and the odd ends that QGIS writes (Q10)."""

from datetime import UTC, datetime

import pytest

from gis_service.geo.temporal import Interval, parse


def test_an_instant_is_an_interval_of_no_length() -> None:
    noon = datetime(2024, 5, 31, 12, tzinfo=UTC)
    assert parse("2024-05-31T12:00:00Z") == Interval(noon, noon)
    assert parse("2024-05-31T19:00:00+07:00") == Interval(noon, noon)


def test_a_date_is_its_whole_day() -> None:
    assert parse("2024-02-29") == Interval(
        datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
    )


@pytest.mark.parametrize("text", ["../..", "/", "0000-01-01T00:00:00Z/9999-12-31T00:00:00Z"])
def test_open_ends_have_three_spellings(text: str) -> None:
    assert parse(text) == Interval(None, None)


def test_the_last_day_of_the_calendar_overflows_nothing() -> None:
    assert parse("9999-12-30/..").end is None
    assert parse("9999-12-31").start == datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024",
        "2024-13-01",
        "2023-02-29",
        "yesterday",
        "a/b/c",
        "2024-01-02/2024-01-01",
        "",
        "2024-01-01T25:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)
