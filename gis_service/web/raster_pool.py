"""The processes that read rasters for one web worker: started when asked, ended when too slow.

A question goes on when its client has left, since a map leaves many tiles behind while it's moved: to end the
process with each would mean to start it anew with the next.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from gis_service.catalog.raster import ViewedRaster
from gis_service.db.turns import Turns
from gis_service.errors import GisError, Timeout
from gis_service.features.refusal import refusal
from gis_service.processes.raster_questions import MOST_LINE, Answer, Question
from gis_service.web.lru import Lru

AT_ONCE: Final = 1  # processes of one worker; there are as many workers as cores
WAITING: Final = 200
PATIENCE: Final = 20.0  # seconds that a question waits for its turn
STARTING_SECONDS: Final = 20.0  # more for the first of a process
PICTURES: Final = 128  # that are kept, for a map that many look at
LARGEST_KEPT: Final = 200_000  # bytes
DESCRIBED: Final = 256  # files
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "GIS_SUPERVISED")
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMEXPR_MAX_THREADS": "1"}


class RasterUnreadable(GisError):
    """The file of this layer can't be read now."""

    status, code = 503, "raster-unreadable"


class Rasters:
    """What a web worker knows of raster files, and whom it asks."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turns = Turns(AT_ONCE, WAITING, PATIENCE)
        self._idle: list[Process] = []
        self._asking: set[asyncio.Task[Answer]] = set()
        self._pictures: Lru[str, bytes] = Lru(PICTURES)
        self._described: Lru[tuple[str, str, int], Mapping[str, Any]] = Lru(DESCRIBED)

    async def described(self, view: ViewedRaster, path: Path) -> Mapping[str, Any]:
        """Where the raster lies, its cells and its highest zoom; kept until the file is another."""
        question = self.question(view, path)
        key = (view.layer.digest, question.path, question.stamp)
        held = self._described.get(key)
        if held is None:
            held = (await self.ask(question)).said
            self._described.put(key, held)
        return held

    def question(self, view: ViewedRaster, path: Path, **more: Any) -> Question:
        """A question about the file as it is now; RasterUnreadable where there is none."""
        try:
            found = path.stat()
        except OSError as err:
            raise refusal(RasterUnreadable, "raster.unreadable", id=view.id) from err
        return Question(view.layer, str(path), hash((found.st_mtime_ns, found.st_size, found.st_ino)), **more)

    async def picture(self, tag: str, question: Question) -> bytes:
        """A picture; small ones are kept by their tag, which the file and the layer make."""
        held = self._pictures.get(tag)
        if held is None:
            held = (await self.ask(question)).body
            if len(held) <= LARGEST_KEPT:
                self._pictures.put(tag, held)
        return held

    async def ask(self, question: Question) -> Answer:
        """The answer; Timeout, Busy, or RasterUnreadable, of which the log says more."""
        task = asyncio.create_task(self._asked(question))
        self._asking.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End what runs."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for process in self._idle:
            await _end(process)
        self._idle.clear()

    def _done(self, task: asyncio.Task[Answer]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; if all have left it's nobody's

    async def _asked(self, question: Question) -> Answer:
        await self._turns.take()
        try:
            answer = await self._of_idle(question) or await self._of_new(question)
        finally:
            self._turns.give()
        if "error" in answer.said:
            raise refusal(RasterUnreadable, "raster.unreadable", id=question.layer.id)
        return answer

    async def _of_idle(self, question: Question) -> Answer | None:
        """The answer of a process that is there already; None where it has ended meanwhile."""
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return await self._exchanged(process, question, self._seconds)
        return None

    async def _of_new(self, question: Question) -> Answer:
        process = await _started()
        answer = await self._exchanged(process, question, self._seconds + STARTING_SECONDS)
        if answer is None:
            raise refusal(RasterUnreadable, "raster.unreadable", id=question.layer.id)
        return answer

    async def _exchanged(self, process: Process, question: Question, seconds: float) -> Answer | None:
        """The answer; None where the process dies over it. Only one that has answered is asked again."""
        try:
            async with asyncio.timeout(seconds):
                answer = await _exchange(process, question)
        except TimeoutError as err:
            await _end(process)
            raise Timeout(seconds=int(seconds)) from err
        except (OSError, asyncio.IncompleteReadError):
            await _end(process)
            return None
        except BaseException:
            await _end(process)
            raise
        self._idle.append(process)
        return answer


async def _exchange(process: Process, question: Question) -> Answer:
    given, out = process.stdin, process.stdout
    assert given is not None and out is not None, "they were asked for"  # noqa: PT018
    given.write(question.line())
    await given.drain()
    said = orjson.loads(await out.readuntil(b"\n"))
    return Answer(said, await out.readexactly(said.pop("length")))


async def _started() -> Process:
    command = [sys.executable, "-P", "-m", "gis_service.processes.rastering"]
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment = {**kept, **_ONE_THREAD, "PYTHONPATH": str(Path(__file__).parents[2])}
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, limit=MOST_LINE, env=environment, cwd="/"
    )


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
