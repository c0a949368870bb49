"""Tilesets of collections, the grids that they stand on, and TileJSON."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service import links as media
from gis_service.errors import NotFound
from gis_service.features import documents
from gis_service.features.refusal import refusal
from gis_service.texts import say
from gis_service.tiles import address, grids
from gis_service.tiles.tilejson import tilejson as tilejson_document
from gis_service.web import pages, releases, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route


async def tilejson(context: Context, request: Request, taken: Sequence[str]) -> Response:
    ids = address.layer_ids(taken[0])
    views = [await releases.viewed(context, request, name, request.parameters) for name in ids]
    stats = await context.stats.of(views)
    boxes = [stats[view.id].bbox if view.id in stats else None for view in views]
    credit = [documents.attribution(view, stats.get(view.id), request.lang) for view in views]
    return render.json(request, tilejson_document(views, boxes, credit, request.links, request.lang))


async def tilesets(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = await releases.viewed(context, request, taken[0], request.parameters)
    made = grids.tileset_list(view, request.links, request.lang)
    return render.document(
        request, made, media.JSON, lambda frame: pages.document(frame, made, view.title.say(request.lang))
    )


async def tileset(context: Context, request: Request, taken: Sequence[str]) -> Response:
    check_grid(taken[1])
    view = await releases.viewed(context, request, taken[0], request.parameters)
    stats = (await context.stats.of([view])).get(view.id)
    made = grids.tileset(view, stats.bbox if stats else None, request.links, request.lang)
    return render.document(
        request, made, media.JSON, lambda frame: pages.document(frame, made, view.title.say(request.lang))
    )


async def grid_list(_context: Context, request: Request, _: Sequence[str]) -> Response:
    made = grids.grid_list(request.links, request.lang)
    heading = say("web.grids", request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def grid(_context: Context, request: Request, taken: Sequence[str]) -> Response:
    check_grid(taken[0])
    made = grids.grid(request.lang)
    heading = say("web.grid-title", request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


def check_grid(name: str) -> None:
    if name != grids.GRID:
        raise refusal(NotFound, "web.no-grid", id=name[:100])


def routes() -> list[Route]:
    return [
        route("tileset", "/collections/{}/tiles/{}", tileset, parameters=releases.PARAMETERS),
        route("tilesets", "/collections/{}/tiles", tilesets, parameters=releases.PARAMETERS),
        route("tilejson", "/xyz/{}/tilejson.json", tilejson, parameters=releases.PARAMETERS),
        route("grids", "/tileMatrixSets", grid_list, kept=True),
        route("grid", "/tileMatrixSets/{}", grid, kept=True),
    ]
