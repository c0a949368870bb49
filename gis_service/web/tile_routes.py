"""The bytes of tiles, present and past, on every grid."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from gis_service import __version__
from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.db.gridsql import Spot
from gis_service.errors import DatabaseDown, NotFound
from gis_service.features.refusal import refusal
from gis_service.geo.grid import Grid, GridTile
from gis_service.geo.tiles import Tile, covering
from gis_service.tiles import address, cache, grids
from gis_service.web import finish, params, releases, tile_cache, tile_drawing, tileset_routes
from gis_service.web.context import Context
from gis_service.web.finish import CREDENTIALS
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route
from gis_service.web.tile_cache import Drawn, Wanted

TILE_CACHING = "public, max-age=60, must-revalidate"
AT_ONCE = "no-cache"  # of layers that people edit: who has saved looks for it
_RELEASE = "release="  # in a query: what else stands there is left alone


def asked_tile(path: str) -> tuple[str, str, str, str] | None:
    """Layers, z, x and y of `/xyz/{layers}/{z}/{x}/{y}.mvt`, parsed before any routing; None for the rest."""
    if not path.startswith("/xyz/") or not path.endswith(".mvt"):
        return None
    parts = path[5:-4].split("/")
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 4 else None


async def xyz_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A tile of WebMercatorQuad; 204 where it's empty (row M4)."""
    ids, tile = address.layer_ids(taken[0]), _of_mercator(*taken[1:])
    given: Mapping[str, str] = {}
    if _RELEASE in request.query:
        given = request.parameters or params.parse(request.query)
    if "release" in given:
        views = [await releases.viewed(context, request, name, given) for name in ids]
        return await _past(context, request, wanted(context, address.drawn_at(views, tile.z), tile))
    views = address.drawn_at([context.tile_view(request, name) for name in ids], tile.z)
    path = request.path if not request.private and request.query == "" else None
    shown = await context.tiles.get(wanted(context, views, tile, path))
    return tile_cache.response(shown, request.header("accept-encoding") or "")


async def collection_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A tile in the order of OGC API Tiles: matrix, row, column."""
    on = await context.grids.named(taken[1])
    tile = _of_grid(on, *taken[2:])
    if "release" in request.parameters:
        views = [await releases.viewed(context, request, taken[0], request.parameters)]
    else:
        views = [context.tile_view(request, taken[0])]
    return await _grid_tile(context, request, address.drawn_at(views, tile.level), tile)


async def dataset_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A tile of all layers, or of those that `collections` names, in that order."""
    on = await context.grids.named(taken[0])
    tile = _of_grid(on, *taken[1:])
    views = await tileset_routes.dataset_views(context, request, context.tile_view)
    return await _grid_tile(context, request, address.drawn_at(views, tile.level), tile)


async def _grid_tile(
    context: Context, request: Request, views: Sequence[ViewedLayer], tile: GridTile
) -> Response:
    """The tile; empty ones are 204 within the limits of the tileset and 404 beyond them (row C8)."""
    made, mercator = await _wanted_on(context, views, tile)
    if any(view.release is not None for view in views):
        response = await _past(context, request, made)
    else:
        shown = await context.tiles.get(made)
        response = tile_cache.response(shown, request.header("accept-encoding") or "")
        if response.status == 200 and not request.private and request.query == "":
            context.tiles.name(made, request.path)
    if response.status == 204:
        await _check_limits(context, views, tile)
    context.reads.drawn(request, [view.id for view in views], response, mercator)
    return response


async def _wanted_on(
    context: Context, views: Sequence[ViewedLayer], tile: GridTile
) -> tuple[Wanted, Sequence[tuple[int, int, int]]]:
    """The tile, and the tiles of WebMercatorQuad that it lies in."""
    if tile.grid.id == grids.GRID:
        here = Tile(tile.level, tile.column, tile.row)
        return wanted(context, views, here), [(here.z, here.x, here.y)]
    spot = await context.grids.spot(tile)
    zoom = max(0, tile.level - 1)  # so that it lies in few
    found = set[tuple[int, int, int]]()
    for piece in spot.pieces:
        x0, y0, x1, y1 = covering(piece.box, zoom)
        found |= {(zoom, x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)}
    return _on_grid(context, views, tile, spot), sorted(found)


