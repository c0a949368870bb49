"""Numbers compared exactly: a float next to an integer of 8 bytes is never rounded."""

from __future__ import annotations

import math
from typing import Literal

GREATEST = 2**63 - 1
LEAST = -(2**63)
Outcome = Literal["always", "never"]

_BELOW = {"<": "<", "<=": "<", ">": ">=", ">=": ">="}  # the float lies above the integer
_ABOVE = {"<": "<=", "<=": "<=", ">": ">", ">=": ">"}  # the float lies below it
_OUTCOMES: dict[str, Outcome] = {"=": "never", "<>": "always"}


def against_integers(op: str, number: float) -> tuple[str, int] | Outcome:
    """`x op number` for integers x of 8 bytes, with an integer in place of the float: x > 2.5 is x > 2."""
    floor = math.floor(number)
    if number == floor and LEAST <= floor <= GREATEST:
        return op, floor
    if op in _OUTCOMES:
        return _OUTCOMES[op]
    if floor > GREATEST:
        return "always" if op in ("<", "<=") else "never"
    if floor < LEAST:
        return "always" if op in (">", ">=") else "never"
    return ("<=" if op in ("<", "<=") else ">"), floor


def against_floats(op: str, number: int) -> tuple[str, float] | Outcome:
    """`x op number` for floats x, with a float in place of the integer, even where none equals it."""
    nearest = float(number)
    if int(nearest) == number:
        return op, nearest
    if op in _OUTCOMES:
        return _OUTCOMES[op]
    return (_BELOW if nearest > number else _ABOVE)[op], nearest


def holds(op: str, left: float, right: float) -> bool:
    """The comparison of two literals; Python compares integers with floats exactly."""
    return {
        "=": left == right,
        "<>": left != right,
        "<": left < right,
        ">": left > right,
        "<=": left <= right,
        ">=": left >= right,
    }[op]
