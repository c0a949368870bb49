"""Progress for people: a line a step with the time it took, a bar where the step knows how far it is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 24
REDRAW_SECONDS = 0.1


class Bar:
    """One step in progress; draws itself only on a terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        self._drawn = 0.0
        self._live = sys.stderr.isatty()

    def show(self, share: float, what: str = "") -> None:
        """Draw how far the step is (0 to 1) and what it works on."""
        now = time.monotonic()
        if not self._live or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        full = round(WIDTH * min(max(share, 0.0), 1.0))
        bar = "█" * full + "░" * (WIDTH - full)
        sys.stderr.write(f"\r\033[K  {self._title} {bar} {share:4.0%} {what[:40]}")
        sys.stderr.flush()

    def count(self, what: str, done: int, total: int | None) -> None:
        """Draw how many of a known or unknown number of things are done."""
        self.show(done / total if total else 0.0, f"{what} {done}")

    def close(self, mark: str) -> None:
        """Leave the step's one line behind."""
        wipe = "\r\033[K" if self._live else ""
        sys.stderr.write(f"{wipe}{mark} {self._title} ({time.monotonic() - self._started:.1f} s)\n")
        sys.stderr.flush()


class Steps:
    """Announces steps one after the other."""

    @contextmanager
    def step(self, title: str) -> Iterator[Bar]:
        """Say that a step begins, and how it ended."""
        bar = Bar(title)
        if sys.stderr.isatty():
            bar.show(0.0)
        else:
            sys.stderr.write(f"… {title}\n")
            sys.stderr.flush()
        try:
            yield bar
        except BaseException:
            bar.close("✗")
            raise
        bar.close("✓")
