"""The interactive map of a report, by folium, with Leaflet inside the page: it asks nobody for anything."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import folium

from gis_service import javascript
from gis_service.reports.drawing import Drawing, GeoJSON, Shape
from gis_service.texts import say


@dataclass(frozen=True)
class MapParts:
    """What the page puts into its head, its body and its end."""

    head: str
    body: str
    script: str


def render(drawing: Drawing, lang: str) -> MapParts:
    """The map as pieces of HTML; its colours are those of the page's style sheet, by class."""
    view = folium.Map(tiles=None, zoom_snap=0.25, height="100%", attribution_control=False)
    view.default_js, view.default_css = [], []  # folium's own point to servers outside
    _add(view, say("report.map.context", lang), "context", drawing.context, lang)
    _add(view, say("report.map.areas", lang), "area", drawing.areas, lang)
    _add(
        view,
        say("report.map.project", lang),
        "project",
        [Shape(drawing.project, say("report.map.project", lang))],
        lang,
    )
    _add(view, say("report.map.overlaps", lang), "overlap", drawing.overlaps, lang)
    _add(view, say("report.map.way", lang), "way", drawing.ways, lang)
    _add(view, say("report.map.plots", lang), "plot", drawing.plots, lang)
    west, south, east, north = drawing.frame
    view.fit_bounds([[south, west], [north, east]])
    figure: Any = view.get_root()  # a Figure; branca types it as its parent
    figure.render()
    return MapParts(
        head=f"<style>{_leaflet('css')}</style><script>{_leaflet('js')}</script>",
        body=figure.html.render(),
        script=f"{figure.script.render()}\nL.control.scale({{imperial: false}}).addTo({view.get_name()});",
    )


def _add(view: folium.Map, title: str, kind: str, shapes: Sequence[Shape], lang: str) -> None:
    if not shapes:
        return
    folium.GeoJson(
        {"type": "FeatureCollection", "features": [_feature(shape, title, lang) for shape in shapes]},
        name=title,
        style_function=_classes(kind),
        marker=folium.CircleMarker(radius=5) if kind == "plot" else None,
        tooltip=folium.GeoJsonTooltip(["words"], labels=False, sticky=True, class_name="tip"),
        smooth_factor=0.5,
    ).add_to(view)


def _feature(shape: Shape, title: str, lang: str) -> GeoJSON:
    words = shape.name if shape.name == title else f"{title}: {shape.name}"
    if shape.basis != "published":
        words += f" ({say(f'report.basis.{shape.basis}', lang)})"
    return {
        "type": "Feature",
        "geometry": shape.geometry,
        "properties": {"words": html.escape(words), "basis": shape.basis},  # the tooltip is HTML
    }


def _classes(kind: str) -> Callable[[GeoJSON], dict[str, object]]:
    def style(feature: GeoJSON) -> dict[str, object]:
        return {"className": f"shape {kind} {feature['properties']['basis']}", "weight": 1.5}

    return style


@cache
def _leaflet(suffix: str) -> str:
    """Leaflet itself, without what would make a browser ask for more: images and source maps."""
    text = javascript.text("leaflet", f"leaflet.{suffix}")
    text = re.sub(r"/[/*]# sourceMappingURL=\S+", "", text)
    return re.sub(r"url\((?:images/|#default)[^)]*\)", "none", text)
