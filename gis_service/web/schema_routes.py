"""Schema, queryables and sortables of a collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.features import schemas
from gis_service.links import Links
from gis_service.web import pages, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Handler, Route, route


def _handler(make: Callable[[ViewedLayer, Links, str], schemas.Member]) -> Handler:
    async def handler(context: Context, request: Request, taken: Sequence[str]) -> Response:
        made = make(context.view(request, taken[0]), request.links, request.lang)
        return render.document(
            request, made, media.SCHEMA, lambda frame: pages.document(frame, made, str(made["title"]))
        )

    return handler


def routes() -> list[Route]:
    return [
        route("queryables", "/collections/{}/queryables", _handler(schemas.queryables), kept=True),
        route("sortables", "/collections/{}/sortables", _handler(schemas.sortables), kept=True),
        route("schema", "/collections/{}/schema", _handler(schemas.schema), kept=True),
    ]
