"""The targets for servers: `gis_service.web.main:app` (RSGI) and `gis_service.web.main:asgi`."""

from __future__ import annotations

import os
from pathlib import Path

from gis_service.db.cluster import Cluster
from gis_service.observe import log_to_stderr
from gis_service.settings import Settings, load_settings
from gis_service.web import asgi as asgi_server
from gis_service.web import rsgi as rsgi_server


def configure() -> tuple[Settings, str]:
    """The settings of this process and the address of its database."""
    root = Path(os.environ.get("GIS_ROOT") or Path(__file__).parents[2])
    settings = load_settings(root, os.environ)
    log_to_stderr(settings.log_level)
    return settings, settings.database_url or Cluster(settings.data_dir).dsn()


app = rsgi_server.App(configure)
asgi = asgi_server.App(configure)
