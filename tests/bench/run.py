"""One run: rounds that alternate between the targets, so that a machine's drift hits all of them."""

import itertools
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import psycopg

from tests.bench import client, compare, facts, processes
from tests.bench.asks import Ask
from tests.bench.case import Case
from tests.bench.client import Answer, Tally
from tests.bench.facts import Facts
from tests.bench.floor import NOTES, Floor
from tests.bench.report import Cell
from tests.bench.targets import KEPT, RESTRICTED, Target

SETTLE_S = 30.0
WARM_UP = 20  # questions to each target before a case's clock starts

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    clients: tuple[int, ...] = (1, 8, 32)
    rounds: int = 3
    seconds: float = 6.0
    seed: int = 1

    @property
    def slot(self) -> float:
        """Seconds of one round of a cell."""
        return self.seconds / self.rounds


@dataclass
class Replay:
    """The questions of a round: drawn once, asked of each target from the beginning."""

    source: Iterator[Ask]
    drawn: list[Ask]

    @classmethod
    def of(cls, source: Iterator[Ask]) -> "Replay":
        return cls(source, [])

    def __iter__(self) -> Iterator[Ask]:
        for number in itertools.count():
            if number == len(self.drawn):
                self.drawn.append(next(self.source))
            yield self.drawn[number]


@dataclass
class Bench:
    """The targets of a run and what they are asked."""

    targets: Sequence[Target]
    floors: Sequence[Floor]
    facts: Facts
    plan: Plan
    dsn: str

    def case(self, case: Case) -> list[Cell]:
        """Every cell of a case; none if nothing can be asked of it."""
        rng = np.random.default_rng([self.plan.seed, zlib.crc32(case.name.encode())])
        source = case.draw(self.facts, rng)
        first = list(itertools.islice(source, WARM_UP))
        if not first:
            return []
        targets = self.who(case, first)
        self.warm(case, first, targets)
        cells: list[Cell] = []
        for clients in self.plan.clients:
            cells += self.rounds(case, clients, source, targets)
        return cells

    def who(self, case: Case, first: Sequence[Ask]) -> list[Target | Floor]:
        """The targets that can answer the case; the floor too where one statement answers it."""
        if case.shared:
            return [target for target in self.targets if target.name in ("ours", RESTRICTED)]
        if case.kept:
            return [target for target in self.targets if target.name in (KEPT, "tipg", "nginx")]
        others = ("nginx", RESTRICTED, KEPT)
        asked = [
            t for t in self.targets if t.name not in others and not (case.ours_only and t.name != "ours")
        ]
        able: list[Target | Floor] = [
            t for t in asked if all(t.request(ask, case.encoding) is not None for ask in first)
        ]
        if case.name == "mixed":
            return able
        return [*able, *(floor for floor in self.floors if floor.query(first[0]) is not None)]

    def warm(self, case: Case, asked: list[Ask], targets: Sequence[Target | Floor]) -> None:
        """Prepare plans and fill the buffers."""
        for target in targets:
            if isinstance(target, Floor):
                target.run_cell(itertools.cycle(asked), 1, 0.3)
            else:
                client.run_cell(target.host, target.port, wire(target, case, iter(asked)), 4, 10.0)

    def rounds(
        self, case: Case, clients: int, source: Iterator[Ask], targets: Sequence[Target | Floor]
    ) -> list[Cell]:
        """One cell a target; the order of the targets turns from round to round."""
        cells = {t.name: Cell(case.name, t.name, clients, note=noted(t)) for t in targets}
        meant: dict[str, list[tuple[Ask, compare.Meaning]]] = {target.name: [] for target in targets}
        spent = dict.fromkeys(cells, 0.0)
        for number in range(self.plan.rounds):
            replay = Replay.of(source)
            kept: dict[str, dict[int, Answer]] = {}
            for target in turned(targets, number):
                self.settle()
                before = cpu(target)
                tally = self.one(case, target, replay, clients)
                spent[target.name] += cpu(target) - before
                kept[target.name], tally.kept = tally.kept, {}
                cells[target.name].rounds.append(tally)
            common = set.intersection(*(set(k) for n, k in kept.items() if n not in NOTES)) if kept else set()
            for name in kept:
                if name not in NOTES:
                    meant[name] += [
                        (replay.drawn[i], compare.meaning(replay.drawn[i], kept[name][i]))
                        for i in sorted(common)
                    ]
        for name, cell in cells.items():
            counts = [what.count for _, what in meant[name]]
            cell.features = sum(counts) / len(counts) if counts else None
            cell.cpu_ms = spent[name] / max(1, len(cell.latencies)) * 1000 or None
        for name, said in meant.items():
            if name not in ("ours", *NOTES) and "ours" in meant:
                asked, theirs = [ask for ask, _ in said], [what for _, what in said]
                cells[name].verdict = compare.judge(
                    asked, [what for _, what in meant["ours"]], theirs, self.specks
                )
        return list(cells.values())

    def one(self, case: Case, target: Target | Floor, replay: Replay, clients: int) -> Tally:
        """One round of one cell."""
        if isinstance(target, Floor):
            return target.run_cell(iter(replay), clients, self.plan.slot)
        return client.run_cell(
            target.host, target.port, wire(target, case, iter(replay)), clients, self.plan.slot
        )

    def specks(self, ask: Ask, ids: set[str]) -> bool:
        """Whether these features are less than a pixel of a 512-pixel tile both wide and high."""
        table, pixel = facts.TABLES[ask.layer], 360 / 2 ** ask.tile[0] / 512
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(
                f"select count(*) from gis.{table} where gid = any(%s)"
                " and greatest(ST_XMax(geom) - ST_XMin(geom), ST_YMax(geom) - ST_YMin(geom)) < %s".encode(),
                ([int(fid) for fid in ids], pixel),
            ).fetchone()
        return row == (len(ids),)

    def settle(self) -> None:
        """Wait until no statement of a former cell is still running: a peer without timeouts leaves some."""
        deadline = time.monotonic() + SETTLE_S
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while time.monotonic() < deadline:
                row = connection.execute(
                    "select count(*) from pg_stat_activity where datname = current_database()"
                    " and state = 'active' and pid <> pg_backend_pid() and backend_type = 'client backend'"
                ).fetchone()
                if row == (0,):
                    return
                time.sleep(0.05)


