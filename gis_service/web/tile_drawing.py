"""Draws a tile: the statement of its layers at its zoom, run once for each role that they are read by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from gis_service.catalog.view import ViewedLayer
from gis_service.db import gridsql, tilesql
from gis_service.db.gridsql import GridStatement, Spot
from gis_service.db.query import Query
from gis_service.geo.grid import GridTile
from gis_service.geo.tiles import Tile
from gis_service.tiles import reduction
from gis_service.web.context import Context
from gis_service.web.tile_cache import Drawn


async def draw(context: Context, views: Sequence[ViewedLayer], tile: Tile) -> Drawn:
    """The tile as its rows are now."""
    return await _drawn(context, views, tile.z, lambda alike: _statement(context, alike, tile.z).at(tile))


async def draw_on_grid(context: Context, views: Sequence[ViewedLayer], tile: GridTile, spot: Spot) -> Drawn:
    """The same of a tile of another grid."""
    return await _drawn(
        context, views, tile.level, lambda alike: _on_grid(context, alike, tile, spot).at(tile, spot)
    )


async def _drawn(
    context: Context,
    views: Sequence[ViewedLayer],
    zoom: int,
    query: Callable[[Sequence[ViewedLayer]], Query],
) -> Drawn:
    body, counts = b"", list[int | None]()
    # A statement reads as one role; a caller can see some layers as a jurisdiction, some as the public.
    for _, alike in groupby(views, key=lambda view: view.role):
        drawn, counted = (await context.tile_database.run(query(list(alike))))[0]
        body += drawn
        counts += counted
    return Drawn(body, reduction.headers(views, zoom, counts))


def _statement(context: Context, views: Sequence[ViewedLayer], zoom: int) -> tilesql.TileStatement:
    """The statement of these views at a zoom, composed once so that the database prepares it once."""
    key = (str(zoom), *(view.digest for view in views))
    made = context.tile_statements.get(key)
    if made is None:
        made = tilesql.compose(views, zoom)
        context.tile_statements.put(key, made)
    return made


def _on_grid(context: Context, views: Sequence[ViewedLayer], tile: GridTile, spot: Spot) -> GridStatement:
    pieces, statements = len(spot.pieces), context.grids.statements
    key = (tile.grid.id, str(tile.level), str(pieces), *(view.digest for view in views))
    made = statements.get(key)
    if made is None:
        made = gridsql.compose(views, tile.grid, tile.level, pieces)
        statements.put(key, made)
    return made
