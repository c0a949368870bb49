"""The frozen tree of a CQL2 filter, named as in the standard's JSON encoding (OGC 21-065r2).

Every node knows where it was read (`at`, a character of the text or a path in the JSON) for refusals; two
filters that say the same are equal and have the same `repr`, whatever their encoding and spacing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

At = int | str
Nested = float | int | tuple["Nested", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function with its arguments: `and`, `=`, `like`, `s_intersects`, `casei`, `+` …"""

    op: str
    args: tuple[Node, ...]
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Property:
    """A property by the name that the client gave it."""

    name: str
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A character literal."""

    value: str
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """An integer that fits in 8 bytes, or a finite float."""

    value: int | float
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Date:
    """A day."""

    value: dt.date
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An instant, in UTC."""

    value: dt.datetime
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """The `..` of an interval: before or after everything."""

    side: Literal["start", "end"]
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Interval:
    """Two ends, both of them included."""

    start: Node
    end: Node
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Array:
    """A list of literals or properties: of `in` and of the array functions."""

    members: tuple[Node, ...]
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Geometry:
    """A geometry as the client wrote it; `members` holds those of a GeometryCollection."""

    type: str
    coordinates: Nested = ()
    members: tuple[Geometry, ...] = ()
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box as the client wrote it, of 4 or 6 numbers."""

    numbers: tuple[float, ...]
    at: At = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A checked geometry of one type as hexadecimal EWKB, x before y, 2D."""

    ewkb: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A checked literal in the filter's CRS: the union of its parts.

    A box over the antimeridian has two parts, a collection one for its points, its lines and its areas.
    """

    parts: tuple[Part, ...]
    srid: int
    at: At = field(default=0, compare=False, repr=False)


Node = (
    Call
    | Property
    | Text
    | Number
    | Truth
    | Date
    | Timestamp
    | OpenEnd
    | Interval
    | Array
    | Geometry
    | Box
    | Shape
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter whose names, types and literals were checked against a viewed layer."""

    tree: Node
