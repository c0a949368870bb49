"""Rules that hold for the geometry of every layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely

from gis_service.checks import shapes, vocabulary
from gis_service.checks.candidate import FAULT, NOTE, WARNING, LonLat, Phrase
from gis_service.checks.row import Row
from gis_service.checks.rule import DARWIN_CORE, OURS, Hit, Rule
from gis_service.checks.scene import Scene

KNOWN_FAULTS: Final = (
    "self-intersection", "ring-self-intersection", "hole-lies-outside-shell", "holes-are-nested",
    "nested-shells", "interior-is-disconnected", "duplicate-rings", "too-few-points-in-geometry-component",
)  # fmt: skip
_GEOS: Final = re.compile(r"(?P<fault>[^\[]+)\[(?P<x>\S+) (?P<y>\S+)\]")


def missing(row: Row, _: Scene) -> Iterator[Hit]:
    """The row has no geometry, or an empty one."""
    if row.layer in vocabulary.KINDS and (row.geometry is None or row.geometry.is_empty):
        yield Hit()


def point_for_area(row: Row, _: Scene) -> Iterator[Hit]:
    """A point stands where the layer holds areas."""
    if vocabulary.KINDS.get(row.layer) == vocabulary.AREA and _kind(row) in ("Point", "MultiPoint"):
        yield Hit()


def other_kind(row: Row, _: Scene) -> Iterator[Hit]:
    """The geometry is of a kind that the layer doesn't hold."""
    kinds = vocabulary.KINDS.get(row.layer)
    kind = _kind(row)
    if kinds is None or kind is None or kind in kinds:
        return
    if kinds == vocabulary.POINT or kind not in ("Point", "MultiPoint"):
        yield Hit(values={"kind": kind, "kinds": ", ".join(kinds)})


def _kind(row: Row) -> str | None:
    shape = row.geometry
    return None if shape is None or shape.is_empty else str(shape.geom_type)


def endless(row: Row, _: Scene) -> Iterator[Hit]:
    """A coordinate is no finite number."""
    if not row.finite:
        yield Hit()


def outside_world(row: Row, _: Scene) -> Iterator[Hit]:
    """A vertex lies beyond ±180 degrees of longitude or ±90 of latitude."""
    if row.drawn is None:
        return
    coords = shapely.get_coordinates(row.drawn)
    beyond = np.flatnonzero((np.abs(coords) > (180, 90)).any(axis=1))
    if beyond.size:
        yield Hit(place=_place(coords[beyond[0]]))


def invalid(row: Row, _: Scene) -> Iterator[Hit]:
    """The polygon crosses itself, or its holes and parts lie wrong (OGC Simple Features 6.1.11)."""
    if row.drawn is None or row.valid:
        return
    said = _GEOS.match(shapely.is_valid_reason(row.drawn))
    place = (float(said["x"]), float(said["y"])) if said else _place(shapely.get_coordinates(row.drawn)[0])
    yield Hit(values={"fault": phrase(said["fault"] if said else "")}, place=place)


def phrase(geos: str) -> Phrase:
    """What GEOS says of an invalid polygon, as a phrase of ours."""
    said = geos.partition("[")[0].strip().lower().replace(" ", "-")
    return Phrase(said if said in KNOWN_FAULTS else "other")


def parts_overlap(row: Row, _: Scene) -> Iterator[Hit]:
    """Two parts of one multipolygon cover the same ground."""
    shape = row.placed
    if shape is None or shape.geom_type != "MultiPolygon" or row.valid:
        return
    parts = [shapely.make_valid(part) for part in shapely.get_parts(shape) if not part.is_empty]
    for one, other in shapely.STRtree(parts).query(parts, predicate="intersects").T:
        common = shapely.intersection(parts[one], parts[other]) if one < other else shapely.Point()
        if (m2 := shapes.area_m2(common)) > 0.1:
            inner = shapely.point_on_surface(common)
            yield Hit(values={"m2": m2}, place=(inner.x, inner.y))
            return


def vertices(row: Row, scene: Scene) -> Iterator[Hit]:
    """More vertices than a map of any scale needs."""
    most = scene.limits.most_vertices
    if row.drawn is not None and (found := int(shapely.get_num_coordinates(row.drawn))) > most:
        yield Hit(values={"found": found, "most": most})


def repeated(row: Row, _: Scene) -> Iterator[Hit]:
    """A vertex is there twice in a row."""
    if row.measured is None:
        return
    coords = row.measured.coords
    same = (coords[1:] == coords[:-1]).all(axis=1)
    same[row.measured.rings[1:-1] - 1] = False  # the step from one ring to the next
    if found := np.flatnonzero(same).tolist():
        yield Hit(values={"found": len(found)}, place=_place(coords[found[0]]))


