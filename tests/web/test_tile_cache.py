"""Kept tiles: how they are sent, who shares a drawing, what an edit throws away, a database that is gone."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from gis_service.cli.prepare import prepare_database
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from gis_service.settings import Settings
from gis_service.web import assemble, tile_warming
from gis_service.web.message import Request, Response
from gis_service.web.service import Service
from tests import sample
from tests.conftest import ROOT, Starter
from tests.web.conftest import Sample
from tests.web.leaks import hidden


def path(layer: str, zoom: int, x: float = 105.5, y: float = 20.5) -> str:
    column, row, *_ = covering(BBox(x, y, x, y), zoom)
    return f"/xyz/{layer}/{zoom}/{column}/{row}.mvt"


def counts(url: str) -> dict[str, int]:
    """What the one worker counted of tiles, once it has been handed over."""
    time.sleep(0.4)
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    found = [line.rpartition(" ") for line in lines if line.startswith("gis_tiles_total")]
    return {name.split('what="')[1].split('"')[0]: int(float(number)) for name, _, number in found}


def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def edited(dsn: str, *statements: str) -> None:
    with SyncDatabase(dsn) as db:
        db.apply(list(statements))


def test_a_kept_tile_is_the_one_that_was_drawn_in_each_encoding(web: httpx.Client) -> None:
    """The first answer is drawn, the others are kept ones; a large tile is sent packed."""
    where = path("provinces,protected-areas,species-ranges,plots,occurrences,communes,ecoregions", 8)
    for coding in ("gzip", "identity", "zstd", "gzip, deflate, br, zstd"):
        answers = [web.get(where, headers={"Accept-Encoding": coding}) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({(a.content, a.headers["etag"], a.headers["vary"]) for a in answers}) == 1
        assert {a.content for a in answers} == {web.get(where).content}
        etag = answers[0].headers["etag"]
        again = web.get(where, headers={"Accept-Encoding": coding, "If-None-Match": f'"x", {etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert web.get(where, headers={"If-None-Match": '"other"'}).status_code == 200


def test_who_sends_a_key_gets_an_answer_of_its_own(sampled: Sample, web: httpx.Client) -> None:
    where = path("protected-areas", 6)
    public = [web.get(where) for _ in range(2)][1]
    for _ in range(2):
        own = web.get(where, headers={"X-API-Key": sampled.keys["centre"]})
        assert own.headers["cache-control"] == "private, no-cache"
        assert own.content != public.content
    assert web.get(where, headers={"X-API-Key": "gis_wrong"}).status_code == 401
    assert web.get(where).content == public.content


def test_an_edit_throws_away_the_tiles_of_its_place_and_no_others(sampled: Sample, web: httpx.Client) -> None:
    near, far = path("protected-areas", 11), path("protected-areas", 11, 106.5)
    before = {where: web.get(where).headers["etag"] for where in (near, far)}
    drawn = counts(sampled.url)["drawn"]
    edited(sampled.dsn, "update gis.protected_area set name_eng = 'Moved' where source_id = 'open-A'")
    until(lambda: web.get(near).headers["etag"] != before[near], seconds=1)
    assert web.get(far).headers["etag"] == before[far]
    assert counts(sampled.url)["drawn"] == drawn + 1


def test_what_the_public_does_not_see_leaves_its_tiles(sampled: Sample, web: httpx.Client) -> None:
    """Nor does the next of its tiles take longer, which would tell of the edit as well."""
    own = {"X-API-Key": sampled.keys["province-a"]}
    where = path("occurrences", 14, 105.0525, 20.0512)
    before = [web.get(where, headers=headers).headers["etag"] for headers in ({}, own)]
    drawn = counts(sampled.url)["drawn"]
    edited(sampled.dsn, "update gis.occurrence set geom = ST_Translate(geom, 1e-3, 0) where source_id = 'A2'")
    until(lambda: web.get(where, headers=own).headers.get("etag") != before[1], seconds=1)
    assert web.get(where).headers["etag"] == before[0]
    assert counts(sampled.url)["drawn"] == drawn + 1


def test_no_hidden_change_costs_the_public_a_drawing(sampled: Sample, web: httpx.Client) -> None:
    """All that the leak suite changes behind the public's back."""
    places = [path(layer, zoom) for layer in ("occurrences", "plots", "species-ranges") for zoom in (4, 8)]
    places += [path("protected-areas", 8), path("occurrences", 12, 105.0525, 20.0512)]
    before = [(web.get(place).status_code, web.get(place).headers.get("etag")) for place in places]
    drawn = counts(sampled.url)["drawn"]
    edited(sampled.dsn, *hidden.statements("A"))
    time.sleep(0.5)
    assert [(web.get(place).status_code, web.get(place).headers.get("etag")) for place in places] == before
    assert counts(sampled.url)["drawn"] == drawn


