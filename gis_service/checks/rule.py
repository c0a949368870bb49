"""What a rule is: a name, a level, a source and a small function that yields what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gis_service.checks.candidate import Finding, Level, LonLat
from gis_service.checks.row import Row
from gis_service.checks.scene import Scene

# Where rules come from.
MANUAL: Final = "WDPA user manual (domain 3.1)"
QA: Final = "WDPA quality rules {} (domain 3.1, S33)"
CODES: Final = "IUCN range codes (domain 3.2)"
DARWIN_CORE: Final = "Darwin Core (domain 3.2)"
NATIONAL: Final = "national extension (domain 3.1, 3.4)"
OURS: Final = "ours"


@dataclass(frozen=True)
class Hit:
    """One thing found, before the rule has put its name on it."""

    column: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    place: LonLat | None = None


Check = Callable[[Row, Scene], Iterator[Hit]]


@dataclass(frozen=True)
class Rule:
    """One rule. Its sentence is `check.<id>` of the catalogue, its sense the function's docstring."""

    id: str
    level: Level
    source: str
    check: Check

    @property
    def about(self) -> str:
        """What is found, in one sentence."""
        return " ".join((self.check.__doc__ or "").split())

    def findings(self, row: Row, scene: Scene) -> Iterator[Finding]:
        for hit in self.check(row, scene):
            yield Finding(self.id, self.level, hit.column, hit.values, hit.place)
