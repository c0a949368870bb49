"""Reduce the standard's ne110m4cql2.gpkg to the tables of this folder.

Run as `python -m tests.annex_a.make ne110m4cql2.gpkg`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pyogrio
import shapely

from tests.annex_a import COLLECTIONS, FOLDER

LAYERS = {
    "countries": "ne_110m_admin_0_countries",
    "places": "ne_110m_populated_places_simple",
    "rivers": "ne_110m_rivers_lake_centerlines",
}


def table(source: Path, name: str) -> str:
    """A line a feature, values parted by tabs, geometry as text that reads back to the very same numbers."""
    frame = pyogrio.read_dataframe(source, layer=LAYERS[name], fid_as_index=True)
    columns = list(COLLECTIONS[name][1])
    lines = ["\t".join(["id", *columns, "geom"])]
    for fid, row in frame.iterrows():
        values = [_text(row[column], COLLECTIONS[name][1][column]) for column in columns]
        lines.append("\t".join([str(fid), *values, shapely.to_wkt(row.geometry, rounding_precision=-1)]))
    return "\n".join(lines) + "\n"


def _text(value: object, kind: str) -> str:
    if value is None or pd.isna(value):  # type: ignore[call-overload]  # one value of a frame, never an array
        return ""
    match kind:
        case "boolean":
            return "true" if value else "false"
        case "date":
            return pd.Timestamp(value).date().isoformat()  # type: ignore[arg-type]  # a date by its column
        case "timestamp":
            return pd.Timestamp(value).isoformat() + "Z"  # type: ignore[arg-type]  # a timestamp by its column
    return str(value)


if __name__ == "__main__":
    for each in COLLECTIONS:
        (FOLDER / f"{each}.tsv").write_text(table(Path(sys.argv[1]), each), "utf-8")
