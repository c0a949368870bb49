"""Landing page, conformance, API definition, map page, static files, health, readiness, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from gis_service import links as media
from gis_service.db.query import Query
from gis_service.errors import GisError, NotFound
from gis_service.features import documents
from gis_service.features.refusal import refusal, refuse
from gis_service.texts import say
from gis_service.web import conformance_page, openapi, pages, problems, raster_routes, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route
from gis_service.web.static import media_type

_MIGRATED = Query(
    "select to_regclass('gis.layer_version') is not null and to_regclass('gis.plot') is not null"
)
_MAP_PARAMETERS = ("layers", "panel", "lang", "f", "style", "bbox")


async def landing(context: Context, request: Request, _: Sequence[str]) -> Response:
    made = documents.landing(request.links, request.lang)
    listed = documents.collections(
        context.views(request).values(),
        {},
        request.links,
        request.lang,
        more=raster_routes.undescribed(context, request),
    )["collections"]
    return render.document(request, made, media.JSON, lambda frame: pages.landing(frame, made, listed))  # type: ignore[arg-type]  # the list that documents.collections made


async def conformance(_context: Context, request: Request, _: Sequence[str]) -> Response:
    made = documents.conformance(request.links, request.lang)
    return render.document(request, made, media.JSON, lambda frame: conformance_page.page(frame, made))


async def api(context: Context, request: Request, _: Sequence[str]) -> Response:
    views = context.views(request).values()
    made = openapi.definition(views, context.settings.limits, request.links, request.lang)
    heading = say("web.api", request.lang)
    return render.document(
        request, made, media.OPENAPI, lambda frame: pages.document(frame, made, heading, "api")
    )


async def map_page(_context: Context, request: Request, _: Sequence[str]) -> Response:
    for name in request.parameters:
        if name not in _MAP_PARAMETERS:
            raise refuse("web.unknown-parameter", name=name)
    panel = request.parameters.get("panel") != "0"
    return render.html(request, pages.map_page(render.frame(request), panel), embedded=not panel)


async def static(context: Context, _request: Request, taken: Sequence[str]) -> Response:
    """One of the files found at start."""
    found = context.static.get(taken[0])
    if found is None:
        raise refusal(NotFound, "web.no-page")
    path, caching = found
    body = await asyncio.to_thread(path.read_bytes)
    headers = (("content-type", media_type(path)), ("cache-control", caching), ("vary", "Accept-Encoding"))
    return Response(200, headers, body)


async def health(_context: Context, _request: Request, _: Sequence[str]) -> Response:
    """The process answers; nothing else is asked."""
    return _state({"status": "ok"}, 200)


async def ready(context: Context, request: Request, _: Sequence[str]) -> Response:
    """200 when features can be served, else 503 with the reason."""
    try:
        rows = await context.database.run(_MIGRATED)
    except GisError as err:
        return _state({"status": "unavailable", "reason": problems.detail(err, request.lang)}, 503)
    if not rows[0][0]:
        return _state({"status": "unavailable", "reason": say("web.not-migrated", request.lang)}, 503)
    return _state({"status": "ready"}, 200)


async def metrics(context: Context, _request: Request, _: Sequence[str]) -> Response:
    """What this web process has counted, as Prometheus text."""
    headers = (("content-type", "text/plain; version=0.0.4; charset=utf-8"), ("cache-control", "no-store"))
    return Response(200, headers, context.metrics.render().encode())


def _state(made: dict[str, str], status: int) -> Response:
    headers = (("content-type", media.JSON), ("cache-control", "no-store"))
    return Response(status, headers, orjson.dumps(made))


def routes() -> list[Route]:
    return [
        route("landing", "/", landing, kept=True),
        route("conformance", "/conformance", conformance, kept=True),
        route("api", "/api", api, kept=True),
        route("map", "/map", map_page, kept=True, parameters=None),
        route("static", "/static/{*}", static, parameters=None),
        route("health", "/health", health, parameters=None),
        route("ready", "/ready", ready, parameters=None),
        route("metrics", "/metrics", metrics, parameters=None),
    ]
