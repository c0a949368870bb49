"""The service behind granian's RSGI: the fastest of the servers that were measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

from gis_service.settings import Settings
from gis_service.web import assemble, body, credentials, stream
from gis_service.web.message import Request, Response
from gis_service.web.peer import Peer
from gis_service.web.pipe import Pipe, Pipes
from gis_service.web.service import Service

WARM_AFTER_SECONDS = 5.0
WATCH_AFTER_SECONDS = 0.05
LOOK_SECONDS = 0.5  # how often it's seen whether a stream's client is still there

Sent = list[tuple[str, str]]


class Scope(Protocol):
    """What granian tells of a request."""

    method: str
    path: str
    query_string: str
    client: str
    scheme: str
    authority: str | None
    headers: Any  # granian's own mapping: items() gives pairs of text


class Proto(Protocol):
    """How granian takes an answer."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def client_disconnect(self) -> None: ...
    def response_empty(self, status: int, headers: Sent) -> None: ...
    def response_bytes(self, status: int, headers: Sent, body: bytes) -> None: ...
    def response_file(self, status: int, headers: Sent, file: str) -> None: ...
    def response_file_range(self, status: int, headers: Sent, file: str, start: int, end: int) -> None: ...


class App:
    """The RSGI target. Everything is made in `__rsgi_init__`, in the process that serves."""

    def __init__(self, configure: Callable[[], tuple[Settings, str]]) -> None:
        self._configure = configure
        self._service: Service | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._bodies = body.Allowance(0)
        self._pipes = Pipes()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        settings, dsn = self._configure()
        self._service = assemble.assemble(settings, dsn)
        self._beside = assemble.start(self._service, loop)
        self._beside.append(loop.create_task(self._service.context.processes.warm(WARM_AFTER_SECONDS)))
        self._bodies = body.Allowance(body.AT_ONCE * settings.limits.body_bytes)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in self._beside:
            task.cancel()
        if self._service is not None:
            loop.run_until_complete(assemble.close(self._service))
        self._pipes.close()

    async def __rsgi__(self, scope: Scope, proto: Proto) -> None:
        service = self._service
        assert service is not None, "granian calls __rsgi_init__ first"
        kept = service.kept_tile(scope.method, scope.path, scope.query_string, scope.headers)
        if kept is not None:
            if kept.status == 200:
                proto.response_bytes(200, list(kept.headers), kept.body)
            else:
                proto.response_empty(kept.status, list(kept.headers))
            return
        headers = headers_of(scope)
        intake = body.Intake(proto, headers, service.context.settings.limits.body_bytes, self._bodies)
        request = request_of(scope, headers, intake)
        response = service.quick(request)
        if response is None:
            try:
                response = await _unless_gone(service.answer(request), request, proto)
            finally:
                intake.close()
        if response is not None and response.chunks is not None and request.method != "HEAD":
            await self._stream(scope.client, request, response, proto)
        elif response is not None:
            await _send(request, response, proto)

    async def _stream(self, client: str, request: Request, response: Response, proto: Proto) -> None:
        """Send what is made meanwhile; the connection is broken if it can't be made to its end."""
        assert response.chunks is not None
        assert self._service is not None
        peer = Peer.of(client)
        if peer is None:  # it has left
            await stream.end(response.chunks)
            return
        leaving = _Leaving(peer)
        try:
            path = self._pipes.make()
            proto.response_file(response.status, list(response.headers), str(path))
            seconds = self._service.context.settings.limits.export_seconds
            await _pumped(response.chunks, await Pipe.opened(path), peer, seconds)
        except BrokenPipeError:
            pass  # the client has left
        except asyncio.CancelledError:
            if not leaving.left:
                raise
        except Exception as err:
            # The outermost rim of a stream, as service.answer is that of a request.
            stream.report(request.path, err)
        finally:
            leaving.end()
            peer.close()
            await stream.end(response.chunks)


def headers_of(scope: Scope) -> dict[str, str]:
    headers = dict(scope.headers.items())
    for name in credentials.HEADERS:
        if name in scope.headers and name not in headers:
            headers[name] = ""  # granian leaves out values that aren't ASCII; such a key is wrong, not absent
    if scope.authority and "host" not in headers:
        headers["host"] = scope.authority
    return headers


def request_of(scope: Scope, headers: Mapping[str, str], intake: body.Intake) -> Request:
    client = scope.client.rpartition(":")[0]
    return Request(scope.method, scope.path, scope.query_string, headers, client, scope.scheme, intake.read)


async def _unless_gone(answer: Awaitable[Response], request: Request, proto: Proto) -> Response | None:
    """The answer, or None once the client has left: what it waited for is cancelled in PostgreSQL too.

    Most answers are out before anybody could leave, so the watch begins late: its tasks cost 0.1 ms.
    """
    if request.method not in ("GET", "HEAD"):
        return await answer
    watch = _Watch(proto)
    try:
        return await answer
    except asyncio.CancelledError:
        if watch.gone:
            return None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels the task that made it when the client leaves."""

    def __init__(self, proto: Proto) -> None:
        loop = asyncio.get_running_loop()
        self.gone = False
        self._proto = proto
        self._watched = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._start = loop.call_later(WATCH_AFTER_SECONDS, self._begin)

    def end(self) -> None:
        self._start.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _begin(self) -> None:
        self._watching = asyncio.ensure_future(self._until_gone())

    async def _until_gone(self) -> None:
        await self._proto.client_disconnect()
        if self._watched is not None:
            self.gone = True
            self._watched.cancel()


class _Leaving:
    """Cancels the task that made it when its client has hung up; of a stream the server doesn't tell."""

    def __init__(self, peer: Peer) -> None:
        self.left = False
        self._peer, self._watched = peer, asyncio.current_task()
        self._next = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def end(self) -> None:
        self._next.cancel()

    def _look(self) -> None:
        if self._peer.left and self._watched is not None:
            self.left = True
            self._watched.cancel()
        else:
            self._next = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)


async def _pumped(chunks: AsyncIterator[bytes], pipe: Pipe, peer: Peer, seconds: float) -> None:
    """All chunks through the pipe. Once it's closed, the server ends the answer as a whole one."""
    try:
        await stream.send(chunks, pipe.write, seconds)
    except BaseException:
        peer.reset()
        raise
    finally:
        pipe.close()


async def _send(request: Request, response: Response, proto: Proto) -> None:
    headers = list(response.headers)
    if response.chunks is not None or response.status in (204, 304):
        await stream.end(response.chunks)
        proto.response_empty(response.status, headers)
    elif response.file is not None:
        _send_file(request, response, proto, headers)
    elif request.method == "HEAD":
        proto.response_empty(response.status, [*headers, ("content-length", str(len(response.body)))])
    else:
        proto.response_bytes(response.status, headers, response.body)


def _send_file(request: Request, response: Response, proto: Proto, headers: Sent) -> None:
    """By the server itself, at the client's speed; its length is among the headers."""
    path = str(response.file)
    if request.method == "HEAD":
        proto.response_empty(response.status, headers)
    elif response.span is None:
        proto.response_file(response.status, headers, path)
    else:
        proto.response_file_range(response.status, headers, path, *response.span)
