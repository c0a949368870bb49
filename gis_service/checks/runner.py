"""The one entry point: candidates and what is known of their surroundings in, findings out."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.checks.candidate import Candidate, Finding
from gis_service.checks.context import Context
from gis_service.checks.registry import rules_of
from gis_service.checks.row import Row
from gis_service.checks.scene import Scene


def run(candidates: Sequence[Candidate], context: Context) -> list[tuple[Finding, ...]]:
    """What is found in each candidate, in their order; nothing in one that removes its row.

    Pure: reads no database, file or clock. Candidates are held against each other too, so those of one
    submission belong in one call; they may be of several layers.
    """
    scene = Scene(candidates, context)
    return [_findings(row, scene) for row in scene.rows]


def _findings(row: Row, scene: Scene) -> tuple[Finding, ...]:
    if row.candidate.operation == "delete":
        return ()
    return tuple(found for rule in rules_of(row.layer) for found in rule.findings(row, scene))
