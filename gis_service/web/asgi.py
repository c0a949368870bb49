"""The same service behind ASGI, for other servers and for tests without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from gis_service.settings import Settings
from gis_service.web import assemble, body
from gis_service.web.message import Request, Response
from gis_service.web.service import Service

Message = MutableMapping[str, Any]  # as the ASGI specification has it
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class App:
    """The ASGI target; the service is made at the lifespan's start, or by the first request without one."""

    def __init__(self, configure: Callable[[], tuple[Settings, str]]) -> None:
        self._configure = configure
        self._service: Service | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            service = self._started()
            request = _request_of(scope, receive, service.context.settings.limits.body_bytes)
            response = service.quick(request)
            if response is None:
                response = await _unless_gone(service.answer(request), request, receive)
            if response is not None:
                await _send_all(request, response, send)

    def _started(self) -> Service:
        if self._service is None:
            self._service = assemble.assemble(*self._configure())
        return self._service

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._started()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._service is not None:
                    await assemble.close(self._service)
                await send({"type": "lifespan.shutdown.complete"})
                return


def _request_of(scope: Message, receive: Receive, body_bytes: int) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

    async def chunks() -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            yield message.get("body", b"")

    async def read() -> bytes:
        return await body.read(chunks(), headers, body_bytes)

    client = scope["client"][0] if scope.get("client") else ""
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], scope["path"], query, headers, client, scope.get("scheme", "http"), read)


async def _unless_gone(answer: Awaitable[Response], request: Request, receive: Receive) -> Response | None:
    """The answer, or None once the client has left."""
    if request.method not in ("GET", "HEAD"):
        return await answer
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        work.cancel()
        await asyncio.wait((work,))
        return None
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(request: Request, response: Response, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
    if response.chunks is None and response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.chunks is not None and request.method != "HEAD":
        async for chunk in response.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    whole = b"" if request.method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": whole})
