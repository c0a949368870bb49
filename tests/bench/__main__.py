"""`./gis bench`: make the data, start the servers, measure, print, end what was started."""

import argparse
import contextlib
import fnmatch
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from gis_service.db.cluster import Cluster
from gis_service.errors import GisError
from gis_service.settings import load_settings
from tests.bench import asks, client, data, exports, facts, fill, goals, processes, report, sharing, targets
from tests.bench.asks import Ask, OgcServer
from tests.bench.case import Case
from tests.bench.cases import all_cases
from tests.bench.data import Recipe
from tests.bench.exports import Export
from tests.bench.floor import MARTIN, Floor
from tests.bench.processes import BenchFault
from tests.bench.report import Cell
from tests.bench.run import Bench, Plan, client_cost
from tests.bench.sharing import Shared
from tests.bench.targets import KEPT, Target
from tests.bench.tile_goals import tile_goals

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "gis_bench"
DEEP = (
    "items-deep",
    "items-page-10000",
    "items-depth-500000",
)  # by links that were followed before
QUICK = Plan(clients=(1, 8), rounds=2, seconds=1.6)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="gis bench", description=__doc__)
    parser.add_argument(
        "--case", action="append", metavar="GLOB", help="only the cases that match (repeatable)"
    )
    parser.add_argument("--clients", default="1,8,32", help="numbers of clients (1,8,32)")
    parser.add_argument("--seconds", type=float, default=6.0, help="of a cell, over its rounds (6)")
    parser.add_argument("--rounds", type=int, default=3, help="a cell is measured in so many rounds (3)")
    parser.add_argument("--quick", action="store_true", help="1 and 8 clients, 2 rounds of 0.8 s")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the data set (1)")
    parser.add_argument("--seed", type=int, default=1, help="of the data and the questions (1)")
    parser.add_argument(
        "--dsn", help=f"a database of the bench's own, instead of {DATABASE} in the embedded cluster"
    )
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=URL", help="another server (repeatable)"
    )
    parser.add_argument("--no-tipg", action="store_true", help="leave TiPg out")
    parser.add_argument("--no-ours", action="store_true", help="leave our server out")
    parser.add_argument("--ports", default="", metavar="FIRST-LAST", help="take ports from this range only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the cells as a list")
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    parser.add_argument("--data-only", action="store_true", help="make the data and end")
    return parser.parse_args(words)


def say(text: str) -> None:
    """Progress goes to people, results to the output."""
    print(text, file=sys.stderr, flush=True)


def main(words: Sequence[str]) -> int:
    """0 when all cells were measured, 1 when the bench could not run, 2 for a wrong command line."""
    args = arguments(words)
    chosen = [
        case for case in all_cases() if not args.case or any(fnmatch.fnmatch(case.name, g) for g in args.case)
    ]
    if args.list:
        print("\n".join([*(case.name for case in chosen), *exports.NAMES, *sharing.NAMES]))
        return 0
    alone = (*exports.NAMES, *sharing.NAMES)
    if not chosen and not any(fnmatch.fnmatch(name, glob) for name in alone for glob in args.case):
        say("no case matches; see --list")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended here too
    try:
        with database(args) as dsn:
            data.prepare(dsn, Recipe.of(args.seed, args.scale, ROOT), ROOT, say)
            if not args.data_only:
                measure(args, dsn, chosen)
    except (BenchFault, GisError, OSError, psycopg.Error) as fault:
        say(f"bench: {fault}")
        return 1
    return 0


@contextlib.contextmanager
def database(args: argparse.Namespace) -> Iterator[str]:
    """The address of the bench's database, in the embedded cluster unless one is given."""
    if args.dsn:
        yield args.dsn
        return
    settings = load_settings(ROOT, os.environ)
    if settings.database_url:
        yield beside(settings.database_url)
        return
    cluster = Cluster(settings.data_dir)
    ran = cluster.pid() is not None
    cluster.start()
    cluster.create_database(DATABASE)
    try:
        yield cluster.dsn(DATABASE)
    finally:
        if not ran:
            cluster.stop()


