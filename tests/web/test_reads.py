"""Reads of exact rows of categories 1 and 2 in the audit log: who, what of, how much; nothing of others."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gis_service.access import auditing, keystore
from gis_service.access.principal import Principal
from gis_service.cli.__main__ import main
from gis_service.db import audit, reads_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from tests import sample
from tests.web.conftest import Sample

OCCURRENCES = "/collections/occurrences"
AT_A = BBox(105.05, 20.05, 105.06, 20.06)
AT_B = BBox(106.05, 20.05, 106.06, 20.06)

Told = dict[tuple[str, str, str], tuple[int, int | None]]


@contextmanager
def asking(sampled: Sample, who: str) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": sampled.keys[who], "User-Agent": "reader/1"} if who in sampled.keys else {}
    with httpx.Client(base_url=sampled.url, headers=headers, timeout=30) as client:
        yield client


def entries(dsn: str, *, sealed: bool = True) -> list[dict[str, Any]]:
    with SyncDatabase(dsn) as database:
        if sealed:
            database.run(reads_sql.SEAL_ALL)
        rows = database.run(audit.entries())
    found = [
        {"actor": r[2], "action": r[4], "subject": r[5], "client": r[9], **json.loads(r[10])} for r in rows
    ]
    return [each for each in found if each["action"].startswith("read.")]


def told_since(dsn: str, known: int) -> Told:
    """(actor, action, subject): requests and rows of all entries after the first so many."""
    summed: Told = {}
    for each in entries(dsn)[known:]:
        key = (each["actor"], each["action"], each["subject"])
        requests, rows = summed.get(key, (0, 0))
        more = None if rows is None or each["rows"] is None else rows + each["rows"]
        summed[key] = (requests + each["requests"], more)
    return summed


@pytest.fixture
def known(sampled: Sample) -> int:
    return len(entries(sampled.dsn))


def gid(dsn: str, source: str) -> int:
    with SyncDatabase(dsn) as database:
        found = sample.scalar(database, f"select gid from gis.occurrence where source_id = '{source}'")
    assert isinstance(found, int)
    return found


def soon(dsn: str, known: int, requests: dict[str, int]) -> dict[str, int | None]:
    """The rows by kind once as many requests are told as were sent; within a second, and a moment for us."""
    until = time.monotonic() + 5
    while True:
        told = {action: counted for (_, action, _), counted in told_since(dsn, known).items()}
        if {action: count for action, (count, _) in told.items()} == requests:
            return {action: rows for action, (_, rows) in told.items()}
        assert time.monotonic() < until, told
        time.sleep(0.1)


def test_single_rows_are_told_before_they_are_answered(sampled: Sample, known: int) -> None:
    with asking(sampled, "province-a") as client:
        for source in ("A1", "A2", "A0", "A3", "B2", "B1"):  # of B it sees the cell of B2, and nothing of B1
            client.get(f"{OCCURRENCES}/items/{gid(sampled.dsn, source)}")
        client.get(f"{OCCURRENCES}/items/{gid(sampled.dsn, 'A1')}?f=html")
        assert client.head(f"{OCCURRENCES}/items/{gid(sampled.dsn, 'A1')}").status_code == 200
    assert told_since(sampled.dsn, known) == {("province-a", "read.item", "layer:occurrences"): (3, 3)}


def test_the_public_s_reads_are_nobody_s_business(sampled: Sample, web: httpx.Client, known: int) -> None:
    for path in (
        f"{OCCURRENCES}/items",
        f"{OCCURRENCES}/export?f=csv",
        f"{OCCURRENCES}/items/{gid(sampled.dsn, 'A2')}",
    ):
        assert web.get(path).status_code == 200
    time.sleep(1.2)
    assert told_since(sampled.dsn, known) == {}


def test_pages_and_tiles_are_told_together_within_a_second(sampled: Sample, known: int) -> None:
    tiles = [covering(box, 10)[:2] for box in (AT_A, AT_B)]
    with asking(sampled, "province-a") as client:
        for _ in range(3):
            client.get(f"{OCCURRENCES}/items?limit=100")  # A1 and A2; B's are cells to it
        client.get(f"{OCCURRENCES}/items?f=html")
        client.get(f"{OCCURRENCES}/items?scientificName=Speciosus%20category3")
        client.get("/collections/plots/items")
        for x, y in tiles:
            assert client.get(f"/xyz/provinces,occurrences/10/{x}/{y}.mvt").status_code == 200
            assert client.get(f"{OCCURRENCES}/tiles/WebMercatorQuad/10/{y}/{x}").status_code == 200
    rows = soon(sampled.dsn, known, {"read.pages": 5, "read.tiles": 2})
    assert rows["read.tiles"] is None
    assert rows["read.pages"] is not None
    assert 2 <= rows["read.pages"] <= 8, "each row once a second"


def test_exports_and_reports_are_told_whatever_they_hold(sampled: Sample, known: int) -> None:
    with asking(sampled, "centre") as client:
        client.get(f"{OCCURRENCES}/export?f=csv&scientificName=x")
        client.get("/collections/species-ranges/export?f=json")
        client.get("/collections/plots/export?f=json")
        body = {"inputs": {"area": {"type": "Point", "coordinates": [105.5, 20.5]}}}
        client.post("/processes/overlap-report/execution", json=body, headers={"Prefer": "respond-async"})
    told = told_since(sampled.dsn, known)
    assert told[("centre", "read.export", "layer:occurrences")] == (1, None)
    assert told[("centre", "read.export", "layer:species-ranges")] == (1, None)
    assert ("centre", "read.report", "layer:occurrences") in told
    assert not [key for key in told if "plots" in key[2]]


def test_an_entry_tells_who_from_where_and_what_without_its_words(sampled: Sample, known: int) -> None:
    with asking(sampled, "centre") as client:
        client.get(f"{OCCURRENCES}/export?f=csv&recordedBy=Recorder%20A1")
    (entry,) = entries(sampled.dsn)[known:]
    assert (entry["client"], entry["class"], entry["requests"]) == ("127.0.0.1 reader/1", "full", 1)
    assert len(entry["asked"]) == 1
    assert len(entry["asked"][0]) == 16
    assert "Recorder" not in json.dumps(entry)
    with audit.copied(sampled.dsn) as rows:
        assert auditing.verify(rows).faults == ()


def test_a_report_at_the_command_line_is_told_of_the_operator(
    sampled: Sample, known: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIS_DATABASE_URL", sampled.dsn)
    area, out = tmp_path / "area.geojson", str(tmp_path / "report.json")
    ring = [[105.0, 20.0], [105.2, 20.0], [105.2, 20.2], [105.0, 20.0]]
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    assert main(["report", str(area), "-o", out]) == 0  # as the public
    assert told_since(sampled.dsn, known) == {}
    assert main(["report", str(area), "-o", out, "--as", "province-a"]) == 0
    told = {(each["action"], each["subject"], each["client"]) for each in entries(sampled.dsn)[known:]}
    layers = ("occurrences", "species-ranges")
    assert told == {("read.report", f"layer:{layer}", "cli") for layer in layers}


def test_one_entry_stands_for_a_minute(sampled: Sample, known: int) -> None:
    with SyncDatabase(sampled.dsn) as database:
        who = {"actor": "x", "role": "reader", "client": "c", "class": "full", "codes": None}
        what = {"layer": "occurrences", "access": "export", "table": "occurrence", "requests": 1}
        read = {**who, **what, "asked": ["d"]}
        for _ in range(20):
            database.run(reads_sql.note([read]))
        assert len(entries(sampled.dsn, sealed=False)) == known, "the minute isn't over"
        database.run(Query("update gis.read_minute set minute = minute - interval '1 minute' returning 1"))
        database.run(reads_sql.note([read]))
        database.run(reads_sql.SEAL)
        assert [each["requests"] for each in entries(sampled.dsn, sealed=False)[known:]] == [20]


def test_rows_that_left_the_table_count_as_what_they_were(sampled: Sample) -> None:
    with SyncDatabase(sampled.dsn) as database:
        keystore.ensure_principal(database, Principal("province-a", "jurisdiction", ("A",)))
        number = gid(sampled.dsn, "A1")
        database.apply([f"delete from gis.occurrence where gid = {number}"])
        counted = Query(
            "select gis.exact_reads('occurrence', array[$1::bigint], $2::text[])", (number, ["A"])
        )
        assert database.run(counted)[0][0] == 1
