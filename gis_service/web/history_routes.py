"""The history of one feature: which releases changed it, and what of it the reader sees."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service import links as media
from gis_service.access import policy
from gis_service.catalog.view import ViewedLayer
from gis_service.db import release_sql
from gis_service.errors import NotFound
from gis_service.features import history
from gis_service.features.history import Step
from gis_service.features.query import feature_id
from gis_service.features.refusal import refusal, refuse
from gis_service.web import history_page, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route


async def read(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """What happened to a feature, the newest first; withdrawn features have their history too."""
    view, name = await context.current_view(request, taken[0]), taken[1]
    if not view.layer.managed:
        raise refuse("web.no-releases", layer=view.id)
    found, whole = await steps(context, view, name)
    if not found:
        raise refusal(NotFound, "web.no-feature", layer=view.id, id=name[:200])
    named = await _named(context, request, found)
    made = history.document(view, name, found, named, whole, request.links, request.lang)
    return render.document(request, made, media.JSON, lambda frame: history_page.page(frame, made, view))


async def steps(context: Context, view: ViewedLayer, name: str) -> tuple[list[Step], bool]:
    """What happened to a feature, and whether that is all; none where the reader never saw it."""
    identity = feature_id(view, name)
    if identity is None:
        return [], True
    rows = await context.database.run(release_sql.versions(view, identity, history.MOST + 1))
    whole = len(rows) <= history.MOST
    made = history.steps(history.versions([(row[0], row[1], row[2], row[3]) for row in rows]))
    return (made if whole else made[:-1]), whole  # the oldest of those read isn't known to be new


async def _named(context: Context, request: Request, found: Sequence[Step]) -> history.Named:
    role = policy.class_role(request.principal)
    rows = await context.database.run(release_sql.named(role, sorted({each.release for each in found})))
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def routes() -> list[Route]:
    return [route("history", "/collections/{}/items/{}/history", read)]
