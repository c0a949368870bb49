"""The data files of the demo and how their rows are read."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "data"
UNITS: Final = FOLDER / "units.csv"
PROVINCES: Final = FOLDER / "provinces.geojson"
SITES: Final = FOLDER / "protected_areas.csv"
SOURCES: Final = FOLDER / "sources.csv"
TARGETS: Final = FOLDER / "targets.csv"

Row = dict[str, str]


def rows_of(path: Path) -> list[Row]:
    """The rows of a CSV file, every value as text, empty where nothing is known."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
