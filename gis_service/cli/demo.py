"""The demo data of a first start."""

from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context


def load_demo_once(context: Context, dsn: str, steps: Steps) -> None:
    """Load the demo unless this database has it."""
