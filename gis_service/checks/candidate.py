"""A row as it is to be, and what a rule finds in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from shapely.geometry.base import BaseGeometry

from gis_service import texts

Operation = Literal["insert", "update", "delete"]
Level = Literal["fault", "warning", "note"]
LonLat = tuple[float, float]

FAULT: Final = "fault"  # it can't be published
WARNING: Final = "warning"  # a person must confirm it
NOTE: Final = "note"


class Phrase(str):
    """A value that is itself a phrase of the catalogue, `check.phrase.<it>`."""

    __slots__ = ()


@dataclass(frozen=True)
class Before:
    """The row as it stands, where a candidate changes or removes one."""

    values: Mapping[str, object]
    geometry: BaseGeometry | None


@dataclass(frozen=True)
class Candidate:
    """A row that somebody wants in a layer. `values` go by the columns of the layer's table, the geometry is
    in longitude and latitude on WGS 84, `gid` is that of the row that it changes."""

    layer: str
    operation: Operation
    values: Mapping[str, object]
    geometry: BaseGeometry | None
    before: Before | None = None
    gid: int | None = None


@dataclass(frozen=True)
class Finding:
    """What a rule found: in a column, in the geometry (then with a place), or in the row as a whole."""

    rule: str
    level: Level
    column: str | None = None
    values: Mapping[str, object] = field(default_factory=dict, hash=False)
    place: LonLat | None = None

    def say(self, lang: str) -> str:
        """What is wrong, where, and what to do, in the reader's language."""
        shown = {name: _shown(value, lang) for name, value in self.values.items()}
        if self.column:
            shown["column"] = self.column
        if self.place:
            shown["place"] = "{:.6f}, {:.6f}".format(*self.place)
        return texts.say(f"check.{self.rule}", lang, **shown)


def _shown(value: object, lang: str) -> str:
    """Numbers with separators of the language, at most two decimals or three digits."""
    if isinstance(value, Phrase):
        return texts.say(f"check.phrase.{value}", lang)
    if not isinstance(value, float):
        return str(value)
    text = f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"
    text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text
