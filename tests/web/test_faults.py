"""What the server does without a database, without rows, under a slow query, and when a client leaves."""

import asyncio
import socket
import time

import httpx
import pytest

from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter, free_port


@pytest.fixture(scope="module")
def down() -> str:
    """The address of a database that isn't there."""
    return f"postgresql://gis@127.0.0.1:{free_port()}/gis?connect_timeout=1"


def test_without_a_database_it_lives_and_says_that_it_is_not_ready(start_unready: Starter, down: str) -> None:
    url = start_unready(down)
    assert httpx.get(f"{url}/health").status_code == 200
    ready = httpx.get(f"{url}/ready")
    assert ready.status_code == 503
    assert ready.json()["reason"]
    assert httpx.get(f"{url}/").status_code == 200
    for path in ("/collections", "/collections/plots/items", "/xyz/plots/8/1/1.mvt"):
        answer = httpx.get(url + path, timeout=20)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "retry-after" in answer.headers
        assert "127.0.0.1" not in answer.json()["detail"]
    keyed = httpx.get(f"{url}/collections", headers={"X-API-Key": "gis_x"}, timeout=20)
    assert keyed.status_code == 503


def test_a_database_that_nobody_migrated_is_not_ready(start_unready: Starter, bare_database: str) -> None:
    ready = httpx.get(f"{start_unready(bare_database)}/ready")
    assert ready.status_code == 503
    assert "migrated" in ready.json()["reason"]


def test_an_empty_database_is_served_as_it_is(start_server: Starter, fresh_database: str) -> None:
    url = start_server(fresh_database)
    for layer in httpx.get(f"{url}/collections", timeout=30).json()["collections"]:
        assert layer["itemCount"] == 0
        assert "extent" not in layer
        page = httpx.get(f"{url}/collections/{layer['id']}/items").json()
        assert (page["features"], page["numberMatched"]) == ([], 0)
        assert httpx.get(f"{url}/xyz/{layer['id']}/tilejson.json").status_code == 200
        assert (
            httpx.get(f"{url}/collections/{layer['id']}", headers={"Accept": "text/html"}).status_code == 200
        )
    assert httpx.get(f"{url}/xyz/provinces/8/0/0.mvt").status_code == 204


@pytest.fixture(scope="module")
def slow(start_server: Starter, database: str) -> tuple[str, str]:
    """A server with a table on which every reading of the provinces sleeps for a minute."""
    sample.fill(database)
    with SyncDatabase(database) as db:
        db.apply(
            [
                (
                    "create function public.slow() returns boolean language plpgsql volatile as"
                    " $$ begin perform pg_sleep(60); return true; end $$"
                ),
                "create policy slow on gis.admin_unit as restrictive for select using (public.slow())",
            ]
        )
    return start_server(database, GIS_LIMITS_STATEMENT_TIMEOUT_MS="1500"), database


def sleeping(dsn: str) -> int:
    with SyncDatabase(dsn) as database:
        return int(
            str(sample.scalar(database, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"))
        )


def test_a_slow_query_is_stopped_at_the_deadline(slow: tuple[str, str]) -> None:
    url, dsn = slow
    answer = httpx.get(f"{url}/collections/provinces/items", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["type"].endswith(":timeout")
    assert "retry-after" in answer.headers
    assert settles(dsn, 0)
    assert httpx.get(f"{url}/collections/plots/items").status_code == 200


def test_more_requests_than_may_wait_are_told_to_come_back(slow: tuple[str, str]) -> None:
    """204 fit: four connections and two hundred places in the queue."""
    answers = asyncio.run(at_once(f"{slow[0]}/collections/provinces/items", 230))
    assert {answer.status_code for answer in answers} == {503}
    busy = [answer for answer in answers if answer.json()["type"].endswith(":busy")]
    assert busy
    assert all("retry-after" in answer.headers for answer in busy)


async def at_once(url: str, count: int) -> list[httpx.Response]:
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=count)) as client:
        return await asyncio.gather(*(client.get(url) for _ in range(count)))


def test_a_query_is_cancelled_when_its_client_leaves(start_server: Starter, slow: tuple[str, str]) -> None:
    _, dsn = slow
    address = httpx.URL(start_server(dsn, GIS_LIMITS_STATEMENT_TIMEOUT_MS="60000"))
    assert address.port is not None
    with socket.create_connection((address.host, address.port)) as client:
        client.sendall(b"GET /collections/provinces/items HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert settles(dsn, 1)
    assert settles(dsn, 0)


def settles(dsn: str, count: int) -> bool:
    """Whether that many statements sleep, now or within ten seconds."""
    for _ in range(100):
        if sleeping(dsn) == count:
            return True
        time.sleep(0.1)
    return False
