"""Writes of web requests: under the name of who asks, beside the loop, whole although the client leaves."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from gis_service.access.principal import Principal
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Busy, DatabaseDown
from gis_service.settings import Settings
from gis_service.web import writer as writers
from gis_service.web.message import Request
from gis_service.web.writer import Writer

WHO = Query(
    "select current_setting('gis.actor'), current_setting('gis.actor_role'), current_setting('gis.client')"
)


async def _no_body() -> bytes:
    return b""


def asking(name: str, client: str = "192.0.2.7", agent: str = "QGIS/3.44") -> Request:
    headers = {"user-agent": agent}
    return Request("POST", "/", "", headers, client, "http", _no_body, principal=Principal(name, "full"))


@pytest.fixture
def writer(settings: Settings, database: str) -> Iterator[Writer]:
    made = Writer(settings, database)
    yield made
    made.close()


def test_what_is_written_bears_the_name_of_who_asks(writer: Writer) -> None:
    async def two() -> list[object]:
        first = await writer.run(asking("lan"), lambda db: db.run(WHO)[0], "reviewer")
        second = await writer.run(asking("minh", agent=""), lambda db: db.run(WHO)[0])
        return [first, second]

    assert asyncio.run(two()) == [("lan", "reviewer", "192.0.2.7 QGIS/3.44"), ("minh", "editor", "192.0.2.7")]


def test_a_client_that_leaves_stops_nothing_that_has_begun(writer: Writer) -> None:
    done: list[str] = []

    def slow(database: SyncDatabase) -> None:
        database.run(Query("select pg_sleep(0.2)"))
        done.append("written")

    async def leave() -> None:
        task = asyncio.create_task(writer.run(asking("lan"), slow))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    writer.close()
    assert done == ["written"]


def test_a_lost_connection_is_made_anew(writer: Writer, database: str) -> None:
    pid = Query("select pg_backend_pid()")

    async def ask() -> int:
        return int(await writer.run(asking("lan"), lambda db: db.run(pid)[0][0]))

    first = asyncio.run(ask())
    with SyncDatabase(database) as other:
        other.run(Query("select pg_terminate_backend($1)", (first,)))
    assert asyncio.run(ask()) != first


def test_without_a_database_the_writer_says_so(settings: Settings) -> None:
    lost = Writer(settings, "host=127.0.0.1 port=1 user=gis dbname=none")
    with pytest.raises(DatabaseDown):
        asyncio.run(lost.run(asking("lan"), lambda db: db.run(WHO)))


def test_more_than_may_wait_are_told_to_come_back(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "WAITING", 0)

    async def three() -> list[object]:
        work = [writer.run(asking("lan"), lambda _: time.sleep(0.1)) for _ in range(3)]
        return [type(each) for each in await asyncio.gather(*work, return_exceptions=True)]

    assert asyncio.run(three()) == [type(None), type(None), Busy]
