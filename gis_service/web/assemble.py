"""Puts the parts of a web process together; the only place that knows them all."""

from __future__ import annotations

import asyncio

from gis_service.catalog.registry import load_catalog
from gis_service.db import secrets
from gis_service.db.pool import Database, PoolSize
from gis_service.db.tilesql import TileStatement
from gis_service.observe import Metrics
from gis_service.processes import publishing
from gis_service.processes.routes import Processes
from gis_service.settings import Settings
from gis_service.web import static, tile_warming
from gis_service.web.context import Context
from gis_service.web.credentials import Access
from gis_service.web.encoder import Encoders
from gis_service.web.lru import Lru
from gis_service.web.openid import Issuer
from gis_service.web.published import Published
from gis_service.web.raster_pool import Rasters
from gis_service.web.reads import Reads
from gis_service.web.service import Service
from gis_service.web.shared_key import SharedKey
from gis_service.web.static import StaticFiles
from gis_service.web.stats import StatsCache
from gis_service.web.systems import KnownSystems
from gis_service.web.tile_cache import Tiles
from gis_service.web.tile_grids import TileGrids
from gis_service.web.writer import Writer

FEATURES = PoolSize(connections=4, waiting=200)
# Tiles are processor work: as many as cores, over all workers.
TILES = PoolSize(connections=2, waiting=400, one_plan=True)
EXPORTS = PoolSize(connections=2, waiting=20, patience=30.0)
CONTROL = PoolSize(connections=1, waiting=400)  # short questions that every request may have to ask
STATEMENTS_KEPT = 256
WARM_AFTER_SECONDS = 5.0  # so that who waits for the start to be done is answered first


def assemble(settings: Settings, dsn: str) -> Service:
    """The service of one process; nothing is connected yet, so it starts with the database down too."""
    timeout = settings.limits.statement_timeout_ms
    database, tiles = Database(dsn, FEATURES, timeout), Database(dsn, TILES, timeout)
    exports = Database(dsn, EXPORTS, settings.limits.export_seconds * 1000)
    control = Database(dsn, CONTROL, timeout)
    statements: Lru[tuple[str, ...], TileStatement] = Lru(STATEMENTS_KEPT)

    def forget() -> None:
        for each in (database, tiles, exports, control):
            each.forget()

    metrics = Metrics()
    catalog, writer = load_catalog(settings.root), Writer(settings, dsn)
    systems = KnownSystems(control)
    context = Context(
        settings=settings,
        catalog=catalog,
        database=database,
        tile_database=tiles,
        export_database=exports,
        control_database=control,
        access=Access(control),
        stats=StatsCache(database),
        static=StaticFiles(static.folders()),
        metrics=metrics,
        tile_statements=statements,
        tiles=Tiles(dsn, settings.tiles.cache_mb * 1_000_000, metrics, forget),
        grids=TileGrids(control, systems, catalog.grids),
        processes=Processes(settings, database),
        encoders=Encoders(settings.data_dir / "exports"),
        writer=writer,
        reads=Reads(writer, control, catalog.layers),
        published=Published(control, publishing.folder(settings.data_dir)),
        known_systems=systems,
        rasters=Rasters(settings.limits.raster_seconds),
        issuer=Issuer(settings.oidc) if settings.oidc.issuer else None,
        signing_key=SharedKey(control, secrets.PAGING),
    )
    return Service(context)


def start(service: Service, loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[None]]:
    """What runs beside the requests; to be cancelled before `close`."""
    context = service.context
    context.tiles.start(loop)
    return [loop.create_task(tile_warming.keep(context, WARM_AFTER_SECONDS))]


async def close(service: Service) -> None:
    """Let the connections go."""
    context = service.context
    await context.reads.close()
    await context.tiles.close()
    await context.rasters.close()
    if context.issuer is not None:
        context.issuer.close()
    pools = (context.database, context.tile_database, context.export_database, context.control_database)
    for database in pools:
        await database.close()
    await asyncio.to_thread(context.writer.close)
