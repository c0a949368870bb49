"""What handlers work with: settings, catalogue, database, access, and the viewed layers of a caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gis_service.access.policy import drafts_layer, view, visible_layers, with_drafts
from gis_service.catalog.registry import Catalog
from gis_service.catalog.view import Drafts, ViewedLayer
from gis_service.db import draft_sql
from gis_service.db.pool import Database
from gis_service.db.tilesql import TileStatement
from gis_service.errors import NotFound
from gis_service.features.query import Terms
from gis_service.features.refusal import refusal
from gis_service.features.releases import Counts
from gis_service.geo.crs import Systems
from gis_service.observe import Metrics
from gis_service.processes.routes import Processes
from gis_service.settings import Settings
from gis_service.web.credentials import Access
from gis_service.web.encoder import Encoders
from gis_service.web.guards import Guards
from gis_service.web.lru import Lru
from gis_service.web.message import Request
from gis_service.web.openid import Issuer
from gis_service.web.published import Published
from gis_service.web.raster_pool import Rasters
from gis_service.web.reads import Reads
from gis_service.web.shared_key import SharedKey
from gis_service.web.static import StaticFiles
from gis_service.web.stats import StatsCache
from gis_service.web.systems import KnownSystems
from gis_service.web.tile_cache import Tiles
from gis_service.web.tile_grids import TileGrids
from gis_service.web.writer import Writer

VIEWS_KEPT = 512
COUNTS_KEPT = 4096  # releases times layers times classes


@dataclass(frozen=True)
class Context:
    """Made once per web process; all of its parts live as long as the process."""

    settings: Settings
    catalog: Catalog
    database: Database
    tile_database: Database  # connections of its own, so that a slow query of features holds up no tile
    export_database: Database  # few, so that bulk holds up neither features nor tiles
    control_database: Database  # for what a request must know first: rights, versions, shared keys
    access: Access
    stats: StatsCache
    static: StaticFiles
    metrics: Metrics
    tile_statements: Lru[tuple[str, ...], TileStatement]
    tiles: Tiles
    grids: TileGrids
    processes: Processes
    published: Published
    known_systems: KnownSystems
    signing_key: SharedKey
    encoders: Encoders
    writer: Writer
    reads: Reads
    rasters: Rasters
    issuer: Issuer | None = None  # where people sign in, if the settings name one
    guards: Guards = field(default_factory=Guards)
    known_releases: dict[str, int] = field(default_factory=dict)  # the newest, by role of a class
    release_counts: Lru[tuple[str, int], Counts] = field(default_factory=lambda: Lru(COUNTS_KEPT))
    kept_views: Lru[tuple[str, str, int], ViewedLayer] = field(default_factory=lambda: Lru(VIEWS_KEPT))
    drafted_views: Lru[tuple[str, Drafts], ViewedLayer] = field(default_factory=lambda: Lru(VIEWS_KEPT))

    def views(self, request: Request) -> Mapping[str, ViewedLayer]:
        """The layers that the caller may know of, for documents that hold no rows."""
        return visible_layers(request.principal, self.catalog.layers.values())

    async def systems(self) -> Systems:
        """The reference systems that coordinates may be asked for in."""
        return await self.known_systems.get()

    async def offered_crs(self) -> Sequence[str]:
        """The reference systems that collections advertise."""
        return (await self.systems()).offered(self.settings.crs)

    async def terms(self) -> Terms:
        """What requests for features are read by; asked of the database once a process."""
        return Terms(self.settings.limits, await self.systems(), await self.signing_key.get())

    async def current_views(self, request: Request) -> Mapping[str, ViewedLayer]:
        """The same under the database's policy epoch, for whatever is read from rows."""
        epoch = await self.access.epoch()
        return visible_layers(request.principal, self.catalog.layers.values(), epoch)

    def view(self, request: Request, layer: str) -> ViewedLayer:
        return self._view(request, layer, 0)

    def tile_view(self, request: Request, layer: str) -> ViewedLayer:
        """Under the policy epoch that tiles are kept by, which is heard of and not asked for."""
        return self._view(request, layer, self.tiles.epoch)

    def view_at(self, request: Request, layer: str, epoch: int) -> ViewedLayer:
        """Under a policy epoch that was asked for already."""
        return self._view(request, layer, epoch)

    async def current_view(self, request: Request, layer: str) -> ViewedLayer:
        return self._view(request, layer, await self.access.epoch())

    async def own_view(self, request: Request, layer: str) -> ViewedLayer:
        """The current view with the caller's own unpublished edits laid over the rows, for who may have any.

        The drafts are asked for with each request, so that every worker shows what any of them has saved.
        """
        seen, principal = await self.current_view(request, layer), request.principal
        if not drafts_layer(principal, seen):
            return seen
        found = await self.control_database.run(draft_sql.opened(layer, principal.name))
        revisions = ",".join(f"{proposal}:{revision}" for proposal, revision, _ in found)
        drafts = Drafts(principal.name, tuple(key for _, _, key in found), revisions)
        held = self.drafted_views.get((seen.digest, drafts))
        if held is None:
            held = with_drafts(principal, seen, drafts)
            self.drafted_views.put((seen.digest, drafts), held)
        return held

    def _view(self, request: Request, name: str, epoch: int) -> ViewedLayer:
        """NotFound alike for a layer that isn't there and one that the caller may not know of."""
        key = (request.principal.policy_class, name, epoch)
        held = self.kept_views.get(key)
        if held is None:
            held = self._viewed(request, name, epoch)
            self.kept_views.put(key, held)
        return held

    def _viewed(self, request: Request, name: str, epoch: int) -> ViewedLayer:
        try:
            return view(request.principal, self.catalog.layers[name], epoch)
        except (KeyError, NotFound) as err:
            raise refusal(NotFound, "web.no-collection", id=name[:100]) from err