def beside(dsn: str) -> str:
    """A database of the bench's own on the server of another one."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return make_conninfo(dsn, dbname=DATABASE)


@dataclass(frozen=True)
class Ports:
    """Where the bench's servers may listen."""

    first: int = 0
    last: int = 0

    @classmethod
    def of(cls, text: str) -> "Ports":
        """`18500-18599`, or nothing for any free port."""
        first, _, last = text.partition("-")
        return cls(int(first), int(last)) if text else cls()

    def free(self) -> int:
        """One that nobody listens on."""
        return processes.free_port(range(self.first, self.last + 1) if self.first else None)


@contextlib.contextmanager
def started(args: argparse.Namespace, dsn: str, chosen: Sequence[Case]) -> Iterator[list[Target]]:
    """Every target of the run; what the bench started ends with it."""
    home = load_settings(ROOT, os.environ).data_dir / "bench"
    ports = Ports.of(args.ports)
    found: list[Target] = []
    try:
        if not args.no_ours:
            found.append(targets.start_ours(ROOT, dsn, home, ports.free()))
            if any(case.name.endswith("-full") for case in chosen):
                found.append(targets.start_ours(ROOT, dsn, home, ports.free(), full_detail=True))
            if any(case.kept for case in chosen):
                found.append(targets.start_cached(ROOT, dsn, home, ports.free()))
            if any(case.shared for case in chosen):
                found.append(targets.as_province(found[0], dsn))
        if not args.no_tipg:
            found.append(targets.start_tipg(dsn, home, ports.free()))
        nginx = targets.start_nginx(home, ports.free())
        if nginx is None:
            say("nginx isn't installed: the floor of a static file is left out")
        else:
            found.append(nginx)
        for name, urls in peers(args.peer).items():
            found.append(targets.peer(name, urls))
        yield found
    finally:
        for target in found:
            if target.server is not None:
                target.server.stop()


