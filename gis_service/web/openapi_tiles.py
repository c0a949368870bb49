"""The routes of tiles, grids and styles in the definition."""

from __future__ import annotations

from collections.abc import Mapping

from gis_service import links as media
from gis_service.tiles.legend import THEMES
from gis_service.tiles.styles import LEGENDS
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
    return {**_grids(lang), **_of_collections(lang), **_of_dataset(lang), **_xyz(lang), **_styles(lang)}


def _grids(lang: str) -> Mapping[str, Part]:
    json, grid = document(media.JSON, missing=True), reference("tileMatrixSetId")
    return {
        "/tileMatrixSets": operation("getTileMatrixSetsList", "tiles", told("grids", lang), json, *FORM),
        "/tileMatrixSets/{tileMatrixSetId}": operation(
            "getTileMatrixSet", "tiles", told("grid", lang), json, grid, *FORM
        ),
    }


def _of_collections(lang: str) -> Mapping[str, Part]:
    json, tile = document(media.JSON, missing=True), _tile(lang)
    layer, past = reference("collectionId"), reference("release")
    at, grid = "/collections/{collectionId}/tiles", reference("tileMatrixSetId")
    named = ".collection.vector.get"
    return {
        at: operation(named + "TileSetsList", "tiles", told("tilesets", lang), json, layer, past, *FORM),
        at + "/{tileMatrixSetId}": operation(
            named + "TileSet", "tiles", told("tileset", lang), json, layer, grid, past, *FORM
        ),
        at + "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": operation(
            named + "Tile", "tiles", told("tile", lang), tile, layer, grid, *_cell(), past
        ),
    }


def _of_dataset(lang: str) -> Mapping[str, Part]:
    json, tile, past = document(media.JSON, missing=True), _tile(lang), reference("release")
    listed = parameter("collections", {"type": "array", "items": TEXT}, told("collections-selected", lang))
    chosen: Part = {**listed, "style": "form", "explode": False}
    grid, named = reference("tileMatrixSetId"), ".dataset.vector.get"
    return {
        "/tiles": operation(
            named + "TileSetsList", "tiles", told("dataset-tilesets", lang), json, chosen, past, *FORM
        ),
        "/tiles/{tileMatrixSetId}": operation(
            named + "TileSet", "tiles", told("dataset-tileset", lang), json, grid, chosen, past, *FORM
        ),
        "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": operation(
            named + "Tile", "tiles", told("dataset-tile", lang), tile, grid, *_cell(), chosen, past
        ),
    }


def _xyz(lang: str) -> Mapping[str, Part]:
    layers, past, json = reference("layers"), reference("release"), document(media.JSON, missing=True)
    xyz = [parameter(name, _WHOLE, place="path") for name in ("z", "x", "y")]
    return {
        "/xyz/{layers}/{z}/{x}/{y}.mvt": operation(
            "getXyzTile", "tiles", told("tile", lang), _tile(lang), layers, *xyz, past
        ),
        "/xyz/{layers}/tilejson.json": operation(
            "getTileJson", "tiles", "TileJSON", json, layers, past, reference("lang")
        ),
    }


def _styles(lang: str) -> Mapping[str, Part]:
    style = document(media.STYLE, missing=True)
    picture = answers(dict.fromkeys(LEGENDS.values(), BINARY), missing=True)
    theme = parameter("theme", {"type": "string", "enum": list(THEMES)}, told("theme", lang))
    return {
        "/styles": operation(
            "getStyles", "tiles", told("styles", lang), document(media.JSON, missing=True), *FORM
        ),
        "/styles/{styleId}": operation(
            "getStyle", "tiles", told("style", lang), style, path_parameter("styleId"),
            reference("release"), theme, *FORM,
        ),
        "/styles/{styleId}/{legend}": operation(
            "getLegend", "tiles", told("legend", lang), picture, path_parameter("styleId"),
            parameter("legend", {"type": "string", "enum": list(LEGENDS)}, place="path"), theme, *FORM,
        ),
        "/fonts/{fontstack}/{range}": operation(
            "getGlyphs", "tiles", told("letters", lang), answers({media.GLYPHS: BINARY}, missing=True),
            path_parameter("fontstack"), path_parameter("range"),
        ),
        "/sprites/{sprite}": operation(
            "getSprite", "tiles", told("sprite", lang),
            answers({media.JSON: {"type": "object"}, media.PNG: BINARY}, missing=True),
            path_parameter("sprite"),
        ),
    }  # fmt: skip


def _tile(lang: str) -> Part:
    tile = answers({media.MVT: BINARY}, headers=("ETag",), missing=True)
    tile["204"] = {"description": told("tile-empty", lang)}
    return tile


def _cell() -> list[Part]:
    """Matrices have names, rows and columns numbers."""
    return [
        parameter("tileMatrix", TEXT, place="path"),
        parameter("tileRow", _WHOLE, place="path"),
        parameter("tileCol", _WHOLE, place="path"),
    ]
