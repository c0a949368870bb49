"""The bytes of tiles, present and past."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gis_service import __version__
from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.geo.tiles import Tile
from gis_service.tiles import address, cache
from gis_service.web import finish, params, releases, tile_cache, tile_drawing, tileset_routes
from gis_service.web.context import Context
from gis_service.web.finish import CREDENTIALS
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route
from gis_service.web.tile_cache import Wanted

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
    return await _tile(context, request, address.layer_ids(taken[0]), _place(*taken[1:]))


async def ogc_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The same tile in the order of OGC API Tiles: matrix, row, column."""
    tileset_routes.check_grid(taken[1])
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
    views = address.drawn_at([context.tile_view(request, name) for name in ids], tile.z)
    path = request.path if not request.private and request.query == "" else None
    shown = await context.tiles.get(wanted(context, views, tile, path))
    return tile_cache.response(shown, request.header("accept-encoding") or "")


async def _past_tile(
    context: Context, request: Request, ids: Sequence[str], tile: Tile, given: Mapping[str, str]
) -> Response:
    """A tile of a past release. It changes with rights and definitions alone, so no row is read for its ETag.

    Nor may it be kept unasked for longer than one of the present: the rights of today close the past.
    """
    views = [await releases.viewed(context, request, name, given) for name in ids]
    views = address.drawn_at(views, tile.z)
    asked = wanted(context, views, tile)
    tag = _tag(views, tile)
    if (held := finish.held(request.header("if-none-match") or "", tag)) is not None:
        return Response(304, (*asked.headers, ("etag", held)))
    shown = await context.tiles.get(replace(asked, tag=tag))
    return tile_cache.response(shown, request.header("accept-encoding") or "")


def _tag(views: Sequence[ViewedLayer], tile: Tile) -> str:
    """Of the rights are those that were read before the rows: newer rows are only asked for once more."""
    known = [__version__, *(view.digest for view in views), f"{tile.z}/{tile.x}/{tile.y}"]
    return f'"{hashlib.sha256("|".join(known).encode()).hexdigest()[:24]}"'


def wanted(context: Context, views: Sequence[ViewedLayer], tile: Tile, path: str | None = None) -> Wanted:
    """The tile of these views, at the path by which the public asks for it."""
    seconds = cache.seconds_kept(views)
    return Wanted(
        key=(tile.z, tile.x, tile.y, *(view.digest for view in views)),
        place=tile,
        of=cache.sources(views),
        draw=lambda: tile_drawing.draw(context, views, tile),
        headers=(("cache-control", _caching(views, seconds)), ("vary", CREDENTIALS)),
        media=media.MVT,
        seconds=seconds,
        path=path,
    )


def _caching(views: Sequence[ViewedLayer], seconds: int | None) -> str:
    if any(view.layer.access.edit and view.release is None for view in views):
        return AT_ONCE
    return TILE_CACHING if seconds is None else f"public, max-age={seconds}"


def routes() -> list[Route]:
    return [route("tile", "/collections/{}/tiles/{}/{}/{}/{}", ogc_tile, parameters=releases.PARAMETERS)]
