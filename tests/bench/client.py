"""A lean HTTP/1.1 load client: keep-alive connections, no header objects, no retries.

It costs 20–40 µs a request on one core (`./gis bench` measures it against nginx's static file and
prints it), so figures above some 10,000 requests a second say more about the client than the server.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

TIMEOUT_S = 60.0
KEPT_ANSWERS = 24  # per cell and round, for the comparison after the clock has stopped
KEPT_BYTES = 48_000_000


@dataclass(frozen=True)
class Answer:
    """One response; `failed` is the connection's fault in words, with status 0."""

    status: int
    head: bytes = b""
    body: bytes = b""
    failed: str = ""

    def header(self, name: str) -> str:
        """The value of a header, empty where the response has none."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return ""


@dataclass
class Tally:
    """What one cell saw: latencies in ms in the order of completion, bytes of the bodies, errors."""

    latencies_ms: list[float] = field(default_factory=list)
    body_bytes: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0
    kept: dict[int, Answer] = field(default_factory=dict)
    kept_bytes: int = 0
    most_bytes: int = 0  # of one body

    def add(self, number: int, answer: Answer, took_ms: float) -> None:
        """Count one answer; the first ones, by their number in the request stream, are kept whole."""
        if not (200 <= answer.status < 300 or answer.status == 304):
            reason = answer.failed or f"status {answer.status}"
            self.errors[reason] = self.errors.get(reason, 0) + 1
        self.latencies_ms.append(took_ms)
        self.body_bytes += len(answer.body)
        self.most_bytes = max(self.most_bytes, len(answer.body))
        if number < KEPT_ANSWERS and self.kept_bytes < KEPT_BYTES:
            self.kept[number] = answer
            self.kept_bytes += len(answer.body)


class Wire(asyncio.Protocol):
    """One keep-alive connection that has at most one request under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.waiting is None or self.waiting.done():
            return
        answer = whole_answer(self.buffer)
        if answer is not None:
            self.buffer.clear()
            self.waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(Answer(0, failed="connection closed"))

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        """The future of the answer; the connection must be open and idle."""
        assert self.transport is not None, "the caller opens the connection"
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.waiting


def whole_answer(buffer: bytearray) -> Answer | None:
    """The response that the buffer holds, or None while a part is missing."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end])
    status, low, start = int(head[9:12]), head.lower(), end + 4
    if status in (204, 304):
        return Answer(status, head)
    at = low.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(low[at + 17 :].split(b"\r\n", 1)[0])
        return (
            Answer(status, head, bytes(buffer[start : start + length]))
            if len(buffer) >= start + length
            else None
        )
    if b"\r\ntransfer-encoding: chunked" not in low:
        return Answer(0, head, failed="neither a length nor chunks")
    if not buffer.endswith(b"0\r\n\r\n"):
        return None
    body = joined_chunks(buffer, start)
    return None if body is None else Answer(status, head, body)


def joined_chunks(buffer: bytearray, at: int) -> bytes | None:
    """The body of a chunked response from offset `at`, or None while its last chunk is missing."""
    parts: list[bytes] = []
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = int(bytes(buffer[at:line_end]).split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        start = line_end + 2
        if len(buffer) < start + size + 2:
            return None
        parts.append(bytes(buffer[start : start + size]))
        at = start + size + 2


@dataclass
class Stream:
    """The numbered requests of a cell, shared by its clients so that none asks what another asked."""

    requests: Iterator[bytes]
    number: int = -1

    def take(self) -> tuple[int, bytes] | None:
        """The next request and its number; None when there are no more."""
        request = next(self.requests, None)
        if request is None:
            return None
        self.number += 1
        return self.number, request


async def one_client(host: str, port: int, stream: Stream, tally: Tally, stop_at: float) -> None:
    """Ask, wait for the answer, ask again, until the time is up or the stream ends."""
    loop = asyncio.get_running_loop()
    wire: Wire | None = None
    while time.perf_counter() < stop_at:
        taken = stream.take()
        if taken is None:
            break
        if wire is None or wire.transport is None:
            _, wire = await loop.create_connection(Wire, host, port)
        begun = time.perf_counter_ns()
        answer = await patiently(wire, taken[1])
        tally.add(taken[0], answer, (time.perf_counter_ns() - begun) / 1e6)
    if wire is not None and wire.transport is not None:
        wire.transport.close()


async def patiently(wire: Wire, request: bytes) -> Answer:
    """The answer, or after TIMEOUT_S an answer that says so; the late connection is closed."""
    future = wire.send(request)
    loop = asyncio.get_running_loop()

    def give_up() -> None:
        if not future.done():
            future.set_result(Answer(0, failed=f"no answer in {TIMEOUT_S:.0f} s"))
            if wire.transport is not None:
                wire.transport.abort()
                wire.transport = None

    timer = loop.call_later(TIMEOUT_S, give_up)
    answer = await future
    timer.cancel()
    return answer


async def cell(host: str, port: int, requests: Iterator[bytes], clients: int, seconds: float) -> Tally:
    tally, stream = Tally(), Stream(requests)
    begun = time.perf_counter()
    await asyncio.gather(*(one_client(host, port, stream, tally, begun + seconds) for _ in range(clients)))
    tally.elapsed_s = time.perf_counter() - begun
    return tally


def run_cell(host: str, port: int, requests: Iterator[bytes], clients: int, seconds: float) -> Tally:
    """Send the requests with so many clients for so long; what is under way at the end is waited for."""
    if clients == 1:
        return alone(host, port, requests, seconds)
    return uvloop.run(cell(host, port, requests, clients, seconds))


def alone(host: str, port: int, requests: Iterator[bytes], seconds: float) -> Tally:
    """One client by a blocking socket: an event loop would add its own wake-ups to each latency."""
    tally = Tally()
    begun = time.perf_counter()
    with contextlib.ExitStack() as held:
        connection: socket.socket | None = None
        for number, request in enumerate(requests):
            if time.perf_counter() >= begun + seconds:
                break
            connection = connection or held.enter_context(connected(host, port))
            asked = time.perf_counter_ns()
            answer = exchanged(connection, request)
            tally.add(number, answer, (time.perf_counter_ns() - asked) / 1e6)
            if answer.failed or answer.header("connection").lower() == "close":
                connection = None
    tally.elapsed_s = time.perf_counter() - begun
    return tally


def connected(host: str, port: int) -> socket.socket:
    made = socket.create_connection((host, port), TIMEOUT_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def exchanged(connection: socket.socket, request: bytes) -> Answer:
    """The answer to a request, or what was wrong with the connection."""
    buffer = bytearray()
    try:
        connection.sendall(request)
        while (answer := whole_answer(buffer)) is None:
            part = connection.recv(1 << 20)
            if not part:
                return Answer(0, failed="connection closed")
            buffer += part
    except TimeoutError:
        return Answer(0, failed=f"no answer in {TIMEOUT_S:.0f} s")
    except OSError as err:
        return Answer(0, failed=str(err))
    return answer


def ask_once(host: str, port: int, request: bytes) -> Answer:
    """One request on a connection of its own; OSError where nobody listens."""
    tally = run_cell(host, port, iter([request]), 1, TIMEOUT_S)
    return tally.kept[0]
