"""The numbers that the service is held to, from the cells of a run; what was not run is said to be so."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.client import Tally
from tests.bench.exports import Export
from tests.bench.report import Cell
from tests.bench.sharing import Shared, said
from tests.bench.stats import Spread, percentile, ratio

At = Mapping[tuple[str, str], Cell]  # cells with one client, by case and target


@dataclass(frozen=True)
class Goal:
    """A number the product must reach, what was measured, and whether that reaches it."""

    words: str
    measured: str
    reached: bool | None


@dataclass(frozen=True)
class Share:
    """Our p50 as a share of TiPg's in each of these cases: the worst decides."""

    words: str
    cases: tuple[str, ...]
    most: float

    def judged(self, at: At) -> Goal:
        said, shares = [], []
        for case in self.cases:
            ours, theirs = at.get((case, "ours")), at.get((case, "tipg"))
            if ours is not None and theirs is not None:
                shares.append(ratio(ours.p50.median, theirs.p50.median) or math.inf)
                inverse = 1 / shares[-1] if shares[-1] else math.inf
                said.append(f"{case} {ours.p50.median:.2f} / {theirs.p50.median:.2f} ms = 1/{inverse:.3g}")
        return judged(self.words, said, shares, self.most)


@dataclass(frozen=True)
class Over:
    """Our p50 above the floor's, in ms or as a multiple of it; nothing is compressed on either side."""

    words: str
    cases: tuple[str, ...]
    most: float
    as_multiple: bool = False

    def judged(self, at: At) -> Goal:
        said, found = [], []
        for case in self.cases:
            ours, floor = at.get((case, "ours")), at.get((case, "floor"))
            if ours is None or floor is None:
                continue
            mine, bare = ours.p50.median, floor.p50.median
            found.append(mine / bare if self.as_multiple else mine - bare)
            sign, unit = ("/", "") if self.as_multiple else ("−", " ms")
            said.append(f"{case} {mine:.2f} {sign} {bare:.2f} = {found[-1]:.2f}{unit}")
        return judged(self.words, said, found, self.most)


@dataclass(frozen=True)
class Restricted:
    """A province's p50 as a multiple of the public's, round by round, since they are asked in turn.

    The median over the rounds leaves out what the machine did besides; the worst case decides.
    """

    words: str
    most: float

    def judged(self, at: At) -> Goal:
        said, found = [], []
        for (case, target), cell in at.items():
            public = at.get((case, "ours"))
            if target == "province" and public is not None:
                pairs = zip(cell.rounds, public.rounds, strict=True)
                found.append(Spread.over([multiple(*pair) for pair in pairs]).median)
                name = case.removeprefix("shared-")
                said.append(f"{name} {cell.p50.median:.2f} / {public.p50.median:.2f} ms, × {found[-1]:.2f}")
        return judged(self.words, said, found, self.most)


def multiple(mine: Tally, theirs: Tally) -> float:
    """The p50 of the questions of a round that both were asked, one divided by the other."""
    asked = min(len(mine.latencies_ms), len(theirs.latencies_ms))
    p50, other = (percentile(each.latencies_ms[:asked], 0.5) for each in (mine, theirs))
    return p50 / other


GOALS = (
    Share("one item ≤ 1/8 of TiPg's p50", ("item-area", "item-occurrence"), 1 / 8),
    Share("limit=1000 of the points ≤ 1/20 of TiPg's p50", ("items-1000-occurrences",), 1 / 20),
    Share("property filter ≤ 1/6 of TiPg's p50", ("items-filter",), 1 / 6),
    Share("page at depth 500,000 ≤ 1/1,000 of TiPg's p50", ("items-depth-500000",), 1 / 1000),
    Over("limit=10 ≤ floor + 0.7 ms", ("items-10-areas-identity", "items-10-occurrences-identity"), 0.7),
    Over("limit=1000 of points ≤ 1.5 × floor", ("items-1000-occurrences-identity",), 1.5, as_multiple=True),
    Over("limit=1000 of polygons ≤ 1.5 × floor", ("items-1000-areas-identity",), 1.5, as_multiple=True),
    Restricted("a restricted reader's request ≤ 1.2 × the public's", 1.2),
)


def judged(words: str, said: Sequence[str], found: Sequence[float], most: float) -> Goal:
    return Goal(words, "; ".join(said), max(found) <= most) if found else Goal(words, "not run", None)


def goals(
    cells: Sequence[Cell],
    exports: Sequence[Export],
    workers_mb: float | None,
    shared: Sequence[Shared] = (),
) -> list[Goal]:
    """Every number; None in `reached` where its case was not run."""
    at = {(cell.case, cell.target): cell for cell in cells if cell.clients == 1}
    return [
        *(goal.judged(at) for goal in GOALS),
        depth_goal(at),
        *(export_goal(export) for export in exports),
        *(shared_goal(each, each.most) for each in shared if each.most is not None),
        cpu_goal(at),
        landing_goal(cells),
        memory_goal(workers_mb),
    ]


def depth_goal(at: At) -> Goal:
    """Keyset pages cost the same at any depth, at the slow end too."""
    words = "p99 of page 10,000 ≤ 1.5 × page 1 (10 points a page)"
    first, deep = at.get(("items-10-occurrences", "ours")), at.get(("items-page-10000", "ours"))
    if first is None or deep is None:
        return Goal(words, "not run", None)
    one, other = percentile(first.latencies, 0.99), percentile(deep.latencies, 0.99)
    return Goal(words, f"{other:.2f} / {one:.2f} ms = {other / one:.2f}", other <= 1.5 * one)


def export_goal(export: Export) -> Goal:
    """Rows a second and the memory of everything that serves."""
    words = f"{export.name} ≥ 100,000 rows/s with ≤ 300 MB"
    said = f"{export.rows:,} rows in {export.seconds:.1f} s = {export.rate:,.0f}/s, {export.most_mb:.0f} MB"
    return Goal(words, said, export.rate >= 100_000 and export.most_mb <= 300)


def shared_goal(each: Shared, most: float) -> Goal:
    """A step of sharing within its seconds."""
    return Goal(f"{each.words} ≤ {most:g} s", said(each.seconds), each.seconds <= most)


def cpu_goal(at: At) -> Goal:
    """Processor time of our web workers for a document that is made anew each time."""
    words = "a metadata page ≤ 1 ms of CPU"
    cell = at.get(("collection", "ours"))
    if cell is None or cell.cpu_ms is None:
        return Goal(words, "not run", None)
    return Goal(words, f"{cell.cpu_ms:.2f} ms", cell.cpu_ms <= 1)


def landing_goal(cells: Sequence[Cell]) -> Goal:
    """The landing page's throughput at the best number of clients."""
    words = "landing page ≥ 1,500 requests a second"
    found = [cell.rps.median for cell in cells if cell.case == "landing" and cell.target == "ours"]
    return Goal(words, f"{max(found):,.0f}/s", max(found) >= 1500) if found else Goal(words, "not run", None)


def memory_goal(workers_mb: float | None) -> Goal:
    """The web workers' memory; database, engine and job worker count apart."""
    words = "two web workers ≤ 300 MB (summed PSS after the run)"
    if workers_mb is None:
        return Goal(words, "not run", None)
    return Goal(words, f"{workers_mb:.0f} MB", workers_mb <= 300)


def goal_lines(reached: Sequence[Goal]) -> Iterable[str]:
    """The goals, one a line."""
    yield "\nto reach (p50, one client)"
    for goal in reached:
        mark = {True: "reached", False: "MISSED", None: "-"}[goal.reached]
        yield f"  {mark:<8} {goal.words}: {goal.measured}"
