"""The same service behind ASGI, for other servers and for tests without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeVar

from gis_service.settings import Settings
from gis_service.web import assemble, body, stream
from gis_service.web.message import Request, Response
from gis_service.web.service import Service

Message = MutableMapping[str, Any]  # as the ASGI specification has it
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = TypeVar("Answer")


class App:
    """The ASGI target; the service is made at the lifespan's start, or by the first request without one."""

    def __init__(self, configure: Callable[[], tuple[Settings, str]]) -> None:
        self._configure = configure
        self._service: Service | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._bodies = body.Allowance(0)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            service = self._started()
            headers = _headers_of(scope)
            kept = service.kept_tile(scope["method"], scope["path"], scope["query_string"], headers)
            if kept is not None:
                await _send_whole(kept, send)
                return
            most = service.context.settings.limits.body_bytes
            intake = body.Intake(_chunks(receive), headers, most, self._bodies)
            request = _request_of(scope, headers, intake)
            response = service.quick(request)
            if response is None:
                try:
                    response = await _unless_gone(service.answer(request), request, receive)
                finally:
                    intake.close()
            if response is not None:
                seconds = service.context.settings.limits.export_seconds
                await _send_all(request, response, send, receive, seconds)

    def _started(self) -> Service:
        if self._service is None:
            settings, dsn = self._configure()
            self._service = assemble.assemble(settings, dsn)
            self._beside = assemble.start(self._service, asyncio.get_running_loop())
            self._bodies = body.Allowance(body.AT_ONCE * settings.limits.body_bytes)
        return self._service

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._started()
                await send({"type": "lifespan.startup.complete"})
            else:
                for task in self._beside:
                    task.cancel()
                if self._service is not None:
                    await assemble.close(self._service)
                await send({"type": "lifespan.shutdown.complete"})
                return


def _headers_of(scope: Message) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
        yield message.get("body", b"")


def _request_of(scope: Message, headers: Mapping[str, str], intake: body.Intake) -> Request:
    client = scope["client"][0] if scope.get("client") else ""
    query = scope["query_string"].decode("latin-1")
    scheme = scope.get("scheme", "http")
    return Request(scope["method"], scope["path"], query, headers, client, scheme, intake.read)


async def _unless_gone(answer: Awaitable[Answer], request: Request, receive: Receive) -> Answer | None:
    """The answer, or None once the client has left."""
    if request.method not in ("GET", "HEAD"):
        return await answer
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        return None
    finally:
        gone.cancel()
        if work.cancel():
            await asyncio.wait((work,))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(request: Request, response: Response, send: Send, receive: Receive, seconds: int) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
    chunks = response.chunks
    if response.file is not None:
        chunks = stream.pieces(response.file, response.span)
    elif chunks is None and response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if chunks is not None and request.method != "HEAD":
        sent = _unless_gone(_streamed(request.path, chunks, send, seconds), request, receive)
        if not await sent:
            return
    await stream.end(chunks)
    whole = b"" if request.method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": whole})


async def _send_whole(response: Response, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
    if response.status == 200:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _streamed(path: str, chunks: AsyncIterator[bytes], send: Send, seconds: int) -> bool:
    """True when all is sent. What is raised here makes a server break the connection."""

    async def write(part: memoryview) -> None:
        await send({"type": "http.response.body", "body": bytes(part), "more_body": True})

    try:
        await stream.send(chunks, write, seconds)
    except Exception as err:
        stream.report(path, err)
        raise
    return True
