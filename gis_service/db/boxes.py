"""Boxes as constants in a layer's own system: the column itself is never transformed, so its index answers.

The sides of a box bend where its system isn't the layer's, so they are cut into pieces before they are
transformed. A box is a sub-select where that costs something: computed once a statement, never once a row.
"""

from __future__ import annotations

from gis_service.db.query import Binds
from gis_service.geo.bbox import BBox, Box
from gis_service.geo.crs import WGS84, epsg

PIECES = 128  # of the longer side; as in gis.box_shape, which says how true this is
_REACH_DEGREES = 20.0  # beyond them a projection may fold or tear a box; the world has no place in UTM
_REACH_METRES = 2_000_000.0
_FAR_NORTH = 84.0


def srid(box: BBox | Box) -> int:
    return WGS84.srid if isinstance(box, BBox) else box.crs.srid


def folds(box: BBox | Box, layer: int) -> bool:
    """Whether a box is too large to be drawn in the plane of a layer, so that its rows must come to it."""
    if srid(box) == layer or _in_degrees(layer):
        return False
    size = max(abs(box.east - box.west), abs(box.north - box.south))
    if isinstance(box, Box) and not box.crs.degrees:
        return size > _REACH_METRES
    return size > _REACH_DEGREES or max(abs(box.north), abs(box.south)) > _FAR_NORTH


def shape(box: BBox | Box, layer: int, binds: Binds) -> str:
    """SQL of the box in the system of a layer; a point or a line where it has no area."""
    own = WGS84 if isinstance(box, BBox) else box.crs
    corners = [f"{binds.add(float(v))}::float8" for v in box.as_tuple()]
    if own.srid == layer:
        return _envelope(box, corners, layer)
    if _in_degrees(layer):
        return f"(select gis.box_shape({', '.join(corners)}, {own.srid:d}, {layer:d}))"
    made = _envelope(box, corners, own.srid)
    if side := max(abs(box.east - box.west), abs(box.north - box.south)):
        made = f"ST_Segmentize({made}, {binds.add(side / PIECES)}::float8)"
    return f"(select ST_Transform({made}, {layer:d}))"


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
