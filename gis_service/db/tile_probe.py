"""Whether anything that a caller sees lies near a tile: cheaper than drawing it, for walks down the zooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.query import Binds, Query
from gis_service.geo import tiles
from gis_service.geo.tiles import Tile

_SLOTS = 4
_BOX = "ST_MakeEnvelope($1::float8, $2::float8, $3::float8, $4::float8, 4326)"


@dataclass(frozen=True)
class Probe:
    """The question of layers that one role reads; `at` binds the tile."""

    sql: str
    constants: tuple[object, ...]
    role: str

    def at(self, tile: Tile) -> Query:
        """One row, one truth: whether the box of a row meets the tile with its buffer."""
        box = tile.lonlat(margin=tiles.BUFFER / tiles.EXTENT).as_tuple()
        return Query(self.sql, (*box, *self.constants), self.role)


def compose(views: Sequence[ViewedLayer]) -> Probe:
    """The probe of layers that one role reads."""
    binds = Binds([None] * _SLOTS)
    asked = " or ".join(f"exists ({_any(view, binds)})" for view in views)
    return Probe(f"select {asked}", tuple(binds.values[_SLOTS:]), views[0].role)


def _any(view: ViewedLayer, binds: Binds) -> str:
    box = _BOX if view.srid == 4326 else f"ST_Transform({_BOX}, {view.srid:d})"
    conditions = [rows.meets(view, box, binds, exactly=False), *rows.visible(view, binds)]
    return f"select from {rows.relation(view, binds)} where {' and '.join(conditions)}"
