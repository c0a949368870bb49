"""Boxes as constants in a layer's own system: the column itself is never transformed, so its index answers.

The sides of a box bend where its system isn't the layer's, so they are cut into pieces before they are
transformed. A box is a sub-select where that costs something: computed once a statement, never once a row.
"""

from __future__ import annotations

from gis_service.db.query import Binds
from gis_service.geo.bbox import BBox, Box
from gis_service.geo.crs import WGS84, epsg

PIECES = 128  # of the longer side; as in gis.box_shape, which says how true this is


def shape(box: BBox | Box, srid: int, binds: Binds) -> str:
    """SQL of the box in the system of a layer; a point or a line where it has no area."""
    own = WGS84 if isinstance(box, BBox) else box.crs
    corners = [f"{binds.add(float(v))}::float8" for v in box.as_tuple()]
    if own.srid == srid:
        return _envelope(box, corners, srid)
    if _in_degrees(srid):
        return f"(select gis.box_shape({', '.join(corners)}, {own.srid:d}, {srid:d}))"
    made = _envelope(box, corners, own.srid)
    if side := max(abs(box.east - box.west), abs(box.north - box.south)):
        made = f"ST_Segmentize({made}, {binds.add(side / PIECES)}::float8)"
    return f"(select ST_Transform({made}, {srid:d}))"


def _envelope(box: BBox | Box, corners: list[str], srid: int) -> str:
    made = f"ST_MakeEnvelope({', '.join(corners)}, {srid:d})"
    # A polygon without area meets nothing.
    return f"ST_Envelope({made})" if box.west == box.east or box.south == box.north else made


def _in_degrees(srid: int) -> bool:
    """Whether a layer's system is one of longitudes; one that no authority named is taken for a plane."""
    try:
        return epsg(srid).degrees
    except ValueError:
        return False
