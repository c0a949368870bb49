"""Answers that are made while they are sent: begun before they are promised, bounded, never falsely whole."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from gis_service.db.turns import CALLER
from gis_service.errors import Busy, GisError
from gis_service.observe import Log
from gis_service.web.message import Response

FIRST_BYTES = 64 * 1024  # an answer that ends within these is sent whole, with its length
PART_BYTES = 256 * 1024  # of a chunk that are handed on at once
PIECE_BYTES = 512 * 1024  # of a file
AT_ONCE = 32  # streams of one process; each holds batches of rows, some 10 MB
AT_ONCE_EACH = 8  # of one caller
IDLE_SECONDS = 60.0  # a client that takes nothing for so long is left
_log = Log("gis.web")


class Broken(Exception):
    """A stream that ended before it was whole; its connection must not end as if it were."""


class Packer(Protocol):
    """Compresses a stream piece by piece."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Streams:
    """The streams of one process: how many there are, and how long each may grow."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._open: Counter[str] = Counter()

    async def begun(self, response: Response) -> Response:
        """The answer with its first bytes made: what fails before them is still told as any failure is.

        A short answer comes back whole. A long one takes one of the places, or is Busy.
        """
        if response.chunks is None:
            return response
        first, rest = deque[bytes](), response.chunks
        size = 0
        async for chunk in rest:
            first.append(chunk)
            if (size := size + len(chunk)) >= FIRST_BYTES:
                break
        else:
            return replace(response, chunks=None, body=b"".join(first))
        try:
            return replace(response, chunks=self._admitted(first, rest))
        except Busy:
            await end(rest)
            raise

    def _admitted(self, first: deque[bytes], rest: AsyncIterator[bytes]) -> Stream:
        caller = CALLER.get()
        if self._open[caller] >= AT_ONCE_EACH or self._open.total() >= AT_ONCE:
            raise Busy
        self._open[caller] += 1
        return Stream(first, rest, self._most_bytes, lambda: self._left(caller))

    def _left(self, caller: str) -> None:
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]


class Stream(AsyncIterator[bytes]):
    """The chunks of an answer, compressed where a packer is set; `aclose` ends what makes them."""

    def __init__(
        self, first: deque[bytes], rest: AsyncIterator[bytes], most: int, left: Callable[[], None]
    ) -> None:
        self._first, self._rest, self._allowed = first, rest, most
        self._left: Callable[[], None] | None = left
        self._packer: Packer | None = None

    def packed(self, packer: Packer) -> Stream:
        self._packer = packer
        return self

    async def __anext__(self) -> bytes:
        try:
            while True:
                packed = self._pack(await self._next())
                if packed:
                    return packed
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End it wherever it is; cursors and child processes behind it end too."""
        if self._left is not None:
            self._left()
            self._left = None
            await end(self._rest)

    async def _next(self) -> bytes | None:
        """The next chunk; None behind the last, once."""
        if self._first:
            chunk = self._first.popleft()
        elif self._left is None:
            raise StopAsyncIteration
        else:
            try:
                chunk = await anext(self._rest)
            except StopAsyncIteration:
                await self.aclose()
                return None
        self._allowed -= len(chunk)
        if self._allowed < 0:
            raise Broken("it grew past limits.export_bytes")
        return chunk

    def _pack(self, chunk: bytes | None) -> bytes:
        if self._packer is None:
            return chunk or b""
        return self._packer.flush() if chunk is None else self._packer.compress(chunk)


async def send(
    chunks: AsyncIterator[bytes], write: Callable[[memoryview], Awaitable[None]], seconds: float
) -> None:
    """Hand on every chunk as fast as it's taken. Broken if it isn't whole in time; the chunks end anyway."""
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                whole = memoryview(chunk)
                for start in range(0, len(whole), PART_BYTES):
                    await _taken(write(whole[start : start + PART_BYTES]))
    except TimeoutError as err:
        raise Broken(f"it took longer than limits.export_seconds ({seconds:.0f} s)") from err
    finally:
        await end(chunks)


async def _taken(writing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            await writing
    except TimeoutError as err:
        raise Broken(f"the client took nothing for {IDLE_SECONDS:.0f} s") from err


async def pieces(path: Path, span: tuple[int, int] | None) -> AsyncIterator[bytes]:
    """A file, or the span of it, for servers that send none by themselves."""
    with await asyncio.to_thread(path.open, "rb") as file:
        begin, stop = span or (0, path.stat().st_size)
        file.seek(begin)
        while begin < stop and (piece := await asyncio.to_thread(file.read, min(PIECE_BYTES, stop - begin))):
            begin += len(piece)
            yield piece


async def end(chunks: AsyncIterator[bytes] | None) -> None:
    """End a stream that nobody wants any more."""
    if isinstance(chunks, (Stream, AsyncGenerator)):
        await chunks.aclose()


def report(path: str, err: Exception) -> None:
    """Log why a stream was broken off: the client sees no more than that it was."""
    if isinstance(err, (Broken, GisError)):
        _log.warning("stream broken off", path=path, reason=err)
    else:
        _log.error("stream broken off", cause=err, path=path)
