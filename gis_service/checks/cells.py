"""Rules for single cells: required, allowed, a number, a day; the same for all layers, by the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gis_service.checks import vocabulary
from gis_service.checks.candidate import FAULT
from gis_service.checks.row import Row, folded
from gis_service.checks.rule import MANUAL, OURS, Hit, Rule
from gis_service.checks.scene import Scene


def required(row: Row, _: Scene) -> Iterator[Hit]:
    """A cell is empty that the table can't do without."""
    for column in vocabulary.REQUIRED.get(row.layer, ()):
        if not row.given(column):
            yield Hit(column)


def allowed(row: Row, _: Scene) -> Iterator[Hit]:
    """A value isn't one of those that the column allows."""
    for column, values in vocabulary.ALLOWED.get(row.layer, {}).items():
        said = row.text(column)
        if said is None or said in values or _whole(row, column) in values:
            continue
        meant = next((each for each in values if folded(each) == folded(said)), None)
        yield Hit(column, {"value": said, "allowed": meant or ", ".join(values)})


def _whole(row: Row, column: str) -> str | None:
    """A code that came as 1.0 or 01."""
    figure = row.figure(column)
    return f"{figure:.0f}" if figure is not None and figure.is_integer() and abs(figure) < 100 else None


def number(row: Row, _: Scene) -> Iterator[Hit]:
    """A column of numbers holds something that is no finite number."""
    for column in vocabulary.NUMBERS.get(row.layer, {}):
        if row.given(column) and row.figure(column) is None:
            yield Hit(column, {"value": row.text(column)})


def negative(row: Row, _: Scene) -> Iterator[Hit]:
    """A number is below zero that can't be."""
    for column, never_negative in vocabulary.NUMBERS.get(row.layer, {}).items():
        figure = row.figure(column)
        if never_negative and figure is not None and figure < 0:
            yield Hit(column, {"value": figure})


def day(row: Row, _: Scene) -> Iterator[Hit]:
    """A column of dates holds something that is no day of the calendar."""
    for column in vocabulary.DATES.get(row.layer, ()):
        if row.given(column) and row.day(column) is None:
            yield Hit(column, {"value": row.text(column)})


def validity(row: Row, _: Scene) -> Iterator[Hit]:
    """The time for which the row is in force ends before it begins."""
    start, end = row.day("valid_from"), row.day("valid_to")
    if start and end and end <= start:
        yield Hit("valid_to", {"start": start, "end": end})


RULES: Final = (
    Rule("cell-required", FAULT, OURS, required),
    Rule("cell-allowed", FAULT, MANUAL, allowed),
    Rule("cell-number", FAULT, OURS, number),
    Rule("cell-negative", FAULT, OURS, negative),
    Rule("cell-date", FAULT, OURS, day),
    Rule("cell-validity", FAULT, OURS, validity),
)
