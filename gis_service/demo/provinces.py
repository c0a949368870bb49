"""The provinces of the demo: those before the merger of 1 July 2025 and those since."""

from __future__ import annotations

import geopandas

from gis_service.demo.files import PROVINCES


def frames() -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
    """The 63 older units, of which ten stand unchanged, and the 23 merged ones."""
    units = geopandas.read_file(PROVINCES)
    merged = units["predecessor_codes"].notna()
    newer = units[merged].copy()
    newer["predecessor_codes"] = newer["predecessor_codes"].str.split()
    older = units[~merged].drop(columns=["valid_from", "decree", "predecessor_codes"])
    return older.reset_index(drop=True), newer.drop(columns="valid_to").reset_index(drop=True)
