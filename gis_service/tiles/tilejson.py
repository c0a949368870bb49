"""TileJSON 3 of one or several viewed layers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gis_service.catalog.view import ViewedLayer
from gis_service.db import pointsql
from gis_service.links import Links
from gis_service.texts import say
from gis_service.tiles import reduction

Box = tuple[float, float, float, float]
WORLD: Box = (-180.0, -85.0511287798066, 180.0, 85.0511287798066)


def tilejson(
    views: Sequence[ViewedLayer],
    boxes: Sequence[Box | None],
    credit: Sequence[str],
    links: Links,
    lang: str,
) -> dict[str, object]:
    """What MapLibre reads before the first tile (row M2); boxes of the visible rows, credit as plain text."""
    ids = [view.id for view in views]
    bounds = _around([box for box in boxes if box is not None])
    return {
        "tilejson": "3.0.0",
        "name": ", ".join(view.title.say(lang) for view in views),
        "version": "1.0.0",
        "scheme": "xyz",
        "tiles": [links.xyz_template(ids, views[0].past)],
        "minzoom": min(view.tiles.zoom[0] for view in views),
        "maxzoom": max(view.tiles.zoom[1] for view in views),
        "bounds": list(bounds),
        "center": [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2, views[0].tiles.zoom[0]],
        "attribution": escape("; ".join(dict.fromkeys(credit))),  # maps show it as HTML
        "vector_layers": [vector_layer(view, lang) for view in views],
    }


def fields(view: ViewedLayer, lang: str) -> dict[str, str]:
    """The attributes of a tile's features with their titles; `id` is the feature id of the API (row M3)."""
    if pointsql.applies(view) and view.tiles.reduce == "bins":
        return {pointsql.COUNT: say("tiles.count", lang)}
    return {"id": "id"} | {name: view.properties[name].title.say(lang) for name in view.tiles.properties}


def vector_layer(view: ViewedLayer, lang: str) -> dict[str, object]:
    """What TileJSON and archives tell of a layer."""
    return {
        "id": view.id,
        "description": view.title.say(lang),
        "minzoom": view.tiles.zoom[0],
        "maxzoom": view.tiles.zoom[1],
        "fields": fields(view, lang),
        "reduction": reduction.document(view, lang),
    }


def _around(boxes: Sequence[Box]) -> Box:
    """One box around all, cut to what Web Mercator can show."""
    if not boxes:
        return WORLD
    west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
    east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return (max(west, WORLD[0]), max(south, WORLD[1]), min(east, WORLD[2]), min(north, WORLD[3]))
