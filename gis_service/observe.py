"""Log events with fields, and the numbers behind /metrics."""

import logging
import sys
import threading
from bisect import bisect_left
from collections import defaultdict

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Labels = tuple[tuple[str, str], ...]
# These warn at every request or start of how they are used, which no operator can change.
TALKATIVE = ("pygeoapi", "procrastinate.blueprints")


class Log:
    """A named log whose events carry fields: `log.info("tile", layer=id, z=z, ms=3.1)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        """Log for whoever debugs; dropped unless asked for."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log something that went as it should."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log something that a person should look at some day."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, cause: BaseException | None = None, **fields: object) -> None:
        """Log a fault, with its traceback when the cause is given."""
        self._write(logging.ERROR, event, fields, cause)

    def _write(
        self, level: int, event: str, fields: dict[str, object], cause: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            words = [event, *(f"{name}={_quoted(value)}" for name, value in fields.items())]
            self._logger.log(level, "%s", " ".join(words), exc_info=cause)


def _quoted(value: object) -> str:
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return repr(text) if not text or any(c in " \"'=\n\r" for c in text) else text


def log_to_stderr(level: str = "info") -> None:
    """Send all events of this process to standard error, one a line."""
    shape = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format=shape, force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else logging.ERROR)


class Metrics:
    """Counters and duration histograms of one process, rendered as Prometheus text."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Labels], float] = defaultdict(float)
        self._times: dict[tuple[str, Labels], list[float]] = {}

    def count(self, name: str, by: float = 1, /, **labels: str) -> None:
        """Raise a counter."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += by

    def time(self, name: str, seconds: float, /, **labels: str) -> None:
        """Add one duration to a histogram."""
        key = name, tuple(sorted(labels.items()))
        with self._lock:
            row = self._times.setdefault(key, [0.0] * (len(BUCKETS) + 2))
            row[bisect_left(BUCKETS, seconds)] += 1
            row[-1] += seconds

    def render(self) -> str:
        """Give everything in Prometheus' text format."""
        with self._lock:
            counts = sorted(self._counts.items())
            times = sorted((key, list(row)) for key, row in self._times.items())
        lines = [f"{name}{_braces(labels)} {value:g}" for (name, labels), value in counts]
        for (name, labels), row in times:
            lines += _histogram(name, labels, row)
        return "\n".join(lines) + "\n"


def _histogram(name: str, labels: Labels, row: list[float]) -> list[str]:
    lines, total = [], 0.0
    for bound, number in zip((*BUCKETS, "+Inf"), row[:-1], strict=True):
        total += number
        lines.append(f"{name}_bucket{_braces((*labels, ('le', str(bound))))} {total:g}")
    return [*lines, f"{name}_sum{_braces(labels)} {row[-1]:.6f}", f"{name}_count{_braces(labels)} {total:g}"]


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
