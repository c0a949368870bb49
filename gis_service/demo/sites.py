"""Protected areas as the facts give them: a geodesic circle of the stated area around the stated point.

UNEP-WCMC shows records that have a point and an area but no boundary in the same way. The circles are marked
as indicative wherever they appear.
"""

from __future__ import annotations

import math
from typing import Final

import geopandas
import numpy as np
import pyproj
import shapely

from gis_service.demo.files import SITES, Row, rows_of

VERTICES: Final = 256  # the area of a polygon of 256 corners is 0.010 % below that of its circle
FIRST_SITE_ID: Final = 990_001  # numbers of the demo, outside those of the WDPA
REMARK: Final = (
    "Indicative: a geodesic circle of the stated area around a stated point, not a boundary. "
    "Mang tính chỉ báo: hình tròn trắc địa theo diện tích công bố quanh một điểm, không phải ranh giới."
)
_GEOD: Final = pyproj.Geod(ellps="WGS84")
_FACTS: Final = (
    "national_code", "name", "name_eng", "desig", "desig_eng", "national_class", "iucn_cat",
    "decision_no", "decision_date", "decided_area_ha",
)  # fmt: skip


def area_ha(row: Row) -> float | None:
    """The area that a decision states, else the reported one, else None."""
    stated = row["decided_area_ha"] or row["reported_area_ha"]
    return float(stated) if stated else None


def drawn(rows: list[Row]) -> list[Row]:
    """The rows that have both a place and an area."""
    return [row for row in rows if row["lon"] and area_ha(row)]


def circle(lon: float, lat: float, hectares: float) -> shapely.Polygon:
    """The geodesic circle of that area."""
    radius = math.sqrt(hectares * 10_000 / math.pi)
    return disc(lon, lat, radius)


def disc(lon: float, lat: float, radius_m: float) -> shapely.Polygon:
    """The points at that distance from a place, every 360/VERTICES degrees, anticlockwise."""
    azimuths = -np.arange(VERTICES) * 360 / VERTICES
    lons, lats, _ = _GEOD.fwd(
        np.full(VERTICES, lon), np.full(VERTICES, lat), azimuths, np.full(VERTICES, radius_m)
    )
    return shapely.Polygon(np.column_stack([lons, lats]).round(7))


def frame() -> geopandas.GeoDataFrame:
    """The drawn rows with the columns of gis.protected_area; what has no source is None."""
    records, shapes = [], []
    for number, row in enumerate(rows_of(SITES)):
        hectares = area_ha(row)
        if not row["lon"] or hectares is None:
            continue
        records.append(_record(FIRST_SITE_ID + number, row, hectares))
        shapes.append(circle(float(row["lon"]), float(row["lat"]), hectares))
    return geopandas.GeoDataFrame(records, geometry=shapes, crs="EPSG:4326")


def _record(site_id: int, row: Row, hectares: float) -> dict[str, object]:
    facts: dict[str, object] = {key: row[key] or None for key in _FACTS}
    decided = row["decided_area_ha"]
    return {
        **facts,
        "decided_area_ha": float(decided) if decided else None,
        "site_id": site_id,
        "site_type": "PA",
        "desig_type": "National",
        "status": "Designated",
        "status_yr": int(row["decision_date"][:4]) if row["decision_date"] else None,
        "rep_area": hectares / 100,
        "iso3": "VNM",
        "prnt_iso3": "VNM",
        "valid_from": row["decision_date"] or None,
        "supp_info": f"{REMARK} {row['note']}".strip(),
        "area_source": row["decided_area_source"] or row["reported_area_source"],
        "coordinates_source": row["coordinates_source"],
        "coordinates_kind": row["coordinates_kind"],
        "decision_source": row["decision_source"] or None,
        "names_source": row["names_source"],
    }
