"""How long a computation may take, and whom it tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gis_service.errors import Timeout


def _silent(_percent: int, _step: str) -> None:
    """Nobody is told."""


def _blind() -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Budget:
    """Seconds from now on; `tell` hears percent and step; it and `look`, called often, may raise to stop."""

    seconds: float = 120.0
    tell: Callable[[int, str], None] = _silent
    look: Callable[[], None] = _blind
    started: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Timeout once the time is used up."""
        if time.monotonic() - self.started > self.seconds:
            raise Timeout(seconds=self.seconds)
        self.look()

    def reach(self, percent: int, step: str) -> None:
        """Tell a step that begins; Timeout where there is no time for it."""
        self.check()
        self.tell(percent, step)
