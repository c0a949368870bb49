"""Numbers as CQL2 writes them: integers stay exact, whatever else becomes the nearest float."""

from __future__ import annotations

import math

from gis_service.db.cql2.nodes import At
from gis_service.features.refusal import refuse

GREATEST = 2**63 - 1
_DIGITS = 400  # more say no more than these do, and take long to read


def from_text(text: str, at: At) -> int | float:
    """An integer of 8 bytes or a finite float; 400 for anything beyond."""
    if len(text) > _DIGITS:
        raise refuse("filter.number-too-long", at=at)
    return checked(int(text) if text.lstrip("+-").isdigit() else float(text), at)


def checked(value: int | float, at: At) -> int | float:
    """The number; 400 where no column could hold it."""
    if isinstance(value, int):
        if not -GREATEST - 1 <= value <= GREATEST:
            raise refuse("filter.integer-range", at=at)
        return value
    if not math.isfinite(value):
        raise refuse("filter.number-range", at=at)
    return value + 0.0  # -0.0 is 0.0
