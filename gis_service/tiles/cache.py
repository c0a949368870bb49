"""Tiles that are kept in memory, bounded in bytes, and which of them a change touches.

Nothing here waits: whatever is asked or purged is done before anything else of the process runs.
"""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from gis_service.catalog.view import ViewedLayer
from gis_service.db import versions
from gis_service.db.tile_feed import Change
from gis_service.geo import tiles
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile

# How far beyond a tile a row may lie that shows in it: the buffer, and what generalising moves.
REACH: Final = (tiles.BUFFER + 64) / tiles.EXTENT
OVERHEAD: Final = 2100  # bytes that an entry takes beside its body (measured)
MOST_CELLS: Final = 4096  # of a coarser zoom, to look up which boxes are near
MOST_PATHS: Final = 4
EVERY_CLASS: Final = "*"
AS_A_WHOLE: Final = "table"

Key = tuple[object, ...]
Place = Tile | BBox
"""A tile of WebMercatorQuad, or the box of one of another grid, with its buffer."""
Headers = tuple[tuple[str, str], ...]
Range = tuple[int, int, int, int]
"""Columns and rows of a zoom: first x and y, last x and y."""
K = TypeVar("K")


@dataclass(frozen=True)
class Source:
    """A table that a tile shows, and as which classes: a change that they don't see leaves the tile."""

    table: str
    classes: frozenset[str]


def sources(views: Iterable[ViewedLayer]) -> tuple[Source, ...]:
    """What the tiles of these views are made of; nothing for those of the past, which rights alone change."""
    found = []
    for view in views:
        if view.release is not None:
            continue
        if view.layer.managed:
            found.append(Source(view.layer.table, frozenset(versions.classes(view))))
        else:
            found += [Source(table, frozenset((AS_A_WHOLE,))) for table in view.tiles.depends_on]
    return tuple(found)


def seconds_kept(views: Iterable[ViewedLayer]) -> int | None:
    """How long a tile may be shown unasked where nothing tells of changes; None where all are told."""
    ages = [v.tiles.max_age for v in views if not v.layer.managed and not v.tiles.depends_on]
    return min(ages, default=None)


class Watch(Generic[K]):
    """Keys by the places and sources that they depend on."""

    def __init__(self) -> None:
        self._places: dict[str, dict[int, dict[tuple[int, int], dict[K, frozenset[str]]]]] = {}
        self._boxes: dict[str, dict[K, tuple[BBox, frozenset[str]]]] = {}

    def add(self, key: K, place: Place, of: Sequence[Source]) -> None:
        for source in of:
            if isinstance(place, Tile):
                zooms = self._places.setdefault(source.table, {})
                here = zooms.setdefault(place.z, {}).setdefault((place.x, place.y), {})
                here[key] = here.get(key, frozenset()) | source.classes
            else:
                boxes = self._boxes.setdefault(source.table, {})
                known = boxes.get(key)
                boxes[key] = (place, source.classes | (known[1] if known else frozenset()))

    def remove(self, key: K, place: Place, of: Sequence[Source]) -> None:
        for source in of:
            if not isinstance(place, Tile):
                self._boxes.get(source.table, {}).pop(key, None)
                continue
            columns = self._places.get(source.table, {}).get(place.z, {})
            here = columns.get((place.x, place.y), {})
            here.pop(key, None)
            if not here:
                columns.pop((place.x, place.y), None)

    def touched(self, change: Change) -> set[K]:
        """The keys of tiles that show something of what the change is about."""
        found: set[K] = set()
        for zoom, columns in self._places.get(change.table, {}).items():
            for at in _meeting(zoom, columns, change.boxes):
                found.update(key for key, classes in columns[at].items() if _is_of(change, classes))
        for key, (box, classes) in self._boxes.get(change.table, {}).items():
            if _is_of(change, classes) and _meets(box, change.boxes):
                found.add(key)
        return found


def _is_of(change: Change, classes: frozenset[str]) -> bool:
    return change.of == EVERY_CLASS or change.of in classes


