"""Schema, queryables and sortables of a collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gis_service import links as media
from gis_service.access import rights
from gis_service.catalog.view import ViewedLayer
from gis_service.changes.propose import columns
from gis_service.features import schemas
from gis_service.links import Links
from gis_service.web import render, schema_page
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Handler, Route, route


def _handler(kind: str, make: Callable[[ViewedLayer, Links, str], schemas.Member]) -> Handler:
    async def handler(context: Context, request: Request, taken: Sequence[str]) -> Response:
        view = context.view(request, taken[0])
        made = make(view, request.links, request.lang)
        return render.document(
            request, made, media.SCHEMA, lambda frame: schema_page.page(frame, view, made, kind)
        )

    return handler


async def _schema(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The schema, which tells who may edit the layer what may be sent."""
    view = context.view(request, taken[0])
    writable = columns(view) if rights.may_edit_layer(request.principal, view.layer) else ()

    def make(view: ViewedLayer, links: Links, lang: str) -> schemas.Member:
        return schemas.schema(view, links, lang, tuple(writable))

    return await _handler(schema_page.SCHEMA, make)(context, request, taken)


def routes() -> list[Route]:
    made = (
        ("queryables", "queryables", schema_page.QUERYABLES, schemas.queryables),
        ("sortables", "sortables", schema_page.SORTABLES, schemas.sortables),
        ("feature-schema", "schema/geojson", schema_page.SCHEMA, schemas.feature),
    )
    return [
        route("schema", "/collections/{}/schema", _schema, kept=True),
        *(
            route(name, f"/collections/{{}}/{path}", _handler(kind, make), kept=True)
            for name, path, kind, make in made
        ),
    ]
