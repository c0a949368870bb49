"""Automatic checks of rows before a person reviews them: `run(candidates, context)`."""

from gis_service.checks.candidate import Before, Candidate, Finding
from gis_service.checks.context import Context
from gis_service.checks.runner import run

__all__ = ["Before", "Candidate", "Context", "Finding", "run"]
