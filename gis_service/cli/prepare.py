"""Bring a database up to the code: schema, jobs, and the wall of roles."""

from gis_service.access import wall
from gis_service.catalog.registry import load_catalog
from gis_service.db.migrate import migrate
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings


def prepare_database(settings: Settings, dsn: str) -> list[str]:
    """Migrate and raise the wall of the layer files; gives the migrations that were new. Safe to repeat."""
    applied = migrate(dsn)
    with SyncDatabase(dsn) as database:
        wall.apply(database, load_catalog(settings.root).layers.values())
    return applied