def _meeting(
    zoom: int, kept: dict[tuple[int, int], dict[K, frozenset[str]]], boxes: Sequence[float]
) -> Iterable[tuple[int, int]]:
    """Which of the kept places of a zoom meet a box: looked up by the fewer of the two."""
    ranges = {_range(zoom, *boxes[n : n + 4]) for n in range(0, len(boxes), 4)}
    if _number(ranges, 0) <= len(kept):
        return {at for each in ranges for at in _every(each, 0) if at in kept}
    shift = next(shift for shift in range(zoom + 1) if _number(ranges, shift) <= MOST_CELLS or shift == zoom)
    cells: defaultdict[tuple[int, int], list[Range]] = defaultdict(list)
    for each in ranges:
        for cell in _every(each, shift):
            cells[cell].append(each)
    return [(x, y) for x, y in kept if _is_in(x, y, cells.get((x >> shift, y >> shift), ()))]


def _number(ranges: Iterable[Range], shift: int) -> int:
    """How many places the ranges have, of a zoom so much coarser."""
    return sum(
        ((x1 >> shift) - (x0 >> shift) + 1) * ((y1 >> shift) - (y0 >> shift) + 1) for x0, y0, x1, y1 in ranges
    )


def _is_in(x: int, y: int, ranges: Iterable[Range]) -> bool:
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in ranges)


def _every(columns_and_rows: Range, shift: int) -> Iterator[tuple[int, int]]:
    x0, y0, x1, y1 = (number >> shift for number in columns_and_rows)
    return ((x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1))


def _range(zoom: int, west: float, south: float, east: float, north: float) -> Range:
    """The tiles that show something of a box."""
    side = 1 << zoom

    def within(number: float) -> int:
        return min(side - 1, max(0, math.floor(number)))

    return (
        within((west + 180) / 360 * side - REACH),
        within(_row(north) * side - REACH),
        within((east + 180) / 360 * side + REACH),
        within(_row(south) * side + REACH),
    )


def _row(latitude: float) -> float:
    lat = math.radians(min(85.0511287798066, max(-85.0511287798066, latitude)))
    return (1 - math.asinh(math.tan(lat)) / math.pi) / 2


def _meets(box: BBox, boxes: Sequence[float]) -> bool:
    return any(
        box.west <= boxes[n + 2]
        and boxes[n] <= box.east
        and box.south <= boxes[n + 3]
        and boxes[n + 1] <= box.north
        for n in range(0, len(boxes), 4)
    )


@dataclass(slots=True)
class Kept:
    """A tile as it's sent: its body, gzip where that's worth it, and its headers for those who take gzip."""

    status: int
    body: bytes
    headers: Headers
    place: Place
    of: Sequence[Source]
    packed: bool = False
    tag: str | None = None  # of the bytes before compression; None where there are none
    said: Headers = ()  # the headers that aren't about the body
    made_at: float = 0.0
    until: float = math.inf  # when it's too old to be shown, by the clock of `made_at`
    paths: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.body) + OVERHEAD


class TileCache:
    """The tiles that were used last, up to a number of bytes; `dropped` hears of each that must make room."""

    def __init__(self, most_bytes: int, dropped: Callable[[int], None] = lambda _: None) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._paths: dict[str, Key] = {}
        self._watch: Watch[Key] = Watch()
        self._dropped = dropped

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def share(self) -> float:
        """How much of the room is taken."""
        return self._bytes / self._most if self._most else 1.0

    def get(self, key: Key) -> Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def at(self, path: str) -> Kept | None:
        """The tile that the public gets at a path, if it was named."""
        key = self._paths.get(path)
        return None if key is None else self.get(key)

    def name(self, key: Key, path: str) -> None:
        """Find the tile by this path from now on; by few, for one tile can be written in many ways."""
        kept = self._kept.get(key)
        if kept is not None and len(kept.paths) < MOST_PATHS and path not in kept.paths:
            kept.paths.append(path)
            self._paths[path] = key

    def put(self, key: Key, kept: Kept) -> None:
        if kept.size > self._most:
            return
        self._remove(key)
        self._kept[key] = kept
        self._bytes += kept.size
        self._watch.add(key, kept.place, kept.of)
        while self._bytes > self._most:
            self._dropped(1)
            self._remove(next(iter(self._kept)))

    def purge(self, change: Change) -> dict[Key, str]:
        """Throw away what the change touches; the tags of these tiles."""
        gone = {key: self._kept[key].tag or "" for key in self._watch.touched(change)}
        for key in gone:
            self._remove(key)
        return gone

    def clear(self) -> int:
        gone = len(self._kept)
        self._kept.clear()
        self._paths.clear()
        self._watch = Watch()
        self._bytes = 0
        return gone

    def _remove(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self._bytes -= kept.size
        self._watch.remove(key, kept.place, kept.of)
        for path in kept.paths:
            self._paths.pop(path, None)