async def _check_limits(context: Context, views: Sequence[ViewedLayer], tile: GridTile) -> None:
    """NotFound outside what the tileset names; what can't be asked now isn't refused."""
    try:
        stats = await context.stats.of(views)
    except DatabaseDown:
        return
    for view in views:
        box = tileset_routes.box_of(stats.get(view.id))
        at = (await context.grids.limits(tile.grid, box)).get(tile.matrix.id)
        if at is not None and at[0] <= tile.column <= at[2] and at[1] <= tile.row <= at[3]:
            return
    raise refusal(NotFound, "tiles.outside", matrix=tile.matrix.id)


def _of_mercator(z: str, x: str, y: str) -> Tile:
    try:
        return address.tile(z, x, y)
    except NotFound as err:
        raise refusal(NotFound, "web.no-tile", reason=err.detail[:200]) from err


def _of_grid(on: Grid, matrix: str, row: str, column: str) -> GridTile:
    try:
        return address.grid_tile(on, matrix, row, column)
    except NotFound as err:
        raise refusal(NotFound, "web.no-tile", reason=err.detail[:200]) from err


async def _past(context: Context, request: Request, asked: Wanted) -> Response:
    """A tile of a past release. It changes with rights and definitions alone, so no row is read for its ETag.

    Nor may it be kept unasked for longer than one of the present: the rights of today close the past.
    """
    tag = _tag(asked)
    if (held := finish.held(request.header("if-none-match") or "", tag)) is not None:
        return Response(304, (*asked.headers, ("etag", held)))
    shown = await context.tiles.get(replace(asked, tag=tag))
    return tile_cache.response(shown, request.header("accept-encoding") or "")


def _tag(asked: Wanted) -> str:
    """Of the rights are those that were read before the rows: newer rows are only asked for once more."""
    known = "|".join(map(str, (__version__, *asked.key)))
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:24]}"'


def wanted(context: Context, views: Sequence[ViewedLayer], tile: Tile, path: str | None = None) -> Wanted:
    """The tile of these views, at the path by which the public asks for it."""
    made = _wanted(views, (tile.z, tile.x, tile.y), tile, lambda: tile_drawing.draw(context, views, tile))
    return replace(made, path=path)


def _on_grid(context: Context, views: Sequence[ViewedLayer], tile: GridTile, spot: Spot) -> Wanted:
    draw = partial(tile_drawing.draw_on_grid, context, views, tile, spot)
    return _wanted(views, tile.key, spot.place, draw)


def _wanted(
    views: Sequence[ViewedLayer],
    key: tuple[object, ...],
    place: cache.Place,
    draw: Callable[[], Awaitable[Drawn]],
) -> Wanted:
    seconds = cache.seconds_kept(views)
    return Wanted(
        key=(*key, *(view.digest for view in views)),
        place=place,
        of=cache.sources(views),
        draw=draw,
        headers=(("cache-control", _caching(views, seconds)), ("vary", CREDENTIALS)),
        media=media.MVT,
        seconds=seconds,
    )


def _caching(views: Sequence[ViewedLayer], seconds: int | None) -> str:
    if any(view.layer.access.edit and view.release is None for view in views):
        return AT_ONCE
    return TILE_CACHING if seconds is None else f"public, max-age={seconds}"


def routes() -> list[Route]:
    tile, known = "{}/{}/{}/{}", releases.PARAMETERS
    return [
        route("grid-tile", f"/collections/{{}}/tiles/{tile}", collection_tile, parameters=known),
        route("dataset-tile", f"/tiles/{tile}", dataset_tile, parameters=(*known, "collections")),
    ]
