"""Coordinate reference systems by their OGC names; inside the service an SRID is an int."""

from __future__ import annotations

import functools
import operator
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from gis_service.geo import axes

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_PREFIX = "http://www.opengis.net/def/crs/EPSG/0/"

_EPSG = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/EPSG/[^/]{1,20}/|urn:ogc:def:crs:EPSG:[^:]{0,20}:|EPSG:)(\d{4,6})"
    r"|\[EPSG:(\d{4,6})\]",
    re.IGNORECASE | re.ASCII,
)
_CRS84 = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/OGC/[^/]{1,20}/|urn:ogc:def:crs:OGC:[^:]{0,20}:|OGC:)CRS84"
    r"|\[OGC:CRS84\]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Crs:
    """A system with two axes, in the order that its authority gives them.

    PostGIS always holds x, y; `northing_first` says that what comes in and goes out is y, x. `degrees`
    says that the coordinates are angles.
    """

    uri: str
    srid: int
    northing_first: bool
    degrees: bool


WGS84 = Crs(CRS84, 4326, northing_first=False, degrees=True)


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems that can be asked for: EPSG codes with two axes that the database can transform."""

    known: frozenset[int]

    def resolve(self, name: str) -> Crs:
        """The system of a URI, URN, CURIE or `EPSG:n`; ValueError where it isn't known or not of a plane."""
        if is_crs84(name):
            return WGS84
        srid = srid_of(name)
        if srid not in self.known:
            raise ValueError(f"EPSG:{srid} is not known here")
        return epsg(srid)

    def offered(self, codes: Iterable[int]) -> tuple[str, ...]:
        """The URIs to advertise: CRS84, the default, and those of the codes that can be answered (row C7)."""
        # An older PostGIS lacks some; `./gis check` says so.
        return (CRS84, *(epsg(code).uri for code in codes if code in self.known and is_plane(code)))


def is_plane(srid: int) -> bool:
    """Whether the code is of a system of two axes."""
    try:
        return epsg(srid).srid == srid
    except ValueError:
        return False


@functools.lru_cache(maxsize=256)
def epsg(srid: int) -> Crs:
    """The system of an EPSG code; ValueError where it has heights, a centre of the Earth or no such axes."""
    for degrees, northing_first, runs in _axes():
        at = bisect_right(runs, srid, key=operator.itemgetter(0)) - 1
        if at >= 0 and srid <= runs[at][1]:
            return Crs(epsg_uri(srid), srid, northing_first, degrees)
    raise ValueError(f"EPSG:{srid} is no system of two axes")


@functools.cache
def _axes() -> tuple[tuple[bool, bool, tuple[tuple[int, int], ...]], ...]:
    """(in degrees, northing first, the codes as runs), the four kinds of system."""
    return (
        (False, False, _runs(axes.EASTING_FIRST)),
        (False, True, _runs(axes.NORTHING_FIRST)),
        (True, True, _runs(axes.LATITUDE_FIRST)),
        (True, False, _runs(axes.LONGITUDE_FIRST)),
    )


def _runs(text: str) -> tuple[tuple[int, int], ...]:
    ends = [run.split("-") for run in text.split()]
    return tuple((int(run[0]), int(run[-1])) for run in ends)


def is_crs84(name: str) -> bool:
    """Whether the name means WGS 84 in the order longitude, latitude."""
    return _CRS84.fullmatch(name.strip(" ")) is not None


def srid_of(name: str) -> int:
    """The SRID of a URI, URN, CURIE or `EPSG:n`; ValueError where the name is none of these."""
    if is_crs84(name):
        return 4326
    found = _EPSG.fullmatch(name.strip(" "))
    if found is None:
        raise ValueError(f"{name!r} names no reference system")
    return int(found.group(1) or found.group(2))


def epsg_uri(srid: int) -> str:
    return f"{EPSG_PREFIX}{srid}"
