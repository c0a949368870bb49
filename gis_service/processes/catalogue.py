"""Every process that there is, by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gis_service.processes import overlap_process
from gis_service.processes.statistics import STATISTICS


@dataclass(frozen=True)
class Entry:
    """What the web asks of a process: its description, a check of inputs, and who answers."""

    metadata: Callable[[], dict[str, Any]]
    check: Callable[[object], Mapping[str, Any]]
    resident: bool
    output: str


PROCESSES: Final[Mapping[str, Entry]] = {
    overlap_process.ID: Entry(overlap_process.metadata, overlap_process.check, False, "report"),
    **{
        name: Entry(each.metadata, each.check, each.resident, each.output)
        for name, each in STATISTICS.items()
    },
}
