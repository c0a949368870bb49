"""Simulated management zones of a few protected areas: a core, a ring with a service sector, a buffer."""

from __future__ import annotations

import math
from typing import Final

import geopandas
import shapely

from gis_service.demo import sites
from gis_service.demo.files import SITES, rows_of

ZONED: Final = ("hoang-lien", "pu-mat", "phong-nha-ke-bang", "yok-don", "cat-tien", "bu-gia-map")
CORE: Final = 0.72  # of the radius: half of the area is strictly protected
BUFFER_M: Final = 2_000.0
_NAMES: Final = {
    "strict": "Phân khu bảo vệ nghiêm ngặt (mô phỏng) / Strict protection (simulated)",
    "restoration": "Phân khu phục hồi sinh thái (mô phỏng) / Ecological restoration (simulated)",
    "service": "Phân khu dịch vụ - hành chính (mô phỏng) / Services (simulated)",
    "buffer": "Vùng đệm (mô phỏng) / Buffer zone (simulated)",
}


def frame(areas: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Four zones for each of ZONED, with the columns of gis.management_zone; they don't overlap."""
    records, shapes = [], []
    rows = {row["national_code"]: row for row in rows_of(SITES)}
    for area in areas[areas["national_code"].isin(ZONED)].itertuples():
        row = rows[area.national_code]
        for zone, shape in zones_of(float(row["lon"]), float(row["lat"]), area.rep_area * 1e6).items():
            name = f"{area.national_code}/{zone}"
            records.append({"zone_id": name, "site_id": area.site_id, "zone": zone, "name": _NAMES[zone]})
            shapes.append(shape)
    return geopandas.GeoDataFrame(records, geometry=shapes, crs="EPSG:4326")


def zones_of(lon: float, lat: float, area_m2: float) -> dict[str, shapely.Geometry]:
    """The zones of a circle of that area: three fill it, the buffer lies around it."""
    radius = math.sqrt(area_m2 / math.pi)
    whole, core = sites.disc(lon, lat, radius), sites.disc(lon, lat, radius * CORE)
    ring = shapely.difference(whole, core)
    sector = shapely.Polygon([(lon, lat), (lon - 4, lat - 10), (lon + 4, lat - 10)])  # opens to the south
    return {
        "strict": core,
        "restoration": shapely.difference(ring, sector),
        "service": shapely.intersection(ring, sector),
        "buffer": shapely.difference(sites.disc(lon, lat, radius + BUFFER_M), whole),
    }