def spikes(row: Row, scene: Scene) -> Iterator[Hit]:
    """A ring runs out and back within `spike_degrees`, both edges at least `spike_m` long."""
    if row.measured is None:
        return
    limits = scene.limits
    found = shapes.spikes(row.measured, limits.spike_degrees, limits.spike_m)
    if found.size:
        values = {"found": int(found.size), "degrees": limits.spike_degrees, "metres": limits.spike_m}
        yield Hit(values=values, place=_place(row.measured.coords[found[0]]))


def tiny_parts(row: Row, scene: Scene) -> Iterator[Hit]:
    """A part beside others isn't larger than `tiny_m2`."""
    if row.measured is None or len(row.measured.part_m2) < 2:
        return
    tiny = np.flatnonzero(row.measured.part_m2 <= scene.limits.tiny_m2)
    if tiny.size:
        first = row.measured.rings[row.measured.shells[tiny[0]]]
        values = {"found": int(tiny.size), "m2": scene.limits.tiny_m2}
        yield Hit(values=values, place=_place(row.measured.coords[first]))


def slivers(row: Row, scene: Scene) -> Iterator[Hit]:
    """A part or a hole is thinner than `sliver_width_m` on the mean and at least `sliver_length_m` round."""
    if row.measured is None:
        return
    shape, limits = row.measured, scene.limits
    width = 2 * shape.ring_m2 / np.maximum(shape.ring_m, 1e-9)
    thin = np.flatnonzero((width < limits.sliver_width_m) & (shape.ring_m >= limits.sliver_length_m))
    if thin.size:
        values = {"found": int(thin.size), "width": float(width[thin[0]])}
        yield Hit(values=values, place=_place(shape.coords[shape.rings[thin[0]]]))


def rounded_area(row: Row, scene: Scene) -> Iterator[Hit]:
    """All vertices of an area are rounded to `decimals` decimals of a degree."""
    if row.measured is not None and _rounded(row.measured.coords, scene.limits.decimals):
        yield Hit(values=_coarse(scene), place=_place(row.measured.coords[0]))


def rounded_point(row: Row, scene: Scene) -> Iterator[Hit]:
    """A point is rounded to `decimals` decimals of a degree and no uncertainty says so."""
    if row.spot is None or not _rounded(np.array([row.spot]), scene.limits.decimals):
        return
    values = _coarse(scene)
    if (row.figure("coordinate_uncertainty_in_meters") or 0.0) < values["metres"] / 2:
        yield Hit(values=values, place=row.spot)


def _rounded(coords: shapes.Floats, decimals: int) -> bool:
    scaled = coords * 10**decimals
    return bool((np.abs(scaled - np.round(scaled)) < 1e-7).all())


def _coarse(scene: Scene) -> dict[str, float]:
    decimals = scene.limits.decimals
    return {"decimals": decimals, "metres": shapes.DEGREE_M / 10**decimals}


def null_island(row: Row, _: Scene) -> Iterator[Hit]:
    """The point lies at 0, 0, where missing coordinates end up."""
    if row.spot == (0.0, 0.0):
        yield Hit(place=row.spot)


def swapped(row: Row, scene: Scene) -> Iterator[Hit]:
    """The shape lies outside the country's box, and inside once longitude and latitude change places."""
    if row.drawn is None or scene.context.country is None:
        return
    west, south, east, north = row.drawn.bounds
    if not _meets((west, south, east, north), scene.context.country) and _within(
        (south, west, north, east), scene.context.country
    ):
        yield Hit(place=(west, south))


Box = tuple[float, float, float, float]


def _meets(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _within(inner: Box, outer: Box) -> bool:
    return outer[0] <= inner[0] and inner[2] <= outer[2] and outer[1] <= inner[1] and inner[3] <= outer[3]


def _place(vertex: shapes.Floats) -> LonLat:
    return float(vertex[0]), float(vertex[1])


RULES: Final = (
    Rule("geometry-missing", FAULT, OURS, missing),
    Rule("geometry-point-for-area", FAULT, OURS, point_for_area),
    Rule("geometry-kind", FAULT, OURS, other_kind),
    Rule("geometry-endless", FAULT, OURS, endless),
    Rule("geometry-outside-world", FAULT, OURS, outside_world),
    Rule("geometry-swapped", WARNING, OURS, swapped),
    Rule("geometry-null-island", FAULT, OURS, null_island),
    Rule("geometry-invalid", FAULT, OURS, invalid),
    Rule("geometry-parts-overlap", FAULT, OURS, parts_overlap),
    Rule("geometry-vertices", WARNING, OURS, vertices),
    Rule("geometry-repeated", NOTE, OURS, repeated),
    Rule("geometry-spike", WARNING, OURS, spikes),
    Rule("geometry-tiny-part", WARNING, OURS, tiny_parts),
    Rule("geometry-sliver", WARNING, OURS, slivers),
    Rule("geometry-rounded-area", WARNING, OURS, rounded_area),
    Rule("geometry-rounded-point", NOTE, DARWIN_CORE, rounded_point),
)
