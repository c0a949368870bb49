"""A pipe to the server: it sends what we write at the client's speed, and a full pipe makes us wait.

What granian is given as a stream it takes at once, however slowly the client reads: an export would gather in
memory. A file it reads as the client takes it, and a named pipe is a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import tempfile
import time
from pathlib import Path

CAPACITY = 256 * 1024  # bytes; four times Linux's own: fewer turns between us and the server, 5 % in time
OPEN_SECONDS = 10.0
_FIRST_WAIT, _LONGEST_WAIT = 0.0002, 0.02


class Pipes:
    """The folder of the pipes of one process; a pipe has its name there for a moment only."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def make(self) -> Path:
        """A new pipe's path, which nobody can guess."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gis-streams-")
        path = Path(self._folder.name) / secrets.token_hex(16)
        os.mkfifo(path, 0o600)
        return path

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


class Pipe:
    """The writing end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    async def opened(cls, path: Path) -> Pipe:
        """The end to write to, once the server has opened the other; BrokenPipeError if it never does."""
        try:
            return cls(await _opened(path))
        except BaseException:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # sets free who opens it this very moment
            raise
        finally:
            path.unlink()

    async def write(self, part: bytes | memoryview) -> None:
        """Hand over all of it; BrokenPipeError when the server reads no more."""
        rest = memoryview(part)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await self._writable()

    def close(self) -> None:
        os.close(self._descriptor)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._descriptor, _once, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._descriptor)


async def _opened(path: Path) -> int:
    """Without a reader, opening a pipe to write is refused, so it's tried until one is there."""
    wait, until = _FIRST_WAIT, time.monotonic() + OPEN_SECONDS
    while True:
        try:
            return _widened(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as err:
            if err.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise BrokenPipeError from err
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def _widened(descriptor: int) -> int:
    with contextlib.suppress(OSError):  # all pipes of a user have a bound together: then it stays as it is
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, CAPACITY)
    return descriptor


def _once(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
