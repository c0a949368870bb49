"""Draws a tile: the statement of its layers at its zoom, run once for each role that they are read by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gis_service.catalog.view import ViewedLayer
from gis_service.db import tilesql
from gis_service.geo.tiles import Tile
from gis_service.tiles import reduction
from gis_service.web.context import Context
from gis_service.web.tile_cache import Drawn


async def draw(context: Context, views: Sequence[ViewedLayer], tile: Tile) -> Drawn:
    """The tile as its rows are now."""
    body, counts = b"", list[int | None]()
    # A statement reads as one role; a caller can see some layers as a jurisdiction, some as the public.
    for _, alike in groupby(views, key=lambda view: view.role):
        statement = _statement(context, list(alike), tile.z)
        drawn, counted = (await context.tile_database.run(statement.at(tile)))[0]
        body += drawn
        counts += counted
    return Drawn(body, reduction.headers(views, tile.z, counts))


def _statement(context: Context, views: Sequence[ViewedLayer], zoom: int) -> tilesql.TileStatement:
    """The statement of these views at a zoom, composed once so that the database prepares it once."""
    key = (str(zoom), *(view.digest for view in views))
    made = context.tile_statements.get(key)
    if made is None:
        made = tilesql.compose(views, zoom)
        context.tile_statements.put(key, made)
    return made
