"""The cases: what is asked, with how many features, and which rule a reader must know of.

Each case draws its questions from pools that are shuffled by the seed. A question isn't asked twice in a
run until its pool is used up; where a pool is small (zoom 6 has some thirty tiles) the case says so.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.bench.asks import Ask
from tests.bench.case import Case, Draw, fixed, shuffled
from tests.bench.facts import Facts
from tests.bench.tile_cases import GENERAL, kept_cases, tile_cases, tiles


def one_item(layer: str) -> Draw:
    """Random features by id."""
    return lambda facts, rng: shuffled_ids(layer, facts, rng)


def shuffled_ids(layer: str, facts: Facts, rng: np.random.Generator) -> Iterator[Ask]:
    """Every id of a layer in random order, without a list of two million questions."""
    first, count = facts.ids[layer]
    while True:
        for gid in rng.permutation(count) + first:
            yield Ask("item", layer, fid=str(gid))


def page(layer: str, limit: int) -> Draw:
    """The first page: what a client asks first, so it's the same question each time."""
    return fixed(Ask("items", layer, limit=limit))


def boxed(layer: str, limit: int, width: float) -> Draw:
    """Pages within a box around a random point of the layer."""

    def draw(facts: Facts, rng: np.random.Generator) -> Iterator[Ask]:
        half = width / 2
        while True:
            for x, y in rng.permutation(facts.points[layer]):
                dx, dy = rng.uniform(-half, half, 2)
                west, south = round(x + dx - half, 6), round(y + dy - half, 6)
                yield Ask("items", layer, limit=limit, bbox=(west, south, west + width, south + width))

    return draw


def by_name(limit: int) -> Draw:
    """Occurrences of one species."""
    return lambda facts, rng: shuffled(
        rng,
        [Ask("items", "occurrences", limit=limit, equals=("scientificName", name)) for name in facts.species],
    )


def deep(layer: str, limit: int, only: int | None = None) -> Draw:
    """Pages far down: ours by the links that were followed there, peers by offset as their links do."""
    return lambda facts, rng: shuffled(
        rng,
        [
            Ask("items", layer, limit=limit, depth=depth)
            for depth in facts.depths.get(layer, ())
            if only in (None, depth)
        ],
    )


def sorted_page(layer: str, limit: int, by: str) -> Draw:
    """The first page in another order than the key's."""
    return fixed(Ask("items", layer, limit=limit, sort=by))


def reports() -> Draw:
    """Overlap reports of random quadrangles of some 400 km²."""

    def draw(facts: Facts, rng: np.random.Generator) -> Iterator[Ask]:
        while True:
            x, y = facts.points["protected-areas"][rng.integers(len(facts.points["protected-areas"]))]
            corners = np.array([(-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1)])
            spots = (x, y) + corners * rng.uniform(0.7, 1.3, (4, 2))
            yield Ask("report", polygon=tuple((round(float(a), 6), round(float(b), 6)) for a, b in spots))

    return draw


def mixed() -> Draw:
    """What a map and a desktop client ask together: 60 % tiles, 35 % features, 5 % documents."""

    def draw(facts: Facts, rng: np.random.Generator) -> Iterator[Ask]:
        parts = [
            (0.2, tiles("protected-areas", 8)), (0.2, tiles("protected-areas", 11)),
            (0.2, tiles("occurrences", 14)),
            (0.15, one_item("occurrences")), (0.1, boxed("protected-areas", 10, 0.2)), (0.1, by_name(100)),
            (0.05, fixed(Ask("collections"))),
        ]  # fmt: skip
        streams = [each(facts, rng) for _, each in parts]
        weights = [share for share, _ in parts]
        while True:
            for pick in rng.choice(len(parts), 256, p=weights):
                yield next(streams[pick])

    return draw


DOCUMENT = "documents differ by what each server describes; only the status is compared"
SAME = "one page, the same each time"
FIRST = "the first page, the same each time: no server here caches results"


def shared_cases() -> Iterator[Case]:
    """What a province asks beside the public."""
    made = [
        Case("items-10", page("occurrences", 10)),
        Case("items-1000", page("occurrences", 1000)),
        Case("items-bbox", boxed("occurrences", 10, 0.02)),
        Case("item", one_item("occurrences")),
        Case("items-10-areas", page("protected-areas", 10)),
        Case("item-area", one_item("protected-areas")),
        *(Case(f"tile-z{zoom}", tiles("occurrences", zoom)) for zoom in (6, 8, 11, 14)),
        *(Case(f"tile-areas-z{zoom}", tiles("protected-areas", zoom)) for zoom in (8, 11, 14)),
    ]
    for case in made:
        yield replace(case, name=f"shared-{case.name}", shared=True)


def bare(case: Case) -> Case:
    """The same uncompressed, to be held against the floor, which compresses nothing."""
    return replace(case, name=case.name + "-identity", encoding="identity")


def all_cases() -> list[Case]:
    """Every case in the order of the table."""
    areas = {n: Case(f"items-{n}-areas", page("protected-areas", n), rule=FIRST) for n in (10, 100, 1000)}
    points = {n: Case(f"items-{n}-occurrences", page("occurrences", n), rule=FIRST) for n in (10, 100, 1000)}
    return [
        Case("landing", fixed(Ask("landing")), rule=DOCUMENT),
        Case("collections", fixed(Ask("collections")), rule=DOCUMENT),
        Case("collection", fixed(Ask("collection", "protected-areas")), rule=DOCUMENT),
        Case("tilejson", fixed(Ask("tilejson", "protected-areas")), rule=DOCUMENT),
        Case("item-area", one_item("protected-areas"), size=lambda facts: facts.ids["protected-areas"][1]),
        Case("item-occurrence", one_item("occurrences")),
        *areas.values(),
        *points.values(),
        *(bare(case) for case in (areas[10], areas[1000], points[10], points[1000])),
        Case("items-bbox-areas", boxed("protected-areas", 10, 0.2)),
        Case("items-bbox-occurrences", boxed("occurrences", 100, 0.2)),
        Case("items-filter", by_name(100), size=lambda facts: len(facts.species)),
        Case(
            "items-deep", deep("occurrences", 10), size=lambda facts: len(facts.depths.get("occurrences", ()))
        ),
        Case("items-page-10000", deep("occurrences", 10, 100_000), rule=SAME),
        Case("items-depth-500000", deep("occurrences", 10, 500_000), rule=SAME),
        Case("items-sorted", sorted_page("occurrences", 100, "scientificName"), rule=FIRST),
        *tile_cases(),
        *kept_cases(),
        Case("mixed", mixed(), rule=GENERAL),
        Case("report", reports(), ours_only=True),
        *shared_cases(),
    ]
