"""Tiles, TileJSON, tilesets, grids and styles."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import groupby

from gis_service import __version__
from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.db import tilesql
from gis_service.errors import NotFound
from gis_service.features import documents
from gis_service.features.refusal import refusal
from gis_service.geo.tiles import Tile
from gis_service.texts import say
from gis_service.tiles import address, grids, styles
from gis_service.tiles.tilejson import tilejson as tilejson_document
from gis_service.web import finish, pages, params, releases, render
from gis_service.web.context import Context
from gis_service.web.finish import CREDENTIALS
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route

TILE_CACHING = "public, max-age=60, must-revalidate"
_TILE_HEADERS = (("content-type", media.MVT), ("cache-control", TILE_CACHING), ("vary", CREDENTIALS))
_EMPTY = Response(204, _TILE_HEADERS[1:])
_RELEASE = "release="  # in a query: what else stands there is left alone


def asked_tile(path: str) -> tuple[str, str, str, str] | None:
    """Layers, z, x and y of `/xyz/{layers}/{z}/{x}/{y}.mvt`, parsed before any routing; None for the rest."""
    if not path.startswith("/xyz/") or not path.endswith(".mvt"):
        return None
    parts = path[5:-4].split("/")
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 4 else None


async def xyz_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    return await _tile(context, request, address.layer_ids(taken[0]), _place(*taken[1:]))


async def ogc_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The same tile in the order of OGC API Tiles: matrix, row, column."""
    _check_grid(taken[1])
    return await _tile(context, request, [taken[0]], _place(taken[2], taken[4], taken[3]))


def _place(z: str, x: str, y: str) -> Tile:
    try:
        return address.tile(z, x, y)
    except NotFound as err:
        raise refusal(NotFound, "web.no-tile", reason=err.detail[:200]) from err


async def _tile(context: Context, request: Request, ids: Sequence[str], tile: Tile) -> Response:
    """One tile of the layers that are drawn at its zoom; 204 where it's empty (row M4)."""
    if _RELEASE in request.query:
        given = request.parameters or params.parse(request.query)
        if "release" in given:
            return await _past_tile(context, request, ids, tile, given)
    views = address.drawn_at([context.view(request, name) for name in ids], tile.z)
    body = await _read(context, views, tile)
    return Response(200, _TILE_HEADERS, body) if body else _EMPTY


async def _past_tile(
    context: Context, request: Request, ids: Sequence[str], tile: Tile, given: Mapping[str, str]
) -> Response:
    """A tile of a past release. It changes with rights and definitions alone, so no row is read for its ETag.

    Nor may it be kept unasked for longer than one of the present: the rights of today close the past.
    """
    views = [await releases.viewed(context, request, name, given) for name in ids]
    views = address.drawn_at(views, tile.z)
    tag = _tag(views, tile)
    if (held := finish.held(request.header("if-none-match") or "", tag)) is not None:
        return Response(304, (*_TILE_HEADERS[1:], ("etag", held)))
    body = await _read(context, views, tile)
    return Response(200, (*_TILE_HEADERS, ("etag", tag)), body) if body else _EMPTY


def _tag(views: Sequence[ViewedLayer], tile: Tile) -> str:
    """Of the rights are those that were read before the rows: newer rows are only asked for once more."""
    known = [__version__, *(view.digest for view in views), f"{tile.z}/{tile.x}/{tile.y}"]
    return f'"{hashlib.sha256("|".join(known).encode()).hexdigest()[:24]}"'


async def _read(context: Context, views: Sequence[ViewedLayer], tile: Tile) -> bytes:
    body = b""
    # A statement reads as one role; a caller can see some layers as a jurisdiction, some as the public.
    for _, alike in groupby(views, key=lambda view: view.role):
        statement = _statement(context, list(alike), tile.z)
        body += (await context.tile_database.run(statement.at(tile)))[0][0]
    return body


def _statement(context: Context, views: Sequence[ViewedLayer], zoom: int) -> tilesql.TileStatement:
    """The statement of these views at a zoom, composed once so that the database prepares it once."""
    key = (str(zoom), *(view.digest for view in views))
    made = context.tile_statements.get(key)
    if made is None:
        made = tilesql.compose(views, zoom)
        context.tile_statements.put(key, made)
    return made


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
    _check_grid(taken[1])
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
    _check_grid(taken[0])
    made = grids.grid(request.lang)
    heading = say("web.grid-title", request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


def _check_grid(name: str) -> None:
    if name != grids.GRID:
        raise refusal(NotFound, "web.no-grid", id=name[:100])


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
        route("tile", "/collections/{}/tiles/{}/{}/{}/{}", ogc_tile, parameters=releases.PARAMETERS),
        route("tileset", "/collections/{}/tiles/{}", tileset, parameters=releases.PARAMETERS),
        route("tilesets", "/collections/{}/tiles", tilesets, parameters=releases.PARAMETERS),
        route("tilejson", "/xyz/{}/tilejson.json", tilejson, parameters=releases.PARAMETERS),
        route("grids", "/tileMatrixSets", grid_list, kept=True),
        route("grid", "/tileMatrixSets/{}", grid, kept=True),
        route("styles", "/styles", style_list, kept=True),
        route("style", "/styles/{}", style, kept=True, parameters=releases.PARAMETERS),
    ]
