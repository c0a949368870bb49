"""The page of one feature: what is known of it, where it lies, whose data it is, and its neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gis_service.catalog.view import ViewedLayer
from gis_service.features.documents import Dataset, Stats
from gis_service.web import field as words
from gis_service.web.frame import Document, Frame, Urls, formats, map_settings, rendered, trail
from gis_service.web.history_page import Line
from gis_service.web.items_page import GROUND

Box = tuple[float, float, float, float]
CELLS = {10: 0.1, 100: 0.01, 1000: 0.001}  # degrees of the grids that hide exact places (0004_rows.sql)
_POINT_ZOOM = 12
_TILES_ACROSS = 2  # of 512 pixels, on a small map
_CLOSEST = 16
_KILOMETRES = 111.0  # of a degree of latitude
_NEAR = 1e-9  # degrees: a cell's centre, but for rounding


@dataclass(frozen=True, slots=True)
class Row:
    """One property with its value in words."""

    title: str
    text: str
    name: str
    description: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that rows of the layer come from."""

    title: str
    citation: str
    licence: str
    href: str


@dataclass(frozen=True, slots=True)
class Single:
    """What the route has found for the page; the feature's geometry has the detail of the map."""

    view: ViewedLayer
    feature: Document
    stats: Stats | None
    before: str = ""  # ids of the neighbours by key
    after: str = ""
    coarse: bool = False  # whether the position may be less exact than the true one
    history: Sequence[Line] = ()


def page(frame: Frame, single: Single) -> str:
    """The whole page."""
    view, feature = single.view, single.feature
    layer, box = view.title.say(frame.lang), bounds(feature.get("geometry"))
    name = words.title_of(feature, frame.lang)
    name = f"{layer} {name}" if name == str(feature["id"]) else name
    rows, empty = _rows(frame, single)
    steps = (
        (layer, frame.links.collection(view.id, view.past)),
        (frame.say("page.collection.items"), frame.links.items(view.id, view.past)),
    )
    return rendered(
        "item.html",
        frame,
        "collections",
        trail=trail(frame, name, *steps),
        name=name,
        layer=layer,
        id=view.id,
        feature=feature,
        basis=feature["properties"].get(words.BASIS),
        coarse=_coarse_note(frame, feature) if single.coarse else "",
        past=view.past,
        today=Urls(frame).page(frame.links.item(view.id, str(feature["id"]))),
        rows=rows,
        empty=empty,
        place=_place(frame, box),
        on_map=_on_map(frame, view, box),
        before=_beside(frame, single, single.before),
        after=_beside(frame, single, single.after),
        history=single.history,
        whole_history=Urls(frame).page(frame.links.history(view.id, str(feature["id"]))),
        sources=_sources(frame, view, single.stats),
        map=_map(frame, single, box),
        formats=formats(feature),
    )


def bounds(geometry: Document | None) -> Box | None:
    """West, south, east and north of a GeoJSON geometry."""
    found = list(_positions((geometry or {}).get("coordinates", ())))
    if not found:
        return None
    xs, ys = [x for x, _ in found], [y for _, y in found]
    return min(xs), min(ys), max(xs), max(ys)


def fitting_zoom(box: Box) -> int:
    """The zoom at which the box fills a small map."""
    size = max(box[2] - box[0], box[3] - box[1])
    if size <= 0:
        return _POINT_ZOOM
    return max(0, min(_CLOSEST, math.floor(math.log2(360 * _TILES_ACROSS / size))))


def _coarse_note(frame: Frame, feature: Document) -> str:
    """That the position is the centre of a cell, and how large that is."""
    cell = cell_of(feature)
    if cell is None:
        return frame.say("page.coarse.unknown")
    kilometres = round(cell * _KILOMETRES, 1)
    across = f"{words.number(kilometres, frame.lang)} km" if kilometres >= 1 else f"{kilometres * 1000:.0f} m"
    return frame.say("page.coarse", size=words.number(cell, frame.lang), across=across)


def cell_of(feature: Document) -> float | None:
    """The size in degrees of the grid cell that the point is the centre of; None where it is none's."""
    longitude, latitude = (feature.get("geometry") or {}).get("coordinates", (0.0, 0.0))[:2]
    return next((size for n, size in CELLS.items() if _centred(longitude, n) and _centred(latitude, n)), None)


