"""The list of styles and each as a MapLibre style."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service import links as media
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.texts import say
from gis_service.tiles import styles
from gis_service.web import pages, releases, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route


async def style_list(context: Context, request: Request, _: Sequence[str]) -> Response:
    made = styles.style_list(context.catalog.styles, context.views(request).keys(), request.links)
    heading = say("web.styles", request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def style(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A MapLibre style with absolute addresses (row V2)."""
    name, seen = taken[0].removesuffix(".json"), context.views(request)
    document = context.catalog.styles.get(name)
    if document is None or not styles.visible(document, seen.keys()):
        raise refusal(NotFound, "web.no-style", id=name[:100])
    release = await releases.asked(context, request, seen.values())
    return render.json(request, styles.style(document, seen, request.links, release), media.STYLE)


def routes() -> list[Route]:
    return [
        route("styles", "/styles", style_list, kept=True),
        route("style", "/styles/{}", style, kept=True, parameters=releases.PARAMETERS),
    ]
