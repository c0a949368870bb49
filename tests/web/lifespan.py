"""What an ASGI server does around its requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gis_service.web import asgi


@asynccontextmanager
async def lifespan(app: asgi.App) -> AsyncIterator[None]:
    """Start-up before the block, shutdown after it."""
    inbox: asyncio.Queue[asgi.Message] = asyncio.Queue()
    sent: asyncio.Queue[asgi.Message] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    yield
    await inbox.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await running
