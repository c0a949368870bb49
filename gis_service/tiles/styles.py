"""MapLibre styles with absolute addresses (row V2) and only the layers that the caller may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.links import Links, link
from gis_service.tiles.sprites import SHEET

Style = Mapping[str, Any]  # a MapLibre style, JSON as its file holds it
LEGENDS: Final = {"legend.svg": media.SVG, "legend.png": media.PNG}
LEGEND: Final = media.OGC_REL + "legend"
UNNAMED: Final = "-unnamed"  # ends the id of a layer that labels rows without a name in the language
_OF_WDPA: Final = {"en": "name_eng"}


def style(
    document: Style,
    seen: Mapping[str, ViewedLayer],
    links: Links,
    lang: str,
    theme: str = "light",
    release: int | None = None,
) -> dict[str, Any]:
    """The style with each vector source at our TileJSON; unseen layers and what draws them are left out.

    Labels are in the language where the rows have names in it. With a release it draws the past of all layers
    that have one.
    """
    past = {} if release is None else {"release": str(release)}
    sources = {
        name: {**source, "url": links.tilejson([name], past if seen[name].layer.managed else None)}
        if source.get("type") == "vector"
        else source
        for name, source in document.get("sources", {}).items()
        if source.get("type") != "vector" or name in seen
    }
    drawn = [
        layer for layer in document["layers"] if layer.get("source") is None or layer["source"] in sources
    ]
    spoken = [each for layer in drawn for each in _spoken(layer, seen, lang)]
    layers = _dark(document, spoken) if theme == "dark" else spoken
    return {**document, **_letters_and_icons(links), "sources": sources, "layers": layers}


def _letters_and_icons(links: Links) -> dict[str, str]:
    """The spaces in names of fonts are the reader's to write as %20."""
    return {"glyphs": links.glyphs(), "sprite": links.sprite(SHEET)}


def _spoken(
    layer: Mapping[str, Any], seen: Mapping[str, ViewedLayer], lang: str
) -> Sequence[Mapping[str, Any]]:
    """The layer with its labels by the names in that language; a second one names rows that have none in it.

    One layer could do both by `coalesce`, which QGIS 3.22 takes for no label at all.
    """
    layout, view = layer.get("layout", {}), seen.get(layer.get("source", ""))
    names = (f"name_{lang}", _OF_WDPA.get(lang, ""))
    if layout.get("text-field") != ["get", "name"] or view is None:
        return [layer]
    if (name := next((each for each in names if each in view.tiles.properties), None)) is None:
        return [layer]
    named: list[object] = ["has", name]
    return [
        {**layer, "id": layer["id"] + UNNAMED, "filter": _both(layer, ["!", named])},
        {**layer, "layout": {**layout, "text-field": ["get", name]}, "filter": _both(layer, named)},
    ]


def _both(layer: Mapping[str, Any], condition: Sequence[object]) -> Sequence[object]:
    return ["all", layer["filter"], condition] if "filter" in layer else condition


def _dark(document: Style, layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The layers in the colours of `gis:dark`."""
    colours = document.get("metadata", {}).get("gis:dark", {})
    return [{**each, "paint": {**each.get("paint", {}), **colours.get(_own(each), {})}} for each in layers]


def _own(layer: Mapping[str, Any]) -> str:
    return str(layer["id"]).removesuffix(UNNAMED)


def visible(document: Style, seen: Collection[str]) -> bool:
    """Whether the caller may see anything that the style draws."""
    vector = [name for name, source in document.get("sources", {}).items() if source.get("type") == "vector"]
    return not vector or any(name in seen for name in vector)


def style_list(styles: Mapping[str, Style], seen: Collection[str], links: Links) -> dict[str, object]:
    """Every style of which the caller may see something."""
    entries = [
        {"id": name, "title": str(document.get("name", name)), "links": _links(name, document, links)}
        for name, document in styles.items()
        if visible(document, seen)
    ]
    return {"styles": entries, "links": [link(links.styles(), "self", media.JSON)]}


def _links(name: str, document: Style, links: Links) -> list[dict[str, object]]:
    title = str(document.get("name", name))
    drawings = [link(links.legend(name, file), LEGEND, kind, title) for file, kind in LEGENDS.items()]
    return [link(links.style(name), "stylesheet", media.STYLE, title), *drawings]
