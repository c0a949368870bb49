"""Events carry fields, and numbers come out as Prometheus text."""

import logging
import subprocess
import sys

import pytest

from gis_service.observe import Log, Metrics


def test_an_event_is_written_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Log("gis.test").info("tile", layer="plots", ms=3.14159, note="two words")
    assert caplog.messages == ["tile layer=plots ms=3.1 note='two words'"]


@pytest.mark.parametrize(("level", "seen"), [("warning", False), ("debug", True)])
def test_the_log_leaves_out_what_libraries_say_of_themselves(level: str, seen: bool) -> None:
    program = f"""
import logging
from gis_service.observe import Log, log_to_stderr
log_to_stderr("{level}")
logging.getLogger("pygeoapi.l10n").warning("unknown locale")
Log("gis.web").warning("ours")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ("ours" in done.stderr, "unknown locale" in done.stderr) == (True, seen)


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
