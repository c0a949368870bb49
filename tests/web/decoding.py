"""Tiles held against the rows that they are made of: shapes in units of a tile, by shapely alone.

A pixel is that of a 512-pixel tile: 8 of 4096 units. Outlines within half a pixel of the true ones are said
by two containments, for a part thinner than a pixel may be missing: what is drawn lies in the truth grown by
half a pixel, and the truth shrunk by half a pixel lies in what is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import mapbox_vector_tile
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.layer import Layer
from gis_service.db.query import Query, ident
from gis_service.db.sync import SyncDatabase
from gis_service.geo.tiles import BUFFER, EXTENT, Tile

PIXEL: Final = 8
HALF: Final = PIXEL / 2
STEPS: Final = 16  # of a quarter circle, so that growing by half a pixel falls short by 0.02 units
EXACT: Final = 0.1  # units by which the truth itself is simplified before it is grown
FAINT: Final = 1e-3  # square units that are none: rounding of the overlay
TILE: Final = shapely.box(0, 0, EXTENT, EXTENT)


@dataclass(frozen=True)
class Feature:
    """A feature of a tile."""

    gid: int
    properties: Mapping[str, Any]
    shape: BaseGeometry


@dataclass(frozen=True)
class Truth:
    """The rows of a layer: their attributes as tiles name them, and shapes with the world's side as 1."""

    gids: NDArray[np.int64]
    properties: Sequence[Mapping[str, Any]]
    shapes: NDArray[np.object_]
    tree: shapely.STRtree

    def parts(self, tile: Tile) -> dict[int, BaseGeometry]:
        """The rows that meet a tile, its buffer and a pixel more: what of them is there, in its units."""
        side, wide = 1 << tile.z, (BUFFER + PIXEL) / EXTENT
        box = (
            (tile.x - wide) / side,
            (tile.y - wide) / side,
            (tile.x + 1 + wide) / side,
            (tile.y + 1 + wide) / side,
        )
        near = np.sort(self.tree.query(shapely.box(*box)))
        cut = shapely.clip_by_rect(self.shapes[near], *box)
        return {
            int(place): sound(in_units(part, tile))
            for place, part in zip(near, cut, strict=True)
            if not part.is_empty
        }

    def wide(self, place: int, zoom: int) -> float:
        """How large a row's whole shape is at a zoom, in units."""
        west, north, east, south = self.shapes[place].bounds
        return float(max(east - west, south - north)) * EXTENT * (1 << zoom)


def in_units(found: BaseGeometry, tile: Tile) -> BaseGeometry:
    """A shape of the world of side 1 in the units of a tile."""
    scale = EXTENT * (1 << tile.z)
    start = np.array([tile.x, tile.y]) * EXTENT
    return shapely.transform(found, lambda xy: xy * scale - start)


def on_mercator(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Web Mercator with the world's side as 1, rows downwards."""
    lat = np.clip(degrees[:, 1], -85.06, 85.06)
    down = 0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)
    return np.column_stack([degrees[:, 0] / 360 + 0.5, down])


def truth_of(db: SyncDatabase, layer: Layer) -> Truth:
    """All rows of a layer as its table has them."""
    names = layer.tiles.properties
    columns = ", ".join(f"to_jsonb({ident(layer.column_of(name))})" for name in names)
    where = " and ".join(f"{ident(column)}::text = '{value}'" for column, value in layer.where.items())
    found = db.run(
        Query(
            f"select {ident(layer.key)}, ST_AsBinary({ident(layer.geometry.column)}),"
            f" to_jsonb({ident(layer.id_column)}), {columns} from {layer.table}"
            f" where {where or 'true'} order by 1"
        )
    )
    shapes = shapely.transform(shapely.from_wkb([bytes(row[1]) for row in found]), on_mercator)
    properties = [dict(zip(("id", *names), row[2:], strict=True)) for row in found]
    told = [{name: value for name, value in each.items() if value is not None} for each in properties]
    return Truth(np.array([row[0] for row in found]), told, shapes, shapely.STRtree(shapes))


def decoded(body: bytes, layer: str) -> dict[int, Feature]:
    """The features of a layer by their ids, each id once."""
    if not body:
        return {}
    tile = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})
    assert list(tile) in ([layer], [])
    found = tile.get(layer, {"extent": EXTENT, "features": []})
    assert found["extent"] == EXTENT
    made = {
        each["id"]: Feature(each["id"], each["properties"], shape(each["geometry"]))
        for each in found["features"]
    }
    assert len(made) == len(found["features"])
    return made


def sound(part: BaseGeometry) -> BaseGeometry:
    """What was cut, valid and without vertices that nothing at this scale needs."""
    simple = shapely.simplify(part, EXACT, preserve_topology=False)
    simple = simple if not simple.is_empty else part
    return simple if simple.is_valid else shapely.make_valid(simple)


def shown(part: BaseGeometry) -> float:
    """How many square units of a tile hold more than a pixel of a row."""
    return float(shapely.intersection(shapely.buffer(part, -HALF, quad_segs=STEPS), TILE).area)


def misdrawn(there: BaseGeometry, drawn: BaseGeometry, by: float = HALF) -> tuple[float, float]:
    """How many square units are drawn farther than `by` outside the truth, and how many lack inside."""
    inner = shapely.box(-BUFFER + by, -BUFFER + by, EXTENT + BUFFER - by, EXTENT + BUFFER - by)
    valid = drawn if drawn.is_valid else shapely.make_valid(drawn)
    beyond = shapely.difference(valid, shapely.buffer(there, by + EXACT, quad_segs=STEPS))
    missing = shapely.difference(shapely.buffer(there, -by - EXACT, quad_segs=STEPS), valid)
    return (shapely.intersection(beyond, inner).area, shapely.intersection(missing, inner).area)


def farthest(there: BaseGeometry, drawn: BaseGeometry) -> float:
    """The greatest distance in units of a drawn corner from the true outline, but where the tile was cut."""
    corners = np.array([Point(at) for at in shapely.get_coordinates(drawn)], object)
    inner = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER).buffer(-1)
    corners = corners[shapely.contains_properly(inner, corners)]
    if not len(corners):
        return 0.0
    outline = shapely.boundary(there)
    shapely.prepare(outline)
    return float(shapely.distance(corners, outline).max())
