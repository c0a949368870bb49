"""Whether the release that a request asks for is one that its caller may know of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gis_service.access import policy
from gis_service.catalog.view import ViewedLayer
from gis_service.db import release_sql
from gis_service.errors import NotFound
from gis_service.features.query import parse_release
from gis_service.features.refusal import refusal
from gis_service.web.context import Context
from gis_service.web.message import Request
from gis_service.web.router import PLAIN

PARAMETERS = (*PLAIN, "release")


async def viewed(context: Context, request: Request, layer: str, given: Mapping[str, str]) -> ViewedLayer:
    """The layer as the caller sees it today, its rows as they stood after the release that it asks for."""
    view = await context.current_view(request, layer)
    release = parse_release(view, given)
    if release is None:
        return view
    await require(context, request, release)
    return view.at_release(release)


async def asked(context: Context, request: Request, views: Iterable[ViewedLayer]) -> int | None:
    """The release that is asked of many layers together, of which some may have none."""
    any_view = next((view for view in views if view.layer.managed), None)
    release = parse_release(any_view, request.parameters) if any_view else None
    if release is not None:
        await require(context, request, release)
    return release


async def check(context: Context, request: Request, view: ViewedLayer) -> None:
    """NotFound for a release beyond the newest that changed something that the caller's class sees."""
    if view.release is not None:
        await require(context, request, view.release)


async def require(context: Context, request: Request, release: int) -> None:
    """The same of a number. Releases stay, so the newest known is asked for again only for a newer one."""
    role = policy.class_role(request.principal)
    if release <= context.known_releases.get(role, 0):
        return
    newest = int((await context.database.run(release_sql.latest(role)))[0][0])
    context.known_releases[role] = newest
    if release > newest:
        raise refusal(NotFound, "web.no-such-release", value=release)
