"""Reduce Natural Earth's admin-1 units of Viet Nam to the file that the demo loads.

Run as `python -m gis_service.demo.make_provinces world_map.gpkg`, with the file that Debian's qgis-common
ships (usr/share/qgis/resources/data/world_map.gpkg). The units since 1 July 2025 are unions of the older
ones. Coordinates are rounded to five decimals (1.1 m); a vertex that neighbours share rounds alike for both,
so borders stay exact, and the maker refuses a result where they don't.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from gis_service.demo.files import PROVINCES, UNITS, Row, rows_of

DECIMALS = 5
SOURCE_LAYER = "states_provinces"

# The source gives Côn Đảo to Sóc Trăng; it belonged to Bà Rịa - Vũng Tàu. (a place on it, from, to)
MOVED = ((106.6, 8.7), "Tinh Soc Trang", "Tinh Ba Ria-Vung Tau")


class NotACoverage(ValueError):
    """The units overlap, leave slits or are broken; the source isn't the one that this maker knows."""


def read_source(path: Path) -> dict[str, shapely.Geometry]:
    """The units of Viet Nam by Natural Earth's `gn_name`; its `name` has mistakes (regions for provinces)."""
    frame = geopandas.read_file(path, layer=SOURCE_LAYER, where="adm0_a3 = 'VNM'")
    return dict(zip(frame["gn_name"], shapely.force_2d(frame.geometry.values), strict=True))


def corrected(units: Mapping[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """The same units with the islands of MOVED given to the unit that they belonged to."""
    place, giver, taker = MOVED
    parts = shapely.get_parts(units[giver])
    islands = shapely.dwithin(parts, shapely.Point(place), 0.2)
    if islands.sum() != 1:
        raise NotACoverage
    return {
        **units,
        giver: shapely.multipolygons(parts[~islands]),
        taker: shapely.multipolygons([*shapely.get_parts(units[taker]), *parts[islands]]),
    }


def rounded(units: Mapping[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """The same units with fewer decimals; NotACoverage where shared borders don't survive."""
    shapes = shapely.transform(np.array(list(units.values())), lambda xy: xy.round(DECIMALS))
    if not (shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes)):
        raise NotACoverage
    return dict(zip(units, shapes, strict=True))


def features(units: list[Row], source: Mapping[str, shapely.Geometry]) -> Iterator[dict[str, Any]]:
    """A GeoJSON feature for each row: a unit of the source, or the union of its predecessors."""
    older = {
        row["code"]: source[row["natural_earth_gn_name"]] for row in units if row["natural_earth_gn_name"]
    }
    for row in units:
        codes = row["predecessor_codes"].split()
        shape = shapely.coverage_union_all([older[code] for code in codes]) if codes else older[row["code"]]
        properties = {key: value for key, value in row.items() if key != "natural_earth_gn_name" and value}
        yield {"type": "Feature", "properties": properties, "geometry": _geometry(shape)}


def _geometry(shape: shapely.Geometry) -> dict[str, Any]:
    """A MultiPolygon in GeoJSON, its parts and rings in a fixed order so that the bytes don't drift."""
    parts = shapely.get_parts(shapely.normalize(shape))
    rings = [[part.exterior, *part.interiors] for part in parts]
    coordinates = [
        [shapely.get_coordinates(ring).round(DECIMALS).tolist() for ring in part] for part in rings
    ]
    return {"type": "MultiPolygon", "coordinates": coordinates}


def write(path: Path, found: Iterator[dict[str, Any]]) -> int:
    """Write one feature a line and return their number."""
    lines = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in found]
    body = ",\n".join(lines)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', "utf-8")
    return len(lines)


def main(arguments: list[str]) -> int:
    """Make the file from the source named on the command line."""
    if len(arguments) != 1:
        print("usage: python -m gis_service.demo.make_provinces PATH_TO_WORLD_MAP_GPKG", file=sys.stderr)
        return 2
    units = rows_of(UNITS)
    count = write(PROVINCES, features(units, rounded(corrected(read_source(Path(arguments[0]))))))
    print(f"{count} units, {PROVINCES.stat().st_size} bytes: {PROVINCES}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
