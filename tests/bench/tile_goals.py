"""What tiles are held to, from the cells of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.goals import At, Goal, judged
from tests.bench.report import Cell
from tests.bench.stats import ratio
from tests.bench.tile_cases import ALL_POINTS, AREAS, RANGES, THIN

MOST_TILE: int = 500_000  # bytes as sent
BUILD_SECONDS = 180.0
BOTH_WORKERS_MB = 450.0


@dataclass(frozen=True)
class Times:
    """A tile takes us so many times less than them, in the mean over the same tiles; the worst decides."""

    words: str
    cases: tuple[str, ...]
    other: str
    least: float
    ours: str = "ours"
    per_feature: bool = False

    def judged(self, at: At) -> Goal:
        said, found = [], []
        for case in self.cases:
            mine, theirs = at.get((case, self.ours)), at.get((case, self.other))
            if mine is None or theirs is None:
                continue
            found.append(-self._times(mine, theirs))
            said.append(f"{case} {theirs.mean_ms:.2f} / {mine.mean_ms:.2f} ms × {-found[-1]:.3g}")
        return judged(self.words, said, found, -self.least)

    def _times(self, mine: Cell, theirs: Cell) -> float:
        times = ratio(theirs.mean_ms, mine.mean_ms) or math.nan
        if self.per_feature and mine.features and theirs.features:
            times *= mine.features / theirs.features
        return times


def _areas(*zooms: int) -> tuple[str, ...]:
    return tuple(f"tile-areas-z{zoom}" for zoom in zooms)


_RANGES = tuple(f"tile-ranges-z{zoom}" for zoom in RANGES)
_THIN = tuple(f"tile-points-z{zoom}" for zoom in THIN)
_POINTS = tuple(f"tile-points-z{zoom}" for zoom in ALL_POINTS)
_KEPT = ("kept-areas-z8", "kept-points-z12")
TIMES = (
    Times("areas z4–z6 ≥ 20 × TiPg", _areas(4, 5, 6), "tipg", 20),
    Times("areas z4–z6 ≥ 10 × Martin's SQL", _areas(4, 5, 6), "martin", 10),
    Times("areas z8 ≥ 10 × TiPg", _areas(8), "tipg", 10),
    Times("areas z8 ≥ 10 × Martin's SQL", _areas(8), "martin", 10),
    Times("areas z10–z14 ≥ 4 × TiPg", _areas(10, 12, 14), "tipg", 4),
    Times("ranges ≥ 8 × TiPg at every zoom", _RANGES, "tipg", 8),
    Times("points z0–z8 ≥ 15 × TiPg", _THIN, "tipg", 15),
    Times("points z10–z14 of ≤ 10,000 a tile ≥ 1 × TiPg", _POINTS, "tipg", 1),
    Times(
        "points of crowded tiles ≥ 1 × TiPg a feature", ("tile-points-z10-crowded",), "tipg", 1,
        per_feature=True,
    ),
    Times(
        "≥ 0.8 of our own SQL by a bare connection",
        (*_areas(*AREAS), *_RANGES, *_THIN, *_POINTS), "floor", 0.8,
    ),
    Times("a kept tile ≥ 10 × TiPg", _KEPT, "tipg", 10, ours="cached"),
)  # fmt: skip


def tile_goals(
    at: At, full: float | None, built: Mapping[str, tuple[float, int]], wanted: Callable[[str], bool]
) -> list[Goal]:
    """Every number about tiles of which a case was chosen; `built`: seconds and vertices by table."""
    chosen = [goal.judged(at) for goal in TIMES if any(map(wanted, goal.cases))]
    if not any(wanted(case) for case in (*_THIN, *_KEPT)):
        return chosen
    return [*chosen, _size(at), _processor(at), _unchanged(at), _memory(full), *_builds(built)]


def _size(at: At) -> Goal:
    found = [at[case, "ours"].most_bytes for case in _THIN if (case, "ours") in at]
    return judged(f"points z0–z8 ≤ {MOST_TILE:,} bytes", [f"{max(found, default=0):,}"], found, MOST_TILE)


def _processor(at: At) -> Goal:
    said, found = [], []
    for case in _KEPT:
        ours, static = at.get((case, "cached")), at.get((case, "nginx"))
        if ours is not None and static is not None and ours.cpu_ms and static.cpu_ms:
            found.append(ours.cpu_ms / static.cpu_ms)
            said.append(f"{case} {ours.cpu_ms * 1000:.0f} / {static.cpu_ms * 1000:.0f} µs × {found[-1]:.1f}")
    return judged("processor time of a kept tile ≤ 3 × nginx's file", said, found, 3)


def _unchanged(at: At) -> Goal:
    held, whole = at.get(("kept-held", "cached")), at.get(("kept-areas-z8", "cached"))
    if held is None or whole is None:
        return Goal("304 ≤ a kept tile", "not run", None)
    said = f"{held.mean_ms:.3f} / {whole.mean_ms:.3f} ms"
    return Goal("304 ≤ a kept tile", said, held.mean_ms <= whole.mean_ms)


def _memory(full: float | None) -> Goal:
    words = f"two workers, caches of 128 MB full, ≤ {BOTH_WORKERS_MB:g} MB"
    if full is None:
        return Goal(words, "not run", None)
    return Goal(words, f"{full:.0f} MB", full <= BOTH_WORKERS_MB)


def _builds(built: Mapping[str, tuple[float, int]]) -> Sequence[Goal]:
    """Of the table with the most vertices."""
    if not built:
        return []
    name, (seconds, vertices) = max(built.items(), key=lambda each: each[1][1])
    words = f"derived tables of {name} ({vertices / 1e6:.1f} M vertices) ≤ {BUILD_SECONDS:g} s"
    return [Goal(words, f"{seconds:.0f} s", seconds <= BUILD_SECONDS)]
