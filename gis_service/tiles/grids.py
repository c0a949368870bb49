"""The tile matrix set document of WebMercatorQuad and the tileset documents of a layer."""

from __future__ import annotations

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.geo.tiles import WORLD_METRES
from gis_service.links import OGC_REL, Links, link
from gis_service.texts import say
from gis_service.tiles.tilejson import Box, fields

GRID = "WebMercatorQuad"
GRID_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS_URI = "http://www.opengis.net/def/crs/EPSG/0/3857"
MAX_ZOOM = 24
_PIXEL_METRES = 0.00028  # the standard's rendering pixel (Two Dimensional Tile Matrix Set, 6.1.1)
_TILE_PIXELS = 256


def grid_list(links: Links, lang: str) -> dict[str, object]:
    """The grids that we serve: one."""
    title = say("web.grid-title", lang)
    entry = {
        "id": GRID,
        "title": title,
        "uri": GRID_URI,
        "links": [link(links.grid(GRID), "self", media.JSON, title)],
    }
    return {"tileMatrixSets": [entry]}


def grid(lang: str) -> dict[str, object]:
    """WebMercatorQuad as OGC 17-083r4 defines it, zooms 0 to 24."""
    return {
        "id": GRID,
        "title": say("web.grid-title", lang),
        "uri": GRID_URI,
        "crs": CRS_URI,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [_matrix(zoom) for zoom in range(MAX_ZOOM + 1)],
    }


def _matrix(zoom: int) -> dict[str, object]:
    side = 1 << zoom
    cell = WORLD_METRES / (_TILE_PIXELS * side)
    return {
        "id": str(zoom),
        "scaleDenominator": cell / _PIXEL_METRES,
        "cellSize": cell,
        "pointOfOrigin": [-WORLD_METRES / 2, WORLD_METRES / 2],
        "tileWidth": _TILE_PIXELS,
        "tileHeight": _TILE_PIXELS,
        "matrixWidth": side,
        "matrixHeight": side,
    }


def tileset_list(view: ViewedLayer, links: Links, lang: str) -> dict[str, object]:
    """The tilesets of one collection: one, of vector tiles."""
    entry = {
        "title": view.title.say(lang),
        "dataType": "vector",
        "crs": CRS_URI,
        "tileMatrixSetURI": GRID_URI,
        "links": [
            link(links.tileset(view.id, GRID, view.past), "self", media.JSON, view.title.say(lang)),
            link(links.grid(GRID), OGC_REL + "tiling-scheme", media.JSON, say("web.grid-title", lang)),
            _template(view, links, lang),
        ],
    }
    return {"tilesets": [entry], "links": [link(links.tilesets(view.id, view.past), "self", media.JSON)]}


def tileset(view: ViewedLayer, box: Box | None, links: Links, lang: str) -> dict[str, object]:
    """The metadata of a collection's vector tiles with the limits of its zooms."""
    first, last = view.tiles.zoom
    made: dict[str, object] = {
        "title": view.title.say(lang),
        "description": view.description.say(lang),
        "dataType": "vector",
        "crs": CRS_URI,
        "tileMatrixSetURI": GRID_URI,
        "tileMatrixSetLimits": [_limits(zoom) for zoom in range(first, last + 1)],
        "layers": [_layer(view, lang)],
        "links": [
            link(links.tileset(view.id, GRID, view.past), "self", media.JSON),
            link(links.grid(GRID), OGC_REL + "tiling-scheme", media.JSON, say("web.grid-title", lang)),
            link(links.collection(view.id, view.past), OGC_REL + "geodata", media.JSON, view.title.say(lang)),
            link(links.tilejson([view.id], view.past), "describedby", media.JSON, say("web.tilejson", lang)),
            _template(view, links, lang),
        ],
    }
    if box is not None:
        made["boundingBox"] = {"lowerLeft": list(box[:2]), "upperRight": list(box[2:])}
    return made


def _template(view: ViewedLayer, links: Links, lang: str) -> dict[str, object]:
    address = links.ogc_tile_template(view.id, GRID, view.past)
    return link(address, "item", media.MVT, say("web.tiles", lang), templated=True)


def _limits(zoom: int) -> dict[str, object]:
    last = (1 << zoom) - 1
    return {"tileMatrix": str(zoom), "minTileRow": 0, "maxTileRow": last, "minTileCol": 0, "maxTileCol": last}


def _layer(view: ViewedLayer, lang: str) -> dict[str, object]:
    dimension = 0 if "Point" in view.geometry_type else 1 if "Line" in view.geometry_type else 2
    first, last = view.tiles.zoom
    kinds = {name: {"title": text} for name, text in fields(view, lang).items()}
    return {
        "id": view.id,
        "dataType": "vector",
        "geometryDimension": dimension,
        "minTileMatrix": str(first),
        "maxTileMatrix": str(last),
        "propertiesSchema": {"type": "object", "properties": kinds},
    }
