"""The same service behind ASGI: same answers, bodies read and refused alike."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from gis_service.settings import Settings
from gis_service.web import asgi
from tests import sample
from tests.web.lifespan import lifespan


def test_the_asgi_twin_answers_as_the_server_does(settings: Settings, database: str) -> None:
    sample.fill(database)
    asyncio.run(ask(settings, database))


async def ask(settings: Settings, dsn: str) -> None:
    app = asgi.App(lambda: (settings, dsn))
    transport = httpx.ASGITransport(app=app)
    async with lifespan(app), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        page = (await client.get("/collections/protected-areas/items?bbox=105,20,105.99,21")).json()
        assert [feature["id"] for feature in page["features"]] == ["open-A"]
        assert page["links"][0]["href"].startswith("http://test/collections/protected-areas/items?")
        assert (await client.get("/xyz/protected-areas/8/202/113.mvt")).status_code == 200
        assert (await client.head("/")).content == b""
        assert (await client.get("/collections/protected-areas/items?limit=0")).status_code == 400
        huge = await client.post("/processes/overlap-report/execution", content=megabytes(65))
        assert huge.status_code == 413


async def megabytes(count: int) -> AsyncIterator[bytes]:
    """A body that doesn't say how long it is."""
    for _ in range(count):
        yield bytes(1024 * 1024)
