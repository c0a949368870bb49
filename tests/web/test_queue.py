"""Who waits is served by turns of its callers, and nobody waits for ever; tiles never wait for features."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context

import httpx
import pytest

from gis_service.access import keystore
from gis_service.db.pool import Database, PoolSize, Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.db.turns import CALLER
from gis_service.errors import Busy
from tests import sample
from tests.conftest import Starter

NAP = Query("select pg_sleep(0.02)")
PROVINCES = "/collections/provinces/items"
TILE = "/xyz/protected-areas/8/202/113.mvt"
# Reading the provinces takes a while, for as long as a table says.
_NAPS = """
    create table public.nap (seconds float);
    insert into public.nap values (0);
    grant select on public.nap to public;
    create function public.napping() returns boolean language plpgsql volatile as $$
    begin
      if current_setting('nap.statement', true) is distinct from statement_timestamp()::text then
        perform set_config('nap.statement', statement_timestamp()::text, false);
        perform pg_sleep(seconds) from public.nap;
      end if;
      return true;
    end $$;
    create policy napping on gis.admin_unit as restrictive for select using (public.napping())
"""


def start(database: Database, caller: str, query: Query = NAP) -> asyncio.Task[list[Row]]:
    """Begin the query in the name of a caller, as the web server begins each request."""
    context = copy_context()
    context.run(CALLER.set, caller)
    return asyncio.get_running_loop().create_task(database.run(query), name=caller, context=context)


@asynccontextmanager
async def pool(dsn: str, size: PoolSize) -> AsyncIterator[Database]:
    made = Database(dsn, size)
    yield made
    await made.close()


def test_a_single_request_waits_for_no_crowd_of_another_caller(database: str) -> None:
    async def trial() -> list[str]:
        ended: list[str] = []
        async with pool(database, PoolSize(connections=1)) as one:
            tasks = [start(one, caller) for caller in ("crowd",) * 20 + ("single", "other", "single")]
            for task in tasks:
                task.add_done_callback(lambda done: ended.append(done.get_name()))
            await asyncio.gather(*tasks)
        return ended

    assert asyncio.run(trial())[:7] == ["crowd", "crowd", "single", "other", "crowd", "single", "crowd"]


def test_a_full_queue_refuses_the_last_of_its_longest_line(database: str) -> None:
    async def trial() -> list[str]:
        async with pool(database, PoolSize(connections=1, waiting=4)) as one:
            tasks = [start(one, caller) for caller in ("crowd",) * 6 + ("a", "b", "b")]
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, (list, Busy)) for end in ends)
        return [task.get_name() for task, end in zip(tasks, ends, strict=True) if isinstance(end, Busy)]

    # One runs and four wait: the sixth is refused at once; a and b each displace one; a second of b's none.
    assert asyncio.run(trial()) == ["crowd", "crowd", "crowd", "b"]


def test_a_wait_that_grows_too_long_ends(database: str) -> None:
    async def trial() -> None:
        async with pool(database, PoolSize(connections=1, patience=0.1)) as one:
            long = start(one, "a", Query("select pg_sleep(0.5)"))
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await start(one, "b")
            await long
            assert await start(one, "b")

    asyncio.run(trial())


def test_whoever_leaves_the_queue_costs_nobody_a_turn(database: str) -> None:
    async def trial() -> None:
        async with pool(database, PoolSize(connections=2, waiting=50)) as two:
            tasks = [start(two, str(number % 3)) for number in range(40)]
            await asyncio.sleep(0.05)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert all(task.result() for task in tasks[1::2])
            assert len(await asyncio.gather(*(start(two, "again") for _ in range(10)))) == 10

    asyncio.run(trial())


@pytest.fixture(scope="module")
def napping(start_server: Starter, database: str) -> tuple[str, str]:
    """A server whose provinces take as long as the table `nap` says, and its database."""
    sample.fill(database)
    with SyncDatabase(database) as db:
        db.apply([_NAPS])
    return start_server(database, GIS_LIMITS_STATEMENT_TIMEOUT_MS="20000"), database


def nap(dsn: str, seconds: float) -> None:
    with SyncDatabase(dsn) as db:
        db.apply([f"update public.nap set seconds = {seconds}"])


def client(url: str, address: str) -> httpx.AsyncClient:
    """A client that asks from one of this machine's own addresses."""
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=httpx.Limits(max_connections=None))
    return httpx.AsyncClient(base_url=url, transport=transport, timeout=60)


def test_addresses_take_turns(napping: tuple[str, str]) -> None:
    """Of 44 requests of one address, a few are answered before the one of another, which came last."""
    url, dsn = napping
    nap(dsn, 0.1)

    async def trial() -> int:
        async with client(url, "127.0.0.1") as crowd, client(url, "127.0.0.2") as single:
            asked = [asyncio.create_task(crowd.get(PROVINCES)) for _ in range(44)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert (await single.get(PROVINCES)).status_code == 200
            before = sum(task.done() for task in asked)
            assert {task.status_code for task in await asyncio.gather(*asked)} == {200}
        return before

    assert asyncio.run(trial()) < 22


def test_neither_tiles_nor_documents_wait_for_slow_features(napping: tuple[str, str]) -> None:
    url, dsn = napping
    nap(dsn, 10)
    with SyncDatabase(dsn) as db:
        keystore.ensure_principal(db, sample.CENTRE)
        key = keystore.create(db, sample.CENTRE.name)  # not read yet: whose it is must be asked now

    async def trial() -> None:
        async with client(url, "127.0.0.1") as asking:
            slow = [asyncio.create_task(asking.get(PROVINCES)) for _ in range(30)]
            await asyncio.to_thread(_until_asleep, dsn, 4)
            for path in (TILE, "/", "/conformance", "/health"):
                assert (await asking.get(path)).status_code == 200
                assert (await asking.get(path, headers={"X-API-Key": key})).status_code == 200
            assert not any(task.done() for task in slow)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
        await asyncio.to_thread(_until_asleep, dsn, 0)

    asyncio.run(trial())


def test_neither_features_nor_tiles_wait_for_exports(napping: tuple[str, str]) -> None:
    """Two run; the others wait for them in a line of their own."""
    url, dsn = napping
    nap(dsn, 0)
    assert httpx.get(f"{url}/collections/provinces", timeout=30).json()["itemCount"] == 2
    nap(dsn, 10)

    async def trial() -> None:
        async with client(url, "127.0.0.1") as asking:
            path = "/collections/provinces/export?f=ndjson"
            slow = [asyncio.create_task(asking.get(path)) for _ in range(15)]
            await asyncio.to_thread(_until_asleep, dsn, 2)
            for path in (TILE, "/collections/plots/items"):
                assert (await asking.get(path)).status_code == 200
            assert not any(task.done() for task in slow)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
        await asyncio.to_thread(_until_asleep, dsn, 0)

    asyncio.run(trial())


def _until_asleep(dsn: str, count: int) -> None:
    """Wait until so many of the server's statements sleep."""
    with SyncDatabase(dsn) as db:
        for _ in range(100):
            found = sample.scalar(db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'")
            if found == count:
                return
            time.sleep(0.1)
    pytest.fail(f"{found} statements sleep, not {count}")
