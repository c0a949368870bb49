"""What tiles leave out, told: by which rule, in the header of each tile and in TileJSON."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.catalog.view import ViewedLayer
from gis_service.db import point_tables, pointsql
from gis_service.geo import tiles
from gis_service.texts import say

HEADER = "tile-reduction"
_UNITS_A_PIXEL = 8  # of a 512-pixel tile


def headers(
    views: Sequence[ViewedLayer], zoom: int, counts: Sequence[int | None]
) -> tuple[tuple[str, str], ...]:
    """One header with an item for each layer (RFC 9651, a list of tokens with parameters).

    `counts` are two for each layer: the rows that the caller sees there, where they are counted, and the
    features of the tile.
    """
    told = []
    for number, view in enumerate(views):
        matched, returned = counts[2 * number : 2 * number + 2]
        known = "" if matched is None else f";matched={matched}"
        told.append(f"{view.id};rule={_rule(view, zoom, matched, returned)}{known};returned={returned}")
    return ((HEADER, ", ".join(told)),) if told else ()


def _rule(view: ViewedLayer, zoom: int, matched: int | None, returned: int | None) -> str:
    if pointsql.is_reduced(view, zoom):
        return view.tiles.reduce
    if view.geometry_type.endswith("Point"):
        return "none" if matched == returned or matched is None else "cut"
    return "generalized"


def document(view: ViewedLayer, lang: str) -> dict[str, object]:
    """The rule of a layer for TileJSON, with a sentence for people."""
    if not pointsql.applies(view):
        rule = "none" if view.geometry_type.endswith("Point") else "generalized"
        return {"rule": rule, "description": say(f"tiles.reduction.{rule}", lang)}
    cell = point_tables.CELL // _UNITS_A_PIXEL
    if view.tiles.reduce == "bins":
        told = say("tiles.reduction.bins", lang, pixels=cell)
        return {"rule": "bins", "cell": point_tables.CELL, "extent": tiles.EXTENT, "description": told}
    first, most = view.tiles.all_from, pointsql.MOST_FEATURES
    return {
        "rule": "thin",
        "below": first,
        "cell": point_tables.CELL,
        "extent": tiles.EXTENT,
        "most": most,
        "description": say("tiles.reduction.thin", lang, pixels=cell, zoom=first, most=most),
    }
