"""The documents of tile matrix sets, and of tilesets of one or of several layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.geo.grid import Grid, Matrix, Range
from gis_service.links import OGC_REL, Links, link
from gis_service.texts import say
from gis_service.tiles.tilejson import Box, fields

GRID = "WebMercatorQuad"


@dataclass(frozen=True)
class Tileset:
    """Layers on a grid: one of a collection, or several of the dataset, which `query` names."""

    on: Grid
    views: Sequence[ViewedLayer]
    of_dataset: bool = False
    query: Mapping[str, str] | None = None

    @property
    def one(self) -> ViewedLayer:
        return self.views[0]

    def matrices(self, view: ViewedLayer | None = None) -> list[Matrix]:
        """Those in which a layer is drawn, or any of them."""
        first = min(v.tiles.zoom[0] for v in self.views) if view is None else view.tiles.zoom[0]
        last = max(v.tiles.zoom[1] for v in self.views) if view is None else view.tiles.zoom[1]
        return [matrix for matrix in self.on.matrices if first <= matrix.level <= last]

    def title(self, lang: str) -> str:
        return say("web.title", lang) if self.of_dataset else self.one.title.say(lang)

    def address(self, links: Links) -> str:
        if self.of_dataset:
            return links.dataset_tileset(self.on.id, self.query)
        return links.tileset(self.one.id, self.on.id, self.query)

    def template(self, links: Links) -> str:
        if self.of_dataset:
            return links.dataset_tile_template(self.on.id, self.query)
        return links.ogc_tile_template(self.one.id, self.on.id, self.query)


def grid_title(on: Grid, lang: str) -> str:
    """In the reader's language where the grid is the service's own."""
    key = {GRID: "web.grid-title", "WorldCRS84Quad": "tiles.grid-degrees"}.get(on.id)
    return on.title if key is None else say(key, lang)


def grid_list(grids: Sequence[Grid], links: Links, lang: str) -> dict[str, object]:
    """The grids that tiles are served on."""
    entries = []
    for on in grids:
        title = grid_title(on, lang)
        entry: dict[str, object] = {"id": on.id, "title": title, "crs": on.crs.uri}
        entry |= {"uri": on.uri} if on.uri else {}
        entries.append({**entry, "links": [link(links.grid(on.id), "self", media.JSON, title)]})
    return {"tileMatrixSets": entries, "links": [link(links.grids(), "self", media.JSON)]}


def grid(on: Grid, lang: str) -> dict[str, object]:
    """A tile matrix set as OGC 17-083r4 writes it, points in the order of the system's axes."""
    made: dict[str, object] = {"id": on.id, "title": grid_title(on, lang)}
    made |= {"description": on.description} if on.description else {}
    made |= {"uri": on.uri} if on.uri else {}
    made |= {"crs": on.crs.uri, "orderedAxes": list(on.axes)}
    made |= {"wellKnownScaleSet": on.scales} if on.scales else {}
    return made | {"tileMatrices": [_matrix(on, each) for each in on.matrices]}


def _matrix(on: Grid, matrix: Matrix) -> dict[str, object]:
    return {
        "id": matrix.id,
        "scaleDenominator": matrix.scale,
        "cellSize": matrix.cell,
        "cornerOfOrigin": "bottomLeft" if matrix.upwards else "topLeft",
        "pointOfOrigin": _point(on, *matrix.corner),
        "tileWidth": matrix.pixels[0],
        "tileHeight": matrix.pixels[1],
        "matrixWidth": matrix.columns,
        "matrixHeight": matrix.rows,
    }


def _point(on: Grid, x: float, y: float) -> list[float]:
    return [y, x] if on.crs.northing_first else [x, y]


def tileset_list(found: Sequence[Tileset], address: str, links: Links, lang: str) -> dict[str, object]:
    """The tilesets of a collection or of the dataset: one on each grid on which it's drawn."""
    entries = [
        {
            **_head(each, links, lang),
            "links": [
                link(each.address(links), "self", media.JSON, each.title(lang)),
                *_shared_links(each, links, lang),
            ],
        }
        for each in found
    ]
    return {"tilesets": entries, "links": [link(address, "self", media.JSON)]}


def tileset(
    of: Tileset, box: Box | None, limits: Mapping[str, Range], links: Links, lang: str
) -> dict[str, object]:
    """The metadata of vector tiles, with the columns and rows of each matrix that may hold something."""
    made: dict[str, object] = {
        **_head(of, links, lang),
        "description": say("web.description", lang) if of.of_dataset else of.one.description.say(lang),
        "tileMatrixSetLimits": [matrix_limits(m, limits[m.id]) for m in of.matrices() if m.id in limits],
        "layers": [_layer(of, view, lang) for view in of.views],
        "links": [
            link(of.address(links), "self", media.JSON, of.title(lang)),
            *_shared_links(of, links, lang),
            *_geodata(of, links, lang),
        ],
    }
    if box is not None:
        corners = {"lowerLeft": list(box[:2]), "upperRight": list(box[2:])}
        made["boundingBox"] = {**corners, "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    return made


def _head(of: Tileset, links: Links, lang: str) -> dict[str, object]:
    """GDAL finds a grid by its URI alone, so one that is registered here alone has its address for one."""
    return {
        "title": of.title(lang),
        "dataType": "vector",
        "crs": of.on.crs.uri,
        "tileMatrixSetURI": of.on.uri or links.grid(of.on.id),
    }


def _shared_links(of: Tileset, links: Links, lang: str) -> list[dict[str, object]]:
    return [
        link(links.grid(of.on.id), OGC_REL + "tiling-scheme", media.JSON, grid_title(of.on, lang)),
        link(of.template(links), "item", media.MVT, say("web.tiles", lang), templated=True),
    ]


def _geodata(of: Tileset, links: Links, lang: str) -> list[dict[str, object]]:
    """The collections that the tiles are made of, and their TileJSON where it has the same tiles."""
    found = [
        link(links.collection(v.id, v.past), OGC_REL + "geodata", media.JSON, v.title.say(lang))
        for v in of.views
    ]
    if of.on.id == GRID and not of.of_dataset:
        address = links.tilejson([of.one.id], of.one.past)
        found.append(link(address, "describedby", media.JSON, say("web.tilejson", lang)))
    return found


def matrix_limits(matrix: Matrix, at: Range) -> dict[str, object]:
    """The columns and rows of a matrix that may hold something."""
    return {
        "tileMatrix": matrix.id,
        "minTileRow": at[1],
        "maxTileRow": at[3],
        "minTileCol": at[0],
        "maxTileCol": at[2],
    }


def _layer(of: Tileset, view: ViewedLayer, lang: str) -> dict[str, object]:
    dimension = 0 if "Point" in view.geometry_type else 1 if "Line" in view.geometry_type else 2
    kinds = {name: {"title": text} for name, text in fields(view, lang).items()}
    made: dict[str, object] = {
        "id": view.id,
        "title": view.title.say(lang),
        "dataType": "vector",
        "geometryDimension": dimension,
        "propertiesSchema": {"type": "object", "properties": kinds},
    }
    if drawn := of.matrices(view):
        made |= {"minTileMatrix": drawn[0].id, "maxTileMatrix": drawn[-1].id}
    return made