def test_rights_that_change_throw_everything_away(sampled: Sample, web: httpx.Client) -> None:
    where = path("protected-areas", 9)
    assert web.get(where).status_code == 200
    edited(sampled.dsn, "update gis.dataset set redistribution = false where slug = 'open'")
    until(lambda: web.get(where).status_code == 204, seconds=1)
    edited(sampled.dsn, "update gis.dataset set redistribution = true where slug = 'open'")
    until(lambda: web.get(where).status_code == 200, seconds=1)


@contextmanager
def unreachable(dsn: str) -> Iterator[None]:
    """The database takes no connections, and those that the server has are cut."""
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True) as control:
        control.execute(f'alter database "{name}" allow_connections false')
        cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and application_name"
        control.execute(f"{cut} = 'gis-service' and query not like '%%stays%%'", (name,))
        try:
            yield
        finally:
            control.execute(f'alter database "{name}" allow_connections true')


def test_without_its_database_it_shows_what_it_keeps_and_says_so(
    start_server: Starter, fresh_database: str
) -> None:
    """What was edited meanwhile is seen afterwards, without a restart and without a failed request."""
    sample.fill(fresh_database)
    url = start_server(fresh_database)
    kept, missing = path("protected-areas", 7), path("protected-areas", 12)
    with httpx.Client(base_url=url, timeout=30) as web, SyncDatabase(fresh_database) as writer:
        writer.run(Query("select 'stays'"))
        etag = web.get(kept).headers["etag"]
        with unreachable(fresh_database):
            writer.apply(["update gis.protected_area set name_eng = 'Late', geom = geom"])
            writer.run(Query("select 'stays'"))
            until(lambda: "cache-status" in web.get(kept).headers)
            stale = web.get(kept)
            assert (stale.status_code, stale.headers["etag"]) == (200, etag)
            assert stale.headers["cache-status"].startswith("gis-service;hit;ttl=-")
            assert stale.headers["cache-control"] == "no-cache"
            assert int(stale.headers["age"]) >= 0
            held = web.get(kept, headers={"If-None-Match": etag})
            assert (held.status_code, "cache-status" in held.headers) == (304, True)
            refused = web.get(missing)
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        until(lambda: "cache-status" not in web.get(kept).headers)
        assert web.get(kept).headers["etag"] != etag
        assert [web.get(missing).status_code for _ in range(4)] == [200] * 4


def test_one_drawing_serves_all_who_ask_and_ends_when_they_have_left(
    settings: Settings, fresh_database: str
) -> None:
    """Reading plots takes half a second here."""
    sample.fill(fresh_database)
    edited(
        fresh_database,
        "create function public.slow() returns boolean language plpgsql volatile as"
        " $$ begin perform pg_sleep(0.5); return true; end $$",
        "create policy slow on gis.plot as restrictive for select using ((select public.slow()))",
    )
    asyncio.run(_many_ask(settings, fresh_database))


