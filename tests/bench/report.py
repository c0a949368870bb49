"""The results: a table for people, a list for machines, and the numbers that the product must reach."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench.client import Tally
from tests.bench.compare import Verdict
from tests.bench.stats import Spread, percentile, ratio


@dataclass
class Cell:
    """One case by one target with so many clients: a tally for each round."""

    case: str
    target: str
    clients: int
    rounds: list[Tally] = field(default_factory=list)
    verdict: Verdict | None = None
    note: str = ""
    cpu_ms: float | None = None  # processor time of the server's processes for one request
    features: float | None = None  # mean of the answers that were compared

    @property
    def latencies(self) -> list[float]:
        return [ms for tally in self.rounds for ms in tally.latencies_ms]

    @property
    def rps(self) -> Spread:
        """Good answers a second, over rounds."""
        return Spread.over([good(tally) / tally.elapsed_s for tally in self.rounds if tally.elapsed_s > 0])

    @property
    def p50(self) -> Spread:
        return Spread.over([percentile(tally.latencies_ms, 0.5) for tally in self.rounds])

    @property
    def mean_ms(self) -> float:
        """Mean time of an answer."""
        return sum(self.latencies) / len(self.latencies) if self.latencies else math.nan

    @property
    def most_bytes(self) -> int:
        """The largest body as sent."""
        return max((tally.most_bytes for tally in self.rounds), default=0)

    @property
    def errors(self) -> int:
        return sum(sum(tally.errors.values()) for tally in self.rounds)

    @property
    def mean_bytes(self) -> float:
        """Mean size of a body as sent."""
        asked = len(self.latencies)
        return sum(tally.body_bytes for tally in self.rounds) / asked if asked else math.nan

    def record(self) -> "Record":
        """The cell as one line of the JSON file."""
        times = self.latencies
        return Record(
            self.case, self.target, self.clients, number(self.rps.median), number(self.p50.median),
            number(percentile(times, 0.95)), number(percentile(times, 0.99)),
            number(self.mean_bytes, 0), self.most_bytes, self.errors,
            None if self.cpu_ms is None else number(self.cpu_ms), self.features,
        )  # fmt: skip


def good(tally: Tally) -> int:
    """Answers that were no error."""
    return len(tally.latencies_ms) - sum(tally.errors.values())


def number(value: float, digits: int = 3) -> float | None:
    """A rounded number, None for one that was not measured."""
    return None if math.isnan(value) else round(value, digits)


@dataclass(frozen=True)
class Record:
    """What `--json` writes for each cell."""

    case: str
    target: str
    clients: int
    rps: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    bytes: float | None
    most_bytes: int
    errors: int
    cpu_ms: float | None
    features: float | None


def write_json(path: Path, cells: Iterable[Cell]) -> None:
    """The list of records."""
    path.write_text(json.dumps([asdict(cell.record()) for cell in cells], indent=1) + "\n")


HEAD = (
    f"{'target':<10}{'clients':>8}{'req/s':>10}{'±':>6}{'p50 ms':>10}{'±':>6}{'p95':>10}{'p99':>10}"
    f"{'bytes':>11}{'CPU ms':>8}{'errors':>8}  ours against it"
)


def case_lines(cells: Sequence[Cell], rule: str) -> Iterable[str]:
    """The rows of one case; the ratio stands only where the answers were equal or a rule explains them."""
    yield f"\n{cells[0].case}" + (f"   ({rule})" if rule else "")
    for clients in sorted({cell.clients for cell in cells}):
        group = {cell.target: cell for cell in cells if cell.clients == clients}
        for cell in group.values():
            yield row(cell) + "  " + against(group.get("ours") or group.get("cached"), cell)


def row(cell: Cell) -> str:
    """The numbers of one cell."""
    times, rps, p50 = cell.latencies, cell.rps, cell.p50
    p95, p99 = percentile(times, 0.95), percentile(times, 0.99)
    spent = "" if cell.cpu_ms is None else f"{cell.cpu_ms:.3f}"
    return (
        f"{cell.target:<10}{cell.clients:>8}{rps.median:>10.1f}{rps.noise:>6.0%}{p50.median:>10.2f}{p50.noise:>6.0%}"
        f"{p95:>10.2f}{p99:>10.2f}{cell.mean_bytes:>11,.0f}{spent:>8}{cell.errors:>8}"
    )


def against(ours: Cell | None, other: Cell) -> str:
    """How ours stands to another target: its p50 as a share, its throughput as a multiple, or why not."""
    if ours is None or other is ours:
        return other.note
    if ours.errors or other.errors:
        faults = sorted({reason for tally in (*ours.rounds, *other.rounds) for reason in tally.errors})
        return f"no ratio: {', '.join(faults)}"
    if other.verdict is not None and not other.verdict.comparable:
        return f"no ratio: {other.verdict.words()}"
    latency, speed = ratio(ours.p50.median, other.p50.median), ratio(ours.rps.median, other.rps.median)
    if latency is None or speed is None:
        return "no ratio: nothing measured"
    said = f"p50 × {latency:.3g}, req/s × {speed:.3g}"
    remark = other.note if other.verdict is None else other.verdict.words()
    return f"{said} [{remark}]"
