"""MapLibre styles with absolute addresses (row V2) and only the layers that the caller may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.links import Links, link

Style = Mapping[str, Any]  # a MapLibre style, JSON as its file holds it


def style(
    document: Style, seen: Mapping[str, ViewedLayer], links: Links, release: int | None = None
) -> dict[str, Any]:
    """The style with each vector source at our TileJSON; unseen layers and what draws them are left out.

    With a release it draws the past of all layers that have one.
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
    return {**document, "sources": sources, "layers": drawn}


def visible(document: Style, seen: Collection[str]) -> bool:
    """Whether the caller may see anything that the style draws."""
    vector = [name for name, source in document.get("sources", {}).items() if source.get("type") == "vector"]
    return not vector or any(name in seen for name in vector)


def style_list(styles: Mapping[str, Style], seen: Collection[str], links: Links) -> dict[str, object]:
    """Every style of which the caller may see something."""
    entries = [
        {
            "id": name,
            "title": str(document.get("name", name)),
            "links": [link(links.style(name), "stylesheet", media.STYLE, str(document.get("name", name)))],
        }
        for name, document in styles.items()
        if visible(document, seen)
    ]
    return {"styles": entries, "links": [link(links.styles(), "self", media.JSON)]}