async def _many_ask(settings: Settings, dsn: str) -> None:
    service = assemble.assemble(settings, dsn)
    beside = assemble.start(service, asyncio.get_running_loop())
    try:
        where = path("plots", 8, 105.45, 20.55)
        answers = await asyncio.gather(*(service.answer(asked(where)) for _ in range(20)))
        assert {(each.status, each.body) for each in answers} == {(200, answers[0].body)}
        assert await counted(service.context.metrics.render) == {"drawn": 1, "joined": 19}

        other = path("plots", 9, 105.45, 20.55)
        leaving = [asyncio.create_task(service.answer(asked(other))) for _ in range(2)]
        await asyncio.sleep(0.2)
        leaving[0].cancel()
        assert (await leaving[1]).status == 200, "the other one still waits for it"
        assert service.kept_tile("GET", other, "", {}) is not None

        third = path("plots", 10, 105.45, 20.55)
        alone = asyncio.create_task(service.answer(asked(third)))
        await asyncio.sleep(0.2)
        alone.cancel()
        await asyncio.sleep(0.6)
        assert service.kept_tile("GET", third, "", {}) is None, "nobody waited for it, so it was stopped"
        with SyncDatabase(dsn) as db:
            assert (
                sample.scalar(db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == 0
            )
    finally:
        for task in beside:
            task.cancel()
        await assemble.close(service)


async def counted(render: Callable[[], str]) -> dict[str, int]:
    await asyncio.sleep(0.4)
    lines = [line.rpartition(" ") for line in render().splitlines() if line.startswith("gis_tiles_total")]
    return {name.split('what="')[1].split('"')[0]: int(number) for name, _, number in lines}


def asked(where: str) -> Request:
    async def nothing() -> bytes:
        return b""

    return Request("GET", where, "", {"host": "localhost"}, "127.0.0.1", "http", nothing)


def test_the_lowest_zooms_are_drawn_after_the_start(settings: Settings, sampled: Sample) -> None:
    async def warmed() -> None:
        service = assemble.assemble(settings, sampled.dsn)
        service.context.tiles.start(asyncio.get_running_loop())
        await tile_warming.warm(service.context, 0)
        for zoom in range(6):
            kept = service.kept_tile("GET", path("protected-areas", zoom), "", {})
            assert kept is not None
            assert kept.status == 200
        assert service.kept_tile("GET", path("protected-areas", 6), "", {}) is None
        await assemble.close(service)

    asyncio.run(warmed())


def test_the_lowest_zooms_are_drawn_again_after_a_load(settings: Settings, sampled: Sample) -> None:
    """As the rows are then; layers that nothing was written to aren't looked at."""

    async def drawn_again() -> None:
        service = assemble.assemble(settings, sampled.dsn)
        tiles, low = service.context.tiles, path("protected-areas", 3)
        tiles.start(asyncio.get_running_loop())
        await tile_warming.warm(service.context, 0)
        before, other = kept(service, low), kept(service, path("provinces", 3))
        assert tiles.thrown() == set()
        edited(sampled.dsn, "update gis.protected_area set name_eng = 'Again' where source_id = 'open-A'")
        while not (thrown := tiles.thrown()):
            await asyncio.sleep(0.05)
        assert thrown == {"gis.protected_area"}
        assert service.kept_tile("GET", low, "", {}) is None
        await tile_warming.again(service.context, thrown, rest=0.1)
        assert kept(service, low).header("etag") != before.header("etag")
        assert kept(service, path("provinces", 3)).body is other.body
        await assemble.close(service)

    asyncio.run(asyncio.wait_for(drawn_again(), 60))


def kept(service: Service, where: str) -> Response:
    found = service.kept_tile("GET", where, "", {})
    assert found is not None
    return found


VIEW = """
create view public.{0} as
  select gid, gid::text as public_id, stratum, geom from gis.plot where stratum = 'evergreen'
"""
LAYER = """
id: {0}
title: {{en: Plots as a view, vi: Ô mẫu}}
description: {{en: Plots, vi: Ô mẫu}}
table: public.{1}
managed: false
geometry: {{column: geom, srid: 4326, type: Point}}
properties: {{stratum: {{title: {{en: Stratum, vi: Tầng}}}}}}
tiles: {{zoom: [0, 14], properties: [stratum], {2}}}
access: {{public: {{}}}}
source: {{title: {{en: Sample, vi: Mẫu}}}}
"""


@pytest.fixture
def with_views(tmp_path: Path, settings: Settings, start_server: Starter, fresh_database: str) -> str:
    """A server with two layers over views: of one it's known which table is behind it."""
    for name in ("layers", "styles", "config"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name, table, more in (("told", "v_told", "depends_on: [gis.plot]"), ("aged", "v_aged", "max_age: 2")):
        (tmp_path / "layers" / f"{name}.yaml").write_text(LAYER.format(name, table, more), "utf-8")
    sample.fill(fresh_database)
    edited(fresh_database, VIEW.format("v_told"), VIEW.format("v_aged"))
    prepare_database(replace(settings, root=tmp_path), fresh_database)
    return start_server(fresh_database, root=tmp_path)


def test_layers_over_views_follow_the_tables_that_they_name_or_age(
    with_views: str, fresh_database: str
) -> None:
    told, aged = path("told", 8, 105.4321, 20.5321), path("aged", 8, 105.4321, 20.5321)
    with httpx.Client(base_url=with_views, timeout=30) as web:
        before = {where: web.get(where) for where in (told, aged)}
        assert {answer.status_code for answer in before.values()} == {200}
        assert before[aged].headers["cache-control"] == "public, max-age=2"
        edited(fresh_database, "update gis.plot set stratum = 'dry'")
        until(lambda: web.get(told).status_code == 204, seconds=1)
        until(lambda: web.get(aged).status_code == 204, seconds=3)
