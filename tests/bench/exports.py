"""Exports of two million points by our server: rows a second, and the memory of all that serves them."""

import http.client
import threading
import time
from dataclasses import dataclass

from tests.bench import processes
from tests.bench.processes import Server
from tests.bench.targets import Target

LAYER = "occurrences"
FORMS = {"export-fgb": "fgb", "export-parquet": "parquet", "export-geojson": "json", "export-csv": "csv"}
NAMES = tuple(FORMS)
PART = 1 << 18
SAMPLE_S = 0.25


@dataclass(frozen=True)
class Export:
    """One export: the collection's rows, the seconds to its last byte, the most memory seen meanwhile."""

    name: str
    rows: int
    bytes: int
    seconds: float
    most_mb: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds

    def line(self) -> str:
        """A line for people."""
        return (
            f"\n{self.name}: {self.rows:,} rows, {self.bytes / 1e6:,.0f} MB in {self.seconds:.1f} s"
            f" = {self.rate:,.0f} rows/s; web workers and their helpers at most {self.most_mb:.0f} MB"
        )


class Scale:
    """Weighs the processes below a server again and again while a block lasts."""

    def __init__(self, server: Server) -> None:
        self.most_mb = 0.0
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)

    def __enter__(self) -> "Scale":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _weigh(self) -> None:
        while not self._over.wait(SAMPLE_S):
            self.most_mb = max(self.most_mb, processes.weigh(self._server).workers_mb)


def measure(ours: Target, name: str, rows: int) -> Export:
    """Export every one of so many rows once."""
    assert ours.server is not None, "the bench starts ours"
    with Scale(ours.server) as scale:
        begun = time.perf_counter()
        size = drained(ours, f"/collections/{LAYER}/export?f={FORMS[name]}")
        seconds = time.perf_counter() - begun
    return Export(name, rows, size, seconds, scale.most_mb)


def drained(ours: Target, path: str) -> int:
    """Bytes of an answer that is read to its end; a broken one raises."""
    connection = http.client.HTTPConnection(ours.host, ours.port, timeout=120)
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status != 200:
        raise processes.BenchFault(f"{path}: {answer.status} {answer.read(500)!r}")
    size = 0
    while part := answer.read(PART):
        size += len(part)
    return size
