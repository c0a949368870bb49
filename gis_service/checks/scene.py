"""The candidates of one run beside the rows that stand, indexed so that a rule asks in microseconds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from gis_service.checks import shapes
from gis_service.checks.candidate import Candidate, LonLat
from gis_service.checks.context import Context, Taxon
from gis_service.checks.row import Row, folded
from gis_service.checks.thresholds import Thresholds

Key = Callable[[Row], Hashable | None]
_BLOCK: Final = 200


@dataclass(frozen=True)
class Shared:
    """What two rows share of the ground; `width_m` is the mean width of the shared piece."""

    m2: float
    width_m: float
    share_of_both: float
    place: LonLat


class Scene:
    """Rows of one run and rows that stand, and what the caller knows."""

    def __init__(self, candidates: Sequence[Candidate], context: Context) -> None:
        self.context = context
        self.rows = [Row(each, number) for number, each in enumerate(candidates)]
        _measure(self.rows)
        self._replaced = {each.gid for each in candidates if each.gid is not None}
        self._layers: dict[str, list[Row]] = {}
        self._groups: dict[tuple[str, str], dict[Hashable, list[Row]]] = {}
        self._trees: dict[str, tuple[list[Row], STRtree]] = {}
        self._shared: dict[tuple[int, int], Shared | None] = {}
        if context.jurisdiction is not None:
            shapely.prepare(context.jurisdiction.shape)

    @property
    def limits(self) -> Thresholds:
        return self.context.thresholds

    def all_of(self, layer: str) -> list[Row]:
        """The layer as it would be: the run's rows that stay, and those that stand and aren't replaced."""
        if layer not in self._layers:
            stay = [row for row in self.rows if row.layer == layer and row.candidate.operation != "delete"]
            stand = [
                Row(Candidate(layer, "update", each.values, each.geometry, gid=each.gid), -1)
                for each in self.context.present.get(layer, ())
                if each.gid not in self._replaced
            ]
            for row in stand:
                row.valid = True  # the tables refuse what isn't
            _measure(stand)
            self._layers[layer] = [*stay, *stand]
        return self._layers[layer]

    def alike(self, row: Row, name: str, key: Key) -> list[Row]:
        """Other rows of the layer with the same key; `name` is the key's, under which the groups are kept."""
        if (wanted := key(row)) is None:
            return []
        groups = self._groups.get((row.layer, name))
        if groups is None:
            groups = self._groups[row.layer, name] = defaultdict(list)
            for each in self.all_of(row.layer):
                if (found := key(each)) is not None:
                    groups[found].append(each)
        return [each for each in groups.get(wanted, ()) if each is not row]

    def near(self, row: Row, degrees: float = 0.0) -> Iterator[Row]:
        """Other rows of the layer whose boxes come as near as that."""
        if row.sound is None:
            return
        rows, tree = self._tree(row.layer)
        west, south, east, north = row.sound.bounds
        box = shapely.box(west - degrees, south - degrees, east + degrees, north + degrees)
        for at in sorted(tree.query(box)):
            if rows[at] is not row:
                yield rows[at]

    def _tree(self, layer: str) -> tuple[list[Row], STRtree]:
        if layer not in self._trees:
            found = [(each, each.sound) for each in self.all_of(layer) if each.sound is not None]
            self._trees[layer] = [row for row, _ in found], STRtree([shape for _, shape in found])
        return self._trees[layer]

    def shared(self, one: Row, other: Row) -> Shared | None:
        """What the areas of two rows share; None where they share none. Computed once for both."""
        key = (id(one), id(other)) if id(one) < id(other) else (id(other), id(one))
        if key not in self._shared:
            self._shared[key] = _shared(one, other)
        return self._shared[key]

    def taxon(self, name: str | None) -> Taxon | None:
        """The taxon of that name, where the caller knows it."""
        return (self.context.taxa or {}).get(name_key(name)) if name else None

    def ground(self, place: LonLat) -> Literal["land", "sea"] | None:
        """Whether a place is on land or at sea; None near a coast and where nothing is known."""
        point = shapely.Point(place)
        if len(self._land.query(point, predicate="intersects")):
            return "land"
        if not len(self._sea.query(point, predicate="intersects")):
            return None
        coast = self.limits.coast_m / shapes.DEGREE_M
        return None if len(self._land.query(point, predicate="dwithin", distance=coast)) else "sea"

    @cached_property
    def _land(self) -> STRtree:
        return STRtree(_pieces(self.context.provinces))

    @cached_property
    def _sea(self) -> STRtree:
        return STRtree(_pieces(self.context.seas))


def _measure(rows: Sequence[Row]) -> None:
    """Measure the areas of many rows at once, in blocks that fit the memory."""
    drawn = [(row, shape) for row in rows if (shape := row.placed) and shape.geom_type in shapes.POLYGONS]
    for start in range(0, len(drawn), _BLOCK):
        block = drawn[start : start + _BLOCK]
        for (row, _), found in zip(block, shapes.measure([shape for _, shape in block]), strict=True):
            row.measured = found


def _pieces(regions: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """The parts of all regions, prepared, so that a point is held against small outlines."""
    parts = [part for region in regions for part in shapely.get_parts(region)]
    for part in parts:
        shapely.prepare(part)
    return parts


def _shared(one: Row, other: Row) -> Shared | None:
    if one.sound is None or other.sound is None or one.m2 is None or other.m2 is None:
        return None
    common = shapely.intersection(one.sound, other.sound)
    found = shapes.polygons(common)
    if found is None or found.m2 <= 0:
        return None
    m2, inner = found.m2, shapely.point_on_surface(common)
    width = 2 * m2 / max(float(found.ring_m.sum()), 1e-9)
    return Shared(m2, width, m2 / (one.m2 + other.m2 - m2), (inner.x, inner.y))


_ASIDE: Final = re.compile(r"\([^)]*\)|\b(?:cf|aff|nr)\.?\s")


def name_key(name: str) -> str:
    """Genus and epithet in lower case without subgenus and author, as SQL's gis.name_key."""
    return " ".join(_ASIDE.sub(" ", folded(name)).split()[:2])
