"""Bounding boxes: in longitude and latitude, the antimeridian included, and in any other system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gis_service.geo.crs import Crs
from gis_service.texts import Sentence


@dataclass(frozen=True)
class BBox:
    """A box in degrees; west > east means that it crosses the antimeridian (RFC 7946, 5.2)."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in self.as_tuple()):
            raise ValueError(Sentence("geo.not-finite"))
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180):
            raise ValueError(Sentence("geo.longitudes"))
        if not -90 <= self.south <= self.north <= 90:
            raise ValueError(Sentence("geo.latitudes"))

    def as_tuple(self) -> tuple[float, float, float, float]:
        return (self.west, self.south, self.east, self.north)

    @property
    def crosses_antimeridian(self) -> bool:
        return self.west > self.east

    def parts(self) -> tuple[BBox, ...]:
        """The box as one or two boxes that do not cross the antimeridian."""
        if not self.crosses_antimeridian:
            return (self,)
        return (
            BBox(self.west, self.south, 180.0, self.north),
            BBox(-180.0, self.south, self.east, self.north),
        )

    @classmethod
    def from_numbers(cls, numbers: Sequence[float]) -> BBox:
        """A box from 4 numbers, or from 6 with the heights left out (Features Part 1, 7.15.3)."""
        return cls(*_plane(numbers))


@dataclass(frozen=True, slots=True)
class Box:
    """A box in the units of a system, always x before y; one in degrees may cross the antimeridian."""

    west: float
    south: float
    east: float
    north: float
    crs: Crs

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in self.as_tuple()):
            raise ValueError(Sentence("geo.not-finite"))
        if self.south > self.north:
            raise ValueError(Sentence("geo.corners"))
        if not self.crs.degrees and self.west > self.east:
            raise ValueError(Sentence("geo.corners-plane"))

    def as_tuple(self) -> tuple[float, float, float, float]:
        return (self.west, self.south, self.east, self.north)

    def parts(self) -> tuple[Box, ...]:
        """The box as one or two boxes that do not cross the antimeridian."""
        if self.west <= self.east:
            return (self,)
        return (replace(self, east=180.0), replace(self, west=-180.0))

    @classmethod
    def from_numbers(cls, numbers: Sequence[float], crs: Crs) -> Box:
        """A box from 4 or 6 numbers in the axis order of the system's authority (Features Part 2, 6.2.3)."""
        return cls(*_plane(northing_last(numbers) if crs.northing_first else numbers), crs)


def northing_last(numbers: Sequence[float]) -> list[float]:
    """The two corners of a box with their first two axes changed over; heights stay where they are."""
    half = len(numbers) // 2
    corners = (list(numbers[:half]), list(numbers[half:]))
    return [number for corner in corners for number in (corner[:2][::-1] + corner[2:])]


def _plane(numbers: Sequence[float]) -> tuple[float, float, float, float]:
    """Four numbers as they are; of six the heights are left out."""
    if len(numbers) == 6:
        numbers = (numbers[0], numbers[1], numbers[3], numbers[4])
    if len(numbers) != 4:
        raise ValueError(Sentence("geo.four-or-six"))
    west, south, east, north = (float(n) for n in numbers)
    return west, south, east, north


WORLD = BBox(-180.0, -90.0, 180.0, 90.0)
