"""Edits by SQL against readers of two workers: no answer shows a state that was replaced a second before.

Two areas and two points jump between two places, each under a new name with each edit. A reader knows the
last edit that was committed a second before it asked: it must see that one or a later one. Edits are made for
RACE_SECONDS (4 unless the environment says more), and the connections that listen are cut off meanwhile.
"""

import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import mapbox_vector_tile
import pytest

from gis_service.access import keystore
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from tests import sample
from tests.conftest import Starter

SECONDS = float(os.environ.get("RACE_SECONDS", "4"))
BOUND = 1.0
REST = 1.3
ZOOMS = (4, 7, 10, 14)
READERS = 3
# A layer, its table, the property that names the edit, rows and the two places where they may be.
PLACES = ((105.3, 20.3), (106.3, 20.3))
AREA = ("protected-areas", "protected_area", "name_eng")
POINT = ("occurrences", "occurrence", "scientificName")


@dataclass
class Row:
    """A row with all states that it had: when each was committed, and where it was."""

    layer: str
    gid: int
    committed: list[tuple[float, int]] = field(default_factory=list)
    trying: int = 0  # the last edit that was begun: a reader may see it before its writer knows

    def at_least(self, moment: float) -> int:
        """The number of the last edit that was committed before a moment."""
        return sum(when <= moment for when, _ in self.committed) - 1


def place_of(edit: int) -> int:
    return edit % 2 if edit % 3 else 0  # jumps, and now and then stays


@dataclass
class Race:
    """What writers and readers share."""

    url: str
    dsn: str
    keys: dict[str, str | None]
    rows: list[Row]
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module")
def race(start_server: Starter, database: str) -> Race:
    sample.fill(database)
    with SyncDatabase(database) as db:
        for principal in (sample.PROVINCE_A, sample.CENTRE):
            keystore.ensure_principal(db, principal)
        keys = {
            "public": None,
            "centre": keystore.create(db, "centre"),
            "province-a": keystore.create(db, "province-a"),
        }
        rows = [
            Row(layer, gid)
            for layer, table, where in (
                ("protected-areas", "protected_area", "source_id in ('open-A', 'open-B')"),
                ("occurrences", "occurrence", "source_id in ('A0', 'B0')"),
            )
            for (gid,) in db.run(Query(f"select gid from gis.{table} where {where} order by gid"))
        ]
    return Race(start_server(database, workers=2), database, keys, rows)


def write(race: Race, row: Row) -> None:
    """Edit a row over and over, in transactions of one or several statements."""
    _, table, name = AREA if row.layer == AREA[0] else POINT
    column = {"scientificName": "scientific_name"}.get(name, name)
    with SyncDatabase(race.dsn) as db:
        while not race.over.is_set():
            edit = len(row.committed)
            x, y = PLACES[place_of(edit)]
            shape = f"ST_MakeEnvelope({x}, {y}, {x + 0.01}, {y + 0.01}, 4326)"
            shape = f"ST_Multi({shape})" if table == "protected_area" else f"ST_Centroid({shape})"
            row.trying = edit
            statements = [
                f"update gis.{table} set geom = {shape}, {column} = 'v{edit}' where gid = {row.gid}"
            ]
            if edit % 7 == 6:  # the notification comes with the commit, long after the change was noted
                statements.append("select pg_sleep(0.05)")
            db.apply(statements)
            row.committed.append((time.monotonic(), edit))
            if edit % 20 == 19:  # long enough to see whether something older was kept after the last edit
                race.over.wait(REST)


def read(race: Race, who: str, seed: int) -> None:
    """Ask for tiles of both places and hold each answer against what was committed."""
    chance, key = random.Random(seed), race.keys[who]
    headers = {"X-API-Key": key} if key else {}
    while not race.over.is_set():
        with httpx.Client(base_url=race.url, headers=headers, timeout=30) as client:
            for _ in range(25):  # then by another connection, and maybe another worker
                layer, zoom, place = chance.choice((AREA, POINT)), chance.choice(ZOOMS), chance.randrange(2)
                _ask(race, client, layer, zoom, place)