def _centred(degrees: float, cells: int) -> bool:
    return abs((degrees * cells) % 1 - 0.5) < _NEAR * cells


def _positions(coordinates: Any) -> Iterator[tuple[float, float]]:  # nested as deep as the geometry's type
    if coordinates and isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
        return
    for part in coordinates:
        yield from _positions(part)


def _rows(frame: Frame, single: Single) -> tuple[list[Row], list[str]]:
    """The properties that have a value, and the titles of those that have none."""
    rows, empty = [], []
    values = single.feature["properties"]
    for each in words.fields(single.view, frame.lang):
        text = words.shown(values.get(each.name), each, frame.lang)
        if text:
            rows.append(Row(each.title, text, each.name, each.description, _address(text)))
        else:
            empty.append(each.title)
    return rows, empty


def _address(text: str) -> str:
    """A value that is a web address can be followed; no other scheme becomes a link."""
    return text if text.startswith(("https://", "http://")) and " " not in text else ""


def _place(frame: Frame, box: Box | None) -> str:
    """Longitude and latitude, or the bounds of what has some extent."""
    if box is None:
        return frame.say("page.item.nowhere")
    (west, south, east, north), lang = box, frame.lang
    if (west, south) == (east, north):
        return frame.say(
            "page.item.point", latitude=_degrees(south, "NS", lang), longitude=_degrees(west, "EW", lang)
        )
    return frame.say(
        "page.item.bounds",
        south=_degrees(south, "NS", lang), north=_degrees(north, "NS", lang),
        west=_degrees(west, "EW", lang), east=_degrees(east, "EW", lang),
    )  # fmt: skip


def _degrees(value: float, letters: str, lang: str) -> str:
    return f"{words.number(round(abs(value), 5), lang)}°{letters[value < 0]}"


def _on_map(frame: Frame, view: ViewedLayer, box: Box | None) -> str:
    """The large map, there where the feature is."""
    if box is None:
        return Urls(frame).page(frame.links.map(), layers=view.id)
    west, south, east, north = box
    zoom = max(fitting_zoom(box) - 1, view.tiles.zoom[0])
    fragment = f"{zoom}/{(south + north) / 2:.5f}/{(west + east) / 2:.5f}"
    return Urls(frame).page(frame.links.map(), fragment, layers=view.id)


def _beside(frame: Frame, single: Single, feature: str) -> str:
    return Urls(frame).page(frame.links.item(single.view.id, feature, single.view.past)) if feature else ""


def _sources(frame: Frame, view: ViewedLayer, stats: Stats | None) -> list[Source]:
    """The datasets behind the layer, else the source that its definition names."""
    if stats is not None and stats.datasets:
        return [_dataset(frame, each) for each in stats.datasets]
    source = view.layer.source
    title = source.title.say(frame.lang)
    return [Source(title, source.citation or "", source.licence or "", _address(source.url or ""))]


def _dataset(frame: Frame, dataset: Dataset) -> Source:
    title = dataset.title_vi if frame.lang == "vi" and dataset.title_vi else dataset.title
    return Source(title, dataset.citation, dataset.licence, _address(dataset.source_url or ""))


def _map(frame: Frame, single: Single, box: Box | None) -> Mapping[str, object]:
    view = single.view
    exact = frame.links.item(view.id, str(single.feature["id"]), {**view.past, "f": "json"})
    return map_settings(
        frame,
        past=view.past,
        layers=[GROUND, view.id],
        data=_drawn(single) if box else None,
        exact=exact if view.geometry_type != "Point" else None,
        level=fitting_zoom(box) + 1 if box else None,
    )


def _drawn(single: Single) -> Document:
    """The feature itself, and the whole cell that a coarse position stands for."""
    shape = single.feature["geometry"]
    features = [{"type": "Feature", "properties": {}, "geometry": shape}]
    cell = cell_of(single.feature) if single.coarse else None
    if cell is not None:
        x, y = shape["coordinates"][:2]
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
        ring = [[x + dx * cell / 2, y + dy * cell / 2] for dx, dy in corners]
        square = {"type": "Polygon", "coordinates": [ring]}
        features.insert(0, {"type": "Feature", "properties": {}, "geometry": square})
    return {"type": "FeatureCollection", "features": features}
