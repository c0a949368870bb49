"""The documents of raster layers: collection, map tilesets, TileJSON, style, legend, value at a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from gis_service import links as media
from gis_service.catalog.raster import RasterClass, RasterLayer, ViewedRaster
from gis_service.geo.grid import Grid, Range
from gis_service.links import OGC_REL, Links, link
from gis_service.texts import say
from gis_service.tiles import grids, legend
from gis_service.tiles.tilejson import WORLD, Box

FORMS: Final[Mapping[str, str]] = {"png": media.PNG, "webp": media.WEBP}
LEGENDS: Final[Mapping[str, str]] = {"legend.svg": media.SVG, "legend.png": media.PNG}
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_GREGORIAN: Final = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
Found = Mapping[str, Any]  # what the file itself says: see geoprocessing.raster_maps.description


def zooms(layer: RasterLayer, found: Found) -> tuple[int, int]:
    """The zooms that have tiles."""
    return layer.zoom or (0, int(found["maxzoom"]))


def attribution(layer: RasterLayer, lang: str) -> str:
    """Citation, licence, and what one could take for more than it is."""
    source = layer.source
    parts = (source.citation or source.title.say(lang), source.licence)
    basis = "" if layer.basis == "published" else f" ({say('web.basis.' + layer.basis, lang)})"
    return ", ".join(part for part in parts if part) + basis


def collection(view: ViewedRaster, found: Found | None, links: Links, lang: str) -> dict[str, object]:
    """The layer among the collections; without extent where its file can't be read."""
    layer, source = view.layer, view.layer.source
    made: dict[str, object] = {
        "id": layer.id,
        "title": layer.title.say(lang),
        "description": layer.description.say(lang),
        "keywords": list(layer.keywords),
        "itemType": "coverage",  # without it clients take items for features, of which there are none
        "dataType": "map",
        "crs": [CRS84],
        "attribution": attribution(layer, lang),
        "datasets": [_dataset(layer, lang)],
        "raster": _raster(layer, found, lang),
        "links": [*_formats(view, links, lang), *_links(view, links, lang)],
    }
    if source.licence:
        made["license"] = source.licence
    if found is not None:
        made["storageCrs"] = found["crs"]
    if extent := _extent(layer, found):
        made["extent"] = extent
    return made


def _dataset(layer: RasterLayer, lang: str) -> dict[str, object]:
    source = layer.source
    made = {"title": source.title.say(lang), "basis": layer.basis}
    more = {"license": source.licence, "citation": source.citation, "source": source.url}
    return {**made, **{name: value for name, value in more.items() if value}}


def _raster(layer: RasterLayer, found: Found | None, lang: str) -> dict[str, object]:
    made: dict[str, object] = {"band": layer.band}
    names = ("unit", "product", "year", "resolution")
    made |= {name: value for name in names if (value := getattr(layer, name)) is not None}
    if found is not None:
        made |= {"width": found["width"], "height": found["height"]}
    if layer.classes is not None:
        made["classes"] = [
            {"value": code, "title": each.title.say(lang), "colour": each.colour}
            for code, each in sorted(layer.classes.items())
        ]
    if layer.ramp is not None:
        made["ramp"] = [{"value": stop.value, "colour": stop.colour} for stop in layer.ramp.stops]
    return made


def _extent(layer: RasterLayer, found: Found | None) -> dict[str, object]:
    extent: dict[str, object] = {}
    if found is not None:
        extent["spatial"] = {"bbox": [found["bbox"]], "crs": CRS84}
    if layer.year is not None:
        days = [f"{layer.year:04d}-01-01T00:00:00Z", f"{layer.year:04d}-12-31T00:00:00Z"]
        extent["temporal"] = {"interval": [days], "trs": _GREGORIAN}
    return extent


def _formats(view: ViewedRaster, links: Links, lang: str) -> list[dict[str, object]]:
    here = links.collection(view.id)
    return [
        link(f"{here}?f=json", "self", media.JSON, say("web.as-json", lang)),
        link(f"{here}?f=html", "alternate", media.HTML, say("web.as-html", lang)),
    ]


def _links(view: ViewedRaster, links: Links, lang: str) -> list[dict[str, object]]:
    name, title = view.id, view.layer.title.say(lang)
    made = [
        link(links.map_tilesets(name), OGC_REL + "tilesets-map", media.JSON, say("raster.tiles", lang)),
        link(links.tilejson([name]), "related", media.JSON, say("raster.tilejson", lang)),
        link(links.map_style(name), OGC_REL + "style", media.STYLE, say("web.style", lang)),
        *(
            link(links.map_legend(name, file), OGC_REL + "legend", kind, say("legend", lang))
            for file, kind in LEGENDS.items()
        ),
        link(links.position(name), "related", media.GEOJSON, say("raster.position", lang)),
        link(links.collections(), "parent", media.JSON, say("web.collections", lang)),
    ]
    if view.layer.source.url:
        made.append(link(view.layer.source.url, "via", media.HTML, title))
    return made


