"""Coordinate reference systems by their OGC names; inside the service an SRID is an int."""

from __future__ import annotations

import re

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_PREFIX = "http://www.opengis.net/def/crs/EPSG/0/"

_EPSG = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/EPSG/[^/]*/|urn:ogc:def:crs:EPSG:[^:]*:|\[?EPSG:)(\d{4,6})\]?",
    re.IGNORECASE,
)
_CRS84 = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/OGC/[^/]*/|urn:ogc:def:crs:OGC:[^:]*:|\[?OGC:)CRS84\]?",
    re.IGNORECASE,
)


def is_crs84(name: str) -> bool:
    """Whether the name means WGS 84 in the order longitude, latitude."""
    return _CRS84.fullmatch(name.strip()) is not None


def srid_of(name: str) -> int:
    """The SRID of a URI, URN, CURIE or `EPSG:n`; ValueError where the name is none of these."""
    if is_crs84(name):
        return 4326
    found = _EPSG.fullmatch(name.strip())
    if found is None:
        raise ValueError(f"{name!r} names no reference system")
    return int(found.group(1))


def epsg_uri(srid: int) -> str:
    return f"{EPSG_PREFIX}{srid}"