def _ask(race: Race, client: httpx.Client, layer: tuple[str, str, str], zoom: int, place: int) -> None:
    x, y = PLACES[place]
    column, line, *_ = covering(BBox(x + 0.005, y + 0.005, x + 0.005, y + 0.005), zoom)
    rows = [row for row in race.rows if row.layer == layer[0]]
    least = {row.gid: row.at_least(time.monotonic() - BOUND) for row in rows}
    answer = client.get(f"/xyz/{layer[0]}/{zoom}/{column}/{line}.mvt")
    latest = {row.gid: row.trying for row in rows}
    race.seen[f"{answer.status_code}"] += 1
    if "cache-status" in answer.headers:
        race.seen["marked"] += 1
        return
    decoded = mapbox_vector_tile.decode(answer.content) if answer.content else {}
    features = {f["id"]: f["properties"] for f in decoded.get(layer[0], {}).get("features", ())}
    both = covering(BBox(*PLACES[1 - place], *PLACES[1 - place]), zoom)[:2] == (column, line)
    for row in rows:
        shown = features.get(row.gid)
        if shown is None:
            away = not both and any(
                place_of(edit) != place for edit in range(max(0, least[row.gid]), latest[row.gid] + 1)
            )
            # Below zoom 10 one point stands for all in its cell.
            behind = layer is POINT and zoom < 10 and any(other.gid in features for other in rows)
            fault = least[row.gid] >= 0 and not (away or behind)
        else:
            name = str(shown[layer[2]])
            fault = least[row.gid] >= 0 and not (name.startswith("v") and int(name[1:]) >= least[row.gid])
        race.seen["checked"] += 1
        if fault:
            race.faults.append(f"{answer.request.url} {row.gid}: {shown} in place of v{least[row.gid]}")


def cut(race: Race) -> None:
    """End the connections that listen, twice."""
    listening = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where query like '%from gis_tiles.change_log%' and pid <> pg_backend_pid()"
    )
    with SyncDatabase(race.dsn) as db:
        for _ in range(2):
            if not race.over.wait(SECONDS / 3):
                race.seen["cut"] += len(db.run(Query(listening)))


def counted(race: Race) -> dict[str, int]:
    """What both workers counted of tiles."""
    found: dict[str, int] = {}
    time.sleep(0.5)
    for _ in range(60):
        for line in httpx.get(f"{race.url}/metrics").text.splitlines():
            if line.startswith("gis_tiles_total"):
                found[line.rpartition(" ")[0]] = int(float(line.rpartition(" ")[2]))
    total: Counter[str] = Counter()
    for name, number in found.items():
        total[name.split('what="')[1].split('"')[0]] += number
    return dict(total)


def test_no_tile_is_stale_a_second_after_the_commit(race: Race) -> None:
    threads = [threading.Thread(target=write, args=(race, row)) for row in race.rows]
    threads += [
        threading.Thread(target=read, args=(race, who, seed))
        for seed, who in enumerate(["public", "centre", "province-a"][:READERS])
    ]
    threads.append(threading.Thread(target=cut, args=(race,)))
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    race.over.set()
    for thread in threads:
        thread.join()
    edits = sum(len(row.committed) for row in race.rows)
    print("edits", edits, dict(race.seen), counted(race))
    assert not race.faults, race.faults[:10]
    assert race.seen["cut"] >= 2
    assert edits > 10 * SECONDS
    assert race.seen["checked"] > 50 * SECONDS


def test_both_workers_settle_on_the_last_state(race: Race) -> None:
    """Nothing was kept from before the end: a second later all connections see the same."""
    time.sleep(BOUND)
    for layer in (AREA, POINT):
        x, y = PLACES[0]
        column, line, *_ = covering(BBox(x, y, x, y), 4)
        tags = {
            httpx.get(f"{race.url}/xyz/{layer[0]}/4/{column}/{line}.mvt").headers["etag"] for _ in range(20)
        }
        assert len(tags) == 1