def cpu(target: Target | Floor) -> float:
    """Processor seconds of a server's processes so far; 0 for those that the bench didn't start."""
    server = None if isinstance(target, Floor) else target.server
    return 0.0 if server is None else processes.cpu_s(server)


def noted(target: Target | Floor) -> str:
    """What a reader must know of a floor: what its statement gives."""
    return NOTES[target.name] if isinstance(target, Floor) else ""


def turned(targets: Sequence[Target | Floor], by: int) -> list[Target | Floor]:
    """The targets beginning with another one each round."""
    cut = by % len(targets)
    return [*targets[cut:], *targets[:cut]]


def wire(target: Target, case: Case, asked: Iterator[Ask]) -> Iterator[bytes]:
    """The questions as requests to a target; what it has no path for is left out."""
    for ask in asked:
        request = target.request(ask, case.encoding)
        if request is not None:
            yield request


def client_cost(nginx: Target, plan: Plan) -> list[Cell]:
    """The load client and the loopback by themselves: one static file by nginx."""
    cells = []
    for clients in plan.clients:
        cell = Cell("static-20KB", "nginx", clients)
        for _ in range(plan.rounds):
            request = nginx.request(Ask("landing"), "identity")
            assert request is not None, "nginx always has its file"
            tally = client.run_cell(
                nginx.host, nginx.port, itertools.repeat(request), clients, min(plan.slot, 1.0)
            )
            tally.kept = {}
            cell.rounds.append(tally)
        cells.append(cell)
    return cells
