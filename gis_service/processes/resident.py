"""Asks the geoprocessor: one line of JSON there, one line and the answer's bytes back, over a unix socket.

The socket lies in the data folder and is open to the service's own user alone: who asks is believed about
whom it asks for.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from gis_service.access.principal import Principal
from gis_service.errors import GisError
from gis_service.processes.errors import EngineAway, again, kept

SOCKET: Final = "engine.sock"
LONGEST_PATH: Final = 100  # of a unix socket, less than Linux's 107 to be sure of others
MOST_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True)
class Question:
    """A statistic with inputs that were checked, and for whom."""

    process: str
    inputs: Mapping[str, Any]
    principal: Principal
    form: str

    def line(self) -> bytes:
        who = self.principal
        return b"%s\n" % orjson.dumps(
            {
                "process": self.process,
                "inputs": self.inputs,
                "who": {"name": who.name, "tier": who.tier, "jurisdictions": list(who.jurisdictions)},
                "form": self.form,
            }
        )

    @classmethod
    def of(cls, line: bytes) -> Question:
        """What `line` wrote."""
        found = orjson.loads(line)
        who = found["who"]
        principal = Principal(who["name"], who["tier"], tuple(who["jurisdictions"]))
        return cls(found["process"], found["inputs"], principal, found["form"])


@dataclass(frozen=True)
class Reply:
    """An answer in the form that was asked for."""

    media_type: str
    body: bytes


@contextmanager
def address(data_dir: Path) -> Iterator[str]:
    """Where the geoprocessor listens; by way of an open folder where the path is too long for a socket."""
    folder = data_dir / "run"
    path = str(folder / SOCKET)
    if len(path.encode()) <= LONGEST_PATH:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


async def ask(data_dir: Path, question: Question, seconds: float) -> Reply:
    """The answer; TimeoutError after so many seconds, EngineAway where nobody listens, or its own refusal."""
    try:
        async with asyncio.timeout(seconds):
            with address(data_dir) as path:
                reader, writer = await asyncio.open_unix_connection(path, limit=MOST_BYTES)
            try:
                writer.write(question.line())
                await writer.drain()
                return _reply(await reader.readline(), await reader.read())
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError) as err:
        if isinstance(err, TimeoutError):
            raise
        raise EngineAway from err


def ask_and_wait(data_dir: Path, question: Question, seconds: float) -> Reply:
    """The same for those who may block."""
    try:
        with address(data_dir) as path, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(path)
            connection.sendall(question.line())
            with connection.makefile("rb") as answer:
                return _reply(answer.readline(), answer.read())
    except TimeoutError:
        raise
    except OSError as err:
        raise EngineAway from err


def _reply(line: bytes, body: bytes) -> Reply:
    if not line.endswith(b"\n"):
        raise EngineAway
    head = orjson.loads(line)
    if "error" in head:
        raise again(head["error"])
    if len(body) != head["length"]:
        raise EngineAway  # it died while it wrote
    return Reply(head["media_type"], body)


def written(reply: Reply) -> bytes:
    """An answer as it goes over the socket."""
    head = orjson.dumps({"media_type": reply.media_type, "length": len(reply.body)})
    return b"%s\n%s" % (head, reply.body)


def refusal(error: GisError) -> bytes:
    """A refusal as it goes over the socket."""
    return b"%s\n" % orjson.dumps({"error": kept(error)})
