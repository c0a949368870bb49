"""Sharing at size, on a copy of the bench's database: a key ring of 1,000, rows of a class, releases.

The copy is made by the bench and dropped by it: what is published here never stands in the other cases' rows.
"""

import contextlib
import fnmatch
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal, Role
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.changes import store
from gis_service.changes.values import Action, Proposal
from gis_service.db import select
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Workflow
from tests.bench.processes import BenchFault

NAMES = ("sharing-keys", "sharing-rows", "sharing-approval", "sharing-release")
ORGANISATIONS, PEOPLE = 100, 1_000
APPROVED, RELEASED = 10_000, 100_000
TRIES = 21
LAYER = "occurrences"
FLOW = Workflow()
EDITOR, PROVINCE, CENTRE = "bench-editor", "bench-province", "bench-centre"

Say = Callable[[str], None]
Layers = Mapping[str, Layer]


@dataclass(frozen=True)
class Shared:
    """One number of sharing: what was done, the seconds it took, the most that it may take."""

    name: str
    words: str
    seconds: float
    most: float | None = None

    def line(self) -> str:
        """A line for people."""
        return f"\n{self.name}: {self.words}: {said(self.seconds)}"


def said(seconds: float) -> str:
    """Seconds, or milliseconds where they are few."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def wanted(globs: Sequence[str]) -> bool:
    """Whether the command line chooses any of it; all cases choose it too."""
    return not globs or any(fnmatch.fnmatch(name, glob) for name in NAMES for glob in globs)


def measure(dsn: str, root: Path, say: Say) -> Iterator[Shared]:
    """Every number, as it is measured."""
    with copied(dsn, say) as copy, SyncDatabase(copy) as database:
        code = largest(database)
        settle(database, code, say)
        yield ring(database)
        yield own_rows(database, code)
        yield approval(database, root, code)
        yield from releases(database, copy, root, code)


@contextlib.contextmanager
def copied(dsn: str, say: Say) -> Iterator[str]:
    """A copy of the database for as long as the block lasts; nobody may be connected to the original."""
    name = f"{conninfo_to_dict(dsn)['dbname']}_sharing"
    made, source = sql.Identifier(name), sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as server:
        begun = time.monotonic()
        server.execute(sql.SQL("drop database if exists {}").format(made))
        server.execute(sql.SQL("create database {} template {}").format(made, source))
        say(f"sharing: copied in {time.monotonic() - begun:.0f} s")
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(made))


def largest(database: SyncDatabase) -> str:
    """The province with the most rows, as far as a hundredth of them tells."""
    found = database.run(
        Query(
            "select code from gis.occurrence tablesample system (1), unnest(jurisdiction) code"
            " group by code order by count(*) desc limit 1"
        )
    )
    if not found:
        raise BenchFault("the bench's occurrences lie in no province; make larger data")
    return str(found[0][0])


def settle(database: SyncDatabase, code: str, say: Say) -> None:
    """The centre, a hundred departments, a thousand people with a key each."""
    begun = time.monotonic()
    codes = [
        row[0] for row in database.run(Query("select code from gis.admin_unit where level = 'province'"))
    ]
    organisations.create(database, Organisation("bench", "Cục", None, "central"))
    for number in range(1, ORGANISATIONS):
        own = (code,) if number == 1 else (codes[number % len(codes)],)
        organisations.create(
            database, Organisation(f"bench-{number}", f"Sở {number}", None, "province", "bench", own)
        )
    for name, organisation, role in people():
        accounts.create(database, NewAccount(name))
        accounts.grant(database, name, organisation, role)
        keystore.create(database, name)
    say(f"sharing: {ORGANISATIONS} organisations, {PEOPLE} people in {time.monotonic() - begun:.0f} s")


def people() -> Iterator[tuple[str, str, Role]]:
    """Name, organisation and role of each: those who propose and decide here, then readers everywhere."""
    yield EDITOR, "bench-1", "editor"
    yield PROVINCE, "bench-1", "reviewer"
    yield CENTRE, "bench", "reviewer"
    for number in range(PEOPLE - 3):
        yield f"bench-reader-{number}", f"bench-{1 + number % (ORGANISATIONS - 1)}", "reader"


def ring(database: SyncDatabase) -> Shared:
    """What a worker does once a second: reads every key that holds, with the rights behind it."""
    times, held = [], 0
    for _ in range(TRIES):
        begun = time.perf_counter()
        held = len(keystore.ring(database.run(keystore.RING)).keys)
        times.append(time.perf_counter() - begun)
    return Shared("sharing-keys", f"the key ring of {held:,} people read once", statistics.median(times))


def own_rows(database: SyncDatabase, code: str) -> Shared:
    """Rows of a jurisdiction by the index over what is stored with each row."""
    asked = "select count(*) from gis.occurrence where jurisdiction && array[$1::text]"
    plan = "\n".join(row[0] for row in database.run(Query("explain " + asked, (code,))))
    if "occurrence_jurisdiction_idx" not in plan:
        raise BenchFault(f"the rows of {code} aren't found by an index:\n{plan}")
    begun = time.perf_counter()
    count = database.run(Query(asked, (code,), timeout_ms=store.PUBLISH_MS))[0][0]
    took = time.perf_counter() - begun
    return Shared("sharing-rows", f"{count:,} of 2 M rows counted as {code}'s by their index", took)


def approval(database: SyncDatabase, root: Path, code: str) -> Shared:
    """The province accepts, the centre approves and publishes."""
    layers = dict(load_catalog(root).layers)
    proposed = proposal(database, code, APPROVED, 1)
    sent = step(database, layers, proposed, "submit", EDITOR)
    begun = time.perf_counter()
    seen = step(database, layers, sent, "accept", PROVINCE)
    approved = step(database, layers, seen, "approve", CENTRE)
    publish(database, layers, approved)
    took = time.perf_counter() - begun
    return Shared("sharing-approval", f"{APPROVED:,} changed rows accepted, approved, published", took, 10)


def releases(database: SyncDatabase, copy: str, root: Path, code: str) -> Iterator[Shared]:
    """A large release and its end, while somebody reads pages of the same layer."""
    layers = dict(load_catalog(root).layers)
    made = proposal(database, code, RELEASED, 2)
    made = step(database, layers, made, "submit", EDITOR)
    made = step(database, layers, made, "accept", PROVINCE)
    made = step(database, layers, made, "approve", CENTRE)
    with Reader(copy, root) as reader:
        begun = time.perf_counter()
        release = publish(database, layers, made)
        took = time.perf_counter() - begun
    worst = max(reader.times)
    yield Shared("sharing-release", f"{RELEASED:,} changed rows published", took, 30)
    with Reader(copy, root) as reader:
        begun = time.perf_counter()
        store.rollback(database, release, who_is(database, CENTRE), "bench")
        took = time.perf_counter() - begun
    yield Shared("sharing-release", f"{RELEASED:,} rows put back", took, 30)
    worst = max(worst, *reader.times)
    yield Shared("sharing-release", "the slowest page of 100 features read meanwhile", worst)


def who_is(database: SyncDatabase, name: str) -> Principal:
    return keystore.principal_named(database, name)


def step(database: SyncDatabase, layers: Layers, at: Proposal, action: Action, who: str) -> Proposal:
    return store.take(database, FLOW, layers[at.layer], at, action, who_is(database, who))


def publish(database: SyncDatabase, layers: Layers, approved: Proposal) -> int:
    made = store.publish(database, FLOW, layers, [approved], who_is(database, CENTRE), "bench")
    if made.release is None:
        raise BenchFault(f"nothing was published: {made.refused}")
    return made.release


def proposal(database: SyncDatabase, code: str, count: int, value: int) -> Proposal:
    """A draft of the editor's that gives so many of the province's rows another count of individuals."""
    made = database.run(Query(_PROPOSAL, (LAYER, EDITOR, value, code, count), timeout_ms=store.PUBLISH_MS))
    number, held = made[0]
    if held != count:
        raise BenchFault(f"{code} has {held:,} rows, {count:,} are to change; make larger data")
    database.apply(["analyze gis.proposed_change"])
    return store.numbered(database, int(number))


_PROPOSAL = """
    with made as (
      insert into gis.proposal (layer, table_name, organisation_id, author, title, base_release)
      select $1, 'occurrence', organisation_id, $2, 'bench', 0 from gis.organisation where code = 'bench-1'
      returning proposal_id
    ), changes as (
      insert into gis.proposed_change (proposal_id, number, operation, gid, base_rev, "values")
      select made.proposal_id, row_number() over (), 'update', t.gid, t.rev,
             jsonb_build_object('individual_count', 1000 + $3::int)
        from made, (select gid, rev from gis.occurrence where jurisdiction && array[$4::text] limit $5) t
      returning 1
    )
    select (select proposal_id from made), count(*) from changes
"""


@dataclass
class Reader:
    """Reads a page of the public's again and again, beside what the block does, and keeps each time."""

    dsn: str
    root: Path
    times: list[float] = field(default_factory=list)

    def __enter__(self) -> "Reader":
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        seen = view(PUBLIC, load_catalog(self.root).layers[LAYER])
        page = select.items(seen, ItemsQuery(limit=100), stamped=True)
        with SyncDatabase(self.dsn) as database:
            while not self._over.is_set():
                begun = time.perf_counter()
                database.run(page)
                self.times.append(time.perf_counter() - begun)
