"""A candidate as rules read it: cells as texts, numbers and days, the geometry measured once."""

from __future__ import annotations

import datetime as dt
import math
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.checks import shapes, vocabulary
from gis_service.checks.candidate import Candidate, LonLat

HUGE_BITS = 256  # whole numbers beyond this are only said to be huge: to write them out takes for ever


class Row:
    """A candidate with its number in the submission, counted from 0."""

    def __init__(self, candidate: Candidate, number: int = 0) -> None:
        self.candidate = candidate
        self.number = number
        self.layer = candidate.layer
        self.gid = candidate.gid
        self.values = candidate.values
        self.geometry = candidate.geometry

    def given(self, column: str) -> bool:
        """Whether the cell holds anything."""
        value = self.values.get(column)
        if isinstance(value, float) and math.isnan(value):
            return False
        return bool(value.strip()) if isinstance(value, str) else value not in (None, [], ())

    def text(self, column: str) -> str | None:
        """What the cell holds as text without blanks around it; None where it holds nothing."""
        return words(self.values.get(column)).strip() if self.given(column) else None

    def figure(self, column: str) -> float | None:
        """The cell as a finite number; None where it holds nothing or no number."""
        value = self.values.get(column)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            found = float(value)
        except (ValueError, OverflowError):
            return None
        return found if math.isfinite(found) else None

    def day(self, column: str) -> dt.date | None:
        """The cell as a day; None where it holds nothing or no day."""
        return day(self.values.get(column))

    @property
    def label(self) -> str:
        """How people know the row."""
        named = (self.text(c) for c in ("name", "location_id", "scientific_name", "sci_name", "code"))
        return next((each for each in named if each), str(self.gid or self.number + 1))

    @cached_property
    def finite(self) -> bool:
        """Whether all coordinates are numbers."""
        return bool(np.isfinite(shapely.get_coordinates(self.geometry)).all())

    @cached_property
    def drawn(self) -> BaseGeometry | None:
        """The geometry, where there is one of the layer's kind that can be worked with, valid or not."""
        shape = self.geometry
        if shape is None or shape.is_empty or not self.finite:
            return None
        kinds = vocabulary.KINDS.get(self.layer)
        return shape if kinds is None or shape.geom_type in kinds else None

    @cached_property
    def valid(self) -> bool:
        """Whether the drawn geometry is valid."""
        return self.drawn is not None and self.drawn.is_valid

    @cached_property
    def placed(self) -> BaseGeometry | None:
        """The drawn geometry where all of it is on the globe; to measure what isn't would take for ever."""
        coords = shapely.get_coordinates(self.drawn)
        return self.drawn if len(coords) and (np.abs(coords) <= (180, 90)).all() else None

    @cached_property
    def sound(self) -> BaseGeometry | None:
        """The placed geometry where it is valid as well, so that overlays can't fail on it."""
        return self.placed if self.placed is not None and self.valid else None

    @cached_property
    def measured(self) -> shapes.Measured | None:
        """The measures of placed polygons; None for all else."""
        shape = self.placed
        return shapes.measured(shape) if shape is not None and shape.geom_type in shapes.POLYGONS else None

    @cached_property
    def spot(self) -> LonLat | None:
        """The position of a placed point; None for all else."""
        shape = self.placed
        return (shape.x, shape.y) if isinstance(shape, shapely.Point) else None

    @cached_property
    def m2(self) -> float | None:
        """The exact area on the ellipsoid of sound polygons."""
        return self.measured.m2 if self.sound is not None and self.measured is not None else None


def words(value: object) -> str:
    """Any value as text, huge whole numbers and endless lists too."""
    if isinstance(value, int) and value.bit_length() > HUGE_BITS:
        return "…"
    if isinstance(value, list | tuple):
        return ";".join(words(each) for each in value[:50])
    return str(value)[:1000]


def day(value: object) -> dt.date | None:
    """The day of a date, a moment or an ISO text; None where there is none."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return dt.datetime.fromisoformat(value.strip()).date()
    except ValueError:
        return None


def folded(text: str | None) -> str:
    """A text without case and with single blanks, for comparing names."""
    return " ".join((text or "").casefold().split())
