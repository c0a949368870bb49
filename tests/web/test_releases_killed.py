"""kill -9 in the middle of a release: readers get the old state or the new one, never half of it.

A release writes its tables one after the other. Here a lock holds it up between the two: the record has been
withdrawn, the area not yet renamed. Both lie in one tile, which is read in one statement.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from gis_service.changes import store
from gis_service.changes.propose import Asked
from gis_service.changes.values import Proposal
from gis_service.db.sync import SyncDatabase
from gis_service.errors import MachineFault
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from tests import sample
from tests.conftest import ROOT, Starter
from tests.web import releasing

TILE = "/xyz/occurrences,protected-areas/6/{}/{}.mvt".format(*covering(BBox(105.5, 20.5, 105.5, 20.5), 6)[:2])
FRESH_SECONDS = 1.0  # the bound within which a tile shows what was committed (docs/tiles.md)
State = tuple[int, str]  # how many records there are, what the area is called
WAITING = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
LOCK = "select 1 from gis.protected_area where source_id = 'open-A' for update"


@pytest.fixture(scope="module")
def url(start_server: Starter, database: str) -> str:
    sample.fill(database)
    with SyncDatabase(database) as opened:
        releasing.people(opened)
    return start_server(database)


def seen(url: str) -> State:
    answer = httpx.get(url + TILE, timeout=30).raise_for_status()
    layers = mapbox_vector_tile.decode(answer.content)
    (name,) = [
        each["properties"]["name"]
        for each in layers["protected-areas"]["features"]
        if each["properties"]["id"] == "open-A"
    ]
    # Points are thinned at this zoom: how many there are stands beside the tile.
    (matched,) = re.findall(r"occurrences;[^,]*matched=(\d+)", answer.headers["tile-reduction"])
    return int(matched), name


def ready(dsn: str, name: str) -> list[Proposal]:
    """Two proposals: the first record that still stands is withdrawn, the area gets the name."""
    known = releasing.layers()
    with SyncDatabase(dsn) as database:
        record = str(
            sample.scalar(database, "select min(gid) from gis.occurrence where sensitivity in (0, 3, 4)")
        )
        return [
            releasing.approved(database, known, Asked("delete", record), layer="occurrences"),
            releasing.approved(
                database, known, Asked("update", "open-A", {"name": name}), layer="protected-areas"
            ),
        ]


@contextmanager
def held_up(dsn: str, proposals: list[Proposal]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`./gis change publish` as a process between its two tables, and the process of its database."""
    numbers = [str(each.number) for each in proposals]
    words = [sys.executable, "-m", "gis_service.cli", "change", "publish", *numbers, "--as", "chi"]
    environment = {**os.environ, "GIS_DATABASE_URL": dsn, "GIS_ROOT": str(ROOT)}
    holder = psycopg.connect(dsn)
    holder.execute(LOCK)
    publishing = subprocess.Popen(
        words, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield publishing, waiting(dsn)
    finally:
        holder.close()
        publishing.kill()
        publishing.wait(timeout=20)


def waiting(dsn: str) -> int:
    """The process that waits for a lock, once there is one."""
    with psycopg.connect(dsn, autocommit=True) as database:
        for _ in range(200):
            if found := database.execute(WAITING).fetchone():
                return int(found[0])
            time.sleep(0.05)
    pytest.fail("nobody waits for the lock")


def settled(dsn: str) -> None:
    """Until no release is under way: whoever makes one holds its lock to the end."""
    with psycopg.connect(dsn) as database:
        database.execute("select pg_advisory_xact_lock(hashtextextended('gis.release', 0))")


def states(dsn: str, proposals: list[Proposal]) -> set[str]:
    with SyncDatabase(dsn) as database:
        return {store.numbered(database, each.number).state for each in proposals}


def test_a_publisher_that_is_killed_leaves_the_old_state_or_the_new(url: str, database: str) -> None:
    """The database goes on without its client, and what it ends is whole."""
    before, found, over = seen(url), set[State](), threading.Event()

    def read() -> None:
        while not over.is_set():
            found.add(seen(url))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        proposals = ready(database, "Sau")
        with held_up(database, proposals) as (publishing, _):
            publishing.send_signal(signal.SIGKILL)
            publishing.wait(timeout=20)
            assert seen(url) == before, "nothing of it is seen while it's under way"
        settled(database)
    finally:
        over.set()
        reader.join()
    time.sleep(FRESH_SECONDS)
    after = (before[0] - 1, "Sau")
    assert found <= {before, after}, found
    assert (seen(url), states(database, proposals)) in (
        (before, {"central_approval"}),
        (after, {"published"}),
    )


def test_a_database_that_is_killed_comes_back_with_the_old_state(url: str, database: str) -> None:
    """The process that publishes gets a kill -9; PostgreSQL starts anew, and so does the release."""
    before, proposals = seen(url), ready(database, "Hồi phục")
    with SyncDatabase(database) as opened:
        newest = sample.scalar(opened, "select max(release) from gis.release")
    with held_up(database, proposals) as (publishing, backend):
        os.kill(backend, signal.SIGKILL)
        assert publishing.wait(timeout=30) == MachineFault.exit_code
    recovered(database)
    assert (answered(url), states(database, proposals)) == (before, {"central_approval"})
    with SyncDatabase(database) as opened:
        assert sample.scalar(opened, "select max(release) from gis.release") == newest
        chi = releasing.who(opened, "chi")
        made = store.publish(opened, releasing.FLOW, releasing.layers(), proposals, chi, "again")
        for table in made.tables:
            kept = f"select encode(gis.rows_checksum('{table.table}', {made.release}), 'hex')"
            assert sample.scalar(opened, kept) == table.checksum
    time.sleep(FRESH_SECONDS)
    assert seen(url) == (before[0] - 1, "Hồi phục")


def recovered(dsn: str) -> None:
    for _ in range(200):
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the database didn't come back")


def answered(url: str) -> State:
    """What the same server says as soon as it answers again."""
    for _ in range(100):
        try:
            return seen(url)
        except httpx.HTTPStatusError:  # 503
            time.sleep(0.1)
    pytest.fail("the server didn't find its database again")
