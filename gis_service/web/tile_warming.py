"""Draws the public's tiles of the lowest zooms after the start, so that nobody waits for the largest."""

from __future__ import annotations

import asyncio
from typing import Final

from gis_service.access.policy import visible_layers
from gis_service.access.principal import PUBLIC
from gis_service.catalog.view import ViewedLayer
from gis_service.errors import GisError
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from gis_service.observe import Log
from gis_service.tiles.tilejson import WORLD, Box
from gis_service.web import tile_routes
from gis_service.web.context import Context

MOST_TILES: Final = (
    64  # of a layer at a zoom: a country has fewer there, the world more than are ever asked for
)
FULL_ENOUGH: Final = 0.5  # of the memory for tiles
LOOK_SECONDS: Final = 1.0
_log = Log("gis.web")


async def warm(context: Context, after: float) -> None:
    """All layers, the lowest zoom of each first; what fails is drawn when somebody asks for it."""
    zooms = context.settings.tiles.warm_zooms
    if zooms == 0 or context.settings.tiles.cache_mb == 0:
        return
    await asyncio.sleep(after)
    while not await context.tiles.listening():
        await asyncio.sleep(LOOK_SECONDS)
    seen = visible_layers(PUBLIC, context.catalog.layers.values(), context.tiles.epoch)
    for view in seen.values():
        try:
            stats = (await context.stats.of([view])).get(view.id)
            box = stats.bbox if stats is not None and stats.bbox is not None else None
            if box is not None:
                await _layer(context, view, box, zooms)
        except GisError as err:
            _log.info("tiles not warmed", layer=view.id, reason=err.message())


async def _layer(context: Context, view: ViewedLayer, box: Box, zooms: int) -> None:
    first, last = view.tiles.zoom
    within = BBox(*box[:1], max(box[1], WORLD[1]), box[2], min(box[3], WORLD[3]))
    for zoom in range(first, min(last + 1, zooms)):
        x0, y0, x1, y1 = covering(within, zoom)
        if (x1 - x0 + 1) * (y1 - y0 + 1) > MOST_TILES:
            return
        for tile in (Tile(zoom, x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)):
            if context.tiles.share > FULL_ENOUGH:
                return
            path = f"/xyz/{view.id}/{tile.z}/{tile.x}/{tile.y}.mvt"
            await context.tiles.get(tile_routes.wanted(context, [view], tile, path))
