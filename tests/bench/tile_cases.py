"""The cases of tiles: drawn anew each time beside peers and the floor, or kept beside a file of nginx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from tests.bench.asks import Ask
from tests.bench.case import Case, Draw, shuffled
from tests.bench.facts import Facts

GENERAL: Final = "ours thins outlines to ¼ px of the tile; the row `-full` has every vertex"
THINNED: Final = (
    "ours shows one point of each cell and says so in a header; TiPg stops at 10,000 without a word"
)
KEPT: Final = "the same 20 tiles again and again; nginx sends one of them from a file"
HELD: Final = "the caller holds the tile and asks whether it changed"
AREAS: Final = (4, 5, 6, 8, 10, 12, 14)
RANGES: Final = (4, 6, 8, 10, 12, 14)
THIN: Final = (0, 2, 4, 6, 8)
ALL_POINTS: Final = (10, 12, 14)
CROWDED: Final = 10_000  # points in a tile: TiPg draws no more


def tiles(layer: str, zoom: int, full: bool = False) -> Draw:
    """Random tiles of a zoom that hold at least one feature."""
    return lambda facts, rng: shuffled(rng, asked(layer, zoom, facts.tiles(layer, zoom), full))


def crowded(layer: str, zoom: int, more: bool) -> Draw:
    """Random tiles of a zoom with more than CROWDED points, or with fewer."""
    return lambda facts, rng: shuffled(rng, asked(layer, zoom, facts.crowded(layer, zoom, CROWDED, more)))


def asked(layer: str, zoom: int, places: list[tuple[int, int]], full: bool = False) -> list[Ask]:
    return [Ask("tile", layer, tile=(zoom, x, y), full=full) for x, y in places]


def kept(layer: str, zoom: int, held: bool = False) -> Draw:
    """Twenty tiles in turn."""

    def draw(facts: Facts, rng: np.random.Generator) -> Iterator[Ask]:
        places = facts.tiles(layer, zoom)
        some = [places[i] for i in rng.permutation(len(places))[:20]]
        return shuffled(rng, [Ask("tile", layer, tile=(zoom, x, y), held=held) for x, y in some])

    return draw


def tile_count(layer: str, zoom: int) -> Callable[[Facts], int]:
    """How many different tiles a case can ask for."""
    return lambda facts: len(facts.tiles(layer, zoom))


def tile_cases() -> Iterator[Case]:
    """Each zoom of areas generalised and at full detail; points thinned where they are, and whole below."""
    for short, layer, zooms in (("areas", "protected-areas", AREAS), ("ranges", "species-ranges", RANGES)):
        for zoom in zooms:
            name, size = f"tile-{short}-z{zoom}", tile_count(layer, zoom)
            yield Case(name, tiles(layer, zoom), rule=GENERAL, size=size)
            yield Case(f"{name}-full", tiles(layer, zoom, full=True), size=size)
    points = "occurrences"
    for zoom in THIN:
        yield Case(f"tile-points-z{zoom}", tiles(points, zoom), rule=THINNED, size=tile_count(points, zoom))
    for zoom in ALL_POINTS:
        yield Case(f"tile-points-z{zoom}", crowded(points, zoom, more=False))
    yield Case("tile-points-z10-crowded", crowded(points, 10, more=True))


def kept_cases() -> Iterator[Case]:
    """Answers from the cache."""
    for short, layer, zoom in (("areas", "protected-areas", 8), ("points", "occurrences", 12)):
        yield Case(f"kept-{short}-z{zoom}", kept(layer, zoom), rule=KEPT, kept=True)
    yield Case("kept-held", kept("protected-areas", 8, held=True), rule=HELD, kept=True)
