"""Which tile of which layers an address asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gis_service.catalog.view import ViewedLayer
from gis_service.errors import NotFound
from gis_service.geo.grid import Grid, GridTile
from gis_service.geo.tiles import Tile

MAX_LAYERS = 16  # of one tile: a longer list multiplies work without a map that could show it
_NUMBER = re.compile(r"[0-9]{1,10}")


def layer_ids(text: str) -> list[str]:
    """The ids parted by commas, each once; NotFound where there are none or too many."""
    found = list(dict.fromkeys(text.split(",", 4 * MAX_LAYERS)))
    if not all(found) or len(found) > MAX_LAYERS:
        raise NotFound(f"1 to {MAX_LAYERS} layers parted by commas")
    return found


def tile(z: str, x: str, y: str) -> Tile:
    """The tile; NotFound outside the grid (row C8)."""
    if not (_NUMBER.fullmatch(z) and _NUMBER.fullmatch(x) and _NUMBER.fullmatch(y)):
        raise NotFound(f"{z}/{x}/{y}")
    try:
        return Tile(int(z), int(x), int(y))
    except ValueError as err:
        raise NotFound(str(err)) from err


def grid_tile(on: Grid, matrix: str, row: str, column: str) -> GridTile:
    """The same of any grid."""
    if not (_NUMBER.fullmatch(row) and _NUMBER.fullmatch(column)):
        raise NotFound(f"{matrix}/{row}/{column}")
    try:
        return on.tile(matrix, int(row), int(column))
    except ValueError as err:
        raise NotFound(str(err)) from err


def drawn_at(views: Iterable[ViewedLayer], zoom: int) -> list[ViewedLayer]:
    """The layers with tiles at this zoom; NotFound where none has any, so no SQL runs (row V4)."""
    drawn = [view for view in views if view.tiles.zoom[0] <= zoom <= view.tiles.zoom[1]]
    if not drawn:
        raise NotFound(f"tile at zoom {zoom}")
    return drawn