def peers(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name to addresses; the same name may come with several templates."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, _, address = word.partition("=")
        if not urlsplit(address).hostname:
            raise BenchFault(f"--peer {word!r}: expected NAME=http://…")
        found[name] = (*found.get(name, ()), address)
    return found


def plan_of(args: argparse.Namespace) -> Plan:
    """How long and how often, by the command line."""
    if args.quick:
        return Plan(QUICK.clients, QUICK.rounds, QUICK.seconds, args.seed)
    return Plan(tuple(int(n) for n in args.clients.split(",")), args.rounds, args.seconds, args.seed)


def measure(args: argparse.Namespace, dsn: str, chosen: Sequence[Case]) -> None:
    """Run the cases and print as they come."""
    plan = plan_of(args)
    known = facts.learn(dsn)
    views = {seen.id: seen for seen in data.public_views(ROOT)}
    floors = [Floor(dsn, views, name) for name in ("floor", "columns", MARTIN)]
    cells: list[Cell] = []
    with started(args, dsn, chosen) as found:
        print_ground(found, plan, args)
        if any(case.name in DEEP for case in chosen):
            for target in found:
                if is_ours(target):
                    facts.walk(known, target, "occurrences", 10)
        for target in found:
            if target.name == "nginx":
                static = client_cost(target, plan)
                cells += static
                print_lines(report.case_lines(static, "the load client's own cost"))
        if (cached := named(found, KEPT)) is not None:
            give_tile(cached, known)
        bench = Bench(found, floors, known, plan, dsn)
        for case in chosen:
            measured = bench.case(case)
            if not measured:
                say(f"{case.name}: nothing to ask")
                continue
            cells += measured
            print_lines(report.case_lines(measured, ruled(case, known)))
            if args.json:
                report.write_json(args.json, cells)
        measured_exports = exported(args, found, known.ids[exports.LAYER][1])
        workers_mb = print_memory(found)
        full_mb = fill.full(cached, known) if cached is not None else None
    reached = goals.goals(cells, measured_exports, workers_mb, shared(args, dsn))
    at = {(cell.case, cell.target): cell for cell in cells if cell.clients == 1}
    names = {case.name for case in chosen}
    reached += tile_goals(at, full_mb, data.derived(dsn), names.__contains__)
    print_lines(goals.goal_lines(reached))


def named(found: Sequence[Target], name: str) -> Target | None:
    """The target of that name, if it runs."""
    return next((target for target in found if target.name == name), None)


def give_tile(cached: Target, known: facts.Facts) -> None:
    """One of our tiles for nginx to send."""
    x, y = known.tiles("protected-areas", 8)[0]
    request = cached.request(Ask("tile", "protected-areas", tile=(8, x, y)), "gzip")
    assert request is not None, "ours has tiles"
    tile = client.ask_once(cached.host, cached.port, request).body
    targets.give_tile(load_settings(ROOT, os.environ).data_dir / "bench", tile)


def shared(args: argparse.Namespace, dsn: str) -> list[Shared]:
    """Sharing at size, where it was chosen; a copy is made only while no server uses the original."""
    found = []
    if not args.no_ours and sharing.wanted(args.case or ()):
        for each in sharing.measure(dsn, ROOT, say):
            found.append(each)
            print_lines([each.line()])
    return found


def exported(args: argparse.Namespace, found: Sequence[Target], rows: int) -> list[Export]:
    """The exports of our server that the command line chose, printed as they end."""
    ours = next((target for target in found if is_ours(target)), None)
    measured: list[Export] = []
    for name in exports.NAMES:
        if ours is not None and (not args.case or any(fnmatch.fnmatch(name, glob) for glob in args.case)):
            measured.append(exports.measure(ours, name, rows))
            print_lines([measured[-1].line()])
    return measured


def ruled(case: Case, known: facts.Facts) -> str:
    """The rule of a case, with the size of its pool where questions must come round again."""
    size = case.size(known) if case.size else None
    again = (
        f"{size} different questions, asked again when used up" if size is not None and size < 20_000 else ""
    )
    return "; ".join(filter(None, (case.rule, again)))


def is_ours(target: Target) -> bool:
    """Whether it's our server itself, not its twin at full detail."""
    return isinstance(target.path, OgcServer) and target.path.paths is asks.OURS


def print_lines(lines: Iterable[str]) -> None:
    """A block of the output, at once."""
    print("\n".join(lines), flush=True)


def print_ground(found: Sequence[Target], plan: Plan, args: argparse.Namespace) -> None:
    """What is compared under which settings."""
    print(
        f"seed {args.seed}, scale {args.scale:g}; {plan.rounds} rounds of {plan.slot:g} s a cell,"
        " targets in turn"
    )
    for target in found:
        if target.server is not None:
            print(f"{target.name:<8} first answer {target.server.first_answer_s:.1f} s after its start")
    if any(target.name == "tipg" for target in found):
        print("\npinned for TiPg")
        for setting, value, why in targets.pinned_table():
            print(f"  {setting} = {value}\n      {why}")
    print(f"\n{report.HEAD}", flush=True)


def print_memory(found: Sequence[Target]) -> float | None:
    """The memory of each server that the bench started; gives that of our workers."""
    print("\nmemory after the run (PSS)")
    workers_mb: float | None = None
    for target in found:
        if target.server is not None:
            weight = processes.weigh(target.server)
            print(
                f"  {target.name:<8} {weight.workers} processes below the parent {weight.workers_mb:.0f} MB,"
                f" parent {weight.parent_mb:.0f} MB"
            )
            workers_mb = weight.workers_mb if is_ours(target) else workers_mb
    return workers_mb


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
