"""Bounding boxes in longitude and latitude, the antimeridian included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BBox:
    """A box in degrees; west > east means that it crosses the antimeridian (RFC 7946, 5.2)."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in self.as_tuple()):
            raise ValueError("every number must be finite")
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180):
            raise ValueError("longitudes must lie between -180 and 180")
        if not -90 <= self.south <= self.north <= 90:
            raise ValueError("latitudes must lie between -90 and 90, the southern one first")

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
        if len(numbers) == 6:
            numbers = (numbers[0], numbers[1], numbers[3], numbers[4])
        if len(numbers) != 4:
            raise ValueError("four or six numbers are needed")
        return cls(*(float(n) for n in numbers))


WORLD = BBox(-180.0, -90.0, 180.0, 90.0)
