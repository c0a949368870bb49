"""Events carry fields, and numbers come out as Prometheus text."""

import logging

import pytest

from gis_service.observe import Log, Metrics


def test_an_event_is_written_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Log("gis.test").info("tile", layer="plots", ms=3.14159, note="two words")
    assert caplog.messages == ["tile layer=plots ms=3.1 note='two words'"]


def test_counters_and_times_are_rendered() -> None:
    metrics = Metrics()
    metrics.count("gis_requests_total", route="tile")
    metrics.count("gis_requests_total", route="tile")
    metrics.time("gis_seconds", 0.002, route="tile")
    text = metrics.render()
    assert 'gis_requests_total{route="tile"} 2' in text
    assert 'gis_seconds_bucket{route="tile",le="0.001"} 0' in text
    assert 'gis_seconds_bucket{route="tile",le="+Inf"} 1' in text
    assert 'gis_seconds_count{route="tile"} 1' in text


def test_quotes_in_a_label_are_escaped() -> None:
    metrics = Metrics()
    metrics.count("n", name='a"b')
    assert 'n{name="a\\"b"} 1' in metrics.render()
