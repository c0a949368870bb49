"""The grids that tiles are served on, and where their tiles lie; what was asked of the database is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gis_service.db import gridsql
from gis_service.db.gridsql import GridStatement, Spot
from gis_service.db.pool import Database
from gis_service.errors import NotFound, Unprojectable
from gis_service.features.refusal import refusal
from gis_service.geo import grid
from gis_service.geo.bbox import WORLD, BBox, Box
from gis_service.geo.grid import Grid, GridTile, Range
from gis_service.web.lru import Lru
from gis_service.web.systems import KnownSystems

SPOTS_KEPT: Final = 20_000
EXTENTS_KEPT: Final = 1024  # layers times classes times grids
STATEMENTS_KEPT: Final = 256
Limits = Mapping[str, Range]
"""By matrix the columns and rows that hold something; matrices without any aren't in it."""


class TileGrids:
    """Registered grids in systems that the database knows."""

    def __init__(self, database: Database, systems: KnownSystems, registered: Mapping[str, Grid]) -> None:
        self._database, self._systems, self._registered = database, systems, registered
        self._spots: Lru[tuple[object, ...], Spot] = Lru(SPOTS_KEPT)
        self._planes: Lru[tuple[str, BBox], tuple[Box, ...]] = Lru(EXTENTS_KEPT)
        self.statements: Lru[tuple[str, ...], GridStatement] = Lru(STATEMENTS_KEPT)

    async def every(self) -> Sequence[Grid]:
        """All grids, the service's own first."""
        known = (await self._systems.get()).known
        return [each for each in self._registered.values() if each.crs.srid in known]

    async def named(self, name: str) -> Grid:
        """The grid; NotFound where there is none."""
        found = self._registered.get(name)
        if found is None or found.crs.srid not in (await self._systems.get()).known:
            raise refusal(NotFound, "web.no-grid", id=name[:100])
        return found

    async def spot(self, tile: GridTile) -> Spot:
        """Where a tile lies on the Earth; NotFound where it lies beyond what its system can show."""
        held = self._spots.get(tile.key)
        if held is None:
            try:
                box = await self._in_degrees(tile.box(gridsql.REACH))
            except Unprojectable as err:
                raise refusal(NotFound, "tiles.off-earth", crs=tile.grid.crs.uri) from err
            held = gridsql.spot(box, tile.level)
            self._spots.put(tile.key, held)
        return held

    async def limits(self, on: Grid, box: BBox | None) -> Limits:
        """Where a box in degrees lies in each matrix; everywhere where no box is known."""
        if box is None:
            return {m.id: (0, 0, m.columns - 1, m.rows - 1) for m in on.matrices}
        planes = await self._planes_of(on, box)
        found = {m.id: grid.joined(m.covering(plane) for plane in planes) for m in on.matrices}
        return {name: at for name, at in found.items() if at is not None}

    async def _planes_of(self, on: Grid, box: BBox) -> tuple[Box, ...]:
        held = self._planes.get((on.id, box))
        if held is None:
            region = await self._region(on)
            held = tuple([await self._in_plane(part, on) for part in grid.common(box, region)])
            self._planes.put((on.id, box), held)
        return held

    async def _region(self, on: Grid) -> BBox:
        """What the finest matrix covers; the rest of the world may have no place in the grid's system."""
        try:
            return await self._in_degrees(on.matrices[-1].bounds(on.crs))
        except Unprojectable:
            return WORLD

    async def _in_degrees(self, box: Box) -> BBox:
        if box.crs.srid == 4326:
            return BBox(
                max(-180.0, box.west), max(-90.0, box.south), min(180.0, box.east), min(90.0, box.north)
            )
        query = gridsql.sampled(box.as_tuple(), box.crs.srid, 4326)
        return grid.in_degrees(*(await self._database.run(query))[0])

    async def _in_plane(self, box: BBox, on: Grid) -> Box:
        """NotFound never: what can't be projected lies everywhere, so that no tile is refused for it."""
        if on.crs.srid == 4326:
            return Box(*box.as_tuple(), on.crs)
        if on.crs.srid == 3857:
            return grid.in_mercator(box)
        try:
            xs, ys = (await self._database.run(gridsql.sampled(box.as_tuple(), 4326, on.crs.srid)))[0]
        except Unprojectable:
            return on.matrices[0].bounds(on.crs)
        return grid.in_plane(xs, ys, on.crs)
