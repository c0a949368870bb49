"""Whether the release that a request asks for has been opened."""

from __future__ import annotations

from gis_service.catalog.view import ViewedLayer
from gis_service.db.query import Query
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.web.context import Context

_LATEST = "select coalesce(max(release), 0) from gis.release"


async def check(context: Context, view: ViewedLayer) -> None:
    """NotFound for a release that hasn't been opened."""
    if view.release is None:
        return
    latest = (await context.database.run(Query(_LATEST, (), view.role)))[0][0]
    if view.release > latest:
        raise refusal(NotFound, "web.no-such-release", value=view.release)
