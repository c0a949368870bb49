"""A GeoJSON geometry before any library reads it: one type, pairs of finite numbers, closed rings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from gis_service.changes.faults import Fault, at, fault

# How deep a position lies in `coordinates`.
DEPTH: Final[Mapping[str, int]] = {
    "Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
}  # fmt: skip
LEAST_IN_LINE: Final = 2
LEAST_IN_RING: Final = 4
_MULTI: Final = "Multi"


def fitted(geometry: Mapping[str, object], wanted: str) -> tuple[dict[str, object] | None, Fault | None]:
    """The geometry as the layer's type, heights dropped as the loader does; or the first fault in it.

    A single part becomes a multipart of one and the other way round: nothing is lost by either.
    """
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in DEPTH:
        return None, fault(at("geometry", "type"), "geometry-type", value=str(kind)[:40], known=wanted)
    wrong = next(_faults(coordinates, DEPTH[str(kind)], str(kind), ("geometry", "coordinates")), None)
    if wrong is not None:
        return None, wrong
    flat = _flat(coordinates, DEPTH[str(kind)])
    if kind == wanted:
        return {"type": wanted, "coordinates": flat}, None
    if f"{_MULTI}{kind}" == wanted:
        return {"type": wanted, "coordinates": [flat]}, None
    if kind == f"{_MULTI}{wanted}" and isinstance(flat, list) and len(flat) == 1:
        return {"type": wanted, "coordinates": flat[0]}, None
    return None, fault(at("geometry", "type"), "geometry-type", value=kind, known=wanted)


def _faults(value: object, depth: int, kind: str, steps: tuple[object, ...]) -> Iterator[Fault]:
    """What is wrong, the first thing first; no deeper than the type goes, whatever the document holds."""
    if depth == 0:
        if not _is_position(value):
            yield fault(at(*steps), "geometry-position")
        return
    if not isinstance(value, list) or not value:
        yield fault(at(*steps), "geometry-empty")
        return
    if depth == 1 and kind.endswith("Polygon"):
        yield from _ring(value, steps)
    elif depth == 1 and kind.endswith("LineString") and len(value) < LEAST_IN_LINE:
        yield fault(at(*steps), "geometry-short", least=LEAST_IN_LINE)
    for place, each in enumerate(value):
        yield from _faults(each, depth - 1, kind, (*steps, place))


def _ring(value: list[object], steps: tuple[object, ...]) -> Iterator[Fault]:
    if len(value) < LEAST_IN_RING:
        yield fault(at(*steps), "geometry-short", least=LEAST_IN_RING)
    elif _is_position(value[0]) and value[0] != value[-1]:
        yield fault(at(*steps), "geometry-open")


def _is_position(value: object) -> bool:
    return (
        isinstance(value, list)
        and 2 <= len(value) <= 4
        and all(
            isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each)
            for each in value
        )
    )


def _flat(value: object, depth: int) -> object:
    assert isinstance(value, list), "its shape was looked at before"
    return value[:2] if depth == 0 else [_flat(each, depth - 1) for each in value]
