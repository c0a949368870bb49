"""Exports end with their client, their limits and their faults: nothing of one outlives it."""

import asyncio
import io
import os
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pyogrio
import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db import bulk
from gis_service.db.pool import Database, PoolSize
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Busy
from gis_service.exchange import flatgeobuf, frames
from gis_service.exchange.bulk import Bulk
from gis_service.web import encoder, walk
from gis_service.web.encoder import Encoders, Spool
from gis_service.web.walk import Batch
from tests import sample
from tests.conftest import ROOT, Starter

MANY = 2_000  # of 20 KB each: more than what pipes and buffers hold of an export
_POINTS = f"""
insert into gis.occurrence
  (source_id, dataset_id, scientific_name, occurrence_id, individual_count, data_generalizations, geom)
  select 'many-' || n, d.dataset_id, 'Speciosus repetitus', 'many-' || n, nullif(n % 3, 0),
         repeat('x', 20000), ST_SetSRID(ST_MakePoint(108 + n / 1000000.0, 12), 4326)
    from gis.dataset d, generate_series(1, {MANY}) n where d.slug = 'open'
"""


@pytest.fixture(scope="module")
def filled(database: str) -> str:
    sample.fill(database)
    with SyncDatabase(database) as base:
        base.apply([_POINTS])
    return database


@pytest.fixture(scope="module")
def url(filled: str, start_server: Starter) -> str:
    return start_server(filled)


@pytest.fixture(scope="module")
def points() -> ViewedLayer:
    return view(PUBLIC, load_catalog(ROOT).layers["occurrences"])


def described(points: ViewedLayer) -> Bulk:
    fields = bulk.fields(points, ItemsQuery().form, "en")
    return Bulk("occurrences", "Occurrences", "", fields, "Point", 4326, {"license": "CC0-1.0"})


def encoding(mark: str) -> list[int]:
    """The processes that encode and have the mark in their environment, by which a server's own are known."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _encodes(folder, mark.encode())]


def _encodes(folder: Path, mark: bytes) -> bool:
    try:
        command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
    except OSError:
        return False  # it has ended meanwhile
    return b"gis_service.exchange.encode" in command and mark in environment.split(b"\0")


def until(condition: Callable[[], bool]) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("form", ["fgb", "json"])
def test_a_client_that_leaves_ends_its_export(url: str, filled: str, form: str) -> None:
    mark = f"GIS_PORT={url.rpartition(':')[2]}"
    address = f"{url}/collections/occurrences/export?f={form}"
    with httpx.stream("GET", address, timeout=30, headers={"accept-encoding": "identity"}) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw(1000)  # kept, for with it the connection closes
        next(pieces)
        assert bool(encoding(mark)) is (form != "json")
    assert until(lambda: encoding(mark) == [])
    with SyncDatabase(filled) as base:
        busy = Query(
            "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'"
            " and query like '%record_send%' and pid <> pg_backend_pid()"
        )
        assert until(lambda: base.run(busy)[0][0] == 0)


def test_records_in_batches_make_one_whole_flatgeobuf(
    filled: str, points: ViewedLayer, tmp_path: Path
) -> None:
    """Two batches and more, in which a column is null, a value, and null again."""

    async def made() -> bytes:
        database = Database(filled, PoolSize(connections=1))
        try:
            query = ItemsQuery()
            batches = walk.walk(walk.records(database, points), points, query, most=3, total=11)
            told = described(points)
            parts = [flatgeobuf.features(told, each.records, each.lengths) async for each in batches]
            assert len(parts) == 4
            return flatgeobuf.header(told) + b"".join(parts)
        finally:
            await database.close()

    path = tmp_path / "whole.fgb"
    path.write_bytes(asyncio.run(made()))
    _, table = pyogrio.read_arrow(path)
    assert table.num_rows == 11
    assert len(set(table["id"].to_pylist())) == 11
    assert table["individualCount"].to_pylist() == [None] * 8 + [1, 2, None]
    assert table["basis"].to_pylist() == ["simulated"] * 11


async def _failing(held: Batch) -> AsyncGenerator[Batch, None]:
    yield held
    raise RuntimeError("the database went away")


async def _batch(dsn: str, points: ViewedLayer) -> Batch:
    database = Database(dsn, PoolSize(connections=1))
    try:
        return await walk.records(database, points)(ItemsQuery(limit=5))
    finally:
        await database.close()


def test_a_fault_in_the_batches_is_the_exports_fault_and_ends_the_encoder(
    filled: str, points: ViewedLayer, tmp_path: Path
) -> None:
    async def export(kind: str) -> None:
        held = await _batch(filled, points)
        spool = Spool(tmp_path, 1_000_000, 60)
        encoders = Encoders(tmp_path)
        batches = _failing(held)
        made = (
            encoders.spooled(kind, described(points), batches, spool)
            if kind == "gpkg"
            else encoders.stream(kind, described(points), batches)
        )
        async for _ in made:
            pass

    for kind in ("parquet", "gpkg"):
        with pytest.raises(RuntimeError, match="went away"):
            asyncio.run(export(kind))
    assert list(tmp_path.iterdir()) == []


def test_only_so_many_encoders_run_at_once(
    filled: str, points: ViewedLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "PATIENCE", 0.1)
    monkeypatch.setenv("GIS_PORT", f"crowd-{os.getpid()}")

    async def crowd() -> None:
        held = await _batch(filled, points)
        stay = asyncio.Event()

        async def waiting() -> AsyncGenerator[Batch, None]:
            yield held
            await stay.wait()

        encoders = Encoders(tmp_path)
        open_ones = [encoders.stream("fgb", described(points), waiting()) for _ in range(encoder.AT_ONCE)]
        for each in open_ones:
            await anext(each)
        with pytest.raises(Busy):
            await anext(encoders.stream("fgb", described(points), waiting()))
        for each in open_ones:
            await each.aclose()
        assert encoding(f"GIS_PORT=crowd-{os.getpid()}") == []

    asyncio.run(crowd())


def test_a_torn_stream_makes_no_file() -> None:
    source = io.BytesIO(frames.head(b"abc", b"12") + b"abc")
    with pytest.raises(frames.Torn):
        list(frames.batches(source))


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "old.gpkg").write_bytes(b"left")
    assert list(Spool(tmp_path, 1, seconds=60).swept().iterdir()) == [tmp_path / "old.gpkg"]
    assert list(Spool(tmp_path, 1, seconds=-10).swept().iterdir()) == []
