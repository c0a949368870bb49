"""The geometry of an edit in degrees on WGS 84, repaired as the loader repairs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import shapely

from gis_service.changes.faults import Fault, at
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Unprojectable
from gis_service.exchange import cleaning
from gis_service.exchange.reasons import Reason, reason
from gis_service.geo.crs import WGS84, Crs

_CLEANED = ("Point", "Polygon", "MultiPolygon")  # what the loader knows to repair
# PostGIS writes the coordinates that clients read, so it also reads those that they send: to read a shape and
# send it back moves nothing.
_IN_DEGREES = """
    select ST_AsBinary(ST_Transform(g.shape, 4326)), ST_AsBinary(g.shape)
      from (select ST_SetSRID(case when $3 then ST_FlipCoordinates(s) else s end, $2::int) as shape
              from ST_GeomFromGeoJSON($1) s) g
"""


@dataclass(frozen=True)
class Placed:
    """A geometry as the table holds it; what was sent, where it differs from that."""

    wkb: bytes
    original: bytes | None = None
    srid: int | None = None
    operation: str | None = None


def placed(
    database: SyncDatabase, geometry: Mapping[str, object], crs: Crs
) -> tuple[Placed | None, Fault | None]:
    """The geometry, which has passed `outline`, in degrees; or why it can't be taken."""
    text = orjson.dumps(geometry).decode()
    try:
        wkb, sent = map(bytes, database.run(Query(_IN_DEGREES, (text, crs.srid, crs.northing_first)))[0])
    except Unprojectable:
        return None, _fault(reason("outside_crs"))
    changed = crs.srid != WGS84.srid
    operation = f"ST_Transform EPSG:{crs.srid} EPSG:{WGS84.srid}" if changed else None
    if geometry["type"] in _CLEANED:
        cleaned = cleaning.clean([wkb], cleaning.Aim(geometry["type"] == "Point"))
        if (why := cleaned.faults[0]) is not None:
            return None, _fault(why)
        wkb = shapely.to_wkb(cleaned.geometries[0], byte_order=1)
        changed = changed or bool(cleaned.changed[0])
    return Placed(wkb, *((sent, crs.srid, operation) if changed else ())), None


def _fault(why: Reason) -> Fault:
    return Fault(at("geometry"), f"geometry-{why.code.replace('_', '-')}", why)