def tileset_list(view: ViewedRaster, on: Iterable[Grid], links: Links, lang: str) -> dict[str, object]:
    """A tileset of maps for each grid that shows the layer."""
    here = link(links.map_tilesets(view.id), "self", media.JSON)
    entries = [
        {**_head(view, each, links, lang), "links": _tileset_links(view, each, links, lang)} for each in on
    ]
    return {"tilesets": entries, "links": [here]}


def tileset(
    view: ViewedRaster, on: Grid, found: Found, limits: Mapping[str, Range], links: Links, lang: str
) -> dict[str, object]:
    """The metadata of map tiles on a grid, with the columns and rows that the raster lies in."""
    first, last = zooms(view.layer, found)
    drawn = [each for each in on.matrices if first <= each.level <= last and each.id in limits]
    west, south, east, north = found["bbox"]
    return {
        **_head(view, on, links, lang),
        "description": view.layer.description.say(lang),
        "tileMatrixSetLimits": [grids.matrix_limits(each, limits[each.id]) for each in drawn],
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84},
        "links": _tileset_links(view, on, links, lang),
    }


def _head(view: ViewedRaster, on: Grid, links: Links, lang: str) -> dict[str, object]:
    return {
        "title": view.layer.title.say(lang),
        "dataType": "map",
        "crs": on.crs.uri,
        "tileMatrixSetURI": on.uri or links.grid(on.id),
    }


def _tileset_links(view: ViewedRaster, on: Grid, links: Links, lang: str) -> list[dict[str, object]]:
    title = view.layer.title.say(lang)
    return [
        link(links.map_tileset(view.id, on.id), "self", media.JSON, title),
        link(links.grid(on.id), OGC_REL + "tiling-scheme", media.JSON, grids.grid_title(on, lang)),
        *(
            link(links.map_tile_template(view.id, on.id, form), "item", kind, title, templated=True)
            for form, kind in FORMS.items()
        ),
        link(links.collection(view.id), OGC_REL + "geodata", media.JSON, title),
    ]


def tilejson(view: ViewedRaster, found: Found, links: Links, lang: str) -> dict[str, object]:
    """TileJSON 3 of pictures, in the form that is half as large as PNG and that all browsers draw."""
    first, last = zooms(view.layer, found)
    west, south, east, north = bounds = _shown(found["bbox"])
    return {
        "tilejson": "3.0.0",
        "name": view.layer.title.say(lang),
        "version": "1.0.0",
        "scheme": "xyz",
        "format": "webp",
        "tiles": [links.map_xyz(view.id, "webp")],
        "minzoom": first,
        "maxzoom": last,
        "bounds": list(bounds),
        "center": [(west + east) / 2, (south + north) / 2, first],
        "attribution": escape(attribution(view.layer, lang)),  # maps show it as HTML
    }


def _shown(box: Sequence[float]) -> Box:
    """What of a box Web Mercator can show."""
    west, south, east, north = box
    return max(west, WORLD[0]), max(south, WORLD[1]), min(east, WORLD[2]), min(north, WORLD[3])


def style(view: ViewedRaster, links: Links, lang: str) -> dict[str, object]:
    """A MapLibre style; between zooms classes keep their edges."""
    resampling = "nearest" if view.layer.classes is not None else "linear"
    source = {"type": "raster", "url": links.tilejson([view.id]), "tileSize": 256}
    drawn = {"id": view.id, "type": "raster", "source": view.id, "paint": {"raster-resampling": resampling}}
    return {
        "version": 8, "name": view.layer.title.say(lang), "sources": {view.id: source}, "layers": [drawn],
    }  # fmt: skip


def legend_svg(view: ViewedRaster, lang: str, theme: str) -> str:
    """The colours of the classes, or of the stops with the highest above."""
    layer = view.layer
    head = legend.Row(layer.title.say(lang) + (f" ({layer.unit})" if layer.unit else ""), bold=True)
    if layer.classes is not None:
        told = [(each.title.say(lang), each.colour) for _, each in sorted(layer.classes.items())]
    else:
        assert layer.ramp is not None, "the validator holds to one of both"
        told = [(_number(stop.value, lang), stop.colour) for stop in reversed(layer.ramp.stops)]
    rows = [legend.Row(words, entry={"shape": "cell", "colour": colour}) for words, colour in told]
    return legend.drawing([head, *rows], lang, theme)


def _number(value: float, lang: str) -> str:
    """With the language's marks: 1,234.5 or 1.234,5."""
    written = f"{value:,.10g}"
    return written.translate(str.maketrans(",.", ".,")) if lang == "vi" else written


def value_at(
    view: ViewedRaster, at: tuple[float, float], value: float | None, links: Links, lang: str
) -> dict[str, object]:
    """A feature of GeoJSON: the value of the cell that holds the place, null where there is none."""
    layer = view.layer
    said: dict[str, object] = {"value": value}
    if layer.classes is not None:
        named: RasterClass | None = None if value is None else layer.classes.get(int(value))
        said["class"] = None if named is None else named.title.say(lang)
    names = ("unit", "product", "year")
    said |= {name: known for name in names if (known := getattr(layer, name)) is not None}
    said |= {"basis": layer.basis, "attribution": attribution(layer, lang)}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(at)},
        "properties": said,
        "links": [link(links.collection(view.id), "collection", media.JSON, layer.title.say(lang))],
    }
