"""Pages stay whole while others write: every row that nobody moves comes exactly once, forwards and back."""

import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.web.conftest import Sample

STANDING, MOVING = 240, 80
# Counts of individuals: every seventh is unknown, the rest are four values, so ties and nulls cross pages.
_FILL = """
insert into gis.occurrence
  (source_id, dataset_id, scientific_name, taxon_id, occurrence_id, individual_count, event_date, geom)
select kind || n, d.dataset_id, 'Speciosus category0', 'taxon-0', kind || n,
       case when n % 7 > 0 then n % 4 end, timestamptz '2024-01-01 00:00Z' + n % 5 * interval '1 day',
       ST_SetSRID(ST_MakePoint(105.5, 20.5), 4326)
  from gis.dataset d, unnest(array['standing', 'moving']) kind, generate_series(1, $1 + $2) n
 where d.slug = 'open' and n <= case kind when 'standing' then $1 else $2 end
"""
# What a writer does in turn: move a row in the order, take one away, bring one back, touch one in its place.
_MOVE = """
update gis.occurrence set individual_count = case when {n} % 3 > 0 then {n} % 5 end
 where source_id = 'moving' || ({n} * 6 + {writer}) % 80
"""
_TAKE = "delete from gis.occurrence where source_id = 'moving' || ({n} * 14 + {writer}) % 80"
_BRING = """
insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, individual_count, geom)
select back.id, dataset_id, 'Speciosus category0', 'taxon-0', {n} % 4,
       ST_SetSRID(ST_MakePoint(105.5, 20.5), 4326)
  from gis.dataset, (select 'moving' || ({n} * 10 + {writer}) % 80 as id) back
 where slug = 'open' and not exists (select from gis.occurrence o where o.source_id = back.id)
"""
_TOUCH = "update gis.occurrence set locality = 'touched {n}' where source_id = 'standing' || {n} % 240"
_TURNS = (_MOVE, _TAKE, _BRING, _TOUCH)


@pytest.fixture(scope="module")
def standing(sampled: Sample) -> frozenset[int]:
    """The ids of the rows whose place in the order nobody changes."""
    with psycopg.connect(sampled.dsn, autocommit=True) as db, psycopg.RawCursor(db) as cursor:
        cursor.execute(_FILL, (STANDING, MOVING))
        cursor.execute("select gid from gis.occurrence where source_id like 'standing%'")
        return frozenset(gid for (gid,) in cursor.fetchall())


class _Writers:
    """Two connections that write without a pause, each to moving rows of its own: odd and even numbers."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._ended = threading.Event()
        self.written = 0
        self._pool = ThreadPoolExecutor(2)
        self._writing = [self._pool.submit(self._write, number) for number in (1, 2)]

    def _write(self, writer: int) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as db:
            for n in range(100_000):
                if self._ended.is_set():
                    return
                statement = _TURNS[n % len(_TURNS)].format(n=n // len(_TURNS), writer=writer)
                db.execute(statement.encode())
                self.written += 1

    def turn(self) -> None:
        """Come back when something was written since."""
        before = self.written
        while self.written == before and not any(each.done() for each in self._writing):
            self._ended.wait(0.001)

    def __enter__(self) -> "_Writers":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._pool.shutdown()
        for each in self._writing:
            each.result()  # what went wrong there


def _walk(
    web: httpx.Client, page: httpx.Response, rel: str, writers: _Writers
) -> tuple[Counter[int], httpx.Response]:
    """How often each id came from this page on, and the last page that held any; writers write between."""
    seen, last = Counter[int](), page
    while True:
        features = _features(page)
        seen.update(feature["id"] for feature in features)
        last = page if features else last
        beside = re.findall(r'<([^>]*)>; rel="(next|prev)"', ", ".join(page.headers.get_list("link")))
        links = {name: address for address, name in beside}
        if rel not in links:
            return seen, last
        writers.turn()
        page = web.get(links[rel])


def _features(page: httpx.Response) -> list[dict[str, Any]]:
    if page.headers["content-type"] == "application/geo+json":
        return list(page.json()["features"])
    return [json.loads(line) for line in page.text.splitlines()]


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "&sortby=individualCount",
        "&sortby=-individualCount",
        "&sortby=-individualCount,eventDate",
        "&sortby=individualCount&f=ndjson",
    ],
)
def test_every_unmoved_row_comes_exactly_once(
    sampled: Sample, web: httpx.Client, standing: frozenset[int], asked: str
) -> None:
    with _Writers(sampled.dsn) as writers:
        there, last = _walk(web, web.get(f"/collections/occurrences/items?limit=11{asked}"), "next", writers)
        back, _ = _walk(web, last, "prev", writers)
    assert writers.written > 50
    for seen in (there, back):
        assert {gid: seen[gid] for gid in standing} == dict.fromkeys(standing, 1)


def test_a_page_back_holds_what_is_left_before_it(sampled: Sample, web: httpx.Client) -> None:
    """Three plots; from the third back by two, the first of these taken away meanwhile: the second alone."""
    with psycopg.connect(sampled.dsn, autocommit=True) as db:
        db.execute(_PLOT)
        first = web.get("/collections/plots/items?limit=2").json()
        last = web.get(_link(first, "next")).json()
        db.execute(b"delete from gis.plot where source_id = 'A'")
        back = web.get(_link(last, "prev")).json()
        assert [feature["id"] for feature in back["features"]] == [first["features"][1]["id"]]
        db.execute(b"delete from gis.plot where source_id = 'B'")
        empty = web.get(_link(last, "prev")).json()
        assert empty["features"] == []
        assert web.get(_link(empty, "next")).json()["features"] == last["features"]


_PLOT = b"""
insert into gis.plot (source_id, dataset_id, location_id, name, established, geom)
select 'C', dataset_id, 'PLOT-C', 'Plot C', '2020-01-01', ST_SetSRID(ST_MakePoint(105.5, 20.5), 4326)
  from gis.dataset where slug = 'open'
"""


def _link(page: dict[str, Any], rel: str) -> str:
    return next(str(link["href"]) for link in page["links"] if link["rel"] == rel)
