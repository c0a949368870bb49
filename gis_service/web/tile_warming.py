"""Draws the public's tiles of the lowest zooms after the start and loads: nobody waits for the largest."""

from __future__ import annotations

import asyncio
from typing import Final

from gis_service.access.policy import visible_layers
from gis_service.access.principal import PUBLIC
from gis_service.catalog.view import ViewedLayer
from gis_service.db import tile_state
from gis_service.errors import GisError
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from gis_service.observe import Log
from gis_service.tiles import cache
from gis_service.tiles.tilejson import WORLD, Box
from gis_service.web import tile_routes
from gis_service.web.context import Context
from gis_service.web.tile_cache import EVERY

MOST_TILES: Final = (
    64  # of a layer at a zoom: a country has fewer there, the world more than are ever asked for
)
FULL_ENOUGH: Final = 0.5  # of the memory for tiles
LOOK_SECONDS: Final = 1.0
REST_SECONDS: Final = 3.0  # without another change: a load or somebody who edits has come to rest
MOST_RESTS: Final = 100  # five minutes; then it's drawn in spite of what goes on
_log = Log("gis.web")


async def keep(context: Context, after: float) -> None:
    """Draw them after the start, and those that a load or an edit threw away when it has come to rest."""
    if context.settings.tiles.warm_zooms == 0 or context.settings.tiles.cache_mb == 0:
        return
    await warm(context, after)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        tables = context.tiles.thrown()
        if tables:
            await again(context, tables)


async def again(context: Context, tables: set[str], rest: float = REST_SECONDS) -> None:
    """Draw what is missing of these tables' layers, once nothing more is written and shapes are derived."""
    for _ in range(MOST_RESTS):
        await asyncio.sleep(rest)
        more = context.tiles.thrown()
        tables |= more
        if not more and not await _lags(context, tables):
            break
    await warm(context, 0, None if EVERY in tables else tables)


async def _lags(context: Context, tables: set[str]) -> bool:
    try:
        asked = tile_state.lags(None if EVERY in tables else tables)
        return bool((await context.control_database.run(asked))[0][0])
    except GisError:
        return True  # the database is away, and will be asked again


async def warm(context: Context, after: float, tables: set[str] | None = None) -> None:
    """All layers, or those of some tables, low zooms first; what fails is drawn when somebody asks for it."""
    zooms = context.settings.tiles.warm_zooms
    if zooms == 0 or context.settings.tiles.cache_mb == 0:
        return
    await asyncio.sleep(after)
    while not await context.tiles.listening():
        await asyncio.sleep(LOOK_SECONDS)
    seen = visible_layers(PUBLIC, context.catalog.layers.values(), context.tiles.epoch)
    for view in seen.values():
        if tables is not None and not tables & {source.table for source in cache.sources([view])}:
            continue
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
            wanted = tile_routes.wanted(context, [view], tile, path)
            if not context.tiles.holds(wanted):
                await context.tiles.get(wanted)
