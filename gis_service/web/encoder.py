"""Encoders in processes of their own: started for one answer, fed with its records, ended with it."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from gis_service.db.turns import Turns
from gis_service.errors import GisError, TooLarge
from gis_service.exchange import frames
from gis_service.exchange.bulk import Bulk
from gis_service.exchange.encode import TOO_LONG
from gis_service.features.refusal import refusal
from gis_service.web.spill import spilled
from gis_service.web.walk import Batch

AT_ONCE = 2  # encoders of one web process; each takes 40 to 150 MB
WAITING = 8
PATIENCE = 5.0  # seconds that a request waits for its turn
PIECE = 256 * 1024
# Arrow's own allocator keeps what it had; numpy's threads have nothing to do here.
_FRUGAL = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_ENDINGS = ("", "-journal", "-wal", "-shm")  # what SQLite puts beside a file

Batches = AsyncGenerator[Batch, None]


class EncoderFailed(GisError):
    """The file couldn't be made: the encoder ended with {code}."""


@dataclass(frozen=True, slots=True)
class Spool:
    """Where files are that must be whole before they are sent, how large and how old they may grow."""

    folder: Path
    most_bytes: int
    seconds: float

    def swept(self) -> Path:
        """The folder, without what a killed process left behind."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.stat().st_mtime < time.time() - 2 * self.seconds:
                path.unlink(missing_ok=True)
        return self.folder


class Encoders:
    """The encoders of one web process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder  # for what is made and not yet sent
        self._turns = Turns(AT_ONCE, WAITING, PATIENCE)

    def stream(self, kind: str, bulk: Bulk, batches: Batches) -> AsyncGenerator[bytes, None]:
        """The file while it's made; Busy where too many are made already."""
        return spilled(self._streamed(kind, bulk, batches), self._folder)

    async def _streamed(self, kind: str, bulk: Bulk, batches: Batches) -> AsyncGenerator[bytes, None]:
        async with self._running({"format": kind, "bulk": bulk}, batches) as (process, feeding):
            assert process.stdout is not None, "it was asked for"
            while piece := await process.stdout.read(PIECE):
                yield piece
            await _ended(process, feeding)

    async def spooled(
        self, kind: str, bulk: Bulk, batches: Batches, spool: Spool
    ) -> AsyncGenerator[bytes, None]:
        """The file once it's made; while it's sent it has no name in its folder any more."""
        folder = spool.swept()
        path = folder / f"{secrets.token_hex(8)}.{kind}"
        told = {"format": kind, "bulk": bulk, "path": str(path), "most_bytes": spool.most_bytes}
        try:
            async with self._running(told, batches) as (process, feeding):
                await _ended(process, feeding)
            file = path.open("rb")
        finally:
            for ending in _ENDINGS:
                path.with_name(path.name + ending).unlink(missing_ok=True)
        with file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    @asynccontextmanager
    async def _running(
        self, told: Mapping[str, object], batches: Batches
    ) -> AsyncIterator[tuple[Process, asyncio.Task[None]]]:
        """An encoder and the task that feeds it; both end with the block, however it is left."""
        await self._turns.take()
        try:
            process = await _started()
            feeding = asyncio.create_task(_feed(process, orjson.dumps(told, default=str), batches))
            try:
                yield process, feeding
            finally:
                feeding.cancel()
                if process.returncode is None:
                    process.kill()
                await asyncio.gather(feeding, process.wait(), return_exceptions=True)
                await batches.aclose()
        finally:
            self._turns.give()


async def _started() -> Process:
    command = [sys.executable, "-P", "-m", "gis_service.exchange.encode"]
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, limit=PIECE, env=_environment()
    )


def _environment() -> Mapping[str, str]:
    """Ours without the database's address, which an encoder has no use for."""
    kept = {name: value for name, value in os.environ.items() if name != "GIS_DATABASE_URL"}
    return {**kept, **_FRUGAL, "PYTHONPATH": str(Path(__file__).parents[2])}


async def _feed(process: Process, told: bytes, batches: Batches) -> None:
    """Send all batches and their end. If they can't be had, the encoder dies with what it has made."""
    pipe = process.stdin
    assert pipe is not None, "it was asked for"
    try:
        pipe.write(frames.described(told))
        async for batch in batches:
            pipe.write(frames.head(batch.records, batch.lengths))
            pipe.write(batch.records)
            pipe.write(batch.lengths)
            await pipe.drain()
        pipe.write(frames.END)
        pipe.close()
        await pipe.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended before; its exit code says why
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise


async def _ended(process: Process, feeding: asyncio.Task[None]) -> None:
    """Wait for both; what stopped the feeding goes first."""
    code = await process.wait()
    await feeding
    if code == TOO_LONG:
        raise refusal(TooLarge, "export.too-large")
    if code:
        raise EncoderFailed(code=code)
