"""How a report is run again so that it gives the same numbers: as of its release and its day."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gis_service.reports.model import OverlapReport

AREA_FILE = "area.geojson"


def command(report: OverlapReport) -> str:
    """The words for the command line; the reader must be the same."""
    method = report.method
    words = ["./gis report", AREA_FILE, f"--release {method.release}", f"--as-of {method.as_of.isoformat()}"]
    if method.status_filter != "pp_text":
        words.append(f"--status-filter {method.status_filter}")
    return " ".join([*words, "-o report.html"])


def inputs(report: OverlapReport) -> Mapping[str, object]:
    """The inputs of the process beside the area."""
    method = report.method
    made: dict[str, object] = {"release": method.release, "as_of": method.as_of.isoformat()}
    return made if method.status_filter == "pp_text" else {**made, "status_filter": method.status_filter}


def body(report: OverlapReport) -> str:
    """The same as a client sends them, the area left open."""
    rest = json.dumps(inputs(report))[1:]
    return f'{{"inputs": {{"area": {{…}}, {rest}}}'
