"""A file between an encoder and its client: the encoder ends when its work does, however slow the client is.

There are few encoders and many clients on slow lines; two of these would else keep all others waiting.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

AHEAD_BYTES = 512 * 1024 * 1024  # an encoder that is further ahead of its client waits for it
_PIECE = 256 * 1024

Done = TypeVar("Done")
Pieces = AsyncGenerator[bytes, None]


async def spilled(pieces: Pieces, folder: Path) -> Pieces:
    """The same bytes, made at the encoder's own speed; what stops the encoder is raised where it stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        spill = _Spill(file)
        filling = asyncio.create_task(spill.fill(pieces))
        try:
            async for piece in spill.read():
                yield piece
            await filling
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)


class _Spill:
    """One file that one task writes and another reads behind it."""

    def __init__(self, file: BinaryIO) -> None:
        self._number = file.fileno()
        self._written = self._read = 0
        self._ended = False
        self._more, self._room = asyncio.Event(), asyncio.Event()

    async def fill(self, pieces: Pieces) -> None:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    await self._write(piece)
        finally:
            self._ended = True
            self._more.set()

    async def read(self) -> AsyncIterator[bytes]:
        """What was written, as it comes, to the end of the writing."""
        while self._read < self._written or not self._ended:
            if self._read == self._written:
                self._more.clear()
                await self._more.wait()
                continue
            size, at = min(_PIECE, self._written - self._read), self._read
            piece = await _in_thread(partial(os.pread, self._number, size, at))
            self._read += len(piece)
            self._room.set()
            yield piece

    async def _write(self, piece: bytes) -> None:
        while self._written - self._read > AHEAD_BYTES:
            self._room.clear()
            await self._room.wait()
        rest = memoryview(piece)
        while rest:
            done = await _in_thread(partial(os.pwrite, self._number, rest, self._written))
            self._written += done
            rest = rest[done:]
            self._more.set()


async def _in_thread(work: Callable[[], Done]) -> Done:
    """The work's result. Who is cancelled waits for its end: the file mustn't be closed below it."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        raise
