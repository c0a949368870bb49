"""The routes of raster layers in the definition."""

from __future__ import annotations

from collections.abc import Mapping

from gis_service import links as media
from gis_service.tiles.legend import THEMES
from gis_service.tiles.raster_documents import FORMS, LEGENDS
from gis_service.web.openapi_parts import (
    BINARY,
    FORM,
    TEXT,
    Part,
    answers,
    document,
    operation,
    parameter,
    path_parameter,
    reference,
    told,
)

_WHOLE: Part = {"type": "integer", "minimum": 0}


def paths(lang: str) -> Mapping[str, Part]:
    """Operation ids and path parameters as OGC API Tiles names them (row C8)."""
    return {**_tiles(lang), **_pictures(lang), **_values(lang)}


def _tiles(lang: str) -> Mapping[str, Part]:
    json, layer, grid = document(media.JSON, missing=True), _layer(), reference("tileMatrixSetId")
    at, named = "/collections/{collectionId}/map/tiles", ".collection.map.get"
    form = parameter("f", {"type": "string", "enum": list(FORMS)}, told("picture", lang))
    cell = [
        parameter("tileMatrix", TEXT, place="path"),
        parameter("tileRow", _WHOLE, place="path"),
        parameter("tileCol", _WHOLE, place="path"),
    ]
    xyz = [parameter(name, _WHOLE, place="path") for name in ("z", "x", "y")]
    kind = parameter("form", {"type": "string", "enum": list(FORMS)}, told("picture", lang), place="path")
    empty = {**_picture(), "204": {"description": told("tile-empty", lang)}}
    return {
        at: operation(named + "TileSetsList", "tiles", told("map-tilesets", lang), json, layer, *FORM),
        at + "/{tileMatrixSetId}": operation(
            named + "TileSet", "tiles", told("map-tileset", lang), json, layer, grid, *FORM
        ),
        at + "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": operation(
            named + "Tile", "tiles", told("map-tile", lang), _picture(), layer, grid, *cell, form
        ),
        "/xyz/{collectionId}/{z}/{x}/{y}.{form}": operation(
            "getXyzMapTile", "tiles", told("map-tile", lang), empty, layer, *xyz, kind
        ),
    }


def _pictures(lang: str) -> Mapping[str, Part]:
    layer, at = _layer(), "/collections/{collectionId}/map"
    theme = parameter("theme", {"type": "string", "enum": list(THEMES)}, told("theme", lang))
    legends = {
        f"{at}/{file}": operation(
            "getMapLegend" + file.rpartition(".")[2].upper(), "tiles", told("map-legend", lang),
            answers({kind: BINARY}, missing=True), layer, theme, reference("lang"),
        )
        for file, kind in LEGENDS.items()
    }  # fmt: skip
    style = document(media.STYLE, missing=True)
    return {
        at + "/style.json": operation(
            "getMapStyle", "tiles", told("map-style", lang), style, layer, reference("lang")
        ),
        **legends,
    }


def _values(lang: str) -> Mapping[str, Part]:
    coords = parameter("coords", TEXT, told("coords", lang))
    coords["required"] = True
    return {
        "/collections/{collectionId}/position": operation(
            "getPosition", "tiles", told("position", lang), document(media.GEOJSON, missing=True), _layer(),
            coords, *FORM,
        )
    }  # fmt: skip


def _layer() -> Part:
    return path_parameter("collectionId")


def _picture() -> Part:
    return answers(dict.fromkeys(FORMS.values(), BINARY), headers=("ETag",), missing=True)
